"""What the report of one formula consists of, whatever its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gradcheck_cli import number_text
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.results import Check, Claim, ClaimStatus, ProblemResult, Verdict
from gradcheck_cli.render import cells, labels, plain
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.sentences import place_of

DERIVATIVES = 12
"""How many closed forms are shown unless -v asks for all."""


@dataclass(frozen=True)
class Equation:
    """A line of formulas. wrt: of a derivative; () of the function; None of an intermediate result."""

    label: str
    text: str
    wrt: tuple[str, ...] | None


def equations(result: ProblemResult, display: Display, room: int) -> tuple[list[Equation], str]:
    """(the intermediate results, the function and its derivatives; what is left out). room: for the function's name."""
    lets = labels.lets(result, display)
    found = [Equation(plain.one_line(name), text, None) for name, text in lets]
    found.append(Equation(labels.function(result, room), result.formula or result.expression, ()))
    derivatives = [(tuple(key.split(",")), text) for key, text in (result.derivatives or {}).items()]
    most = len(derivatives) if display.verbose else DERIVATIVES
    for wrt, text in derivatives[:most]:
        found.append(Equation(plain.one_line(labels.derivative(result, wrt)), text, wrt))
    more = len(derivatives) - most
    return found, f"and {plain.counted(more, 'more derivative')}{display.hint()}" if more > 0 else ""


@dataclass(frozen=True)
class Value:
    """f(point) = value; torch: its own, where that is another."""

    point: str
    value: str
    torch: str | None


def value(result: ProblemResult) -> Value | None:
    """The value, where one point was checked and the function has a value there."""
    first = result.checks[0] if result.checks else None
    if first is None or first.value is None:
        return None
    if result.checks_omitted or any(check.point != first.point for check in result.checks):
        return None
    dtype = labels.dtype_of(result)
    own, torch = number_text.exact(first.value, dtype), None
    if first.value_autograd is not None and first.value_verdict not in (None, Verdict.MATCH):
        own, torch = number_text.pair(first.value, first.value_autograd, dtype)
    return Value(plain.one_line(labels.point(result, first.point)), own, torch)


def remarks(
    result: ProblemResult,
    checks: Sequence[Check],
    notes: Sequence[str],
    markers: Mapping[str, int],
    display: Display,
) -> list[tuple[int | None, str]]:
    """(its number in the table, the text) of each note and notice."""
    found: list[tuple[int | None, str]] = [(number if markers else None, note) for number, note in enumerate(notes, 1)]
    if more := cells.unshown_notes(checks, markers):
        found.append((None, f"and {plain.counted(more, 'more note')}{display.hint()}"))
    return [*found, *((None, notice) for notice in result.notices)]


def claim_detail(result: AnyResult, claim: Claim) -> str:
    """What follows the status of a claim: ` at x=2: the claim is 4, the derivative 20`, ` (agrees at 5 points)`."""
    if (example := claim.counterexample) is not None:
        claimed, analytical = number_text.pair(example.claimed, example.analytical)
        return f" at {place_of(result, example)}: the claim is {claimed}, the derivative {analytical}"
    if not claim.points:
        return ""
    compared = "agrees" if claim.status is ClaimStatus.PROVEN else "compared"
    return f" ({compared} at {plain.counted(claim.points, 'point')})"
