"""Why a problem did not pass, row by row, as sentences: for the formats that have no table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gradcheck_cli import number_text
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.results import Check, Claim, Counterexample, ProblemResult, Result
from gradcheck_cli.render import labels
from gradcheck_cli.render.code import words
from gradcheck_cli.render.plain import counted, in_short, one_line


def reasons(result: AnyResult) -> Iterator[str]:
    """A sentence for the error, for each failing row that is listed and for each failing claim, in this order."""
    if result.error is not None:
        yield in_short(result.error)
    if isinstance(result, CodeResult):
        yield from words.reasons(result)
        yield from (claim(result, one) for one in result.claims if not one.passed)
        return
    listed = [check for check in result.checks if not check.passed]
    yield from (row(result, check) for check in listed)
    if more := result.checks_failed - len(listed):
        yield f"and {counted(more, 'more row')} that failed"
    yield from (claim(result, one) for one in result.claims if not one.passed)


def headline(result: AnyResult) -> str:
    """The first of these sentences, and how many rows and claims failed, of how many: `3 of 20 rows failed: ...`. Of
    code, who is to blame comes before what is wrong."""
    blamed = result.findings[:1] if isinstance(result, CodeResult) and result.error is None else ()
    first = next((one_line(one.text) for one in blamed), None) or next(reasons(result), result.failure or "")
    claims = sum(not one.passed for one in result.claims)
    rows = "entry" if isinstance(result, CodeResult) else "row"
    counts = [(result.checks_failed, result.checks_total, rows), (claims, len(result.claims), "claim")]
    told = [f"{failed:,} of {counted(total, what)}" for failed, total, what in counts if failed]
    if len(told) < 2 and all(total < 2 for failed, total, _ in counts if failed):
        return first
    return f"{' and '.join(told)} failed: {first}"


def row(result: ProblemResult, check: Check) -> str:
    """`f'(x) at x=2: analytical 292, autograd 291 (mismatch): note`."""
    analytical, autograd = pair(result, check)
    mode = " in forward mode" if check.mode == "forward" else ""
    text = (
        f"{labels.derivative(result, check.wrt)} at {where(result, check.point)}{mode}: "
        f"analytical {analytical}, autograd {autograd} ({labels.outcome_words(check)[1]})"
    )
    return one_line(f"{text}: {check.note}" if check.note else text)


def claim(result: AnyResult, one: Claim) -> str:
    """`the claim f'(x) = 9*x is refuted: at x=2 it is 18, the derivative 36: note`."""
    text = f"the claim {labels.derivative(result, one.wrt)} = {one.expression} is {one.status.value}"
    if one.counterexample is not None:
        claimed, analytical = number_text.pair(one.counterexample.claimed, one.counterexample.analytical)
        text += f": at {place_of(result, one.counterexample)} it is {claimed}, the derivative {analytical}"
    return one_line(f"{text}: {one.note}" if one.note else text)


def where(result: Result, point: Mapping[str, float]) -> str:
    """`x=2`, also with one variable."""
    return ", ".join(f"{name}={number_text.exact(value, labels.dtype_of(result))}" for name, value in point.items())


def place_of(result: Result, example: Counterexample) -> str:
    """The same of a counterexample, which may be at numbers that are no doubles: `x=3/10`; or of an array: `the
    entry W[0,1]`, `∂f[2]/∂x[0]`."""
    doubles = {name: value for name, value in example.point.items() if name not in example.exactly}
    exact = [f"{name}={value}" for name, value in example.exactly.items()]
    numbers = ", ".join(filter(None, (where(result, doubles), *exact)))
    entry = f"the entry {example.entry}" if "[" in example.entry and "∂" not in example.entry else example.entry
    return f"{entry}{f' where {numbers}' if numbers else ''}" if entry else numbers


def pair(result: ProblemResult, check: Check) -> tuple[str, str]:
    """The analytical number, or the one-sided ones, and autograd's."""
    return labels.pair(check, labels.dtype_of(result), "none")


def place(result: Result) -> str:
    """`problems.yaml:12`, or nothing."""
    if result.file is None:
        return ""
    return result.file if result.line is None else f"{result.file}:{result.line}"


def title(result: AnyResult) -> str:
    """The name, or what was checked where it has none."""
    return one_line(result.title)
