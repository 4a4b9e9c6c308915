"""Backwards that ask which of their inputs need a gradient: an index of another input is found, and named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gradcheck_cli.real_code import alone
from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.code import Cause
from gradcheck_cli.records.results import Verdict

HERE = os.path.basename(__file__)


def fused(indices: Sequence[int]) -> Any:
    """x * w + b, which asks for the gradients by these indices."""

    class Fused(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
            ctx.save_for_backward(x, w)
            return x * w + b

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            x, w = ctx.saved_tensors
            needed = [ctx.needs_input_grad[index] for index in indices]
            return g * w if needed[0] else None, g * x if needed[1] else None, g if needed[2] else None

    return Fused


def test_in_a_narrow_dtype_it_is_no_rounding() -> None:
    """Where all inputs need a gradient, the code is right, in float64 as well."""
    given = tuple(x.bfloat16() for x in inputs())
    result = check_code(fused((1, 1, 2)).apply, given)
    assert [block.input for block in result.blocks if block.verdict is Verdict.MISMATCH] == ["x"]
    assert check_code(fused((0, 1, 2)).apply, given).passed


def inputs(count: int = 3) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(2, generator=generator, dtype=torch.float64) for _ in range(count))


@pytest.mark.parametrize(
    ("indices", "wrong"), [((1, 1, 2), ["x"]), ((0, 0, 2), ["w"]), ((0, 1, 0), ["b"]), ((1, 2, 0), ["x", "w", "b"])]
)
def test_an_index_of_another_input(indices: Sequence[int], wrong: list[str]) -> None:
    function = fused(indices)
    result = check_code(function.apply, inputs())
    assert [block.input for block in result.blocks if not block.passed] == wrong
    blamed, *found = result.findings
    assert (blamed.cause, blamed.function) == (Cause.FUNCTION, "Fused.backward")
    assert [(one.cause, one.argument) for one in found] == [(Cause.NEEDED, name) for name in wrong]
    line = function.backward.__code__.co_firstlineno + 3
    assert found[0].text == (
        f"the gradient of {wrong[0]} is another one where {wrong[0]} alone requires grad: is an index of"
        f" ctx.needs_input_grad that of another input ({HERE}:{line})?"
    )


def test_right_indices_pass() -> None:
    result = check_code(fused((0, 1, 2)).apply, inputs())
    assert result.passed
    assert result.checks_total == 12


def test_an_input_that_is_needed_although_another_is_not() -> None:
    class Together(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
            ctx.save_for_backward(x, w)
            return x * w + b

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            x, w = ctx.saved_tensors
            by_x = g * w
            if ctx.needs_input_grad[1] and not ctx.needs_input_grad[2]:
                by_x = by_x + 1
            return by_x, g * x, g

    first, second = check_code(Together.apply, inputs()).findings
    assert first.argument == "x"
    assert "where b does not require grad" in second.text


def test_in_a_module_the_function_is_named() -> None:
    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w, self.b = (nn.Parameter(x) for x in inputs(2))

        def forward(self, x: Tensor) -> Tensor:
            return fused((0, 0, 2)).apply(x.sin(), self.w, self.b).sum()  # type: ignore[no-any-return]

    result = check_code(Layer(), inputs(1))
    assert [block.input for block in result.blocks if not block.passed] == ["w"]
    assert [one.cause for one in result.findings] == [Cause.FUNCTION, Cause.NEEDED]


def test_a_backward_that_raises_where_one_is_not_needed() -> None:
    class Unset(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            x, w = ctx.saved_tensors
            if ctx.needs_input_grad[0]:
                by_x = g * w
            return by_x, g * x

    error = check_code(Unset.apply, inputs(2)).error
    assert error is not None
    assert error.startswith("where w alone requires grad, the backward raises UnboundLocalError: ")


def helped(ctx: Any, g: Tensor, x: Tensor, w: Tensor) -> Any:
    return g * w if ctx.needs_input_grad[1] else None, g * x


class ByHelper(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return x * w

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Any:
        return helped(ctx, g, *ctx.saved_tensors)


class ByMethod(ByHelper):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return ByMethod.gradients(ctx, g, *ctx.saved_tensors)

    @staticmethod
    def gradients(ctx: Any, g: Tensor, x: Tensor, w: Tensor) -> Any:
        return g * w if ctx.needs_input_grad[1] else None, g * x


@pytest.mark.parametrize(("function", "asks"), [(ByHelper, helped), (ByMethod, ByMethod.gradients)])
def test_one_that_is_asked_in_a_helper(function: Any, asks: Any) -> None:
    *_, found = check_code(function.apply, inputs(2)).findings
    assert found.cause is Cause.NEEDED
    line = asks.__code__.co_firstlineno + (1 if asks is helped else 2)
    assert found.texts["places"] == f"{HERE}:{line}"


def test_who_does_not_ask_is_not_run_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            x, w = ctx.saved_tensors
            return g * w, g * x

    monkeypatch.setattr(alone, "Alone", None)
    assert check_code(Plain.apply, inputs(2)).passed
    assert check_code(torch.mul, inputs(2)).passed
