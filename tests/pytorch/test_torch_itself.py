"""What we say that torch says is what it says, to the bit: our own texts, run by torch itself.

The texts are of the subset that Python reads as we do. They are made here, and only here is a text ever run as code.
"""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import pytest
import torch
from helpers.slow import slow
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradcheck_cli import check, explain
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language.parser import parse
from gradcheck_cli.pytorch.devices import resolve_device
from gradcheck_cli.pytorch.gradients import REFUSALS, gradients_of
from gradcheck_cli.records.derivative import Derivative

MODES = ("reverse", "forward")
WHERE_TORCH_KEEPS_THEM = (torch, torch.special, torch.nn.functional)
INFIX = {"add", "sub", "mul", "div", "pow", "neg"}


def in_torch(row: Function) -> Callable[..., Any]:
    """torch's own function of that name; of a loss, without a reduction, which of one number changes signs of 0."""
    if row.group == "loss":
        return partial(getattr(torch.nn.functional, row.name), reduction="none")
    return next(getattr(place, row.name) for place in WHERE_TORCH_KEEPS_THEM if hasattr(place, row.name))


TABLE = {
    name: row
    for name, row in FUNCTIONS.items()
    if not (row.internal or row.composed or name in INFIX)
    and any(hasattr(place, name) for place in WHERE_TORCH_KEEPS_THEM)
}


def as_users_call_it(row: Function, function: Callable[..., Any], dtype: torch.dtype) -> Callable[..., Any]:
    """With numbers where torch takes them, with tensors where it demands them."""
    parameters = [argument.kind != "real" for argument in row.arguments]

    def called(*args: Any, **keywords: Any) -> Any:
        tensors = [
            arg if isinstance(arg, Tensor) or is_parameter else torch.tensor(arg, dtype=dtype)
            for arg, is_parameter in zip(args, parameters, strict=False)
        ]
        if not any(isinstance(arg, Tensor) for arg in args):
            return function(*tensors, **keywords)
        try:
            return function(*args, **keywords)
        except (TypeError, AttributeError):
            return function(*tensors, **keywords)

    return called


@cache
def namespace(dtype: torch.dtype) -> dict[str, Callable[..., Any]]:
    """What the names in a text mean."""
    functions = {name: as_users_call_it(row, in_torch(row), dtype) for name, row in TABLE.items()}
    return functions | {"max": functions["maximum"], "min": functions["minimum"], "where": where}


def where(condition: Tensor | bool, a: Any, b: Any) -> Tensor:
    """torch's, which refuses a condition that Python has decided, as of two numbers of a branch."""
    return torch.where(torch.as_tensor(condition), a, b)


def by_torch(text: str, point: dict[str, float], dtype: str, mode: str) -> tuple[float, dict[str, float]]:
    """(value, derivatives by variable), of Python running the text on 0-d tensors."""
    working = getattr(torch, dtype)
    code = compile(text, text, "eval")

    def function(*inputs: Tensor) -> Tensor:
        found = eval(code, {"__builtins__": {}}, namespace(working) | dict(zip(point, inputs, strict=True)))  # noqa: S307
        return found if isinstance(found, Tensor) else torch.tensor(found, dtype=working)

    leaves = [torch.tensor(value, dtype=working) for value in point.values()]
    value, derivatives = function(*leaves), {}
    if mode == "reverse":
        leaves = [leaf.requires_grad_() for leaf in leaves]
        result = function(*leaves)
        found = torch.autograd.grad(result, leaves, allow_unused=True) if result.requires_grad else [None] * len(leaves)
        derivatives = {name: 0.0 if g is None else g.item() for name, g in zip(point, found, strict=True)}
    else:
        for i, name in enumerate(point):
            tangents = tuple(torch.tensor(float(i == j), dtype=working) for j in range(len(leaves)))
            derivatives[name] = torch.func.jvp(function, tuple(leaves), tangents)[1].item()
    return value.item(), derivatives


def bits(number: float) -> bytes:
    return b"nan" if math.isnan(number) else struct.pack("d", number)


def must_be_what_torch_says(text: str, point: dict[str, float], dtype: str, mode: str) -> bool:
    """Returns whether torch says anything at all: else we must have an error as well."""
    rows = [Derivative((name,)) for name in point]
    side = gradients_of(parse(text, names=point), rows, mode, DTYPES[dtype], resolve_device("cpu"))
    ours = side.at(point)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value, derivatives = by_torch(text, point, dtype, mode)
        except REFUSALS:
            assert ours.errors, f"torch refuses {text} at {point}"
            return False
    assert not ours.errors, (text, point, ours.errors)
    assert ours.value is not None
    found = {"value": ours.value, **{row.label: number for row, number in ours.derivatives.items()}}
    wanted = {"value": value, **derivatives}
    shown = f"{text} at {point} in {dtype}, {mode}: we say {found}, torch {wanted}"
    assert {name: bits(x) for name, x in found.items()} == {name: bits(x) for name, x in wanted.items()}, shown
    return True


def calls(row: Function) -> Iterator[str]:
    """A row called with variables, and with a number in each place where a tensor or a number may stand."""
    example = row.points[0] if row.points else None
    plain: list[str] = []
    for i, argument in enumerate(row.arguments):
        if argument.kind == "real":
            plain.append("xyz"[sum(a.kind == "real" for a in row.arguments[:i])])
        elif argument.default is not None:
            break  # as most people call it
        else:
            assert example is not None
            plain.append(f"{example[i]:g}")
    yield f"{row.name}({', '.join(plain)})"
    for i, argument in enumerate(row.arguments[: len(plain)]):
        if argument.kind == "real":
            for number in ("0", "1", "2.5"):
                changed = [*plain[:i], number, *plain[i + 1 :]]
                yield f"x*{row.name}({', '.join(changed)})"


POINTS: Sequence[dict[str, float]] = (
    {"x": 0.5, "y": 1.5, "z": 2.0},
    {"x": -0.5, "y": 0.75, "z": -1.0},
    {"x": 0.0, "y": 0.0, "z": 0.0},
    {"x": 3.0, "y": -800.0, "z": 1.0},
)


@pytest.mark.parametrize("dtype", [slow("float64"), "float16"])
@pytest.mark.parametrize("name", TABLE)
def test_a_row_of_the_table(name: str, dtype: str) -> None:
    if any(a.keyword for a in TABLE[name].arguments):
        pytest.skip("by keyword only")
    if (name, dtype) == ("float_power", "float16"):
        pytest.skip("torch computes it in float64")
    for text in calls(TABLE[name]):
        used = [variable for variable in "xyz" if variable in text.replace(name, "")]
        for point in POINTS:
            for mode in MODES:
                must_be_what_torch_says(text, {v: point[v] for v in used}, dtype, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("atan2(0, x)*1", -0.5),
        ("(x - 1.5)/erf(0)", 2.0),
        ("x/relu(0)", 2.0),
        ("x/(0*1)", 2.0),
        ("copysign(x, 0)", -2.0),
        ("x*sign(0)", -2.0),
        ("maximum(x, 0)", -2.0),
        ("x - atan2(0, -x)", 0.5),
        ("where(x > 0, 0, x)/x", 0.5),
        ("hypot(0, x)", 0.0),
        ("x/sin(-0)", 1.0),
        ("1/(x*floor(0))", 1.0),
    ],
)
def test_a_constant_of_zero_has_the_sign_that_was_typed(text: str, x: float, mode: str) -> None:
    assert must_be_what_torch_says(text, {"x": x}, "float64", mode)


LEAVES = st.sampled_from(["x", "y"])
NUMBERS = st.sampled_from(["0", "1", "2", "0.5", "2.5", "1000", "0.0"])
UNARY = sorted(
    name
    for name, row in TABLE.items()
    if len(row.arguments) == 1 and row.differentiable and name not in ("nan_to_num", "positive")
)
BINARY = ["maximum", "minimum", "atan2", "hypot", "xlogy", "fmod", "remainder", "logaddexp", "copysign", "fmax", "fmin"]


def texts() -> st.SearchStrategy[str]:
    """Formulas in which every operator has a variable under it: Python computes what has none, in its own numbers."""
    return st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*/"), inner | NUMBERS).map("({0[0]} {0[1]} {0[2]})".format),
            st.tuples(NUMBERS, st.sampled_from("+-*/"), inner).map("({0[0]} {0[1]} {0[2]})".format),
            st.tuples(inner, st.sampled_from("+-*/"), st.sampled_from(UNARY), NUMBERS).map(
                "({0[0]} {0[1]} {0[2]}({0[3]}))".format
            ),
            st.tuples(st.sampled_from(UNARY), inner).map("{0[0]}({0[1]})".format),
            st.tuples(st.sampled_from(BINARY), inner, inner | NUMBERS).map("{0[0]}({0[1]}, {0[2]})".format),
            st.tuples(st.sampled_from(BINARY), NUMBERS, inner).map("{0[0]}({0[1]}, {0[2]})".format),
            st.tuples(inner, st.sampled_from(["2", "3", "0.5", "0", "1", "-1", "x"])).map("{0[0]}**{0[1]}".format),
            st.tuples(NUMBERS, inner).map("{0[0]}**{0[1]}".format),
            st.tuples(inner).map("(-{0[0]})".format),
            st.tuples(inner, NUMBERS, inner, inner | NUMBERS).map("where({0[0]} > {0[1]}, {0[2]}, {0[3]})".format),
            st.tuples(inner, NUMBERS, inner, inner | NUMBERS).map("({0[2]} if {0[0]} <= {0[1]} else {0[3]})".format),
        ),
        max_leaves=8,
    )


@given(
    texts(),
    st.sampled_from([0.0, 0.5, -0.5, 1.0, -2.0, 30.0, -800.0]),
    st.sampled_from([0.0, 1.0, -1.5, 60000.0]),
    st.sampled_from(["float64", "float16"]),
    st.sampled_from(MODES),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_texts(text: str, x: float, y: float, dtype: str, mode: str) -> None:
    assume((dtype, mode) != ("float16", "forward") or "0.0" not in text)  # a whole number: see limits.md
    must_be_what_torch_says(text, {"x": x, "y": y}, dtype, mode)


@pytest.mark.parametrize(
    ("expression", "at", "verdict", "note"),
    [
        ("log(igammac(a, x))", "a=31,x=40", "mismatch", "torch's own value of igammac(a, x) is "),
        (
            "where(x > 0, igamma(a, sqrt(x)), 0)",
            "a=2,x=-1",
            "mismatch",
            "from the branch of where() that was not taken",
        ),
        ("igammac(a, x)", "a=2,x=3", "match", None),
        ("zeta(a, x) + polygamma(1, a)", "a=3,x=2", "match", None),
    ],
)
def test_only_what_is_differentiated_requires_grad(expression: str, at: str, verdict: str, note: str | None) -> None:
    """An operand that torch cannot differentiate by hides nothing where its derivative is not asked for."""
    row = check(expression, at=at, wrt="x").checks[0]
    assert row.verdict.value == verdict
    assert (note or "") in (row.note or "")
    adjoint = explain(expression, at=at, wrt="x").by_name["x"].adjoint
    assert adjoint is not None
    assert adjoint.autograd == pytest.approx(row.autograd, nan_ok=True)


def test_a_named_result_that_is_not_asked_for_requires_no_grad() -> None:
    """b = 2*a is an operand of igamma that torch cannot differentiate by."""
    rows = check("igamma(b, x)*a", at="a=1,x=3", let={"b": "2*a"}, wrt="x").checks
    assert [row.verdict.value for row in rows] == ["match"]
