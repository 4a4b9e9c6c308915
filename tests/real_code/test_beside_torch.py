"""What docs/certificate.md says of torch.autograd.gradcheck: errors that pass there, and not here."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gradcheck_cli import gradcheck


class Scaled(torch.autograd.Function):
    """size*x**2, whose backward is off by a factor."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, size: float, factor: float) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.slope = 2 * size * factor
        return size * x * x

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grads[0] * ctx.slope * x, None, None


@pytest.mark.parametrize(("size", "factor"), [(1.0, 1.0005), (1.5e-6, -1.0)])
def test_small_errors(size: float, factor: float) -> None:
    x = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)

    def function(x: torch.Tensor) -> torch.Tensor:
        return Scaled.apply(x, size, factor)  # type: ignore[no-any-return,no-untyped-call]

    assert torch.autograd.gradcheck(function, (x,))
    assert not gradcheck(function, (x,), raise_exception=False)
