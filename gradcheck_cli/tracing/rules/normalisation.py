"""Layer, group and batch norms: their own formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.rules.reductions import Reduced, variance
from gradcheck_cli.tracing.table import NotHere, rule

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder


def _standard(r: Recorder, rows: Elements, eps: float) -> tuple[Elements, Elements, Elements]:
    """(rows with mean 0 and variance 1, the means, 1 over the deviations)."""
    average, spread = variance(r, rows, 0)
    scale = r.call("div", 1.0, r.call("sqrt", r.call("add", spread, eps)))
    return r.call("mul", r.call("sub", rows, average[..., None]), scale[..., None]), average, scale


def _affine(r: Recorder, x: Elements, weight: Any, bias: Any, shape: Sequence[int]) -> Elements:
    if weight is not None:
        x = r.call("mul", x, r.of(weight).reshape(shape))
    return x if bias is None else r.call("add", x, r.of(bias).reshape(shape))


@rule("native_layer_norm")
def layer_norm(r: Recorder, out: Any, x: Any, shape: Sequence[int], weight: Any, bias: Any, eps: float) -> Any:
    elements = r.of(x)
    rows = elements.reshape(*elements.shape[: elements.ndim - len(shape)], math.prod(shape))
    done, average, scale = _standard(r, rows, eps)
    return _affine(r, done.reshape(elements.shape), weight, bias, tuple(shape)), average, scale


@rule("native_group_norm")
def group_norm(
    r: Recorder, out: Any, x: Any, weight: Any, bias: Any, batch: int, channels: int, area: int, groups: int, eps: float
) -> Any:
    elements = r.of(x)
    rows = elements.reshape(batch, groups, channels // groups * area)
    done, average, scale = _standard(r, rows, eps)
    whole = (1, channels, *(1,) * (elements.ndim - 2))
    return _affine(r, done.reshape(elements.shape), weight, bias, whole), average, scale


@rule("native_batch_norm", "_native_batch_norm_legit", "_batch_norm_with_update", "_batch_norm_no_update",
      "_native_batch_norm_legit_no_training", "_native_batch_norm_legit.no_stats",
      "_native_batch_norm_legit_functional")  # fmt: skip
def batch_norm(r: Recorder, out: Any, x: Any, weight: Any, bias: Any, *args: Any) -> Any:
    """In training by the numbers of the batch, else by those that are given; the latter are no inputs here."""
    name = r.tape.origin.operation
    elements = r.of(x)
    numbers_given = [a for a in args if isinstance(a, Tensor)]
    training = (
        "no_training" not in name and "no_update" not in name and next((a for a in args if isinstance(a, bool)), True)
    )
    eps = float(args[-1])
    whole = (1, elements.shape[1], *(1,) * (elements.ndim - 2))
    if training:
        if any(r.depends(a) for a in numbers_given):
            raise NotHere
        reduced = Reduced(elements, [d for d in range(elements.ndim) if d != 1])
        done, average, scale = _standard(r, reduced.rows, eps)
        result = reduced.back(done)
    else:
        average, spread = (r.of(a) for a in numbers_given[:2])
        scale = r.call("div", 1.0, r.call("sqrt", r.call("add", spread, eps)))
        off = r.call("sub", elements, average.reshape(whole))
        result = r.call("mul", off, scale.reshape(whole))
    result = _affine(r, result, weight, bias, whole)
    return (result, average, scale, *(None,) * (len(out) - 3)) if training else (result, *(None,) * (len(out) - 1))


@rule("_fused_rms_norm", "rms_norm")
def rms_norm(r: Recorder, out: Any, x: Any, shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    elements = r.of(x)
    rows = elements.reshape(*elements.shape[: elements.ndim - len(shape)], math.prod(shape))
    total = r.tape.dot(rows[..., None, :], rows[..., None, :])[..., 0, 0]
    tensor = x if isinstance(x, Tensor) else None
    if eps is None:
        if tensor is None:
            raise NotHere
        import torch

        eps = float(torch.finfo(tensor.dtype).eps)
    spread = r.call("add", r.call("div", total, float(rows.shape[-1])), eps)
    scale = r.call("div", 1.0, r.call("sqrt", spread))
    done = _affine(r, r.call("mul", rows, scale[..., None]).reshape(elements.shape), weight, None, tuple(shape))
    return (done, np.array(scale)) if isinstance(out, tuple) else done
