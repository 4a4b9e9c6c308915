"""What things are called in a report, the same in every format: f''(x), ∂²f/∂x∂y, `w=2, x=1`, ✗ mismatch, [0, 1]."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from gradcheck_cli import number_text
from gradcheck_cli.dtypes import DTYPES, Dtype
from gradcheck_cli.expression.nodes import free_name
from gradcheck_cli.number_text import exact
from gradcheck_cli.records.results import (
    UNEXPECTED,
    UNEXPECTED_CLAIM,
    WRONG_NUMBER,
    Check,
    Claim,
    ClaimStatus,
    ProblemResult,
    Result,
    Verdict,
)
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.plain import one_line

if TYPE_CHECKING:
    from gradcheck_cli.records.code import Entry
    from gradcheck_cli.records.explanation import Flow
    from gradcheck_cli.records.report import AnyResult

NOTHING = "–"
SIGNS = {
    Verdict.MATCH: "✓",
    Verdict.IMPRECISE: "≈",
    Verdict.KINK: "∧",
    Verdict.UNSTABLE: "~",
    Verdict.MISMATCH: "✗",
    Verdict.UNDEFINED: "∅",
    Verdict.ERROR: "!",
}
STYLES = {
    Verdict.MATCH: "green",
    Verdict.IMPRECISE: "cyan",
    Verdict.KINK: "cyan",
    Verdict.UNSTABLE: "yellow",
    Verdict.MISMATCH: "bold red",
    Verdict.UNDEFINED: "magenta",
    Verdict.ERROR: "bold red",
}
CLAIM_SIGNS = {
    ClaimStatus.PROVEN: "✓",
    ClaimStatus.AGREES: "✓",
    ClaimStatus.REFUTED: "✗",
    ClaimStatus.UNCHECKED: "∅",
    ClaimStatus.UNREADABLE: "!",
}
CLAIM_STYLES = {
    ClaimStatus.PROVEN: "green",
    ClaimStatus.AGREES: "green",
    ClaimStatus.REFUTED: "bold red",
    ClaimStatus.UNCHECKED: "magenta",
    ClaimStatus.UNREADABLE: "bold red",
}
FAILED = "✗"
_STATUSES = {status.value for status in ClaimStatus}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Found(Protocol):
    """What has a verdict, and a reason for failing: a row, a problem, an entry or a block of code."""

    @property
    def verdict(self) -> Verdict: ...
    @property
    def passed(self) -> bool: ...
    @property
    def failure(self) -> str | None: ...


def superscript(number: int) -> str:
    return str(number).translate(_SUPERSCRIPTS)


def outcome(found: Found) -> tuple[str, str]:
    """(`✓ match`, its style)."""
    sign, words, style = outcome_words(found)
    return f"{sign} {words}", style


def outcome_words(found: Found) -> tuple[str, str, str]:
    """(sign, words, style) of the verdict; where that is not the reason for passing or failing, of the reason."""
    verdict, failure = found.verdict, found.failure
    if failure in (WRONG_NUMBER, UNEXPECTED_CLAIM):
        return FAILED, failure, "red"
    if failure == UNEXPECTED:
        unexpected = found.unexpected if isinstance(found, Result) else None  # of many rows, not the worst one's
        return FAILED, f"{failure} {(unexpected or verdict).value}", "red"
    if failure in _STATUSES:
        return CLAIM_SIGNS[ClaimStatus(failure)], f"{failure} claim", "red"
    verdict = verdict if failure is None else Verdict(failure)
    if verdict.passes == found.passed:
        return SIGNS[verdict], verdict.value, STYLES[verdict]
    return SIGNS[verdict], *(
        (f"{verdict.value} (expected)", "green") if found.passed else (f"{verdict.value}, strict", "red")
    )


def claim_outcome(claim: Claim) -> tuple[str, str]:
    """The same of a claim: `✗ refuted`."""
    shown = f"{CLAIM_SIGNS[claim.status]} {claim.status.value}"
    if claim.passed == claim.status.passes:
        return shown, CLAIM_STYLES[claim.status]
    return (f"{shown} (expected)", "green") if claim.passed else (f"{FAILED} unexpectedly {claim.status.value}", "red")


def dtype_of(result: Result) -> Dtype:
    return DTYPES.get(result.dtype, DTYPES["float64"])


def function_name(result: AnyResult) -> str:
    """As the text calls it; else `f`, or another letter where the user has an f."""
    if result.function_name is not None:
        return result.function_name
    taken = {*result.variables, *(label.partition("(")[0] for label in result.lets)}
    return free_name(taken)


def is_prime(result: AnyResult, wrt: Sequence[str]) -> bool:
    """Whether f'(x) says enough: there is one variable and no intermediate result, and one differentiates by it."""
    return len(result.variables) == 1 and not result.lets and set(wrt) == set(result.variables)


def derivative(result: AnyResult, wrt: Sequence[str]) -> str:
    """f'(x) with one variable, df/dy by an intermediate result, ∂f/∂x and ∂²f/∂x∂y with several variables."""
    f, order = function_name(result), len(wrt)
    if not order:  # a claim that does not say which
        return f"a derivative of {f}"
    if is_prime(result, wrt):
        primes = "'" * order if order <= 3 else f"⁽{superscript(order)}⁾"
        return f"{f}{primes}({wrt[0]})"
    d = "d" if len(result.variables) == 1 else "∂"
    runs = [(name, len(list(run))) for name, run in groupby(wrt)]
    below = "".join(f"{d}{name}{superscript(times) if times > 1 else ''}" for name, times in runs)
    return f"{d}{superscript(order) if order > 1 else ''}{f}/{below}"


def function(result: ProblemResult, room: int) -> str:
    """f(x, y); just f where the variables would fill more than `room` columns."""
    f = function_name(result)
    label = f"{f}({', '.join(result.variables)})" if result.variables else f
    return one_line(label) if len(label) <= room else f


def point(result: ProblemResult, values: Mapping[str, float], separator: str = ", ") -> str:
    """`2` with one variable, else `w=2, x=1`."""
    dtype = dtype_of(result)
    if len(values) == 1 and set(values) == set(result.variables):
        return exact(next(iter(values.values())), dtype)
    return separator.join(f"{name}={exact(value, dtype)}" for name, value in values.items())


def pair(
    found: Check | Flow | Entry, dtype: Dtype, nothing: str = NOTHING, text: Callable[[float, Dtype], str] = exact
) -> tuple[str, str]:
    """(the certified derivative or the one-sided ones, autograd's), with as many digits as show how they differ.

    nothing: for a number that does not exist; text: how a number is written that is not compared.
    """
    if found.analytical is not None and found.autograd is not None:
        return number_text.pair(found.analytical, found.autograd, dtype)
    autograd = nothing if found.autograd is None else text(found.autograd, dtype)
    if found.analytical is not None:
        return text(found.analytical, dtype), autograd
    if found.left is not None and found.right is not None:
        return f"[{text(found.left, dtype)}, {text(found.right, dtype)}]", autograd
    return nothing, autograd


MOST_LETS = 20
"""Intermediate results that are written out above a report."""


def lets(result: ProblemResult, display: Display) -> list[tuple[str, str]]:
    """(name, text) of the intermediate results; where there are many, of the first and the last ones only."""
    found = list((result.lets if result.definitions is None else result.definitions).items())
    half = MOST_LETS // 2
    left_out = found[half:-half]
    if display.verbose or len(left_out) < 2:
        return found
    between = f"{left_out[0][0]} … {left_out[-1][0]}", f"({len(left_out):,} more{display.hint(inside=True)})"
    return [*found[:half], between, *found[-half:]]
