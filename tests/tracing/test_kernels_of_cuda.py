"""Operations that torch has on CUDA alone: the rule of each gives what plain operations give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.tracing import cudnn, fewer_bits, recorder
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
    tape_of = Recorder(through_detach=True)  # no gradient is asked for here
    for k, tensor in enumerate(given):
        tape_of.lift(tensor, f"x{k}")
    with tape_of:
        results = by_rule(tape_of)
    found = [Truths(tape_of.tape).rows(elements.reshape(-1))[0] for elements in results if elements is not None]
    expected = torch.autograd.functional.jacobian(plain, tuple(given))
    assert len(found) == len(expected)
    for rows, blocks in zip(found, expected, strict=True):
        wanted = torch.cat([block.reshape(len(rows), -1) for block in blocks], 1)
        torch.testing.assert_close(torch.from_numpy(rows), wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("network", [nn.LSTM(3, 2), nn.GRU(3, 2), nn.RNN(3, 2), nn.RNN(3, 2, nonlinearity="relu")])
def test_a_network_goes_step_by_step(network: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it would on CUDA: cuDNN is off while it is recorded, and the products are those of a network of cuDNN."""
    monkeypatch.setattr(cudnn, "_is_on_cuda", lambda args: True)
    seen = set()

    def setting_of(operation: str, result: Tensor) -> None:
        if operation in fewer_bits.MATRICES:
            seen.add((fewer_bits._OF_MATRICES.get(), torch.backends.cudnn.enabled))

    monkeypatch.setattr(recorder, "tf32_setting", setting_of)
    x = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert check_code(network.double(), (x,)).passed
    assert seen == {(fewer_bits.RNN, False)}
    assert torch.backends.cudnn.enabled


def test_the_dropout_of_cudnn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cudnn, "_is_on_cuda", lambda args: True)
    network = nn.LSTM(3, 2, num_layers=2, dropout=0.5).double()
    x = torch.randn(4, 2, 3, dtype=torch.float64)
    assert "lstm" in str(check_code(network, (x,)).error)
    assert "its dropout draws the random numbers of cuDNN" in str(check_code(network, (x,)).error)
    assert check_code(network.eval(), (x,)).passed
