"""The ladder of verdicts, in floats: no torch, no SymPy, no balls."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.records.reference import Kind, Reference
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.verdict import Errors, Tolerance, errors, judge, with_value

INF, NAN = math.inf, math.nan
FLOAT64 = Tolerance(1e-9, 1e-12)


@dataclass
class Stub:
    """Rounding that explains what it is told to."""

    plain: bool = False
    slack: bool = False

    def explains(self, autograd: float) -> bool:
        return self.plain

    def explains_with_slack(self, autograd: float) -> bool:
        return self.slack


NOTHING, SLACK, PLAIN = Stub(), Stub(slack=True), Stub(plain=True, slack=True)


def exists(value: float) -> Reference:
    return Reference(Kind.EXISTS, value)


def kink(left: float, right: float) -> Reference:
    return Reference(Kind.KINK, left=left, right=right)


@pytest.mark.parametrize(
    ("truth", "autograd", "rounding", "verdict"),
    [
        pytest.param(exists(2.0), 2.0, NOTHING, Verdict.MATCH, id="equal"),
        pytest.param(exists(0.0), -0.0, NOTHING, Verdict.MATCH, id="minus zero equals zero"),
        pytest.param(exists(1.0), 1 + 0.9e-9, NOTHING, Verdict.MATCH, id="within rtol"),
        pytest.param(exists(0.0), 1e-12, NOTHING, Verdict.MATCH, id="within atol of a true zero"),
        pytest.param(exists(0.0), 1.1e-12, NOTHING, Verdict.MISMATCH, id="beyond atol of a true zero"),
        pytest.param(exists(INF), INF, NOTHING, Verdict.MATCH, id="both infinite"),
        pytest.param(exists(INF), -INF, NOTHING, Verdict.MISMATCH, id="infinite with the wrong sign"),
        pytest.param(exists(INF), 1e308, NOTHING, Verdict.MISMATCH, id="large is not infinite"),
        pytest.param(exists(1e308), INF, NOTHING, Verdict.MISMATCH, id="infinite is not large"),
        pytest.param(exists(4e-18), 0.0, SLACK, Verdict.IMPRECISE, id="below atol, explained"),
        pytest.param(exists(4e-18), 0.0, NOTHING, Verdict.MISMATCH, id="below atol, not explained"),
        pytest.param(exists(1e-13), -1e-13, NOTHING, Verdict.MISMATCH, id="tiny wrong sign"),
        pytest.param(exists(0.5), -81.7, PLAIN, Verdict.UNSTABLE, id="cancellation"),
        pytest.param(exists(0.0), NAN, PLAIN, Verdict.UNSTABLE, id="overflow on the way"),
        pytest.param(exists(0.0), NAN, NOTHING, Verdict.MISMATCH, id="NaN is no derivative"),
        pytest.param(exists(5.0), 0.0, SLACK, Verdict.UNSTABLE, id="digits lost inside torch's own rule"),
        pytest.param(kink(0.0, 1.0), 1.1, SLACK, Verdict.UNSTABLE, id="such digits beside a kink"),
        pytest.param(kink(0.0, 1.0), 0.0, NOTHING, Verdict.KINK, id="left end"),
        pytest.param(kink(0.0, 1.0), 0.5, NOTHING, Verdict.KINK, id="inside"),
        pytest.param(kink(1.0, -1.0), 0.0, NOTHING, Verdict.KINK, id="descending ends"),
        pytest.param(kink(0.0, 1.0), 1 + 1e-10, NOTHING, Verdict.KINK, id="ends are widened by the tolerance"),
        pytest.param(kink(0.0, 1.0), 1.1, NOTHING, Verdict.MISMATCH, id="outside"),
        pytest.param(kink(0.0, 1.0), NAN, NOTHING, Verdict.MISMATCH, id="NaN is no subgradient"),
        pytest.param(kink(0.0, INF), 0.0, NOTHING, Verdict.KINK, id="the finite end of an infinite interval"),
        pytest.param(kink(0.0, INF), 1e9, NOTHING, Verdict.KINK, id="inside an infinite interval"),
        pytest.param(kink(0.0, INF), INF, NOTHING, Verdict.MISMATCH, id="an infinite end is no subgradient"),
        pytest.param(kink(-INF, 0.0), -INF, NOTHING, Verdict.MISMATCH, id="nor is minus infinity"),
        pytest.param(kink(-INF, INF), INF, NOTHING, Verdict.MISMATCH, id="nor an end of the whole line"),
        pytest.param(kink(0.0, 1.0), NAN, PLAIN, Verdict.UNSTABLE, id="overflow at a kink"),
        pytest.param(Reference(Kind.UNDEFINED), -1.0, PLAIN, Verdict.UNDEFINED, id="nothing to compare with"),
        pytest.param(Reference(Kind.NO_REFERENCE), 1.0, PLAIN, Verdict.ERROR, id="no reference is no guess"),
    ],
)
def test_ladder(truth: Reference, autograd: float, rounding: Stub, verdict: Verdict) -> None:
    assert judge(truth, autograd, FLOAT64, rounding) is verdict


@pytest.mark.parametrize("judged", list(Verdict))
def test_a_value_that_is_not_finite_is_unstable_at_best(judged: Verdict) -> None:
    """Unless the true one is not representable either, or is not known."""
    spoiled = Verdict.UNSTABLE if judged.passes else judged
    for autograd in (INF, -INF, NAN):
        assert with_value(judged, 46.7, autograd) is spoiled
        for value in (INF, None):
            assert with_value(judged, value, autograd) is judged
    assert with_value(judged, 46.7, 1e9) is judged


def test_verdicts_are_ordered_and_know_which_pass() -> None:
    """A problem's verdict is its worst row."""
    assert [v.value for v in Verdict] == ["match", "imprecise", "kink", "unstable", "mismatch", "undefined", "error"]
    assert [v.value for v in Verdict if v.passes] == ["match", "imprecise", "kink"]
    assert Verdict.worst([Verdict.MATCH, Verdict.UNSTABLE, Verdict.KINK]) is Verdict.UNSTABLE


@pytest.mark.parametrize(
    ("value", "autograd", "expected"),
    [
        (2.0, 2.0, Errors(0.0, 0.0, 0.0)),
        (1.0, 1.0 + 2**-52, Errors(2**-52, 2**-52, 1.0)),
        (0.0, 1e-20, Errors(1e-20, INF, 1e-20 / 5e-324)),
        (INF, INF, Errors(0.0, 0.0, None)),
        (1.0, INF, Errors(INF, INF, None)),
        (None, 1.0, Errors(None, None, None)),
    ],
)
def test_errors(value: float | None, autograd: float, expected: Errors) -> None:
    assert errors(value, autograd, DTYPES["float64"]) == expected


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e-10))
def test_what_is_within_rtol_matches(value: float, relative: float) -> None:
    """Any number matches itself, and what is off by less than rtol."""
    assert judge(exists(value), value, FLOAT64, NOTHING) is Verdict.MATCH
    near = value * (1 + relative)
    if math.isfinite(near) and abs(value) > 1e-290:
        assert judge(exists(value), near, FLOAT64, NOTHING) is Verdict.MATCH


@given(st.floats(min_value=1e-300, max_value=1e300), st.floats(min_value=1e-8, max_value=1))
def test_what_is_beyond_rtol_never_matches(value: float, relative: float) -> None:
    assert judge(exists(value), value * (1 + relative), FLOAT64, NOTHING) is Verdict.MISMATCH
