"""A backward by hand that is right rounds in ways of its own; one that is wrong is wrong in every dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from helpers.hand_written import by_hand
from torch import Tensor

from gradcheck_cli.real_code import in_double
from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.results import Verdict

Gradients = Callable[..., Any]


def layer_norm(x: Tensor, w: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], w)


def tanh(x: Tensor) -> Tensor:
    return x.tanh()


def by_tanh(g: Tensor, x: Tensor) -> Tensor:
    return g * (1 - torch.tanh(x) ** 2)


def by_gelu(g: Tensor, x: Tensor) -> Tensor:
    c = (2 / torch.pi) ** 0.5
    t = torch.tanh(c * (x + 0.044715 * x**3))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x))


def by_layer_norm(g: Tensor, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    scale = (x.var(-1, unbiased=False, keepdim=True) + 1e-5).rsqrt()
    h = (x - x.mean(-1, keepdim=True)) * scale
    by = g * w
    by_x = scale * (by - by.mean(-1, keepdim=True) - h * (by * h).mean(-1, keepdim=True))
    return by_x, (g * h).sum(0)


def by_half_a_layer_norm(g: Tensor, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """A term is missing."""
    scale = (x.var(-1, unbiased=False, keepdim=True) + 1e-5).rsqrt()
    h = (x - x.mean(-1, keepdim=True)) * scale
    by = g * w
    return scale * (by - by.mean(-1, keepdim=True)), (g * h).sum(0)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.T).softmax(-1) @ v


def by_attention(g: Tensor, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    weights = (q @ k.T).softmax(-1)
    by = g @ v.T
    by = weights * (by - (by * weights).sum(-1, keepdim=True))
    return by @ k, by.T @ q, weights.T @ g


def by_half_of_attention(g: Tensor, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The sum of the softmax is missing."""
    weights = (q @ k.T).softmax(-1)
    by = weights * (g @ v.T)
    return by @ k, by.T @ q, weights.T @ g


def of_half(g: Tensor, x: Tensor) -> Tensor:
    return by_tanh(g, x.bfloat16()).to(x.dtype)


LARGE = torch.tensor([3.5, 1.0, 0.2, -2.0], dtype=torch.float64)
DRAWN = 3 * torch.randn(8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
ROWS = torch.randn(3, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
WEIGHTS = torch.rand(8, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
CASES: dict[str, tuple[Gradients, Gradients, tuple[Tensor, ...]]] = {
    "tanh": (tanh, by_tanh, (LARGE,)),
    "gelu": (lambda x: F.gelu(x, approximate="tanh"), by_gelu, (DRAWN,)),
    "layer norm": (layer_norm, by_layer_norm, (ROWS, WEIGHTS)),
    "attention": (attention, by_attention, (ROWS, ROWS.flip(0), ROWS.flip(1))),
}
WRONG: dict[str, Gradients] = {
    "a factor": lambda by: 1.5 * by,
    "a sign": lambda by: -by,
    "passed on": lambda by: by * 0 + 1,
}
DTYPES = [torch.float32, torch.bfloat16, torch.float16]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_a_right_one_is_no_mistake(name: str, dtype: torch.dtype) -> None:
    forward, backward, given = CASES[name]
    result = check_code(by_hand(forward, backward), tuple(x.to(dtype) for x in given))
    assert not result.counts[Verdict.MISMATCH], result.checks
    assert not result.findings


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("mistake", WRONG)
@pytest.mark.parametrize("name", CASES)
def test_a_wrong_one_is_a_mistake(name: str, mistake: str, dtype: torch.dtype) -> None:
    forward, backward, given = CASES[name]

    def wrong(*args: Tensor) -> Any:
        found = backward(*args)
        return (WRONG[mistake](found[0]), *found[1:]) if isinstance(found, tuple) else WRONG[mistake](found)

    result = check_code(by_hand(forward, wrong), tuple(x.to(dtype) for x in given))
    assert result.verdict is Verdict.MISMATCH
    assert "backward" in result.findings[0].function


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    ("name", "backward"), [("layer norm", by_half_a_layer_norm), ("attention", by_half_of_attention)]
)
def test_a_term_that_is_missing_is_no_rounding(name: str, backward: Gradients, dtype: torch.dtype) -> None:
    forward, _, given = CASES[name]
    result = check_code(by_hand(forward, backward), tuple(x.to(dtype) for x in given))
    assert result.verdict is Verdict.MISMATCH
    assert result.counts[Verdict.MISMATCH] > 10 * result.counts[Verdict.UNSTABLE]


def test_other_random_numbers_in_float64_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random numbers of another dtype are others."""
    by_hands = by_hand(tanh, by_tanh)

    def noisy(x: Tensor) -> Tensor:
        return by_hands(x) * torch.rand_like(x)

    given = (torch.full((8,), 3.5, dtype=torch.bfloat16),)
    found = [check_code(noisy, given, seed=seed).counts for seed in range(3)]
    monkeypatch.setattr(in_double.InDouble, "settle", lambda *_: None)
    assert found == [check_code(noisy, given, seed=seed).counts for seed in range(3)]
    assert any(counts[Verdict.MISMATCH] for counts in found)


def test_what_rounds_on_purpose_is_a_mistake_in_float32() -> None:
    """The same code in float64 is not right either."""
    result = check_code(by_hand(tanh, of_half), (LARGE.float(),))
    assert result.verdict is Verdict.MISMATCH


def test_modules_and_second_order_are_looked_at_in_float64_as_well() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh())
    by_hands = by_hand(tanh, by_tanh)

    class Layer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(4, 4)
            with torch.no_grad():
                self.linear.weight.copy_(torch.eye(4))
                self.linear.bias.zero_()

        def forward(self, x: Tensor) -> Tensor:
            return by_hands(self.linear(x))

    for layer in (module, Layer()):
        result = check_code(layer.bfloat16(), (LARGE.bfloat16(),))
        assert not result.counts[Verdict.MISMATCH], result.checks
    twice = check_code(by_hands, (LARGE.bfloat16(),), order=2)
    assert not twice.counts[Verdict.MISMATCH], twice.checks
