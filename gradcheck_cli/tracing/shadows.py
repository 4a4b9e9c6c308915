"""The memory of tensors as element numbers.

Each storage that holds something that depends on the inputs has a shadow: the element number of each of its slots. A
view is then no operation at all (the same storage), and what writes in place writes into the shadow, so that aliasing
is right by construction. A complex number has two slots, and its elements are pairs along a last axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.tape import Tape
from gradcheck_cli.tracing.errors import Opaque
from gradcheck_cli.tracing.tensors import memory, numbers


class Shadows:
    """The shadows of all storages that were seen."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._shadows: dict[int, Elements] = {}
        self._alive: list[Any] = []  # a storage that is freed may come again under the same address
        self._constants: dict[tuple[Any, ...], Elements] = {}

    def __contains__(self, tensor: Tensor) -> bool:
        """Whether the memory of a tensor holds something that depends on the inputs."""
        return memory(tensor) in self._shadows

    def read(self, x: Tensor) -> Elements:
        """The elements of a tensor; what does not depend on the inputs becomes a constant."""
        shadow = self._shadows.get(memory(x))
        if shadow is None:
            return self._constant_elements(x)
        if not x.numel():
            return np.zeros((*x.shape, 2) if x.is_complex() else tuple(x.shape), np.int64)
        elements = np.array(self._view(shadow, x))
        known = self._lazily_signed(x, elements)
        if (missing := elements < 0).any():
            known[missing] = self.tape.constants(numbers(x)[missing])
        return known

    def _lazily_signed(self, x: Tensor, elements: Elements) -> Elements:
        """A tensor may be the conjugate of its memory, or the negative."""
        if not (x.is_conj() or x.is_neg()):
            return elements
        signed = np.array(elements)
        if x.is_neg():
            signed = self.tape.call("neg", np.maximum(signed, 0))
        if x.is_conj():
            signed[..., 1] = self.tape.call("neg", np.maximum(signed[..., 1], 0))
        return signed

    def write(self, tensor: Tensor, elements: Elements) -> None:
        """From now on the tensor, and what shares its memory, holds these elements."""
        self._view(self._shadow(tensor), tensor)[...] = self._lazily_signed(tensor, elements)

    def _shadow(self, tensor: Tensor) -> Elements:
        key = memory(tensor)
        if key not in self._shadows:
            storage = tensor.untyped_storage()
            self._shadows[key] = np.full(storage.nbytes() // _slot(tensor), -1, np.int64)
            self._alive.append(storage)
        return self._shadows[key]

    def _view(self, shadow: Elements, tensor: Tensor) -> Elements:
        slots = tensor.element_size() // _slot(tensor)
        strides = [stride * slots * shadow.itemsize for stride in tensor.stride()]
        offset, shape = tensor.storage_offset() * slots, tuple(tensor.shape)
        if tensor.numel() and len(shadow) * _slot(tensor) < tensor.untyped_storage().nbytes():
            raise Opaque(self.tape.origin, "memory that is resized or read as another dtype is not followed")
        if slots == 2:
            strides, shape = [*strides, shadow.itemsize], (*shape, 2)
        return np.lib.stride_tricks.as_strided(shadow[offset:], shape, strides)

    def _constant_elements(self, x: Tensor) -> Elements:
        version = -1 if x.is_inference() else x._version
        key = memory(x), x.storage_offset(), tuple(x.shape), x.stride(), version, x.dtype, x.is_conj(), x.is_neg()
        if key not in self._constants:
            narrow = x
            for dim in range(x.dim()):
                if x.stride(dim) == 0 and x.size(dim) > 1:  # expanded: the same numbers
                    with _disable_current_modes():
                        narrow = narrow.narrow(dim, 0, 1)
            shape = (*x.shape, 2) if x.is_complex() else tuple(x.shape)
            self._constants[key] = np.broadcast_to(self.tape.constants(numbers(narrow)), shape)
            self._alive.append(x.untyped_storage())
        return self._constants[key]


def _slot(tensor: Tensor) -> int:
    """The bytes of a real number of a tensor."""
    return tensor.element_size() // 2 if tensor.is_complex() else tensor.element_size()
