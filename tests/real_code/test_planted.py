"""Backwards by hand: right ones pass and wrong ones fail, in each dtype, against the exact derivative."""

from __future__ import annotations

import pytest
import torch
from helpers.code_functions import CASES, Case, by_hand

from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.results import Verdict

DTYPES = (torch.float64, torch.float32, torch.bfloat16)
WRONG = [(case, name) for case in CASES for name in case.wrong]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_right_backward_passes(case: Case, dtype: torch.dtype) -> None:
    result = check_code(by_hand(case.forward, case.backward), case.inputs(dtype))
    assert result.error is None
    assert result.passed, [check for check in result.checks if not check.passed][:3]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("case", "name"), WRONG, ids=lambda value: getattr(value, "name", value))
def test_a_wrong_backward_fails(case: Case, name: str, dtype: torch.dtype) -> None:
    result = check_code(by_hand(case.forward, case.wrong[name]), case.inputs(dtype))
    assert result.error is None
    assert not result.passed
    if dtype is torch.float64:
        assert result.verdict is Verdict.MISMATCH


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_without_a_backward_by_hand_the_forward_is_right_in_both_modes(case: Case) -> None:
    """torch's own differentiation of the same code."""
    result = check_code(case.forward, case.inputs(torch.float64), mode="both")
    assert result.passed, [check for check in result.checks if not check.passed][:3]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_second_derivatives_of_the_same_code(case: Case) -> None:
    result = check_code(case.forward, case.inputs(torch.float64), order=2)
    assert result.passed, (result.error, [check for check in result.checks if not check.passed][:3])
