"""Planted wrong gradients: a checker that cannot fail is worthless."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers.expressions import with_row
from torch import Tensor

from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.checking.reading import read
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import ProblemResult, Verdict


def with_backward(function: Callable[[Tensor], Tensor], derivative: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    """A torch function with a backward of our own."""

    class Planted(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return function(x.detach())

        @staticmethod
        def backward(ctx: Any, cotangent: Tensor) -> Tensor:  # type: ignore[override]
            (x,) = ctx.saved_tensors
            return cotangent * derivative(x)

    return lambda x: Planted.apply(x)  # type: ignore[no-untyped-call]


PLANTED: dict[str, Callable[[Tensor], Tensor]] = {
    "off by 0.1%": lambda right: right * 1.001,
    "off by 1e-6": lambda right: right * (1 + 1e-6),
    "wrong sign": lambda right: -right,
    "half": lambda right: right / 2,
    "zero": torch.zeros_like,
    "nan": lambda right: right * float("nan"),
}
FUNCTIONS_UNDER_TEST: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "sin": (torch.sin, torch.cos),
    "exp": (torch.exp, torch.exp),
    "sigmoid": (torch.sigmoid, lambda x: torch.sigmoid(x) * torch.sigmoid(-x)),
    "sqrt": (torch.sqrt, lambda x: 0.5 / torch.sqrt(x)),
}


def check_planted(
    name: str,
    wrong: Callable[[Tensor], Tensor],
    expression: str,
    at: str,
    **options: Any,
) -> ProblemResult:
    function, right = FUNCTIONS_UNDER_TEST[name]
    row = replace(FUNCTIONS[name], torch=with_backward(function, lambda x: wrong(right(x))))
    return check_row(row, Request(expression, at=(at,), derivatives=False, **options))


def check_row(row: Function, request: Request) -> ProblemResult:
    """The request, with a row that is in no table in place of the one of its name."""
    reading = read(request)
    return check_expression(request, reading=replace(reading, expression=with_row(reading.expression, row)))


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("name", FUNCTIONS_UNDER_TEST)
def test_a_wrong_backward_is_a_mismatch(name: str, planted: str) -> None:
    """Alone, inside a formula and through the chain rule, in float64."""
    for expression in (f"{name}(x)", f"x**2*{name}(x) + x", f"log(2 + {name}(x*x))"):
        assert check_planted(name, PLANTED[planted], expression, "0.7").verdict is Verdict.MISMATCH


@pytest.mark.parametrize("planted", [planted for planted in PLANTED if planted != "off by 1e-6"])
@pytest.mark.parametrize("name", FUNCTIONS_UNDER_TEST)
def test_a_wrong_backward_is_a_mismatch_in_float32(name: str, planted: str) -> None:
    """What float32 can show, it shows: an error of 1e-6 is below its tolerance."""
    result = check_planted(name, PLANTED[planted], f"{name}(x)", "0.7", dtype="float32")
    assert result.verdict is Verdict.MISMATCH


@pytest.mark.parametrize("name", FUNCTIONS_UNDER_TEST)
def test_the_same_function_with_its_right_backward_matches(name: str) -> None:
    """It is the planted error that is caught, not the planting."""
    result = check_planted(name, lambda right: right, f"x**2*{name}(x) + x", "0.7")
    assert result.verdict is Verdict.MATCH


@pytest.mark.parametrize("planted", ["wrong sign", "zero", "half"])
@pytest.mark.parametrize(
    ("name", "expression", "at"),
    [("sin", "1e-13*sin(x)", "0.7"), ("sigmoid", "sigmoid(x)", "30"), ("exp", "exp(x)", "-30")],
)
def test_a_tiny_gradient_is_no_excuse(name: str, expression: str, at: str, planted: str) -> None:
    """A flipped sign of 1e-13 lies within atol, yet no rounding makes it: mismatch, not imprecise."""
    result = check_planted(name, PLANTED[planted], expression, at)
    assert result.verdict is Verdict.MISMATCH
    assert result.checks[0].abs_error is not None
    assert result.checks[0].abs_error < 1e-12


def test_a_cut_graph_is_a_mismatch() -> None:
    """A detached function counts as a constant in autograd."""
    row = replace(FUNCTIONS["sin"], torch=lambda x: torch.sin(x.detach()))
    for expression, autograd in (("sin(x)", 0.0), ("x + sin(x)", 1.0), ("1e-13*sin(x)", 0.0)):
        result = check_row(row, Request(expression, at=("0.7",), derivatives=False))
        assert result.verdict is Verdict.MISMATCH
        assert result.checks[0].autograd == autograd


def test_functions_that_torch_does_not_differentiate_are_named() -> None:
    """torch cuts the graph at bessel_j0 without a word; the note says so."""
    result = check_expression(Request("x + bessel_j0(x)", at=("1",), derivatives=False))
    (check,) = result.checks
    assert (check.verdict, check.autograd) == (Verdict.MISMATCH, 1.0)
    assert check.analytical == pytest.approx(0.5599494142890670)
    assert check.note is not None
    assert "torch does not differentiate bessel_j0" in check.note


def test_a_second_derivative_that_is_wrong_is_caught() -> None:
    """The first derivative is right, the second, made by differentiating the backward, is not."""

    def backward_with_a_detached_factor(x: Tensor) -> Tensor:
        return torch.cos(x.detach())

    row = replace(FUNCTIONS["sin"], torch=with_backward(torch.sin, backward_with_a_detached_factor))
    assert check_row(row, Request("sin(x)", at=("0.7",))).verdict is Verdict.MATCH
    assert check_row(row, Request("sin(x)", at=("0.7",), order=2)).verdict is Verdict.MISMATCH


def test_forward_mode_is_checked_too() -> None:
    """A wrong tangent is caught by --mode forward, and only there."""

    class Planted(torch.autograd.Function):
        @staticmethod
        def forward(x: Tensor) -> Tensor:
            return torch.sin(x)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx: Any, cotangent: Tensor) -> Tensor:  # type: ignore[override]
            return cotangent * torch.cos(*ctx.saved_tensors)

        @staticmethod
        def jvp(ctx: Any, tangent: Tensor) -> Tensor:  # type: ignore[override]
            return tangent * torch.cos(*ctx.saved_tensors) * 1.001

    row = replace(FUNCTIONS["sin"], torch=lambda x: Planted.apply(x))  # type: ignore[no-untyped-call]
    result = check_row(row, Request("sin(x)", at=("0.7",), mode="both", derivatives=False))
    assert {check.mode: check.verdict for check in result.checks} == {
        "reverse": Verdict.MATCH,
        "forward": Verdict.MISMATCH,
    }
