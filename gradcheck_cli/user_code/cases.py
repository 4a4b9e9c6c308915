"""One function at several inputs: the results of all of them as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gradcheck_cli.real_code.tally import passes
from gradcheck_cli.records.code import Block, CodeResult, Held
from gradcheck_cli.records.results import MOST_ROWS, Verdict, worst_first

MOST_NAMED = 8


@dataclass(frozen=True)
class Case:
    """A result at some inputs. at: which, as reports call them; "" for the only ones. may_be_skipped: where the
    function refuses them, or has no value there, they say nothing."""

    at: str
    result: CodeResult
    may_be_skipped: bool = False


def joined(cases: Sequence[Case], *, strict: bool = False) -> CodeResult:
    """One result. What was skipped is counted in a notice."""
    kept: list[Case] = []
    skipped: list[str] = []
    without_value = 0
    for case in cases:
        found, dropped = _with_values(case.result, strict) if case.may_be_skipped else (case.result, 0)
        without_value += dropped
        if case.may_be_skipped and (found.bad_input or not (found.blocks or found.error)):
            skipped.append(case.at)
        else:
            kept.append(replace(case, result=found))
    if len(cases) == 1:
        return cases[0].result
    results = [case.result for case in kept]
    notices = [f"{_counted(len(kept))} checked: {_listed([case.at or 'as given' for case in kept])}"]
    if skipped:
        notices.append(f"{_counted(len(skipped))} skipped, which the function refuses: {_listed(skipped)}")
    if without_value:
        notices.append(f"{without_value:,} entries were left out: the function has no value there")
    errors = _where((case, [case.result.error]) for case in kept if case.result.error)
    checks = [replace(entry, at=case.at) for case in kept for entry in case.result.checks]
    findings = {finding.text: finding for result in results for finding in result.findings}
    return replace(
        results[0] if results else cases[0].result,
        verdict=Verdict.worst(result.verdict for result in results) if results else Verdict.ERROR,
        passed=bool(results) and all(result.passed for result in results),
        blocks=tuple(_blocks(results, strict)),
        values=results[0].values if results else (),
        checks=tuple(sorted(checks, key=worst_first)[:MOST_ROWS]),
        checks_failed=sum(result.checks_failed for result in results),
        findings=tuple(findings.values()),
        held=tuple(_held(results)),
        notices=(*notices, *_notices(kept)),
        error="\n".join(_told(errors, len(kept))) or None,
        bad_input=any(result.bad_input for result in results),
        operations=sum(result.operations for result in results),
        seconds=sum(case.result.seconds for case in cases),
    )


def _counted(count: int) -> str:
    return "1 input was" if count == 1 else f"{count:,} inputs were"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def _with_values(result: CodeResult, strict: bool) -> tuple[CodeResult, int]:
    """(the result without the entries at which the function has no value, how many these were)."""
    dropped = result.counts[Verdict.UNDEFINED]
    if not dropped:
        return result, 0
    blocks = [
        _block(block, {v: count for v, count in block.counts.items() if v is not Verdict.UNDEFINED}, strict)
        for block in result.blocks
    ]
    blocks = [block for block in blocks if block.counts]
    checks = tuple(entry for entry in result.checks if entry.verdict is not Verdict.UNDEFINED)
    return replace(
        result, blocks=tuple(blocks), checks=checks, checks_failed=result.checks_failed - dropped,
        verdict=Verdict.worst(block.verdict for block in blocks) if blocks else Verdict.MATCH,
        passed=all(block.passed for block in blocks),
    ), dropped  # fmt: skip


def _block(block: Block, counts: Mapping[Verdict, int], strict: bool) -> Block:
    """The block with other counts."""
    verdict = Verdict.worst(counts) if counts else Verdict.MATCH
    return replace(block, counts=counts, verdict=verdict, passed=all(passes(v, strict=strict) for v in counts))


def _blocks(results: Iterable[CodeResult], strict: bool) -> Iterator[Block]:
    """The blocks of the same derivative as one."""
    together: dict[tuple[object, ...], list[Block]] = {}
    for result in results:
        for block in result.blocks:
            together.setdefault((block.output, block.input, block.mode, block.shape), []).append(block)
    for blocks in together.values():
        counts: Counter[Verdict] = Counter()
        for block in blocks:
            counts.update(block.counts)
        worst = [block.worst for block in blocks if block.worst is not None]
        yield replace(_block(blocks[0], dict(counts), strict), worst=max(worst, default=None))


def _held(results: Iterable[CodeResult]) -> Iterator[Held]:
    """What is held constant at some inputs, each place once."""
    found: dict[tuple[str, str], Held] = {}
    for result in results:
        for held in result.held:
            key = held.how, held.place
            found[key] = max(found.get(key, held), held, key=lambda one: one.count)
    return iter(found.values())


def _notices(kept: Sequence[Case]) -> list[str]:
    values = (
        (case, [f"the value of {v.output} is {v.verdict.value}" for v in case.result.values if not v.verdict.passes])
        for case in kept[1:]  # the values of the first are in the record
    )
    return _told(_where((case, case.result.notices) for case in kept), len(kept)) + _told(_where(values), len(kept))


def _where(texts: Iterable[tuple[Case, Iterable[str | None]]]) -> dict[str, list[str]]:
    """Each text once, with the inputs that it is about."""
    found: dict[str, list[str]] = {}
    for case, said in texts:
        for text in filter(None, said):
            found.setdefault(text, []).append(case.at or "as given")
    return found


def _told(texts: Mapping[str, Sequence[str]], count: int) -> list[str]:
    """With the inputs, where a text is not about all of them."""
    return [text if len(names) == count else f"{text} ({_listed(names)})" for text, names in texts.items()]
