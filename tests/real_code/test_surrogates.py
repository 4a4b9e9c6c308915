"""surrogate: whose derivative an autograd.Function is meant to have."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gradcheck_cli import GradientMismatch, gradcheck, gradgradcheck
from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.real_code.subject import BadInput


class Round(torch.autograd.Function):
    """A straight-through estimator."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g


class Reversed(torch.autograd.Function):
    """Gradient reversal: its forward returns what it was given."""

    @staticmethod
    def forward(x: Tensor, scale: float) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.scale = inputs[1]

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return -ctx.scale * g, None


class Clipped(torch.autograd.Function):
    """Of two outputs one is clipped in the backward, wrongly."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return x.sign(), 2 * x

    @staticmethod
    def backward(ctx: Any, g: Tensor, h: Tensor) -> Tensor:
        return g + h


def leaf() -> Tensor:
    return torch.tensor([0.3, -1.7, 2.2], dtype=torch.float64, requires_grad=True)


MEANT: dict[Any, Any] = {Round: lambda x: x, Reversed: lambda x, scale: -scale * x, Clipped: lambda x: (x, 2 * x)}


def quantised(x: Tensor) -> Tensor:
    return (Round.apply(4 * x.sin()) / 4 - x).square()


def adversarial(x: Tensor) -> Tensor:
    y = x.exp()
    return Reversed.apply(y, 0.5).sin() + y  # the reversal is not of y itself


@pytest.mark.parametrize("function", [quantised, adversarial, Round.apply])
def test_the_surrogates_derivative_is_what_is_right(function: Any) -> None:
    assert not gradcheck(function, leaf(), raise_exception=False)
    assert gradcheck(function, leaf(), surrogate={k: v for k, v in MEANT.items() if k is not Clipped})


def test_in_second_order() -> None:
    assert gradgradcheck(quantised, leaf(), surrogate={Round: MEANT[Round]})


def test_values_are_those_of_the_function_itself() -> None:
    result = check_code(quantised, leaf(), surrogate={Round: MEANT[Round]})
    assert result.values[0].verdict.passes


def test_a_backward_that_is_not_that_of_its_surrogate_is_blamed() -> None:
    with pytest.raises(GradientMismatch, match=r"Clipped\.backward \(\S+\) is wrong by x") as wrong:
        gradcheck(lambda x: sum(Clipped.apply(x.sin())), leaf(), surrogate={Clipped: MEANT[Clipped]})
    assert "the gradient of x is the incoming gradient, as it came" in str(wrong.value)


class Gated(torch.autograd.Function):
    """A sign that passes on what is small."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * (ctx.saved_tensors[0].abs() < 2)


@pytest.mark.parametrize("function", [Round, Gated])
def test_an_estimator_without_one_is_told_of_it(function: Any) -> None:
    _, mistake = check_code(function.apply, leaf()).findings
    assert mistake.text.endswith(
        f"if {function.__name__} is meant to have the derivative of another function, say so from Python:"
        f" surrogate={{{function.__name__}: lambda x: x}}"
    )


def test_an_estimator_that_has_one_is_not_told_of_it() -> None:
    found = check_code(Round.apply, leaf(), surrogate={Round: torch.sin}).findings
    assert found
    assert "surrogate=" not in "".join(one.text for one in found)


def test_what_is_not_constant_is_no_estimator() -> None:
    assert "surrogate=" not in "".join(one.text for one in check_code(Clipped.apply, leaf()).findings)


def test_classes_are_left_as_they_were() -> None:
    before = Round.__dict__["forward"]

    class Inherits(Round):
        pass

    assert gradcheck(Inherits.apply, leaf(), surrogate={Inherits: MEANT[Round], Round: MEANT[Round]})
    assert Round.__dict__["forward"] is before
    assert "forward" not in Inherits.__dict__


@pytest.mark.parametrize(
    ("surrogate", "message"),
    [
        ({Round.apply: lambda x: x}, "is no autograd.Function: give the class itself, not its apply"),
        ({Round: 1}, "surrogate: 1 for Round is no function"),
        ({Round: lambda x: x.sum()}, r"gives the shapes \[\(\)\], and its forward \[\(3,\)\]"),
        ({Round: lambda x, y: x}, "the surrogate of Round raises TypeError"),
        ({Round: lambda x: 1.0}, "the surrogate of Round must return a tensor"),
    ],
)
def test_what_does_not_fit_is_said(surrogate: Any, message: str) -> None:
    with pytest.raises((GradientMismatch, BadInput), match=message):
        gradcheck(Round.apply, leaf(), surrogate=surrogate)


def test_one_that_did_not_run_is_noticed() -> None:
    assert "surrogate: Round did not run" in check_code(torch.sin, leaf(), surrogate={Round: MEANT[Round]}).notices


class Doubled(Round):
    """Twice what a straight-through estimator gives."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return 2 * g


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_quantiser_with_a_learned_step(dtype: torch.dtype) -> None:
    """By the step the truth is what is rounded off, as learned step size quantisation has it."""
    x, step = leaf().detach().to(dtype).requires_grad_(), torch.tensor(0.7, dtype=dtype, requires_grad=True)
    assert gradcheck(lambda x, step: Round.apply(x / step) * step, (x, step), surrogate={Round: MEANT[Round]})
    with pytest.raises(GradientMismatch, match=r"Doubled\.backward \(\S+\) is wrong by x") as wrong:
        gradcheck(lambda x, step: Doubled.apply(x / step) * step, (x, step), surrogate={Doubled: MEANT[Round]})
    assert "every wrong entry by x is twice the truth" in str(wrong.value)
