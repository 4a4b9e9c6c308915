"""How numbers round in the working dtypes, compared with torch."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradcheck_cli.dtypes import DTYPES, Dtype
from gradcheck_cli.expression.literals import rounded_constant
from gradcheck_cli.expression.nodes import constant

ALL = pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)


@ALL
def test_limits_are_those_of_torch(dtype: Dtype) -> None:
    info = torch.finfo(getattr(torch, dtype.name))
    assert dtype.max == info.max
    assert dtype.tiny == info.smallest_normal * info.eps
    assert dtype.unit_roundoff == info.eps / 2
    assert dtype.ulp(1.0) == info.eps
    assert dtype.ulp(0.0) == dtype.tiny


@ALL
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_is_that_of_torch(dtype: Dtype, value: float) -> None:
    """Ties to even, gradual underflow, overflow to infinity. (torch rounds a double to bfloat16 by way of float32.)"""
    through = torch.tensor(value, dtype=torch.float64)
    if dtype.name == "bfloat16":
        through = through.to(torch.float32)
        value = float(through)
        if math.isinf(value):
            return
    assert dtype.round(value) == float(through.to(getattr(torch, dtype.name)))


@ALL
@given(value=st.fractions())
def test_rounding_is_to_the_nearest(dtype: Dtype, value: Fraction) -> None:
    rounded = dtype.round(value)
    if math.isfinite(rounded):
        assert abs(Fraction(rounded) - value) <= Fraction(dtype.ulp(rounded)) / 2 + Fraction(dtype.tiny) / 2
        assert dtype.round(rounded) == rounded


def test_a_literal_is_rounded_to_a_double_first() -> None:
    """0.1 in float32 is the float32 nearest to the double nearest to 1/10, as torch has it."""
    tenth = constant(Fraction(1, 10))
    assert rounded_constant(tenth, DTYPES["float32"]) == float(torch.tensor(0.1, dtype=torch.float32))
    assert rounded_constant(constant("pi"), DTYPES["float16"]) == 3.140625
    assert rounded_constant(constant(10**400), DTYPES["float64"]) == math.inf
