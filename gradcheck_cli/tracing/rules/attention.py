"""Fused attention: its own formula, since a kernel is never looked into."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.rules.products import matmul
from gradcheck_cli.tracing.table import NotHere, rule

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder


@rule("_scaled_dot_product_flash_attention_for_cpu")
def attention(
    r: Recorder, out: Any, query: Any, key: Any, value: Any, dropout_p: float = 0.0, is_causal: bool = False, *,
    attn_mask: Any = None, scale: float | None = None,
) -> tuple[Elements, None]:  # fmt: skip
    if dropout_p:
        raise NotHere
    q, k, v = r.of(query), r.of(key), r.of(value)
    k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], axis=-3) for x in (k, v))  # heads in groups
    factor = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = r.scaled(matmul(r, q, np.swapaxes(k, -1, -2)), factor)
    if attn_mask is not None:
        scores = r.call("add", scores, attn_mask)
    if is_causal:
        seen = np.tril(np.ones(scores.shape[-2:], bool))
        scores = np.where(seen, scores, r.tape.constant(-math.inf))
    weights = r.call("exp", r.call("sub", scores, _largest(r, scores)))
    total = r.tape.reduce("sum", weights)
    return matmul(r, r.call("div", weights, total[..., None]), v), None


@rule("_scaled_dot_product_flash_attention")
def flash_attention(
    r: Recorder, out: Any, query: Any, key: Any, value: Any, dropout_p: float = 0.0, is_causal: bool = False,
    return_debug_mask: bool = False, *, scale: float | None = None,
) -> tuple[Elements, None]:  # fmt: skip
    found: tuple[Elements, None] = attention(r, out, query, key, value, dropout_p, is_causal, scale=scale)
    return found


@rule("_scaled_dot_product_efficient_attention", "_scaled_dot_product_cudnn_attention")
def masked_attention(
    r: Recorder, out: Any, query: Any, key: Any, value: Any, attn_bias: Any, compute_log_sumexp: bool,
    dropout_p: float = 0.0, is_causal: bool = False, *_: Any, scale: float | None = None,
) -> tuple[Elements, None]:  # fmt: skip
    found: tuple[Elements, None] = attention(
        r, out, query, key, value, dropout_p, is_causal, attn_mask=attn_bias, scale=scale
    )
    return found


def _largest(r: Recorder, scores: Elements) -> Elements:
    """A constant near the largest score of each row: the result does not depend on it."""
    from gradcheck_cli.tape.values import Values

    values = Values(r.tape).value[scores]
    top = values.max(axis=-1, keepdims=True)
    return r.tape.constants(np.where(np.isfinite(top), top, 0.0))
