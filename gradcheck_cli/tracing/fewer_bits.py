"""Products of float32 that CUDA computes in TF32, where torch's settings let it: as under autocast, but unseen.

Source: torch's notes on CUDA semantics, "TensorFloat-32 (TF32) on Ampere (and later) devices". Convolutions do so by
default.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gradcheck_cli.tracing.table import qualified, words

MATRICES = frozenset(map(qualified, words("mm bmm matmul addmm baddbmm addbmm mv addmv linear")))
CONVOLUTIONS = frozenset(map(qualified, words("convolution _convolution")))
FIRST_CARDS = (8, 0)
"""The compute capability from which cards have it."""

SETTINGS: dict[str, tuple[frozenset[str], Callable[[], str]]] = {
    "torch.backends.cuda.matmul.fp32_precision": (MATRICES, lambda: torch.backends.cuda.matmul.fp32_precision),
    "torch.backends.cudnn.conv.fp32_precision": (
        CONVOLUTIONS, lambda: torch.backends.cudnn.conv.fp32_precision,  # type: ignore[attr-defined]
    ),
}  # fmt: skip


def tf32_setting(operation: str, result: Tensor) -> str | None:
    """The setting by which an operation that gave this multiplies in TF32; None: it does not."""
    if result.dtype is not torch.float32 or result.device.type != "cuda":
        return None
    for name, (operations, value) in SETTINGS.items():
        if operation in operations and value() == "tf32":
            return name if torch.cuda.get_device_capability(result.device) >= FIRST_CARDS else None
    return None
