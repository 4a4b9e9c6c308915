"""Operations that torch has on CUDA alone: the rule of each gives what plain operations give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.tracing import rules  # noqa: F401 - each registers itself
from gradcheck_cli.tracing.recorder import Recorder
from gradcheck_cli.tracing.table import RULES, qualified

Cell = (2, 12), (2, 12), (2, 3), (12,), (12,)
Gated = (2, 9), (2, 9), (2, 3), (9,), (9,)
Heads = (2, 3, 4), (2, 3, 4), (2, 3, 5)


def lstm_cell(by_input: Tensor, by_hidden: Tensor, cell: Tensor, input_bias: Tensor, hidden_bias: Tensor) -> Any:
    enter, forget, new, leave = (by_input + by_hidden + input_bias + hidden_bias).chunk(4, 1)
    cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
    return leave.sigmoid() * cell.tanh(), cell


def gru_cell(by_input: Tensor, by_hidden: Tensor, hidden: Tensor, input_bias: Tensor, hidden_bias: Tensor) -> Any:
    given, before = (by_input + input_bias).chunk(3, 1), (by_hidden + hidden_bias).chunk(3, 1)
    reset, update = (given[0] + before[0]).sigmoid(), (given[1] + before[1]).sigmoid()
    return ((1 - update) * (given[2] + reset * before[2]).tanh() + update * hidden,)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Any:
    return (F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3),)


def masked(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Any:
    return (F.scaled_dot_product_attention(q, k, v, mask),)


def in_groups(q: Tensor, k: Tensor, v: Tensor) -> Any:
    return (F.scaled_dot_product_attention(q, k, v, enable_gqa=True),)


ROWS: list[tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any], tuple[tuple[int, ...], ...]]] = [
    ("_thnn_fused_lstm_cell", lstm_cell, (), {}, Cell),
    ("_thnn_fused_gru_cell", gru_cell, (), {}, Gated),
    ("_scaled_dot_product_flash_attention", attention, (0.0, True), {"scale": 0.3}, Heads),
    ("_scaled_dot_product_flash_attention", in_groups, (), {}, ((1, 4, 3, 2), (1, 2, 3, 2), (1, 2, 3, 2))),
    ("_scaled_dot_product_efficient_attention", masked, (False,), {}, (*Heads, (2, 3, 3))),
    ("_scaled_dot_product_cudnn_attention", masked, (False,), {}, (*Heads, (3, 3))),
]


@pytest.mark.parametrize(
    ("name", "plain", "more", "named", "shapes"), ROWS, ids=[row[0] + row[1].__name__ for row in ROWS]
)
def test_a_rule(name: str, plain: Callable[..., Any], more: Any, named: Any, shapes: Any) -> None:
    generator = torch.Generator().manual_seed(2)
    given = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    compare(lambda recorder: RULES[qualified(name)](recorder, None, *given, *more, **named), plain, given)


def compare(by_rule: Callable[[Recorder], Any], plain: Callable[..., Any], given: Sequence[Tensor]) -> None:
    recorder = Recorder(through_detach=True)  # no gradient is asked for here
    for k, tensor in enumerate(given):
        recorder.lift(tensor, f"x{k}")
    with recorder:
        results = by_rule(recorder)
    found = [Truths(recorder.tape).rows(elements.reshape(-1))[0] for elements in results if elements is not None]
    expected = torch.autograd.functional.jacobian(plain, tuple(given))
    assert len(found) == len(expected)
    for rows, blocks in zip(found, expected, strict=True):
        wanted = torch.cat([block.reshape(len(rows), -1) for block in blocks], 1)
        torch.testing.assert_close(torch.from_numpy(rows), wanted, rtol=1e-12, atol=1e-13)


NETWORKS = {
    "lstm": (nn.LSTM(3, 2), 2),
    "deep, both ways, projected": (nn.LSTM(3, 2, num_layers=2, bidirectional=True, proj_size=1), 2),
    "gru without biases": (nn.GRU(3, 2, bias=False), 3),
    "tanh, batch first": (nn.RNN(3, 2, batch_first=True), 1),
    "relu": (nn.RNN(3, 2, nonlinearity="relu"), 0),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_cudnn(name: str, packed: bool) -> None:
    """The operation that CUDA has for a whole network gives what the CPU computes step by step."""
    network, mode = NETWORKS[name]
    if packed and network.batch_first:
        pytest.skip("what is packed has no batch first")
    network = network.double()
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(4, 2, 3, generator=generator, dtype=torch.float64)
    sizes = [2, 2, 1] if packed else []
    x = x.reshape(-1, 3)[: sum(sizes)] if packed else x
    weights = [w for layer in network.all_weights for w in layer]
    layers = network.num_layers * (2 if network.bidirectional else 1)
    batch = x.shape[0] if network.batch_first else 2
    states = [torch.zeros(layers, batch, network.proj_size or 2, dtype=x.dtype)]
    states += [torch.zeros(layers, batch, 2, dtype=x.dtype)] * (mode == 2)

    def by_rule(recorder: Recorder) -> Any:
        return RULES["aten::_cudnn_rnn"](
            recorder, None, x, [w.detach() for w in weights], len(network.all_weights[0]), None, states[0],
            states[1] if mode == 2 else None, mode, 2, network.proj_size, network.num_layers, network.batch_first,
            0.0, True, network.bidirectional, sizes, None,
        )  # fmt: skip

    def plain(x: Tensor, *weights: Tensor) -> Any:
        given = PackedSequence(x, torch.tensor(sizes)) if packed else x
        out, state = torch.func.functional_call(network, dict(zip(names, weights, strict=True)), (given,))
        return (out.data if packed else out, *(state if mode == 2 else (state,)))

    names = [parameter for layer in network._all_weights for parameter in layer]
    compare(by_rule, plain, [x, *(w.detach() for w in weights)])
