"""Every differentiable operator of torch's own database, in float64: which of them are checked, and why not the others.

python -m benchmarks operators                        all that `operators.jsonl` has not yet, and the table
python -m benchmarks operators --shard 1/6            a sixth of them
python -m benchmarks.operators linalg.pinv --order 2  some, with each sample that does not pass
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.operator_faults import FAULTS, Fault
from benchmarks.operator_samples import LARGEST, operators, samples
from benchmarks.report import Options, Section
from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.code import CodeResult

SECONDS = 20
"""After which a sample is given up."""
QUICK = 15
"""Of so many operators, one is taken."""


class TooLong(BaseException):
    """A sample took longer than SECONDS."""


@dataclass
class Outcome:
    """What came of the samples of one operator. counts: samples by "passed", "opaque", "failed", "no verdict", "too
    long" or "bug". why: of each of these but the first, the reason at the first such sample. opaque: the operations.
    confirmed: failed samples at which torch's own gradcheck fails as well."""

    operator: str
    order: int
    counts: dict[str, int] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    opaque: list[str] = field(default_factory=list)
    confirmed: int = 0
    entries: int = 0
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return set(self.counts) == {"passed"}


def measure(options: Options) -> Section:
    """Check what the file of results has not yet, and lay out all that it has."""
    chosen = [op for k, op in enumerate(operators()) if options.is_mine(k)][:: QUICK if options.quick else 1]
    found = [] if options.quick else read(options.results)
    known = {(outcome.operator, outcome.order) for outcome in found}
    with timed():
        for order in (1, 2):
            for operator in chosen:
                if (operator.full_name, order) in known or (order == 2 and not operator.supports_gradgrad):
                    continue
                outcome = check(operator, order)
                found.append(outcome)
                if not options.quick:
                    with options.results.open("a") as lines:
                        print(json.dumps(asdict(outcome)), file=lines)
    return section(found)


def read(results: Path) -> list[Outcome]:
    return [Outcome(**json.loads(line)) for line in results.read_text().splitlines()] if results.exists() else []


def section(found: Sequence[Outcome]) -> Section:
    rows = []
    for order in (1, 2):
        tried = [outcome for outcome in found if outcome.order == order and outcome.counts]
        passed = sum(outcome.passed for outcome in tried)
        theirs = sum(fault is not None and fault.torchs for outcome in tried if (fault := fault_of(outcome)))
        opaque = sum("opaque" in outcome.counts for outcome in tried if not outcome.passed)
        rows.append([
            "first" if order == 1 else "second", f"{len(tried)}", f"{passed}", f"{theirs}", f"{opaque}",
            f"{len(tried) - passed - theirs - opaque}",
            f"{sum(outcome.counts.get('passed', 0) for outcome in tried):,}",
            f"{sum(outcome.entries for outcome in tried):,}",
        ])  # fmt: skip
    return Section(
        "Operators of torch",
        "Every operator of torch's own database of tests that is differentiable in float64, at every sample of at most"
        f" {LARGEST} elements that torch tests it at.",
        ["order", "operators", "passed on every sample", "wrong in torch", "opaque", "other", "samples passed",
         "entries"],
        rows,
        remarks=[remark(outcome) for outcome in found if outcome.counts and not outcome.passed],
    )  # fmt: skip


def fault_of(outcome: Outcome) -> Fault | None:
    """What is known of why an operator does not pass."""
    return FAULTS.get(outcome.operator) if {"failed", "no verdict"} & set(outcome.counts) else None


def remark(outcome: Outcome) -> str:
    total = sum(outcome.counts.values())
    counts = ", ".join(f"{count} {kind}" for kind, count in outcome.counts.items() if kind != "passed")
    fault = fault_of(outcome)
    why = f"opaque: {', '.join(outcome.opaque)}" if outcome.opaque else "; ".join(outcome.why.values())
    order = " (second order)" if outcome.order == 2 else ""
    also = f"; torch's own check fails on {outcome.confirmed} of them" if outcome.confirmed else ""
    return f"`{outcome.operator}`{order}: {counts} of {total} samples: {fault.why if fault is not None else why}{also}"


def check(operator: Any, order: int, say: Callable[[str], None] = lambda text: None) -> Outcome:
    """All samples of an operator. say: is told of each that does not pass."""
    outcome, started = Outcome(operator.full_name, order), time.perf_counter()
    counts, opaque = Counter[str](), Counter[str]()
    try:
        every = list(samples(operator))
    except Exception as error:  # noqa: BLE001 - of torch's own samples
        every = []
        say(f"no samples: {error!r}")
    for k, (function, inputs) in enumerate(every):
        result: CodeResult | None = None
        signal.alarm(SECONDS)
        try:
            result = check_code(function, tuple(inputs), everything=False, order=order)
            kind, reason = kind_of(result)
        except TooLong:
            kind, reason = "too long", f"more than {SECONDS} s"
        except Exception as error:  # noqa: BLE001 - a bug of ours is a finding here
            kind, reason = "bug", f"{type(error).__name__}: {error}"
        finally:
            signal.alarm(0)
        outcome.confirmed += kind == "failed" and not torchs(function, inputs, order)
        counts[kind] += 1
        outcome.entries += result.checks_total if result is not None else 0
        if kind == "opaque":
            opaque[reason.split(" ")[0]] += 1
        if kind != "passed":
            outcome.why.setdefault(kind, reason[:300])
            say(f"sample {k} {[tuple(x.shape) for x in inputs]}: {kind}: {reason}")
    outcome.counts, outcome.opaque = dict(counts), list(opaque)
    outcome.seconds = round(time.perf_counter() - started, 2)
    return outcome


def torchs(function: Callable[..., Any], inputs: Sequence[Any], order: int) -> bool:
    """What torch's own check says."""
    check = torch.autograd.gradcheck if order == 1 else torch.autograd.gradgradcheck
    signal.alarm(SECONDS)
    try:
        return bool(check(function, tuple(inputs), raise_exception=False))
    except (Exception, TooLong):  # noqa: BLE001 - no answer
        return True
    finally:
        signal.alarm(0)


def kind_of(result: CodeResult) -> tuple[str, str]:
    """(what a sample counts as, why)."""
    if result.passed:
        return "passed", ""
    if result.error is not None:
        return ("opaque" if "cannot be differentiated exactly" in result.error else "no verdict"), result.error
    entry = next((c for c in result.checks if not c.passed), None)
    if entry is None:
        return "failed", "no entry is listed"
    ends = "" if entry.left is None else f" [{entry.left}, {entry.right}]"
    return "failed", (
        f"{entry.verdict.value} d{entry.output}/d{','.join(entry.wrt)}: analytical {entry.analytical}{ends},"
        f" autograd {entry.autograd}{f'; {entry.note}' if entry.note else ''}"
    )


@contextmanager
def timed() -> Iterator[None]:
    """Samples may take SECONDS each, and warnings of torch's are not shown."""

    def give_up(*_: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, give_up)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    signal.signal(signal.SIGALRM, before)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+")
    parser.add_argument("--order", type=int, default=1)
    options = parser.parse_args()
    with timed():
        for operator in operators():
            if operator.full_name in options.names:
                print(operator.full_name, flush=True)
                outcome = check(operator, options.order, lambda text: print(f"  {text}", flush=True))
                print(f"  {outcome.counts}, {outcome.entries} entries, {outcome.seconds} s", flush=True)
                print(f"  torch's own check fails on {outcome.confirmed} of those that failed", flush=True)


if __name__ == "__main__":
    sys.exit(main())
