"""What is under test is a callable: whatever takes named tensors, an expression or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Call, Expr, call, topological, variable
from gradcheck_cli.language.parser import parse
from gradcheck_cli.pytorch.function import UNSHARED
from gradcheck_cli.pytorch.gradients import Gradients, function_of, gradients_of
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.records.side import Side

CPU, FLOAT64 = torch.device("cpu"), DTYPES["float64"]
X, XX, XY = Derivative(("x",)), Derivative(("x", "x")), Derivative(("x", "y"))


class Code:
    """A function of x and y that is no expression."""

    named = frozenset[str]()

    def __init__(self, code: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.code = code

    def __call__(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        return self.code(inputs["x"], inputs["y"]), {}


class Doubled(torch.autograd.Function):
    """x*y, with a backward that is twice as large as it should be."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        x, y = ctx.saved_tensors
        return 2 * cotangent * y, 2 * cotangent * x


def loop(x: Tensor, y: Tensor) -> Tensor:
    total = x
    for _ in range(3):
        total = total * y + x
    return total


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_code_is_asked_as_an_expression_is(mode: str) -> None:
    rows = [X, XX, XY]
    code: Side = Gradients(Code(loop), rows, mode, FLOAT64, CPU)
    expression: Side = gradients_of(parse("((x*y + x)*y + x)*y + x"), rows, mode, FLOAT64, CPU)
    point, columns = {"x": 1.5, "y": -0.5}, {"x": [1.5, 2.0, 0.1], "y": [-0.5, 3.0, 0.7]}
    assert code.at(point) == expression.at(point)
    many, wanted = code.at_many(columns, 3), expression.at_many(columns, 3)
    assert many is not None
    assert wanted is not None
    assert {row: list(many[row]) for row in (VALUE, *rows)} == {row: list(wanted[row]) for row in (VALUE, *rows)}


def test_a_backward_is_taken_at_its_word() -> None:
    side = Gradients(Code(lambda x, y: Doubled.apply(x, y)), [X], "reverse", FLOAT64, CPU)  # type: ignore[no-untyped-call]
    assert side.at({"x": 3.0, "y": 5.0}).derivatives == {X: 10.0}
    refused = Gradients(Code(lambda x, y: Doubled.apply(x, y)), [X], "forward", FLOAT64, CPU)  # type: ignore[no-untyped-call]
    assert refused.at({"x": 3.0, "y": 5.0}).errors[X].startswith("torch refuses: ")


def nested_twice(depth: int) -> Expr:
    """f(f(f(x))) for f(u) = u*u + u: as a tree, it has 3**depth nodes."""
    u: Expr = variable("x")
    for _ in range(depth):
        u = call(op.ADD, call(op.MUL, u, u), u)
    return u


@pytest.mark.parametrize(
    ("depth", "operations"),
    [(3, 2 * (1 + 3 + 9)), (40, 2 * 40)],  # each as often as it is typed; each once
)
def test_what_is_typed_twice_is_run_twice_up_to_a_bound(depth: int, operations: int) -> None:
    function = function_of(nested_twice(depth), [X], "reverse", FLOAT64, CPU)
    assert sum(isinstance(node, Call) for node in topological(function.root)) == operations <= UNSHARED
