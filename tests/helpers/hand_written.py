"""What the tables of functions with a backward by hand are made of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.records.code import Cause

Backward = Callable[..., Any]


@dataclass(frozen=True)
class Mistake:
    """backward: the wrong one; by: the arguments whose gradient it spoils. cause: what is said to be wrong with the
    first of them; None: it is none of the known mistakes."""

    backward: Backward
    by: str
    cause: Cause | None = None


@dataclass(frozen=True)
class Case:
    """backward: (cotangent, *inputs) -> the gradients; wrong: by what is wrong. shapes: of the inputs; positive: all
    inputs are."""

    name: str
    forward: Callable[..., Tensor]
    backward: Backward
    wrong: Mapping[str, Mistake]
    shapes: tuple[tuple[int, ...], ...]
    positive: bool = False

    def inputs(self, dtype: torch.dtype) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(3)
        drawn = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in self.shapes)
        return tuple((x.abs() + 0.25 if self.positive else x).to(dtype) for x in drawn)


def by_hand(forward: Callable[..., Tensor], backward: Backward) -> Callable[..., Tensor]:
    """An autograd.Function of the two, whose arguments are called as those of `forward`."""

    class ByHand(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Tensor) -> Tensor:
            ctx.save_for_backward(*inputs)
            return forward(*inputs)

        @staticmethod
        def backward(ctx: Any, cotangent: Tensor) -> Any:
            return backward(cotangent, *ctx.saved_tensors)

    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_ONLY)
    parameters = [p.replace(kind=p.POSITIONAL_ONLY) for p in inspect.signature(forward).parameters.values()]
    ByHand.forward.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
    return ByHand.apply


def one_row(gradients: Backward, index: int) -> Backward:
    """Of one argument only the first of the rows that were to be summed."""

    def wrong(g: Tensor, *inputs: Tensor) -> Any:
        first = gradients(torch.cat([g[:1], torch.zeros_like(g[1:])]), *inputs)
        whole = list(gradients(g, *inputs))
        whole[index] = first[index]
        return tuple(whole)

    return wrong


def changed(gradients: Backward, index: int, change: Callable[[Tensor], Any]) -> Backward:
    """One of the gradients changed."""

    def wrong(g: Tensor, *inputs: Tensor) -> Any:
        found = gradients(g, *inputs)
        whole = list(found) if isinstance(found, tuple) else [found]
        whole[index] = change(whole[index])
        return tuple(whole)

    return wrong


def twice(x: Tensor) -> Tensor:
    return 2 * x


def nothing(x: Tensor) -> Tensor:
    return torch.zeros_like(x)


def negated(x: Tensor) -> Tensor:
    return -x
