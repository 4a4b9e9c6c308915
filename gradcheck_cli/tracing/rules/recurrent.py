"""Recurrent cells as CUDA has them, each fused into one kernel; the CPU runs them by plain operations.

Formulas: torch.nn.LSTMCell and torch.nn.GRUCell, whose gates come already multiplied by the weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.tape.elements import Elements
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
