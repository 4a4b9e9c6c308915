"""The formulas by which torch computes local derivatives: they are the derivatives, and they are what torch does."""

from __future__ import annotations

import pytest

from gradcheck_cli import check
from gradcheck_cli.diagnosis.torch_rules import FORWARD, TORCH_RULES, rule_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language.printer import to_text

HARD: dict[str, tuple[tuple[float, ...], ...]] = {
    # where the rule loses digits that the derivative has
    "acos": ((0.9999999,),),
    "acosh": ((1e5,), (1.0000001,)),
    "asin": ((-0.9999999,),),
    "asinh": ((1e8,),),
    "atan2": ((1e-3, 2e-3), (300.0, -400.0)),
    "atanh": ((0.99999,),),
    "erfcx": ((20.0,), (-3.0,)),
    "exp2": ((120.0,), (-100.0,)),
    "igamma": ((1e4, 1e4),),
    "igammac": ((31.0, 40.0),),
    "log_ndtr": ((-100.0,), (5.0,)),
    "logaddexp": ((0.0, 80.0), (80.0, 0.0)),
    "logaddexp2": ((0.0, 100.0), (100.0, 0.0)),
    "sigmoid": ((12.0,), (-12.0,), (30.0,)),
    "silu": ((-20.0,), (12.0,)),
    "sinc": ((1e-3,), (1e-7,)),
    "tan": ((1.5707,),),
    "tanh": ((5.5,), (-8.0,), (20.0,)),
}
RULES = [
    pytest.param(row.name, index, mode, id=f"{row.name}-{index}-{mode}")
    for row, texts in TORCH_RULES.items()
    for index, text in enumerate(texts)
    for mode in ("reverse", "forward")
    if text and not (row.name.startswith("igamma") and mode == "forward")  # torch has none
]
ULPS = 4
FUSED = {"tanh": 1.0, "erfcx": 1.0}
"""How large the terms are that cancel, where torch rounds them together (a*b + c at once) and the rule one by one."""


def points(name: str) -> list[dict[str, float]]:
    names = [argument.name for argument in FUNCTIONS[name].arguments]
    return [
        dict(zip(names, map(float, point), strict=True)) for point in (*FUNCTIONS[name].points, *HARD.get(name, ()))
    ]


def written(name: str, index: int, mode: str) -> tuple[str, str, str]:
    """(the function, the rule, the argument) as texts."""
    row = FUNCTIONS[name]
    rule = rule_of(row, index, mode)
    assert rule is not None
    names = [argument.name for argument in row.arguments]
    operators = {"div": "x/y", "pow": "x**y"}
    return operators.get(name, f"{name}({', '.join(names)})"), to_text(rule), names[index]


@pytest.mark.parametrize(("name", "index", "mode"), RULES)
def test_a_rule_is_the_derivative(name: str, index: int, mode: str) -> None:
    function, rule, by = written(name, index, mode)
    for point in points(name):
        derivative = check(function, at=point, wrt=by, derivatives=False).checks[0].analytical
        value = check(rule, at=point, derivatives=False).checks[0].value
        assert derivative == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "index", "mode"), RULES)
def test_a_rule_is_what_torch_computes(name: str, index: int, mode: str, dtype: str) -> None:
    """torch's derivative is what torch makes of the rule, however few digits of it are right."""
    function, rule, by = written(name, index, mode)
    for point in points(name):
        (row,) = check(function, at=point, wrt=by, dtype=dtype, mode=mode, derivatives=False).checks
        computed = check(rule, at=point, dtype=dtype, derivatives=False).checks[0].value_autograd
        assert row.autograd is not None
        assert computed is not None
        if row.autograd != computed:
            scale = max(abs(computed), FUSED.get(name, 0.0))
            assert abs(row.autograd - computed) <= ULPS * DTYPES[dtype].ulp(scale), (point, row.autograd, computed)


def test_forward_rules_are_of_functions_that_have_one() -> None:
    assert set(FORWARD) <= set(TORCH_RULES)
