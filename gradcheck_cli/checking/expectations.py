"""What a problem file expects of a problem, held against its rows and claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from gradcheck_cli.checking.points.numbers import read_number
from gradcheck_cli.claims.claim_text import known_name
from gradcheck_cli.diagnosis import wording
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.request import Expectation
from gradcheck_cli.records.results import Check, Claim, ClaimStatus, Verdict
from gradcheck_cli.surfaces import Option
from gradcheck_cli.verdict import Tolerance

INFINITE = {"inf": float("inf"), "infinity": float("inf"), "oo": float("inf")}


class Expected:
    """An Expectation made ready for the rows of one problem.

    Raises UsageError for names that the problem does not have and for numbers that cannot be read.
    """

    def __init__(
        self,
        expectation: Expectation,
        rows: Sequence[Derivative],
        modes: Sequence[str],
        tolerance: Tolerance,
        dtype: Dtype,
    ) -> None:
        self.tolerance, self.dtype = tolerance, dtype
        self.verdicts_by_mode: dict[str, tuple[Verdict, ...]] = {}
        self.verdicts_by_row: dict[Derivative, tuple[Verdict, ...]] = {}
        for key, verdicts in expectation.verdicts.items():
            if not key:
                self.verdicts_by_row.update(dict.fromkeys(rows, verdicts))
            elif key in modes:
                self.verdicts_by_mode[key] = verdicts
            else:
                self.verdicts_by_row[_row("expect", key, rows, modes)] = verdicts

        def numbers(where: str, texts: Sequence[str]) -> tuple[float, ...]:
            return tuple(expected_number(where, text) for text in texts)

        self.value = numbers("value", expectation.value)
        self.gradient: dict[Derivative, tuple[float, ...]] = {}
        for key, texts in expectation.gradient.items():
            if not key and 1 < len(rows) == len(texts):  # all of them, in their order
                self.gradient |= {row: numbers("gradient", [text]) for row, text in zip(rows, texts, strict=True)}
            else:
                self.gradient[_row("gradient", key, rows)] = numbers("gradient", texts)
        self.claims = expectation.claims

    @property
    def has_numbers(self) -> bool:
        """Whether numbers are expected, which may be one a point."""
        return bool(self.gradient or self.value)

    def apply(self, check: Check, index: int) -> Check:
        """The row with what was expected of it. index: of its point."""
        return self._apply_numbers(self.apply_verdicts(check), index)

    def apply_verdicts(self, check: Check) -> Check:
        """The row with what was expected of its verdict; nothing else, wherever its point is."""
        wanted = [
            verdicts
            for verdicts in (self.verdicts_by_row.get(check.derivative), self.verdicts_by_mode.get(check.mode))
            if verdicts is not None
        ]
        if wanted:
            check = replace(check, passed=all(check.verdict in verdicts for verdicts in wanted))
            if not check.passed:
                names = tuple(" or ".join(verdict.value for verdict in verdicts) for verdicts in wanted)
                check = self._noted(check, Finding(Code.EXPECTED, operands=names))
        return check

    def _apply_numbers(self, check: Check, index: int) -> Check:
        gradient = _at("gradient", self.gradient.get(check.derivative, ()), index)
        if gradient is not None:
            check = replace(check, expected=gradient)
            check = self._compared(check, "the derivative", gradient, check.analytical)
        value = _at("value", self.value, index)
        if value is not None:
            check = self._compared(check, "the value", value, check.value)
        return check

    def _compared(self, check: Check, what: str, expected: float, certified: float | None) -> Check:
        if certified is not None and self.tolerance.allows(expected, certified):
            return check
        numbers = {"expected": expected} if certified is None else {"expected": expected, "exact": certified}
        finding = Finding(Code.EXPECTED_NUMBER, numbers=numbers, texts={"of": what})
        return self._noted(replace(check, passed=False), finding)

    def _noted(self, check: Check, finding: Finding) -> Check:
        findings = (*check.findings, finding)
        return replace(check, findings=findings, note=wording.note(check.verdict, findings, check.remedy, self.dtype))

    def require_all_used(self, points: int) -> None:
        """UsageError where a list of numbers is longer than the points, of which there are so many."""
        for what, lists in (("gradient", list(self.gradient.values())), ("value", [self.value])):
            for numbers in lists:
                if len(numbers) > 1 and len(numbers) != points:
                    raise _lengths(what, len(numbers), points)

    def apply_to_claim(self, claim: Claim) -> Claim:
        """The claim with what was expected of it."""
        return claim_as_expected(claim, self.claims)

    def require_claims(self, claimed: Sequence[Derivative]) -> None:
        """UsageError where a status is expected of a claim that is not there."""
        require_claims(self.claims, claimed)


def claim_as_expected(claim: Claim, expected: Mapping[str, tuple[ClaimStatus, ...]]) -> Claim:
    """The claim with what was expected of it, by variables, or by "" of every claim."""
    wanted = expected.get(claim.derivative.label, expected.get(""))
    if wanted is None:
        return claim
    if claim.status in wanted:
        return replace(claim, passed=True)
    return replace(claim, passed=False, note="; ".join(filter(None, (claim.note, f"expected {_names(wanted)}"))))


def require_claims(expected: Collection[str], claimed: Sequence[Derivative]) -> None:
    """UsageError where a status is expected of a claim that is not there."""
    for key in expected:
        if not claimed:
            raise UsageError("expect_claim: the problem has no claim")
        if key and Derivative(tuple(name.strip() for name in key.split(","))) not in claimed:
            raise UsageError(f"expect_claim: there is no claim for {key}")


def _row(what: str, key: str, rows: Sequence[Derivative], others: Sequence[str] = ()) -> Derivative:
    """The row that a key such as "x" or "x,y" names; the names may stand in any order."""
    choices = ", ".join([*(row.label for row in rows[:8]), *others])
    if not key:
        if len(rows) > 1:
            raise UsageError(Option(what), f": there are several derivatives, so say which is which, by {choices}")
        return rows[0]
    known = {name for row in rows for name in row.wrt}
    names = sorted(known_name(name.strip(), known) for name in key.split(","))
    for row in rows:
        if sorted(row.wrt) == names:
            return row
    raise UsageError(Option(what), f": {key} is not checked here; there is {choices}")


def expected_number(where: str, text: str) -> float:
    """The double of a text. where: the option that it is of. Raises UsageError."""
    plain = text.strip().lower().lstrip("+").replace(".inf", "inf")
    sign, magnitude = (-1, plain[1:]) if plain.startswith("-") else (1, plain)
    if magnitude in INFINITE:
        return sign * INFINITE[magnitude]
    return float(read_number(Option(where, text), text, None, []))


def _at(what: str, numbers: Sequence[float], index: int) -> float | None:
    """The number for a point: one for all, or one each."""
    if not numbers:
        return None
    if len(numbers) == 1:
        return numbers[0]
    if index >= len(numbers):
        raise _lengths(what, len(numbers), index + 1)
    return numbers[index]


def _lengths(what: str, numbers: int, points: int) -> UsageError:
    several = f"{points} or more" if points > numbers else str(points)
    for_points = f"{several} {'point' if several == '1' else 'points'}"
    return UsageError(Option(what), f": there are {numbers} numbers for {for_points}: give one number, or one a point")


def _names(statuses: Sequence[ClaimStatus]) -> str:
    return " or ".join(status.value for status in statuses)
