"""What torch takes for a constant although it depends on the inputs, and where: `detach()`, `no_grad()`, `.data`,
`.item()`.

Inside of the forward of an `autograd.Function` everything counts, but what was held already when it was given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.tape import Tape
from gradcheck_cli.tracing.places import Places
from gradcheck_cli.tracing.table import UNDIFFERENTIATED
from gradcheck_cli.tracing.tensors import memory, precision


@dataclass(frozen=True)
class HeldConstant:
    """Where something was held constant: "detach", "no_grad", ".item()", ".data", "padding_idx"."""

    how: str
    place: str


class HeldConstants:
    """found: how many numbers were held at each place."""

    def __init__(self, tape: Tape, places: Places) -> None:
        self.tape, self.places = tape, places
        self.found: dict[HeldConstant, int] = {}
        self._cuts: dict[int, HeldConstant] = {}
        self._undifferentiated: set[int] = set()
        self._followed: dict[int, Tensor] = {}
        self._inputs: dict[int, Tensor] = {}
        self._of_leaves: dict[int, Tensor] = {}

    def lifted(self, x: Tensor) -> None:
        """A tensor is an input."""
        self._inputs[x._cdata] = x

    def is_held(self, x: Tensor) -> bool:
        """Whether torch takes an operand for a constant."""
        if self._leads_on(x) or precision(x.dtype) is None:
            return False
        call = self.tape.origin.function
        if call >= 0:
            given = [a for a in self.places.calls[call].given if isinstance(a, Tensor) and memory(a) == memory(x)]
            return bool(given) and not any(self._leads_on(a) or precision(a.dtype) is None for a in given)
        return memory(x) not in self._undifferentiated and x._cdata not in self._followed

    def _leads_on(self, x: Tensor) -> bool:
        """Whether a gradient that arrives at a tensor goes on: not where that is a leaf of the code's own, as
        `x.detach().requires_grad_()` is one, a view of it, or made of such alone."""
        root = x if x._base is None else x._base
        return x.requires_grad and not (
            root._cdata in self._of_leaves or (root.is_leaf and root.requires_grad and root._cdata not in self._inputs)
        )

    def hold(self, x: Tensor, elements: Elements) -> Elements:
        """The elements of an operand that is held."""
        return self._counted(self._cuts.get(memory(x), HeldConstant(".data", self.tape.origin.place)), elements)

    def hold_by(self, how: str, elements: Elements) -> Elements:
        """Elements that an operation holds constant itself."""
        return self._counted(HeldConstant(how, self.tape.origin.place), elements)

    def _counted(self, how: HeldConstant, elements: Elements) -> Elements:
        held = self.tape.held(elements)
        if held is not elements and not np.array_equal(held, elements):
            self.found[how] = max(self.found.get(how, 0), int((held != elements).sum()))
        return held

    def item(self) -> None:
        """A number went to Python."""
        held = HeldConstant(".item()", self.tape.origin.place)
        self.found[held] = self.found.get(held, 0) + 1

    def detached(self, x: Tensor) -> None:
        self._cuts[memory(x)] = HeldConstant("detach", self.tape.origin.place)

    def made(self, x: Tensor) -> None:
        """A tensor was made, outside of a forward: where its dependence ends, if it does."""
        if not torch.is_grad_enabled():
            self._cuts[memory(x)] = HeldConstant("no_grad", self.tape.origin.place)
        elif self.tape.origin.operation in UNDIFFERENTIATED:
            self._undifferentiated.add(memory(x))

    def follow(self, operands: Iterable[Tensor], results: Iterable[Tensor]) -> None:
        """An operation ran, outside of a forward. Its results count as its operands do, whether or not they require
        grad: what torch runs between autograd and the mode (on views that are conjugate or negative, on tensors of
        zeros) sees tensors to which autograd has not come yet."""
        if not torch.is_grad_enabled():
            return
        operands = list(operands)
        if any(self._leads_on(x) or x._cdata in self._followed for x in operands):
            self._followed.update((x._cdata, x) for x in results)
        elif any(x.requires_grad for x in operands):
            self._of_leaves.update((x._cdata, x) for x in results)

    def detached_in_place(self, x: Tensor) -> None:
        self._followed.pop(x._cdata, None)
        self.detached(x)

    def drop(self, x: Tensor) -> None:
        """torch does not differentiate it, silently: it is not held."""
        self._undifferentiated.add(memory(x))

    def is_dropped(self, x: Tensor) -> bool:
        return memory(x) in self._undifferentiated
