"""What the tiers leave to each other: size is no reason for an entry without a verdict."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gradcheck_cli.real_code import reference
from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.results import Verdict


@pytest.fixture
def no_expressions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every element is too large for an expression."""
    monkeypatch.setattr(reference, "EXPRESSION_SIZE", 0)


class Wrong(torch.autograd.Function):
    """relu, with a slope at 0 that no branch has."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return F.relu(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.where(x == 0, 2 * g, torch.where(x > 0, g, 0 * g))


class Shifted(torch.autograd.Function):
    """x + b; the gradient by b is off by a little more than rounding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, b: Tensor) -> Tensor:
        return x + b

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
        return g, g.sum((0, 2, 3), keepdim=True) + 1e-8


@pytest.mark.usefixtures("no_expressions")
def test_a_gradient_that_cancels_to_nothing_is_imprecise() -> None:
    """Batch norm takes away what a bias before it adds, and attention the bias of its keys."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, 4, 4, generator=generator, dtype=torch.float64)
    b = torch.randn(1, 3, 1, 1, generator=generator, dtype=torch.float64)
    right = check_code(lambda x, b: F.batch_norm(x + b, None, None, training=True), (x, b))
    assert {block.input: block.verdict for block in right.blocks} == {"x": Verdict.MATCH, "b": Verdict.IMPRECISE}
    wrong = check_code(lambda x, b: F.batch_norm(Shifted.apply(x, b), None, None, training=True), (x, b))
    assert {block.input: block.verdict for block in wrong.blocks} == {"x": Verdict.MATCH, "b": Verdict.MISMATCH}
    layer = torch.nn.TransformerEncoderLayer(4, 2, 4, dropout=0.0, batch_first=True, dtype=torch.float64)
    result = check_code(layer, (torch.randn(1, 3, 4, generator=generator, dtype=torch.float64),))
    assert result.passed, result.counts


@pytest.mark.usefixtures("no_expressions")
def test_half_precision_of_what_is_too_large_for_an_expression() -> None:
    torch.manual_seed(1)
    layer = torch.nn.TransformerEncoderLayer(4, 2, 4, dropout=0.0, batch_first=True, dtype=torch.float16)
    result = check_code(layer, (torch.randn(1, 3, 4, dtype=torch.float16),))
    assert not result.counts[Verdict.ERROR]
    assert not result.counts[Verdict.MISMATCH]


@pytest.mark.usefixtures("no_expressions")
def test_a_tie_in_what_is_too_large_for_an_expression() -> None:
    x = torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64)
    assert check_code(F.relu, (x,)).verdict is Verdict.KINK
    wrong = check_code(Wrong.apply, (x,))
    assert wrong.counts[Verdict.MISMATCH] == 1
    assert wrong.counts[Verdict.ERROR] == 0


@pytest.mark.usefixtures("no_expressions")
def test_cancellation_is_settled_without_expressions() -> None:
    """(a + x) - a - x is 0 but for rounding: float64 cannot tell, 30 digits can."""
    big = torch.tensor([1e9], dtype=torch.float64)
    x = torch.tensor([0.3], dtype=torch.float64)
    result = check_code(lambda x: (big + x) * (big + x) - big * big - 2 * big * x + 1e-3 * x, (x,))
    assert result.counts[Verdict.ERROR] == 0


def test_a_pool_over_zeros_of_relu_needs_no_expressions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference.ExactRow, "__post_init__", lambda self: pytest.fail("an expression was made"))
    torch.manual_seed(0)
    image = torch.randn(1, 1, 8, 8, dtype=torch.float64)
    weight = torch.randn(2, 1, 3, 3, dtype=torch.float64)
    result = check_code(lambda x, w: F.max_pool2d(F.relu(F.conv2d(x, w)), 2), (image, weight))
    assert result.passed


def test_ten_million_operations() -> None:
    """A product of matrices of 170x170 by 170x170, and its loss, is certified by one sweep."""
    torch.manual_seed(0)
    x, w = torch.randn(170, 170, dtype=torch.float64), torch.randn(170, 170, dtype=torch.float64)
    result = check_code(lambda x, w: torch.tanh(0.02 * (x @ w)).square().mean(), (x, w))
    assert result.passed, result.checks[:2]
    assert result.operations > 9_000_000


class OtherBranch(torch.autograd.Function):
    """2x above 0 and x elsewhere; backward takes the slope of the other branch at 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x > 0, 2 * x, x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.where(x >= 0, 2 * g, g)


def test_a_branch_that_is_decided_at_a_tie_may_be_either() -> None:
    x = torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64)
    for cotangents in ("one-hot", "random"):
        result = check_code(OtherBranch.apply, (x,), cotangents=cotangents)
        assert result.passed
        assert result.counts[Verdict.KINK] == 1
        assert check_code(lambda x: x * (x > 0), (x,), cotangents=cotangents).verdict is Verdict.KINK


def test_doubtful_outputs_alone_are_taken_one_by_one() -> None:
    x = torch.tensor([0.0, *range(1, 40)], dtype=torch.float64)
    result = check_code(F.relu, (x,), cotangents="random")
    assert result.verdict is Verdict.KINK
    assert sum(result.counts.values()) == (3 + 1) * 40


class AtZero(torch.autograd.Function):
    """relu with the slope 1 at 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return F.relu(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.where(x >= 0, g, 0 * g)


@pytest.mark.usefixtures("no_expressions")
def test_without_expressions_each_side_of_a_tie_may_be_taken() -> None:
    x = torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64)
    assert check_code(AtZero.apply, (x,)).verdict is Verdict.KINK
    assert check_code(OtherBranch.apply, (x,)).verdict is Verdict.KINK


def test_many_outputs_at_a_tie_are_added_up() -> None:
    """A layer whose zeros reach every output: no output is taken by itself."""
    torch.manual_seed(0)
    w = torch.randn(100, 20, dtype=torch.float64)
    x = torch.cat([torch.zeros(4), torch.randn(16)]).double()
    for function in (F.relu, AtZero.apply):
        result = check_code(lambda x, function=function: w @ function(x), (x,), cotangents="random")
        assert result.verdict is Verdict.KINK
        assert sum(result.counts.values()) == 3 * 20
    wrong = check_code(lambda x: w @ Wrong.apply(x), (x,), cotangents="random")
    assert wrong.counts[Verdict.MISMATCH] >= 100


def test_doubtful_rows_end_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "EXPRESSION_SIZES", 10)
    x = torch.zeros(40, dtype=torch.float64)
    result = check_code(lambda x: F.relu(x).sin() * x.exp(), (x,))
    assert result.counts[Verdict.KINK] == 40
    assert result.passed
