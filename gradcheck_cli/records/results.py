"""The records that a check leaves behind: frozen, plain floats and text. Renderers read them and compute nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.picture import Picture
from gradcheck_cli.records.shown import Shown
from gradcheck_cli.records.verdicts import Verdict as Verdict

_TITLE = 60
"""Characters of a title in a repr."""
MOST_ROWS = 10_000
"""Rows of a problem that a report holds one by one, failing ones first, then the worst."""


WRONG_NUMBER = "wrong number"
UNEXPECTED = "unexpected"
UNEXPECTED_CLAIM = "unexpected claim"
"""Why something failed whose verdict passes: a number that a file states is wrong; another verdict, or another status
of a claim, was to come. All else that fails has its verdict, or the status of its claim, for a reason."""


class ClaimStatus(Enum):
    """What became of a derivative worked out by hand.

    proven: equal wherever both are defined; agrees: no difference at the points checked, no proof; refuted: it differs
    at a point; unchecked: it is nowhere defined together with the derivative; unreadable: it is no formula, or for none
    of the derivatives that there are (the note says why).
    """

    PROVEN = "proven"
    AGREES = "agrees"
    REFUTED = "refuted"
    UNCHECKED = "unchecked"
    UNREADABLE = "unreadable"

    @property
    def passes(self) -> bool:
        return self in (ClaimStatus.PROVEN, ClaimStatus.AGREES)


@dataclass(frozen=True, slots=True)
class Remedy:
    """A rewrite that was verified at the row's point: equal there and elsewhere, and with a gradient that matches.

    part: of the expression; better: what to write for it; expression: the whole, rewritten. autograd: of that, beside
    what it was before.
    """

    part: str
    better: str
    expression: str
    autograd: float
    before: float | None


@dataclass(frozen=True, slots=True)
class Check:
    """One row: one derivative at one point in one mode.

    point: variable -> the number of the working dtype that both sides got. value, analytical,
    left, right: certified, rounded to the working dtype; left and right are the one-sided derivatives at a kink.
    value_autograd, autograd: torch's. A number that does not exist is None. ulps: error in units in the last place of
    the working dtype, None unless both sides are finite. expected: the number a problem file states. findings: why the
    row has its verdict, and note: the same in words. blame: the step that spoils it; remedy: what to write instead;
    both of a row that did not pass, where they are known.
    """

    point: Mapping[str, float]
    derivative: Derivative
    mode: str
    verdict: Verdict
    passed: bool
    value: float | None = None
    value_autograd: float | None = None
    value_verdict: Verdict | None = None
    analytical: float | None = None
    autograd: float | None = None
    left: float | None = None
    right: float | None = None
    abs_error: float | None = None
    rel_error: float | None = None
    ulps: float | None = None
    expected: float | None = None
    note: str | None = None
    blame: Finding | None = None
    remedy: Remedy | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def wrt(self) -> tuple[str, ...]:
        return self.derivative.wrt

    @property
    def failure(self) -> str | None:
        """Why the row failed, in a word: its verdict (of one that passes: with --strict), WRONG_NUMBER, UNEXPECTED."""
        if self.passed:
            return None
        codes = {finding.code for finding in self.findings}
        if self.verdict.passes and Code.EXPECTED_NUMBER in codes:
            return WRONG_NUMBER
        return UNEXPECTED if self.verdict.passes and Code.EXPECTED in codes else self.verdict.value


class Judged(Protocol):
    """What the rows of formulas and the entries of code have in common."""

    @property
    def verdict(self) -> Verdict: ...
    @property
    def passed(self) -> bool: ...
    @property
    def rel_error(self) -> float | None: ...


def worst_first(check: Judged) -> tuple[bool, int, float]:
    """A sort key: failing rows, then the worst verdicts, then the largest relative errors."""
    relative = check.rel_error if check.rel_error is not None else 0.0
    return check.passed, -check.verdict.severity, -relative if relative == relative else float("-inf")


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A point at which a claim is wrong: what it says there, and the certified derivative.

    exactly: the coordinates that are no doubles, as fractions ("3/10"); `point` has the doubles nearest to them.
    entry: of a derivative that is an array: "W[0,1]".
    """

    point: Mapping[str, float]
    claimed: float
    analytical: float
    exactly: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of a derivative worked out by hand.

    expression: as it was typed. analytical: the true derivative, as a text. points: at how
    many both are defined and were compared. passed: differs from status.passes where a problem file expects otherwise.
    """

    derivative: Derivative
    expression: str
    status: ClaimStatus
    passed: bool
    points: int
    counterexample: Counterexample | None = None
    note: str | None = None
    analytical: str | None = None

    @property
    def wrt(self) -> tuple[str, ...]:
        return self.derivative.wrt

    @property
    def failure(self) -> str | None:
        """Why the claim failed, in a word: its status, or UNEXPECTED_CLAIM."""
        if self.passed:
            return None
        return UNEXPECTED_CLAIM if self.status.passes else self.status.value


@dataclass(frozen=True, kw_only=True, repr=False)
class Result(Shown):
    """What the result of any problem has, be it a formula or code.

    verdict: the worst of all rows. device: as for --device, with the name of the card where it is one. rtol, atol: None
    where they follow the dtype of each row. name, file, line, description, tags, expect: as in the problem file; name
    is None for what was asked for on the command line or in Python. error: why there is no row at all; bad_input: since
    it, or a part of it, could not be read or done; bug: since gradcheck itself failed. notices: remarks about the whole
    problem. phases: seconds by phase, for --profile. picture, chain (the chain rule at
    the worst row, an Explanation or an ArrayExplanation): where one was asked for, and can be made. key: what it is the
    result of (see resume.problem_key).
    """

    dtype: str
    device: str
    rtol: float | None
    atol: float | None
    verdict: Verdict
    passed: bool
    order: int = 1
    index: int = 0
    name: str | None = None
    file: str | None = None
    line: int | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    expect: object = None
    error: str | None = None
    bad_input: bool = False
    bug: bool = False
    notices: tuple[str, ...] = ()
    seconds: float = 0.0
    phases: Mapping[str, float] | None = None
    picture: Picture | None = None
    chain: Shown | None = None
    key: str | None = None

    def _in_short(self, title: str, counts: Mapping[Verdict, int]) -> str:
        """`focal_loss(logits): mismatch, failed (8 match, 4 mismatch)`. counts: of rows or entries."""
        title = " ".join(title.split())
        title = title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"
        told = ", ".join(f"{count:,} {verdict.value}" for verdict, count in counts.items() if count)
        outcome = f"{self.verdict.value}, {'passed' if self.passed else 'failed'}"
        return f"{title}: {outcome}{f' ({told})' if told else ''}"

    @property
    def unexpected(self) -> Verdict | None:
        """The verdict that failed since another was expected, though it passes by itself."""
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class ProblemResult(Result):
    """One expression, checked.

    expression: as it was typed; formula: the function as it was read, evenly spaced, for people; None where it was not
    wanted. function_name: what the text calls the function (`y = x**2`); None where it has no left side.
    derivatives: closed forms by variable ("x", or "x,y" for order 2); None where they were not asked for.
    checks: at most the rows that are listed, failing ones first. checks_total, checks_failed, counts: how many rows
    there are, did not pass, had each verdict. lets: the intermediate results, and functions that the text defines
    (`a(x)`), as typed; definitions: the same as they were read; None where formula is. expect_claim: as in the problem
    file.
    """

    expression: str
    variables: tuple[str, ...]
    derivatives: Mapping[str, str] | None = None
    lets: Mapping[str, str] = field(default_factory=dict)
    expect_claim: object = None
    checks: tuple[Check, ...] = ()
    checks_total: int = 0
    checks_failed: int = 0
    counts: Mapping[Verdict, int] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    formula: str | None = None
    function_name: str | None = None
    definitions: Mapping[str, str] | None = None

    def _repr_words(self) -> str:
        return self._in_short(self.title, self.counts)

    @property
    def title(self) -> str:
        """What it is called: its name, or the expression; of a text of several lines the function as it was read."""
        if self.name is not None:
            return self.name
        return self.formula if self.formula is not None and "\n" in self.expression else self.expression

    @property
    def checks_omitted(self) -> int:
        return self.checks_total - len(self.checks)

    @property
    def unexpected(self) -> Verdict | None:
        """Of the worst such row."""
        rows = (check.verdict for check in sorted(self.checks, key=worst_first) if check.failure == UNEXPECTED)
        return next(rows, None)

    @property
    def failure(self) -> str | None:
        """Why the problem failed, in a word: as its worst row did; where all rows passed, as its first claim did."""
        if self.passed:
            return None
        if self.error is not None:
            return Verdict.ERROR.value
        rows = [check.failure for check in sorted(self.checks, key=worst_first)]
        return next(filter(None, [*rows, *(claim.failure for claim in self.claims)]), self.verdict.value)
