"""The side under test: the Jacobian that the user's code gives, row by row or column by column, really run.

Cotangents and tangents are batched where the code allows it, and taken one by one where it does not.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
import torch.autograd.forward_ad as dual
from numpy.typing import NDArray
from torch import Tensor

from gradcheck_cli.errors import GradcheckError, TorchRefusal
from gradcheck_cli.real_code.gradient_subject import GradientSubject
from gradcheck_cli.real_code.subject import Output, Subject
from gradcheck_cli.real_code.user_frames import raised
from gradcheck_cli.tracing.tensors import numbers

Floats = NDArray[np.float64]
_make_dual: Callable[..., Tensor] = dual.make_dual
_unpack_dual: Callable[..., Any] = dual.unpack_dual
BATCH = 4
"""From how many rows on they are batched."""
NUMBERS = 2**22
"""Numbers of a batch at once."""


WRITES = (
    "the backward writes into the gradient that it is given: where another operation gets the same one, as in"
    " x.sin() + f(x), that is spoilt; write into a copy"
)


class Side(Protocol):
    """What autograd says in one mode."""

    mode: str
    batched: bool

    def rows(self, output: int, rows: NDArray[np.int64]) -> Floats:
        """Some rows of the derivative of an output by all wanted inputs, one after the other."""

    def one_by_one(self, output: int, rows: NDArray[np.int64]) -> Floats:
        """The same without batching."""

    def combined(self, output: int, weights: Floats) -> Floats:
        """Weighted sums of the elements of an output (a row of weights for each), by all wanted inputs."""


class Reverse:
    """By `torch.autograd.grad`."""

    mode = "reverse"

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.inputs = subject.fresh()
        self.outputs: list[Output] = subject.run(self.inputs)
        self.batched = True
        self._by_backward = False
        self.width = sum(x.numel() for x in self.inputs)
        self._shapes: set[str] = set()
        self.troubles: list[str] = []
        """What is odd beside the numbers."""

    def rows(self, output: int, rows: NDArray[np.int64]) -> Floats:
        tensor = self.outputs[output].tensor
        found = np.zeros((len(rows), self.width))
        if not tensor.requires_grad:
            return found
        step = max(1, NUMBERS // max(self.width + tensor.numel(), 1))
        for first in range(0, len(rows), step):
            chunk = rows[first : first + step]
            batch = self._batch(tensor, chunk) if self.batched and len(chunk) >= BATCH else None
            found[first : first + step] = self._one_by_one(tensor, chunk) if batch is None else batch
        return found

    def one_by_one(self, output: int, rows: NDArray[np.int64]) -> Floats:
        """The same without batching."""
        tensor = self.outputs[output].tensor
        return self._one_by_one(tensor, rows) if tensor.requires_grad else np.zeros((len(rows), self.width))

    def batch(self, output: int, rows: NDArray[np.int64]) -> Floats:
        """The same batched. Raises whatever keeps the code from being batched."""
        return self._batched_rows(self.outputs[output].tensor, rows)

    def combined(self, output: int, weights: Floats) -> Floats:
        tensor = self.outputs[output].tensor
        if not tensor.requires_grad:
            return np.zeros((len(weights), self.width))
        found = []
        for weight in weights:
            cotangent = _tensor(weight, tensor)
            before = numbers(cotangent)
            found.append(self._grad([tensor], [cotangent]))
            if WRITES not in self.troubles and not np.array_equal(numbers(cotangent), before, equal_nan=True):
                self.troubles.append(WRITES)
        return np.stack(found)

    def with_gaps(self, output: int, weights: Floats) -> Floats:
        """The same, by cotangents that are not contiguous, as of what is transposed or taken apart later."""
        tensor = self.outputs[output].tensor
        if not tensor.requires_grad:
            return np.zeros((len(weights), self.width))
        found = []
        for weight in weights:
            turned = _tensor(weight, tensor).permute(*reversed(range(tensor.dim())))
            apart = torch.stack([turned, torch.zeros_like(turned)], -1)[..., 0]
            found.append(self._grad([tensor], [apart.permute(*reversed(range(tensor.dim())))]))
        return np.stack(found)

    def _batch(self, tensor: Tensor, rows: NDArray[np.int64]) -> Floats | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._batched_rows(tensor, rows)
        except Exception:  # noqa: BLE001 - whatever keeps the code from being batched; one by one it will be seen
            self.batched = False
            return None

    def _batched_rows(self, tensor: Tensor, rows: NDArray[np.int64]) -> Floats:
        cotangents = torch.zeros((len(rows), tensor.numel()), dtype=tensor.dtype)
        cotangents[torch.arange(len(rows)), torch.from_numpy(rows)] = 1
        cotangents = cotangents.to(tensor.device)
        return self._grad([tensor], [cotangents.reshape(len(rows), *tensor.shape)], len(rows))

    def _one_by_one(self, tensor: Tensor, rows: NDArray[np.int64]) -> Floats:
        found = np.empty((len(rows), self.width))
        for place, row in enumerate(rows.tolist()):
            cotangent = torch.zeros(tensor.numel(), dtype=tensor.dtype, device=tensor.device)
            cotangent[row] = 1
            found[place] = self._grad([tensor], [cotangent.reshape(tensor.shape)])
        return found

    def _grad(self, tensors: list[Tensor], cotangents: list[Tensor], count: int = 0) -> Floats:
        """Gradients of all inputs beside one another; those of `count` batched cotangents in rows."""
        try:
            gradients = self.gradients(tensors, cotangents, batched=count > 0)
        except GradcheckError:
            raise
        except Exception as error:
            if count:
                raise
            raise TorchRefusal(raised("the backward", error)) from error
        self._notice(gradients, count)
        rows = max(count, 1)
        parts = [
            np.zeros((rows, x.numel())) if g is None else numbers(g).reshape(rows, -1)
            for g, x in zip(gradients, self.inputs, strict=True)
        ]
        joined = np.concatenate(parts, axis=1)
        return joined if count else joined[0]

    def gradients(self, tensors: Sequence[Tensor], cotangents: Sequence[Tensor], *, batched: bool = False) -> Any:
        """By all inputs, None where one is not used. The reentrant checkpoint wants `backward`."""
        if not self._by_backward:
            try:
                return torch.autograd.grad(
                    tensors, self.inputs, cotangents, retain_graph=True, allow_unused=True, is_grads_batched=batched
                )
            except RuntimeError as error:
                if batched or "use_reentrant" not in str(error):
                    raise
                self._by_backward = True
        for x in self.inputs:
            x.grad = None
        torch.autograd.backward(tensors, cotangents, retain_graph=True)
        return [x.grad for x in self.inputs]

    def _notice(self, gradients: Sequence[Any], count: int) -> None:
        """A gradient in another dtype than its input."""
        for leaf, gradient, x in zip(self.subject.wanted, gradients, self.inputs, strict=True):
            if gradient is None or gradient.dtype == x.dtype or leaf.name in self._shapes:
                continue
            self._shapes.add(leaf.name)
            is_, should = (str(d).removeprefix("torch.") for d in (gradient.dtype, x.dtype))
            self.troubles.append(f"the gradient of {leaf.name} is {is_}, and {leaf.name} is {should}")


class Forward:
    """By dual numbers. The columns are kept: each costs a run of the code, or a part of one where they are batched."""

    mode = "forward"

    def __init__(self, subject: Subject, outputs: Sequence[Output]) -> None:
        self.subject, self.outputs = subject, outputs
        self.batched = True
        self._jacobians: list[Floats] | None = None

    def rows(self, output: int, rows: NDArray[np.int64]) -> Floats:
        if self._jacobians is None:
            self._jacobians = self._all()
        return self._jacobians[output][rows]

    def one_by_one(self, output: int, rows: NDArray[np.int64]) -> Floats:
        """The same without batching, from now on."""
        if self.batched:
            self.batched, self._jacobians = False, None
        return self.rows(output, rows)

    def combined(self, output: int, weights: Floats) -> Floats:
        return weights @ self.rows(output, np.arange(weights.shape[1]))

    def _all(self) -> list[Floats]:
        bases = [x.detach() for x in self.subject.fresh()]
        by_input = [self._by_input(bases, place) for place in range(len(bases))]
        return [np.concatenate(parts, axis=1) for parts in zip(*by_input, strict=True)]

    def _by_input(self, bases: Sequence[Tensor], place: int) -> list[Floats]:
        """The derivatives of each output by one input, its elements in columns."""
        count = bases[place].numel()
        step = max(1, NUMBERS // max(sum(output.tensor.numel() for output in self.outputs) + count, 1))
        found = [np.zeros((output.tensor.numel(), count)) for output in self.outputs]
        for first in range(0, count, step):
            chunk = range(first, min(first + step, count))
            columns = self._batch(bases, place, chunk) if self.batched and len(chunk) >= BATCH else None
            for jacobian, part in zip(found, columns or self._one_by_one(bases, place, chunk), strict=True):
                jacobian[:, chunk.start : chunk.stop] = part.T
        return found

    def _batch(self, bases: Sequence[Tensor], place: int, chunk: range) -> list[Floats] | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.batch(bases, place, chunk)
        except Exception:  # noqa: BLE001 - whatever keeps the code from being batched; one by one it will be seen
            self.batched = False
            return None

    def batch(self, bases: Sequence[Tensor], place: int, chunk: range) -> list[Floats]:
        """Rows of tangents of each output, for some elements of an input. Raises whatever keeps the code from being
        batched. torch.func.vmap knows no dual numbers within it."""
        vmap: Callable[..., Any] = torch._vmap_internals._vmap
        found = vmap(lambda tangent: tuple(self.tangents(bases, place, tangent)))(_units(bases[place], chunk))
        return [numbers(x).reshape(len(chunk), -1) for x in found]

    def _one_by_one(self, bases: Sequence[Tensor], place: int, chunk: range) -> list[Floats]:
        rows = [
            [numbers(x).reshape(-1) for x in self.tangents(bases, place, _units(bases[place], range(k, k + 1))[0])]
            for k in chunk
        ]
        return [np.stack(parts) for parts in zip(*rows, strict=True)]

    def tangents(self, bases: Sequence[Tensor], place: int, tangent: Tensor) -> list[Tensor]:
        """The tangents of the outputs, where one of the inputs has one."""
        twice = isinstance(self.subject, GradientSubject)  # forward over reverse
        with dual.dual_level():
            given = [
                _make_dual(x.clone().requires_grad_(twice), tangent if i == place else torch.zeros_like(x))
                for i, x in enumerate(bases)
            ]
            try:
                outputs = self.subject.run(given)
            except GradcheckError as error:
                raise TorchRefusal(raised("forward mode", error)) from error
            found = [_unpack_dual(output.tensor).tangent for output in outputs]
            return [torch.zeros_like(o.tensor) if t is None else t for o, t in zip(outputs, found, strict=True)]


def _units(like: Tensor, chunk: range) -> Tensor:
    """Tensors that are 1 at one element, for some elements."""
    units = torch.zeros((len(chunk), like.numel()), dtype=like.dtype)
    units[torch.arange(len(chunk)), torch.arange(chunk.start, chunk.stop)] = 1
    return units.to(like.device).reshape(len(chunk), *like.shape)


def _tensor(values: Floats, like: Tensor) -> Tensor:
    return torch.from_numpy(np.array(values, order="C")).to(like.device, like.dtype).reshape(like.shape)
