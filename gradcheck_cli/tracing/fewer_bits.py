"""Products of float32 that CUDA computes in TF32, where torch's settings let it: as under autocast, but unseen.

Source: torch's notes on CUDA semantics, "TensorFloat-32 (TF32) on Ampere (and later) devices". Convolutions do so by
default.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from operator import attrgetter

import torch
from torch import Tensor

from gradcheck_cli.tracing.table import qualified, words

MATRICES = frozenset(map(qualified, words("mm bmm matmul addmm baddbmm addbmm mv addmv linear")))
CONVOLUTIONS = frozenset(map(qualified, words("convolution _convolution")))
FIRST_CARDS = (8, 0)
"""The compute capability from which cards have it."""

MATMUL = "torch.backends.cuda.matmul.fp32_precision"
CONV = "torch.backends.cudnn.conv.fp32_precision"
RNN = "torch.backends.cudnn.rnn.fp32_precision"
_OF_MATRICES: ContextVar[str] = ContextVar("the setting of products of matrices", default=MATMUL)


@contextmanager
def products_of_cudnn_rnn() -> Iterator[None]:
    """Products of matrices here stand for those within a recurrent network of cuDNN."""
    token = _OF_MATRICES.set(RNN)
    try:
        yield
    finally:
        _OF_MATRICES.reset(token)


def tf32_setting(operation: str, result: Tensor) -> str | None:
    """The setting by which an operation that gave this multiplies in TF32; None: it does not."""
    if result.dtype is not torch.float32 or result.device.type != "cuda":
        return None
    setting = _OF_MATRICES.get() if operation in MATRICES else CONV if operation in CONVOLUTIONS else None
    if setting is None or attrgetter(setting.removeprefix("torch."))(torch) != "tf32":
        return None
    return setting if torch.cuda.get_device_capability(result.device) >= FIRST_CARDS else None
