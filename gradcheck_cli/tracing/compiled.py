"""Code that `torch.compile` made: recorded as it was written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

MODULE = "_orig_mod"
"""What a compiled module calls the one that it was made of."""


def as_written(function: Callable[..., Any]) -> Callable[..., Any]:
    """What was compiled; anything else as it is."""
    while (inner := _inside(function)) is not None:
        function = inner
    return function


def _inside(function: Callable[..., Any]) -> Callable[..., Any] | None:
    if isinstance(function, nn.Module):
        module = getattr(function, MODULE, None)
        return module if isinstance(module, nn.Module) else None
    inner: Callable[..., Any] | None = getattr(function, "_torchdynamo_orig_callable", None)
    return inner


def eagerly() -> AbstractContextManager[Any]:
    """Compiled code runs as it was written, and nothing is compiled."""
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    stance: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance
