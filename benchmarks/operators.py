"""Every differentiable operator of torch's own database of operators, in float64: which of them are checked.

    python -m benchmarks.operators                     all operators, every sample of at most 400 elements
    python -m benchmarks.operators --part 1/4 add mul  a part of them, or some
    python -m benchmarks.operators --order 2           double backward

A line for each operator that does not pass on every sample, with the reason, and the counts. `expecttest`, which that
module of torch needs, is not a dependency of gradcheck.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from gradcheck_cli.records.code import CodeResult

LARGEST = 400
SECONDS = 20


class TooLong(BaseException):
    """A sample took longer than SECONDS."""


def operators(names: list[str]) -> Iterator[Any]:
    from torch.testing._internal.common_methods_invocations import op_db

    for operator in op_db:
        if (
            operator.supports_autograd
            and torch.float64 in operator.dtypes
            and (not names or operator.full_name in names)
        ):
            yield operator


def samples(operator: Any) -> Iterator[tuple[Callable[..., Any], list[Tensor]]]:
    """(a function of the tensors that require grad, those)."""
    torch.manual_seed(0)
    for sample in operator.sample_inputs("cpu", torch.float64, requires_grad=True):
        flat, spec = tree_flatten((sample.input, sample.args, sample.kwargs))
        places = [i for i, x in enumerate(flat) if isinstance(x, Tensor) and x.requires_grad]
        inputs = [flat[i] for i in places]
        if not inputs or any(x.layout is not torch.strided for x in inputs) or sum(x.numel() for x in inputs) > LARGEST:
            continue
        yield _function(operator, sample, flat, spec, places), inputs


def _function(operator: Any, sample: Any, flat: list[Any], spec: Any, places: list[int]) -> Callable[..., Any]:
    def function(*tensors: Tensor) -> Any:
        now = list(flat)
        for place, tensor in zip(places, tensors, strict=True):
            now[place] = tensor
        given, args, kwargs = tree_unflatten(now, spec)
        out = operator.gradcheck_wrapper(operator.get_op(), given, *args, **kwargs)
        return sample.output_process_fn_grad(out) if sample.output_process_fn_grad is not None else out

    return function


def outcome(function: Callable[..., Any], inputs: list[Tensor], order: int) -> tuple[str, str]:
    """("passed", "opaque", "failed" ..., why)."""
    from gradcheck_cli.real_code.check import check_code

    result = check_code(function, tuple(inputs), everything=False, order=order)
    if result.passed:
        return "passed", ""
    if result.error is not None:
        kind = "opaque" if "cannot be differentiated exactly" in result.error else "refused"
        return kind, result.error
    return "failed", _worst(result)


def _worst(result: CodeResult) -> str:
    entry = next((c for c in result.checks if not c.passed), None)
    if entry is None:
        return "no entry is listed"
    return (
        f"{entry.verdict.value} d{entry.output}/d{','.join(entry.wrt)}: analytical {entry.analytical}"
        f" [{entry.left}, {entry.right}], autograd {entry.autograd}; {entry.note}"
    )


def check(operator: Any, order: int) -> dict[str, Any]:
    counts, why = Counter[str](), {}
    entries = 0
    try:
        every = list(samples(operator))
    except Exception as error:  # noqa: BLE001 - of torch's own samples
        return {"operator": operator.full_name, "counts": {"no samples": 1}, "why": {"no samples": repr(error)}}
    for k, (function, inputs) in enumerate(every):
        signal.alarm(SECONDS)
        try:
            kind, reason = outcome(function, inputs, order)
        except TooLong:
            kind, reason = "too long", f"more than {SECONDS} s"
        except Exception as error:  # noqa: BLE001 - a bug of ours is a finding here
            kind, reason = "bug", f"{type(error).__name__}: {error}"
        finally:
            signal.alarm(0)
        counts[kind] += 1
        if kind != "passed":
            why.setdefault(kind, f"sample {k} {[tuple(x.shape) for x in inputs]}: {reason[:400]}")
    return {"operator": operator.full_name, "counts": dict(counts), "why": why, "entries": entries}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--order", type=int, default=1)
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--json", help="write a line for each operator here")
    options = parser.parse_args()
    warnings.simplefilter("ignore")

    def give_up(*_: Any) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, give_up)
    part, parts = map(int, options.part.split("/"))
    passed, total, started = 0, 0, time.perf_counter()
    for k, operator in enumerate(operators(options.names)):
        if k % parts != part - 1:
            continue
        found = check(operator, options.order)
        if options.json:
            with open(options.json, "a") as lines:
                print(json.dumps(found), file=lines)
        counts = found["counts"]
        total += 1
        passed += set(counts) == {"passed"}
        if set(counts) != {"passed"}:
            print(f"{found['operator']}: {counts} {found['why']}", flush=True)
    print(f"{passed} of {total} operators pass on every sample, {time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
