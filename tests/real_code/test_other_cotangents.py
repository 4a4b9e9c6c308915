"""A backward by hand that is right for cotangents of 1 only, for positive ones, or for contiguous ones; and hooks."""

from __future__ import annotations

import pytest
import torch
from helpers.hand_written import by_hand
from torch import Tensor, nn

from gradcheck_cli import check
from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.code import Cause
from gradcheck_cli.records.results import Verdict


def square(x: Tensor) -> Tensor:
    return x * x


def drawn(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


WRONG = {
    "its size": lambda g, x: 2 * x * g.abs(),
    "1 in its place": lambda g, x: 2 * x * torch.ones_like(g),
    "its sign": lambda g, x: 2 * x * g.sign(),
    "what is positive": lambda g, x: 2 * x * g.clamp(min=0),
}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("name", WRONG)
def test_a_backward_that_takes_something_of_its_cotangent(name: str, count: int) -> None:
    function = by_hand(square, WRONG[name])
    assert check_code(function, (drawn(count),)).verdict is Verdict.MISMATCH
    assert check_code(lambda x: function(x).mean(), (drawn(count),)).verdict is Verdict.MISMATCH


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_a_right_one_is_right_for_all_of_them(dtype: torch.dtype) -> None:
    for shape in ((), (1,), (3,), (2, 3), (2, 2, 2)):
        result = check_code(by_hand(square, lambda g, x: 2 * x * g), (drawn(*shape, dtype=dtype),))
        assert result.verdict is Verdict.MATCH
        assert not result.notices


def test_a_backward_for_contiguous_cotangents() -> None:
    by_strides = by_hand(square, lambda g, x: 2 * x * g.as_strided(g.shape, (g.shape[1], 1)))
    result = check_code(by_strides, (drawn(3, 3),))
    assert result.verdict is Verdict.MISMATCH
    assert "a cotangent that is not contiguous" in result.checks[0].output
    by_view = check_code(by_hand(square, lambda g, x: 2 * x * g.view(-1).view(3, 3)), (drawn(3, 3),))
    assert by_view.passed
    assert any(
        "not contiguous, the backward raises RuntimeError: view size is not compatible" in n for n in by_view.notices
    )


def test_a_backward_that_writes_into_what_it_is_given() -> None:
    result = check_code(by_hand(square, lambda g, x: g.mul_(2 * x)), (drawn(3),))
    assert result.passed
    assert any("writes into the gradient that it is given" in notice for notice in result.notices)
    unseen = check_code(by_hand(square, lambda g, x: g.data.mul_(2 * x)), (drawn(3),))  # by autograd's own count
    assert unseen.notices == result.notices


def test_hooks_of_what_is_differentiated() -> None:
    x = drawn(3).requires_grad_()
    x.register_hook(lambda g: g / 2)
    for function in (torch.sin, by_hand(square, lambda g, x: 2 * x * g)):
        result = check_code(function, (x,))
        assert result.verdict is Verdict.MISMATCH
        assert [finding.cause for finding in result.findings] == [Cause.HOOK]
    layer = nn.Linear(2, 2).double()
    layer.weight.register_hook(lambda g: g / 2)
    found = check(layer, (drawn(1, 2),))
    assert {b.input: b.verdict.value for b in found.blocks} == {
        "input": "match", "weight": "mismatch", "bias": "match"
    }  # fmt: skip


@pytest.mark.parametrize("network", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_recurrent_networks(network: type[nn.Module], dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    result = check_code(network(3, 2).to(dtype), (drawn(2, 1, 3, dtype=dtype),))
    assert result.error is None
    assert not result.counts[Verdict.MISMATCH]
