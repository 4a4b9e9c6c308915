"""A factor that is the size of a dimension here: it is said to be that where it is at another size, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers.hand_written import by_hand
from torch import Tensor

from gradcheck_cli.real_code.check import check_code

TARGET = torch.tensor([0.5, 1.0, -2.0, 3.0], dtype=torch.float64)
CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[int, ...], str]] = {
    "a mean over rows": (
        lambda x: x.square().sum(1).mean(), lambda g, x: 2 * g * x, (4, 3),
        "4 times the truth, and dimension 0 of x is 4: is the mean over it missing?"),
    "a mean over all": (
        lambda x: x.square().mean(), lambda g, x: 2 * g * x, (4, 3),
        "12 times the truth, and the number of elements of x is 12: is the mean over it missing?"),
    "of a square": (
        lambda x: x.square().sum(1).mean(), lambda g, x: 2 * g * x, (4, 4),
        "4 times the truth, and dimension 0 of x is 4: is the mean over it missing?"),
    "along the last": (
        lambda x: x.square().mean(1), lambda g, x: 2 * g[:, None] * x, (5, 4),
        "4 times the truth, and dimension 1 of x is 4: is the mean over it missing?"),
    "of a square, along the last": (
        lambda x: x.square().mean(1), lambda g, x: 2 * g[:, None] * x, (4, 4),
        "4 times the truth, and dimension 1 of x is 4: is the mean over it missing?"),
    "n - 1": (
        lambda x: x.var(), lambda g, x: 2 * g * (x - x.mean()) / len(x), (5,),
        "4/5 of the truth, and dimension 0 of x is 5: is it divided by 5 where 4 is due?"),
    "by chance": (lambda x: x**3, lambda g, x: 2 * g * x**2, (3,), "2/3 of the truth"),
    "by chance, n": (lambda x: x**2, lambda g, x: 6 * g * x, (3,), "3 times the truth"),
    "unknown": (
        lambda x: (x - TARGET).square().mean(), lambda g, x: 2 * g * (x - TARGET), (4,),
        "4 times the truth, and dimension 0 of x is 4 (which may be chance: the code does not run at another size):"
        " is the mean over it missing?"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_factor_is(name: str) -> None:
    forward, backward, shape, said = CASES[name]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    _, mistake = check_code(by_hand(forward, backward), (x,)).findings
    assert mistake.text.removeprefix("every wrong entry by x is ") == said


def test_of_several_inputs_the_others_become_larger_as_well() -> None:
    def loss(z: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(z, target)

    def back(g: Tensor, z: Tensor, target: Tensor) -> Any:
        return g * (torch.softmax(z, -1) - torch.nn.functional.one_hot(target, z.shape[-1])), None

    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    _, mistake = check_code(by_hand(loss, back), (z, torch.tensor([0, 2, 1, 0]))).findings
    assert mistake.text.endswith(" is 4 times the truth, and dimension 0 of z is 4: is the mean over it missing?")
