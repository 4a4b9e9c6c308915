"""The verdict on one row: floats in, verdict out. Knows neither SymPy nor torch nor balls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.records.reference import Kind, Reference
from gradcheck_cli.records.results import Verdict


@dataclass(frozen=True)
class Tolerance:
    """|autograd - analytical| <= atol + rtol*|analytical|, as NumPy and torch have it."""

    rtol: float
    atol: float

    def allows(self, actual: float, expected: float) -> bool:
        """Whether `actual` is as good as `expected`, without the help of atol unless `expected` is 0."""
        if math.isnan(actual) or math.isnan(expected):
            return False
        if actual == expected:  # infinities of one sign, and -0.0 with 0.0
            return True
        if math.isinf(expected) or math.isinf(actual):
            return False
        return abs(actual - expected) <= (self.rtol * abs(expected) if expected else self.atol)

    def allows_with_atol(self, actual: float, expected: float) -> bool:
        if not (math.isfinite(actual) and math.isfinite(expected)):
            return actual == expected
        return abs(actual - expected) <= self.atol + self.rtol * abs(expected)

    def within(self, actual: float, low: float, high: float) -> bool:
        """Whether `actual` is a finite number in [low, high], the ends widened by the tolerance.

        An infinity is not, whatever the ends: one step with it destroys what it updates.
        """
        return math.isfinite(actual) and (
            low <= actual <= high or self.allows_with_atol(actual, low) or self.allows_with_atol(actual, high)
        )


class Rounding(Protocol):
    """What rounding in the working dtype could have made of a number. Asked only where a number is off."""

    def explains(self, autograd: float) -> bool:
        """Whether correctly working floating-point code for this formula could return it."""

    def explains_with_slack(self, autograd: float) -> bool:
        """The same where each local derivative v may be off by 4u*max(1, |v|), as in torch's own sigmoid or tanh."""


def judge(truth: Reference, autograd: float, tolerance: Tolerance, rounding: Rounding) -> Verdict:
    """The verdict on a row; the first line that applies decides."""
    match truth:
        case Reference(kind=Kind.UNDEFINED):
            return Verdict.UNDEFINED
        case Reference(kind=Kind.NO_REFERENCE):
            return Verdict.ERROR
        case Reference(kind=Kind.KINK, left=float(left), right=float(right)):
            if tolerance.within(autograd, min(left, right), max(left, right)):
                return Verdict.KINK
            return _off(autograd, rounding)
        case Reference(value=float(value)):
            return compare(value, autograd, tolerance, rounding)
    raise AssertionError(truth)


def compare(value: float, autograd: float, tolerance: Tolerance, rounding: Rounding) -> Verdict:
    """The part of the ladder where the true number exists."""
    if tolerance.allows(autograd, value):
        return Verdict.MATCH
    if tolerance.allows_with_atol(autograd, value) and rounding.explains_with_slack(autograd):
        return Verdict.IMPRECISE
    return _off(autograd, rounding)


def _off(autograd: float, rounding: Rounding) -> Verdict:
    """Of a number that is beyond tolerance. Digits lost inside torch's own rules are lost to rounding too."""
    explained = rounding.explains(autograd) or rounding.explains_with_slack(autograd)
    return Verdict.UNSTABLE if explained else Verdict.MISMATCH


def with_value(verdict: Verdict, value: float | None, autograd: float | None) -> Verdict:
    """The verdict on a row where the function's own value is this, and torch's that: unstable at best where torch's is
    not finite and the true one is."""
    if value is None or autograd is None or math.isfinite(autograd) or not math.isfinite(value):
        return verdict
    return Verdict.worst([verdict, Verdict.UNSTABLE])


@dataclass(frozen=True)
class Errors:
    """How far a number is off. relative: 0 where equal, inf where only the truth is 0. ulps: None unless finite."""

    absolute: float | None
    relative: float | None
    ulps: float | None


def errors(value: float | None, autograd: float | None, dtype: Dtype) -> Errors:
    """The errors of `autograd` against the certified `value`; NaN against a number is off by NaN."""
    if value is None or autograd is None:
        return Errors(None, None, None)
    if value == autograd:
        return Errors(0.0, 0.0, 0.0 if math.isfinite(value) else None)
    difference = abs(autograd - value)
    relative = (
        difference / abs(value) if value and math.isfinite(value) else math.nan if math.isnan(autograd) else math.inf
    )
    both_finite = math.isfinite(value) and math.isfinite(autograd)
    return Errors(difference, relative, difference / dtype.ulp(value) if both_finite else None)
