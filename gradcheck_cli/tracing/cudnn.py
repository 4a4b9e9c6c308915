"""Recording without cuDNN and oneDNN, which have a recurrent network, or a layer of it, in one kernel: torch then
goes from step to step.

What the user's code computes is not changed by it: only the record is made so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from gradcheck_cli.tape.tape import Origin
from gradcheck_cli.tracing.errors import Opaque
from gradcheck_cli.tracing.fewer_bits import products_of_cudnn_rnn
from gradcheck_cli.tracing.places import Places

NETWORKS = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu"})


@contextmanager
def without_cudnn(places: Places) -> Iterator[None]:
    """Recurrent networks on CUDA round as cuDNN's do. Raises Opaque where the random numbers of cuDNN are needed."""
    before, on_cpu = torch.backends.cudnn.enabled, torch._C._get_mkldnn_enabled()
    torch.backends.cudnn.enabled = False
    torch._C._set_mkldnn_enabled(False)
    try:
        with _Networks(places):
            yield
    finally:
        torch.backends.cudnn.enabled = before
        torch._C._set_mkldnn_enabled(on_cpu)


class _Networks(TorchFunctionMode):
    def __init__(self, places: Places) -> None:
        super().__init__()
        self._places = places

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name not in NETWORKS or not _is_on_cuda(args):
            return func(*args, **(kwargs or {}))
        drops = any(isinstance(share, float) and share and train for share, train in pairwise(args))
        if drops:
            raise Opaque(Origin(name, *self._places.here()), "its dropout draws the random numbers of cuDNN")
        with products_of_cudnn_rnn():
            return func(*args, **(kwargs or {}))


def _is_on_cuda(args: Sequence[Any]) -> bool:
    return bool(args) and isinstance(args[0], torch.Tensor) and args[0].is_cuda
