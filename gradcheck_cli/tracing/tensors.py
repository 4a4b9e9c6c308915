"""The numbers of a tensor as NumPy has them, seen by no mode; and which tensors share their memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from gradcheck_cli.dtypes import DTYPES, Dtype

COMPLEX = {torch.complex128: torch.float64, torch.complex64: torch.float32, torch.complex32: torch.float16}
FLOATS = {getattr(torch, name): dtype for name, dtype in DTYPES.items()}
_NOTHING = nullcontext()


def precision(dtype: torch.dtype) -> Dtype | None:
    """In which dtype numbers are rounded, complex ones in that of their parts; None: they are no such numbers."""
    return FLOATS.get(COMPLEX.get(dtype, dtype))


def numbers(tensor: Tensor) -> NDArray[np.float64]:
    """As doubles; complex ones as pairs, along a last axis."""
    result: NDArray[np.float64] = on_host(tensor).numpy()
    return result


def on_host(tensor: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
    """A copy beside NumPy's arrays, wherever the tensor is."""
    with unseen():
        plain = tensor.detach()
        if plain.is_conj() or plain.is_neg():
            plain = plain.resolve_conj().resolve_neg()
        if plain.is_complex() and dtype is torch.float64:
            return torch.view_as_real(plain.to("cpu", torch.complex128, copy=True))
        return plain.to("cpu", dtype, copy=True)


def unseen() -> AbstractContextManager[Any]:
    """Without the modes in force, if there are any."""
    return _disable_current_modes() if torch._C._len_torch_dispatch_stack() else _NOTHING


def integers(tensor: Tensor) -> NDArray[np.int64]:
    """Indices as they are."""
    result: NDArray[np.int64] = on_host(tensor, torch.int64).numpy()
    return result


def are_same(a: Tensor, b: Tensor) -> bool:
    """The same shape and numbers, NaN where the other is NaN."""
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def tensors_in(values: Any) -> Iterator[Tensor]:
    """The tensors among some values, lists and tuples looked into."""
    for x in values:
        if isinstance(x, Tensor):
            yield x
        elif isinstance(x, (list, tuple)):
            yield from tensors_in(x)


def memory(tensor: Tensor) -> int:
    """What the tensors have in common that share their storage."""
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):  # by torch.func
        tensor = torch._C._functorch.get_unwrapped(tensor)
    return int(tensor.untyped_storage()._cdata)
