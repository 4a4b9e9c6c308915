"""Inputs at which backwards tend to be wrong, made of those that were given: one kind after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from gradcheck_cli.user_code.arguments import Call

SATURATION = 40.0
"""Where sigmoid, tanh and softmax are flat in any dtype."""
ALONE = 4
"""Inputs up to which each is changed by itself as well, not only all of them together."""


def _one_hot(x: Tensor) -> Tensor:
    found = torch.zeros_like(x)
    found.view(-1)[: min(1, x.numel())] = 1
    return found


def _scaled(x: Tensor, size: float) -> Tensor:
    """The same numbers, the largest of which is of that size."""
    largest = float(x.abs().max()) if x.numel() else 0.0
    return x * (size / largest) if 0 < largest < float("inf") else torch.full_like(x, size)


KINDS: dict[str, Callable[[Tensor], Tensor]] = {
    "zeros": torch.zeros_like,
    "negative zeros": lambda x: torch.full_like(x, -0.0),
    "ties": lambda x: torch.full_like(x, float(x.reshape(-1)[0]) if x.numel() else 0.0),
    "one hot": _one_hot,
    "large": lambda x: _scaled(x, float(torch.finfo(x.dtype).max) ** 0.5),
    "tiny": lambda x: _scaled(x, float(torch.finfo(x.dtype).tiny) ** 0.5),
    "saturation": lambda x: _scaled(x, SATURATION),
}


def stressed(call: Call) -> Iterator[tuple[str, Call]]:
    """(what it is, the call with such inputs): all floating-point inputs are changed together, then one by one."""
    flat, spec = tree_flatten((call.positional, dict(call.named)))
    places = [place for place, value in enumerate(flat) if isinstance(value, Tensor) and value.is_floating_point()]
    groups = [places]
    if 1 < len(places) <= ALONE:
        groups += [[place] for place in places]
    for number, group in enumerate(groups):
        for kind, change in KINDS.items():
            changed: list[Any] = list(flat)
            for place in group:
                given = flat[place]
                changed[place] = change(given.detach()).requires_grad_(given.requires_grad)
            positional, named = tree_unflatten(changed, spec)
            yield kind if not number else f"{kind}, input {number} only", Call(positional, named)
