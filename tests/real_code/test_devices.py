"""Nothing assumes the CPU: on the device that has shapes only, no operation mixes what is there with what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gradcheck_cli.real_code import branches, replay, side
from gradcheck_cli.real_code.gradient_subject import GradientSubject
from gradcheck_cli.real_code.side import Forward, Reverse
from gradcheck_cli.real_code.subject import Subject

TRANSFERS = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class OneDevice(TorchDispatchMode):
    """Looks at every operand, numbers as well: a 0-d tensor on the CPU mixes silently with one on another device."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        devices = {x.device.type for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)}
        assert len(devices) <= 1 or func in TRANSFERS, (func, devices)
        self.seen |= devices
        return func(*args, **(kwargs or {}))


def code(x: Tensor, w: Tensor) -> Tensor:
    return torch.tanh(x @ w) * torch.rand_like(x[:, :1])


@pytest.fixture
def no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (side, replay, branches):
        monkeypatch.setattr(module, "numbers", lambda tensor: np.ones(tuple(tensor.shape)))


@pytest.mark.usefixtures("no_numbers")
@pytest.mark.filterwarnings("ignore")
def test_the_side_under_test_stays_on_the_device() -> None:
    subject = Subject(code, (torch.empty(3, 4, device="meta"), torch.empty(4, 2, device="meta")))
    mode = OneDevice()
    with mode:
        reverse = Reverse(subject)
        for rows in (np.arange(6), np.arange(2)):
            assert reverse.rows(0, rows).shape == (len(rows), 20)
        assert reverse.batched
        assert reverse.combined(0, np.ones((3, 6))).shape == (3, 20)
        assert Forward(subject, reverse.outputs).rows(0, np.arange(6)).shape == (6, 20)
        twice = GradientSubject(subject)
        assert Reverse(twice).rows(0, np.arange(12)).shape == (12, 26)
        for leaf in subject.wanted:
            assert replay._moved(leaf.tensor, 1.0, 0).is_meta
            assert branches._moved(leaf.tensor, 1.0, np.random.default_rng(0)).is_meta
    assert "meta" in mode.seen
