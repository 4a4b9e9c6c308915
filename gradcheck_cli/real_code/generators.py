"""The generators of random numbers: seeded alike for each run of the code, and left as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch

_KEPT: ContextVar[bool] = ContextVar("generators are kept", default=False)


@contextmanager
def generators_kept() -> Iterator[None]:
    """What they are is put back at the end. Within such a context another one has nothing to do."""
    if _KEPT.get():
        yield
        return
    token, before = _KEPT.set(True), (torch.get_rng_state(), random.getstate(), np.random.get_state())
    on_devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        _KEPT.reset(token)
        torch.set_rng_state(before[0])
        random.setstate(before[1])
        np.random.set_state(before[2])
        if on_devices:
            torch.cuda.set_rng_state_all(on_devices)


@contextmanager
def same_state(seed: int) -> Iterator[None]:
    """Every generator seeded alike, gradients enabled; what the code sets of torch's is put back."""
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    with generators_kept():
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_available():
            torch.cuda.manual_seed_all(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            with torch.enable_grad():
                yield
        finally:
            torch.set_grad_enabled(grad)
            if torch.get_default_dtype() is not dtype:
                torch.set_default_dtype(dtype)
