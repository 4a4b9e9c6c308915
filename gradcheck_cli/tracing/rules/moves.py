"""Operations that move numbers and compute none: no rule is needed, they are run on the element numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.table import moves, rule, words
from gradcheck_cli.tracing.tensors import integers

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

moves(
    words(
        """view reshape _unsafe_view clone contiguous expand expand_copy permute_copy transpose_copy t_copy view_copy
    alias_copy squeeze_copy unsqueeze_copy slice_copy select_copy unbind_copy split_copy split_with_sizes_copy
    unfold_copy narrow_copy diagonal_copy cat stack gather index index_select take roll flip rot90 repeat
    constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d
    replication_pad3d pixel_shuffle pixel_unshuffle channel_shuffle im2col tril triu diag_embed upsample_nearest1d
    upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d masked_select block_diag max_unpool2d max_unpool3d slice_scatter select_scatter
    diagonal_scatter unsafe_split unsafe_split_with_sizes unsafe_chunk _reshape_copy lift lift_fresh_copy lift_fresh
    _unsafe_index index_copy _reshape_alias fill.Scalar fill.Tensor repeat_interleave.self_int
    repeat_interleave.self_Tensor _unsafe_masked_index unfold_copy"""
    )
)


@rule("embedding")
def embedding(r: Recorder, out: Tensor, weight: Any, index: Tensor, padding: int = -1, *_: Any, **__: Any) -> Elements:
    """The row of the padding gets no gradient: torch holds it constant."""
    rows, places = r.of(weight)[integers(index)], integers(index) == padding
    if not places.any():
        return rows
    rows = np.array(rows)
    rows[places] = r.held_by("padding_idx", rows[places])
    return rows


@rule("masked_scatter")
def masked_scatter(r: Recorder, out: Tensor, x: Any, mask: Tensor, source: Any) -> Elements:
    elements = np.array(np.broadcast_to(r.of(x), tuple(out.shape)))
    chosen = np.broadcast_to(integers(mask) != 0, elements.shape)
    elements[chosen] = r.of(source).reshape(-1)[: int(chosen.sum())]
    return elements


@rule("index_fill")
def index_fill(r: Recorder, out: Tensor, x: Any, dim: int, index: Tensor, value: Any) -> Elements:
    elements = np.array(r.of(x))
    if not elements.ndim:
        return r.of(value) if index.numel() else elements
    elements[(slice(None),) * (dim % elements.ndim) + (integers(index).reshape(-1),)] = r.of(value).reshape(())
    return elements


@rule("as_strided_copy", "as_strided_scatter")
def as_strided(r: Recorder, out: Tensor, x: Tensor, *args: Any, **kwargs: Any) -> Elements:
    """What depends on the layout of the memory."""
    scatter = "scatter" in r.tape.origin.operation
    source = args[0] if scatter else None
    size, stride, *rest = args[1:] if scatter else args
    offset = rest[0] if rest else kwargs.get("storage_offset")
    offset = x.storage_offset() if offset is None else offset
    memory = np.zeros(x.untyped_storage().nbytes() // x.element_size(), np.int64)
    strides = tuple(s * memory.itemsize for s in x.stride())
    own = np.lib.stride_tricks.as_strided(memory[x.storage_offset() :], tuple(x.shape), strides)
    own[...] = r.of(x)
    there = np.lib.stride_tricks.as_strided(memory[offset:], tuple(size), [s * memory.itemsize for s in stride])
    if source is None:
        return np.array(there)
    there[...] = r.of(source)
    return np.array(own)
