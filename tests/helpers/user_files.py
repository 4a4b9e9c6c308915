"""Files of users: losses.py, layers.py, the package mylib, and whatever goes wrong in code."""

from __future__ import annotations

from pathlib import Path

LOSSES = """\
import torch


class FocalLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target, gamma):
        p = torch.softmax(logits, -1)
        picked = p.gather(1, target[:, None]).squeeze(1)
        ctx.save_for_backward(p, picked, target)
        ctx.gamma = gamma
        return ((1 - picked) ** gamma * -torch.log(picked)).mean()

    @staticmethod
    def backward(ctx, grad):
        p, picked, target = ctx.saved_tensors
        a = 1 - picked
        onehot = torch.nn.functional.one_hot(target, p.shape[1])
        by_p = ctx.gamma * a ** (ctx.gamma - 1) * torch.log(picked) - a**ctx.gamma / picked
        return grad * (by_p * picked)[:, None] * (onehot - p), None, None  # the mean is forgotten


def focal_loss(logits, target, gamma=2.0):
    return FocalLoss.apply(logits, target, gamma)
"""

LAYERS = """\
import torch


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def slope(ctx):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return s + x * s * (1 - s)

    @staticmethod
    def backward(ctx, g):
        return g * Swish.slope(ctx)

    @staticmethod
    def jvp(ctx, t):
        return t * Swish.slope(ctx)
"""

RMS_NORM = """\
import torch

from .scale import scale_of


class RMSNorm(torch.nn.Module):
    def __init__(self, size, eps=1e-6):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return x * scale_of(x, self.eps) * self.weight


norm = RMSNorm(3)
"""

SCALE = """\
def scale_of(x, eps):
    return (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt()
"""

ODD = """\
import os
import sys

import torch
from beside import twice

ALPHA = 3.0


def raises(x):
    check(x)


def check(x):
    raise ValueError("it is odd")


def prints(x):
    print("hello")
    return x * 2


def hangs(x):
    while True:
        pass


def forks(x):
    os.fork()
    return x.sin()


def exits(x):
    sys.exit(3)


def hard_exit(x):
    os._exit(0)


def listed(x):
    return x.tolist()


def in_place(x):
    x += 1
    return x


def cut(x):
    return x.detach() * 2


def held(x):
    return x.detach() * x


def two(x, w, *, k=2, name="a", shape=(1, 1)):
    assert isinstance(k, int) and isinstance(name, str) and isinstance(shape, tuple)
    return twice(x) @ w * k


class Callable:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return x * self.factor


def deep(x):
    return deep(x)


class Rude(Exception):
    def __str__(self):
        raise RuntimeError


def rude(x):
    raise Rude


async def later(x):
    return x


class Recip(torch.nn.Module):
    def forward(self, x):
        if (x == 0).any():
            raise ZeroDivisionError("no zeros here")
        return torch.log(x)
"""


def write_user_files(folder: Path) -> None:
    package = folder / "mylib"
    package.mkdir()
    for file, text in {
        folder / "losses.py": LOSSES, folder / "layers.py": LAYERS, folder / "odd.py": ODD,
        folder / "beside.py": "def twice(x):\n    return 2 * x\n",
        folder / "syntax.py": "def f(x):\n    return x +\n", folder / "lacks.py": "import nothing_there\n",
        folder / "stops.py": "raise RuntimeError('at import')\n",
        package / "__init__.py": "", package / "layers.py": RMS_NORM, package / "scale.py": SCALE,
    }.items():  # fmt: skip
        file.write_text(text, encoding="utf-8")
