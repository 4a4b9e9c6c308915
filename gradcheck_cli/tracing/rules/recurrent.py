"""Recurrent networks as CUDA has them, in kernels of their own; the CPU runs them by plain operations.

Formulas of the cells: torch.nn.LSTMCell and torch.nn.GRUCell, whose gates come already multiplied by the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.errors import Opaque
from gradcheck_cli.tracing.fewer_bits import products_of_cudnn_rnn
from gradcheck_cli.tracing.table import rule

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder


def _gates(r: Recorder, gates: Any, bias: Any, count: int) -> list[Elements]:
    total = r.of(gates) if bias is None else r.call("add", gates, bias)
    return np.split(total, count, axis=-1)


@rule("_thnn_fused_lstm_cell")
def lstm_cell(
    r: Recorder, out: Any, by_input: Any, by_hidden: Any, cell: Any, input_bias: Any = None, hidden_bias: Any = None
) -> tuple[Elements, Elements, None]:
    pairs = zip(_gates(r, by_input, input_bias, 4), _gates(r, by_hidden, hidden_bias, 4), strict=True)
    enter, forget, new, leave = (r.call("add", *pair) for pair in pairs)
    kept = r.call("mul", r.call("sigmoid", forget), cell)
    kept = r.call("add", kept, r.call("mul", r.call("sigmoid", enter), r.call("tanh", new)))
    return r.call("mul", r.call("sigmoid", leave), r.call("tanh", kept)), kept, None


@rule("_thnn_fused_gru_cell")
def gru_cell(
    r: Recorder, out: Any, by_input: Any, by_hidden: Any, hidden: Any, input_bias: Any = None, hidden_bias: Any = None
) -> tuple[Elements, None]:
    reset, update, new = _gates(r, by_input, input_bias, 3)
    reset_too, update_too, new_too = _gates(r, by_hidden, hidden_bias, 3)
    by = r.call("sigmoid", r.call("add", reset, reset_too))
    new = r.call("tanh", r.call("add", new, r.call("mul", by, new_too)))
    share = r.call("sigmoid", r.call("add", update, update_too))
    return r.call("add", new, r.call("mul", share, r.call("sub", hidden, new))), None


NETWORKS: tuple[Callable[..., Any], ...] = (torch.rnn_relu, torch.rnn_tanh, torch.lstm, torch.gru)
"""By cuDNN's mode."""
LSTM = 2
BIASES = 4
"""So many tensors a layer, or more, where there are biases among them."""


@rule("_cudnn_rnn")
def cudnn_rnn(
    r: Recorder, out: Any, x: Tensor, weights: Sequence[Tensor], per_layer: int, packed: Any, hidden: Tensor,
    cell: Tensor | None, mode: int, hidden_size: int, proj_size: int, layers: int, batch_first: bool, dropout: float,
    train: bool, bidirectional: bool, batch_sizes: Sequence[int], *_: Any,
) -> tuple[Elements | None, ...]:  # fmt: skip
    """By the steps that torch takes without cuDNN."""
    if dropout and train:
        raise Opaque(r.tape.origin, "its dropout draws the random numbers of cuDNN")
    state = (hidden, cell) if mode == LSTM else hidden
    how = weights, per_layer >= BIASES, layers, 0.0, train, bidirectional
    with _without_cudnn(), products_of_cudnn_rnn(), r:
        if batch_sizes:
            found = NETWORKS[mode](x, torch.tensor(batch_sizes), state, *how)
        else:
            found = NETWORKS[mode](x, state, *how, batch_first)
    results: list[Elements | None] = [r.of(tensor) for tensor in found]
    return *results, *[None] * (5 - len(results))


@rule("_cudnn_rnn_flatten_weight")
def flatten(r: Recorder, out: Tensor, *_: Any) -> Elements:
    """The weights in the order of cuDNN, which `cudnn_rnn` has no use for."""
    return r.unknown(tuple(out.shape), "the order in which cuDNN has the weights is not known")


@contextmanager
def _without_cudnn() -> Iterator[None]:
    before = torch.backends.cudnn.enabled
    torch.backends.cudnn.enabled = False
    try:
        yield
    finally:
        torch.backends.cudnn.enabled = before
