"""Functions of tensors as people check them: small layers, losses, a recurrence, a backward by hand, two networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class CodeFunction:
    """shapes: of its inputs, which are drawn."""

    name: str
    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def elements(self) -> int:
        return sum(x.numel() for x in self.inputs())

    def inputs(self) -> tuple[Tensor, ...]:
        """In float64, requiring grad: the same ones each time."""
        generator = torch.Generator().manual_seed(0)
        drawn = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in self.shapes)
        return tuple(x.mul_(0.5).requires_grad_() for x in drawn)


class Swish(torch.autograd.Function):
    """x sigmoid(x), with its backward by hand."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return g * (s + x * s * (1 - s))


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * weight


def gru_step(x: Tensor, h: Tensor, w: Tensor, u: Tensor) -> Tensor:
    return torch.gru_cell(x, h, w, u)


CLASSES = torch.arange(8) % 10
TARGET, BATCH, WIDE = (
    torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for shape in ((6, 3), (8, 20), (7, 32))
)


def focal_loss(logits: Tensor) -> Tensor:
    log_p = F.log_softmax(logits, 1).gather(1, CLASSES[:, None])[:, 0]
    return (-((1 - log_p.exp()) ** 2) * log_p).mean()


def linear_loss(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return F.mse_loss(F.linear(x, w, b), TARGET)


def network(w: Tensor, b: Tensor, v: Tensor, c: Tensor) -> Tensor:
    return F.mse_loss(torch.tanh(BATCH @ w.mT + b) @ v + c, BATCH[:, 0])


def wide_network(w: Tensor, b: Tensor, v: Tensor) -> Tensor:
    return (F.gelu(WIDE @ w.mT + b) @ v.mT).square().mean()


FUNCTIONS = (
    CodeFunction("elementwise of 3", lambda x: torch.sin(x) * torch.exp(-x * x), ((3,),)),
    CodeFunction("layer norm 4x8", lambda x, w, b: F.layer_norm(x, (8,), w, b), ((4, 8), (8,), (8,))),
    CodeFunction("conv2d 1x2x5x5", F.conv2d, ((1, 2, 5, 5), (3, 2, 3, 3), (3,))),
    CodeFunction("attention", attention, ((2, 4, 4),) * 3),
    CodeFunction("cross entropy 8x10", lambda x: F.cross_entropy(x, CLASSES), ((8, 10),)),
    CodeFunction(
        "mse of a linear layer", lambda x, w, b: F.mse_loss(F.linear(x, w, b), TARGET), ((6, 5), (3, 5), (3,))
    ),
    CodeFunction("Swish by hand, 4x6", Swish.apply, ((4, 6),)),
    CodeFunction("RMS norm 4x8", rms_norm, ((4, 8), (8,))),
    CodeFunction("GRU cell", gru_step, ((2, 4), (2, 3), (9, 4), (9, 3))),
    CodeFunction("focal loss 8x10", focal_loss, ((8, 10),)),
    CodeFunction("network of 705", network, ((32, 20), (32,), (32,), ())),
    CodeFunction("network of 5,248", wide_network, ((128, 32), (128,), (8, 128))),
)
