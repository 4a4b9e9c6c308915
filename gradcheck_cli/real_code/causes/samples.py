"""The Jacobian of a piece of code, exact and by autograd, at the inputs that it had and at others of the same shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.asked import Asked
from gradcheck_cli.real_code.recorded import record
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.real_code.side import Forward, Reverse, Side
from gradcheck_cli.real_code.subject import Subject
from gradcheck_cli.tracing.tensors import FLOATS, numbers

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
ENTRIES = 2**15
"""Of a Jacobian that is looked at; of a larger one, some rows."""
DIGITS = 1e-7
"""Of the largest entry: what float64 may lose in a backward, and still be told from another formula."""
LOOSE = 2
"""Times the tolerance of float32, where the code cannot be run in float64."""


class Code:
    """A question that can be asked at other inputs. mode: of differentiation."""

    def __init__(self, asked: Asked, mode: str, *, through_detach: bool = False) -> None:
        self.asked, self.mode, self.through_detach = asked, mode, through_detach
        self.subject = asked.subject()

    @property
    def function(self) -> type[torch.autograd.Function] | None:
        """The `autograd.Function` that is asked about by itself; None: it is other code."""
        owner = getattr(self.asked.function, "__self__", None)
        return owner if isinstance(owner, type) and issubclass(owner, torch.autograd.Function) else None

    @property
    def is_double(self) -> bool:
        return all(leaf.tensor.dtype is torch.float64 for leaf in self.subject.wanted)

    @property
    def digits(self) -> float:
        """How much of the largest entry rounding may change."""
        if self.is_double:
            return DIGITS
        return LOOSE * FLOATS[torch.float32].rtol

    @property
    def is_exact_enough(self) -> bool:
        """Whether formulas can be told apart in its dtype."""
        return all(leaf.tensor.dtype in (torch.float64, torch.float32) for leaf in self.subject.wanted)

    def in_double(self) -> Code:
        """The same in float64, where it can be said so simply."""
        if self.is_double or isinstance(self.asked.function, nn.Module):
            return self
        return Code(in_double(self.asked), self.mode, through_detach=self.through_detach)

    def here(self) -> Sample | None:
        return self.at([numbers(leaf.tensor) for leaf in self.subject.wanted])

    def at(self, inputs: Sequence[Floats]) -> Sample | None:
        """None: it cannot be run there."""
        tensors = [
            torch.from_numpy(np.array(x)).to(leaf.tensor.device, leaf.tensor.dtype).reshape(leaf.tensor.shape)
            for x, leaf in zip(inputs, self.subject.wanted, strict=True)
        ]
        try:
            return Sample(self, self.subject.at(tensors))
        except (GradcheckError, RuntimeError, ValueError, TypeError, IndexError):
            return None

    def elsewhere(self) -> Iterator[Sample]:
        """At other inputs of the same shapes, where it can be run: each element moved by a part of its size, with its
        sign; and with the elements in another order."""
        generator = np.random.default_rng(1)
        given = [numbers(leaf.tensor) for leaf in self.subject.wanted]
        for move in (_moved, _moved, _shuffled):
            sample = self.at([move(x, generator) for x in given])
            if sample is not None:
                yield sample

    def larger(self, size: int, name: str = "", dim: int = 0) -> Sample | None:
        """With one element more along a dimension: of one argument alone or, where that cannot be run, wherever an
        argument has that size. None: neither can."""
        arguments = {leaf.name: leaf.tensor for leaf in self.subject.leaves if leaf.place >= 0}
        everywhere = {key: [d for d, n in enumerate(x.shape) if n == size] for key, x in arguments.items()}
        for chosen in ([{name: [dim]}] if name in arguments else []) + [everywhere]:
            tensors = {key: _longer(arguments[key], dims) for key, dims in chosen.items() if dims}
            if not tensors:
                continue
            try:
                return Sample(self, self.subject.with_arguments(tensors))
            except (GradcheckError, RuntimeError, ValueError, TypeError, IndexError):
                continue
        return None


class Sample:
    """The Jacobian at some inputs. Raises where the code cannot be run or recorded."""

    def __init__(self, code: Code, subject: Subject) -> None:
        self.code, self.subject = code, subject
        known = subject if code.asked.reference is None else subject.with_function(code.asked.reference)
        recorded = record(known, through_detach=code.through_detach)
        self.operations = recorded.recorder.tape.operations
        truths, reverse = Truths(recorded.recorder.tape), Reverse(subject)
        self.reverse = reverse
        side: Side = reverse if code.mode == "reverse" else Forward(subject, reverse.outputs)
        self.names = [leaf.name for leaf in subject.wanted]
        self.inputs = [numbers(leaf.tensor) for leaf in subject.wanted]
        self.outputs = [numbers(output.tensor) for output in reverse.outputs]
        self.output_names = [output.name for output in reverse.outputs]
        width = max(1, sum(x.size for x in self.inputs))
        self.rows, self._truth, self._radius, self._autograd = [], [], [], []
        for k, elements in enumerate(recorded.elements):
            count = elements.size
            rows = np.unique(np.linspace(0, count - 1, min(count, max(1, ENTRIES // width))).astype(np.int64))
            truth, radius = truths.rows(elements.reshape(-1)[rows])
            self.rows.append(rows)
            self._truth.append(truth)
            self._radius.append(radius)
            self._autograd.append(side.rows(k, rows))

    def pair(self, output: int, argument: int) -> Pair:
        first = sum(x.size for x in self.inputs[:argument])
        place = slice(first, first + self.inputs[argument].size)
        truth, radius = self._truth[output][:, place], self._radius[output][:, place]
        with np.errstate(all="ignore"):
            scale = np.max(np.abs(truth), initial=0.0, where=np.isfinite(truth))
            known = np.isfinite(truth) & (radius <= self.code.digits / 100 * scale)
        return Pair(self, output, argument, self._autograd[output][:, place], truth, known)

    def with_cotangent(self, pair: Pair, row: int, number: float) -> Floats:
        """A row of a pair, with another number in the place of the one."""
        weights = np.zeros((1, self.outputs[pair.output].size))
        weights[0, pair.rows[row]] = number
        first = sum(x.size for x in self.inputs[: pair.argument])
        found: Floats = self.reverse.combined(pair.output, weights)[0]
        return found[first : first + self.inputs[pair.argument].size]

    def has_no_gradient(self, pair: Pair) -> bool:
        """Whether autograd has None instead of zeros."""
        output = self.reverse.outputs[pair.output].tensor
        if self.code.mode != "reverse" or not output.requires_grad:
            return False
        ones = torch.ones_like(output)
        found = torch.autograd.grad(output, self.reverse.inputs, ones, retain_graph=True, allow_unused=True)
        return found[pair.argument] is None

    def pairs(self) -> Iterator[Pair]:
        for argument in range(len(self.inputs)):
            for output in range(len(self.outputs)):
                yield self.pair(output, argument)


@dataclass(frozen=True)
class Pair:
    """The derivative of one output by one argument: a row for each element of the output, a column for each of the
    argument. known: where the truth is."""

    sample: Sample
    output: int
    argument: int
    autograd: Floats
    truth: Floats
    known: Mask

    @property
    def name(self) -> str:
        return self.sample.names[self.argument]

    @property
    def rows(self) -> NDArray[np.int64]:
        return self.sample.rows[self.output]

    @property
    def in_shape(self) -> tuple[int, ...]:
        return self.sample.inputs[self.argument].shape

    @property
    def out_shape(self) -> tuple[int, ...]:
        return self.sample.outputs[self.output].shape

    @property
    def has_all_rows(self) -> bool:
        return len(self.rows) == self.sample.outputs[self.output].size

    @property
    def columns(self) -> Floats:
        """The values of the argument."""
        return self.sample.inputs[self.argument].reshape(-1)

    @cached_property
    def scale(self) -> float:
        known = np.max(np.abs(self.truth), initial=0.0, where=self.known)
        return float(max(known, np.max(np.abs(self.autograd), initial=0.0, where=np.isfinite(self.autograd))))

    @cached_property
    def wrong(self) -> Mask:
        return self.known & ~self.close(self.truth)

    def close(self, prediction: Floats) -> Mask:
        """Where autograd is what was predicted."""
        with np.errstate(all="ignore"):
            near: Mask = np.abs(self.autograd - prediction) <= self.sample.code.digits * self.scale
        return near


def in_double(asked: Asked) -> Asked:
    """The question with its floating tensors in float64; a module stays as it is."""
    inputs, named = (tree_map(_doubled, x) for x in (asked.inputs, asked.named))
    return replace(asked, inputs=inputs, named=named)


def _doubled(x: Any) -> Any:
    if isinstance(x, Tensor) and x.is_floating_point():
        return x.detach().double().requires_grad_(x.requires_grad)
    return x


def _moved(x: Floats, generator: np.random.Generator) -> Floats:
    typical = float(np.abs(x).mean()) if x.any() else 1.0
    factor, small = generator.uniform(0.6, 1.6, x.shape), generator.uniform(0.05, 0.3, x.shape)
    return np.where(x == 0, typical * small, x * factor)


def _longer(x: Tensor, dims: Sequence[int]) -> Tensor:
    for dim in dims:
        more = x.detach().narrow(dim, 0, 1)
        x = torch.cat([x.detach(), more * 1.25 if more.is_floating_point() else more], dim)
    return x


def _shuffled(x: Floats, generator: np.random.Generator) -> Floats:
    return generator.permutation(_moved(x, generator).reshape(-1)).reshape(x.shape)
