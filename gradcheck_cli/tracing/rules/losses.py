"""Losses that torch has kernels of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.table import rule
from gradcheck_cli.tracing.tensors import integers

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

NONE, MEAN, SUM = range(3)


def reduced(r: Recorder, losses: Elements, reduction: int) -> Elements:
    """torch's reduction of losses: none, mean, sum."""
    if reduction == NONE:
        return losses
    total = r.tape.reduce("sum", losses.reshape(-1))
    return r.call("div", total, float(losses.size)) if reduction == MEAN else total


@rule("mse_loss")
def mse_loss(r: Recorder, out: Tensor, x: Any, target: Any, reduction: int = MEAN) -> Elements:
    return reduced(r, r.call("square", r.call("sub", x, target)), reduction)


@rule("huber_loss", "smooth_l1_loss")
def huber_loss(r: Recorder, out: Tensor, x: Any, target: Any, reduction: int = MEAN, width: float = 1.0) -> Elements:
    """Smooth L1 is the Huber loss over its width."""
    off = r.call("abs", r.call("sub", x, target))
    smooth = r.tape.origin.operation == "aten::smooth_l1_loss"
    if smooth and width == 0:
        return reduced(r, off, reduction)
    near, far = r.scaled(r.call("square", off), 0.5), r.scaled(r.call("sub", off, 0.5 * width), width)
    losses = r.call("where", r.call("lt", off, width), near, far)
    return reduced(r, r.call("div", losses, width) if smooth else losses, reduction)


@rule("nll_loss_forward", "nll_loss2d_forward")
def nll_loss(
    r: Recorder, out: Any, x: Any, target: Tensor, weight: Any, reduction: int, ignored: int
) -> tuple[Elements, Elements | None]:
    scores, classes = r.of(x), integers(target)
    single = scores.ndim == 1
    scores, classes = (scores[None], classes.reshape(1)) if single else (scores, classes)
    kept = classes != ignored
    index = np.where(kept, classes, 0)[:, None]
    picked = r.call("neg", np.take_along_axis(scores, index, axis=1)[:, 0])
    if weight is not None:
        weights = r.of(weight)[np.where(kept, classes, 0)]
        picked = r.call("mul", picked, weights)
    else:
        weights = np.full(classes.shape, r.tape.constant(1.0))
    zero = r.tape.constant(0.0)
    picked, weights = np.where(kept, picked, zero), np.where(kept, weights, zero)
    if reduction == NONE:
        return (picked[0] if single else picked), None
    total, weight_sum = (r.tape.reduce("sum", each.reshape(-1)) for each in (picked, weights))
    return (r.call("div", total, weight_sum) if reduction == MEAN else total), weight_sum


@rule("binary_cross_entropy")
def binary_cross_entropy(
    r: Recorder, out: Tensor, x: Any, target: Any, weight: Any = None, reduction: int = MEAN
) -> Elements:
    """With torch's bound of -100 on the logarithms."""
    here = r.call("clamp_min", r.call("log", x), -100.0)
    there = r.call("clamp_min", r.call("log1p", r.call("neg", x)), -100.0)
    losses = r.call("sub", r.call("mul", r.call("sub", target, 1.0), there), r.call("mul", target, here))
    return reduced(r, losses if weight is None else r.call("mul", losses, weight), reduction)
