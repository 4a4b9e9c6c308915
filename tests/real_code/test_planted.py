"""Backwards by hand: right ones pass and wrong ones fail, in each dtype, with the argument and the mistake named."""

from __future__ import annotations

import pytest
import torch
from helpers.code_functions import CASES as FIRST
from helpers.hand_written import Case, by_hand
from helpers.more_code_functions import MORE

from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.code import Cause
from gradcheck_cli.records.results import Verdict

CASES = FIRST + MORE
DTYPES = (torch.float64, torch.float32, torch.bfloat16)
WRONG = [(case, name) for case in CASES for name in case.wrong]
DAILY = {cause: pair for pair in reversed(WRONG) if (cause := pair[0].wrong[pair[1]].cause) is not Cause.FACTOR}
"""One of each mistake."""


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 20
    assert len(WRONG) >= 80


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_right_backward_passes(case: Case, dtype: torch.dtype) -> None:
    result = check_code(by_hand(case.forward, case.backward), case.inputs(dtype))
    assert result.error is None
    assert result.passed, [check for check in result.checks if not check.passed][:3]
    assert not result.findings


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("case", "name"), WRONG, ids=lambda value: getattr(value, "name", value))
def test_a_wrong_backward_fails_and_its_mistake_is_named(case: Case, name: str, dtype: torch.dtype) -> None:
    look(case, name, dtype)


@pytest.mark.parametrize(("case", "name"), DAILY.values(), ids=[str(cause) for cause in DAILY])
def test_each_mistake_is_named(case: Case, name: str) -> None:
    look(case, name, torch.float32)


def look(case: Case, name: str, dtype: torch.dtype) -> None:
    mistake = case.wrong[name]
    result = check_code(by_hand(case.forward, mistake.backward), case.inputs(dtype))
    assert result.error is None
    assert result.verdict in (
        (Verdict.MISMATCH,) if dtype is not torch.bfloat16 else (Verdict.MISMATCH, Verdict.UNSTABLE)
    )
    blamed, *mistakes = result.findings
    assert (blamed.cause, blamed.function, blamed.argument) == (Cause.FUNCTION, "ByHand.backward", mistake.by)
    first = [one.cause for one in mistakes if one.argument == mistake.by.split(" and ")[0]]
    assert first == ([] if mistake.cause is None else [mistake.cause]), [one.text for one in mistakes]


@pytest.mark.parametrize("case", CASES[::9], ids=lambda case: case.name)
def test_right_backwards_and_their_forwards_pass(case: Case) -> None:
    for function in (by_hand(case.forward, case.backward), case.forward):
        result = check_code(function, case.inputs(torch.float64))
        assert result.passed
        assert not result.findings


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_without_a_backward_by_hand_the_forward_is_right_in_both_modes(case: Case) -> None:
    """torch's own differentiation of the same code."""
    result = check_code(case.forward, case.inputs(torch.float64), mode="both")
    assert result.passed, [check for check in result.checks if not check.passed][:3]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_second_derivatives_of_the_same_code(case: Case) -> None:
    result = check_code(case.forward, case.inputs(torch.float64), order=2)
    assert result.passed, (result.error, [check for check in result.checks if not check.passed][:3])
