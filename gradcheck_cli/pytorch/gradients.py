"""What autograd says: the derivatives of a function of tensors, in reverse or in forward mode."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import TorchRefusal
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.pytorch.function import Mixed, TorchArithmetic, TorchFunction
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.records.side import AutogradResult

# What torch raises where it has no derivative, kernel, mode or meaning for what it is given.
REFUSALS = (RuntimeError, TypeError, ValueError, NotImplementedError, TorchRefusal)

Tensors = Mapping[Derivative, Tensor]
"""By row, and by VALUE the value: one number a point, float64 on the CPU."""


class UnderTest(Protocol):
    """A function of named tensors of one dtype, of no dimension or of one (a number a point).

    named: intermediate results that it gives as well, and takes in place of computing them.
    """

    @property
    def named(self) -> Collection[str]: ...

    def __call__(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """(the value, the tensors of the named results)."""
        ...


def function_of(root: Expr, rows: Sequence[Derivative], mode: str, dtype: Dtype, device: torch.device) -> TorchFunction:
    """An expression as it is run to ask for these derivatives in this mode."""
    differentiable = _names(rows) if mode == "reverse" else None
    return TorchFunction(root, TorchArithmetic(dtype, device, differentiable), as_typed=True)


def gradients_of(root: Expr, rows: Sequence[Derivative], mode: str, dtype: Dtype, device: torch.device) -> Gradients:
    """What autograd says of an expression."""
    return Gradients(function_of(root, rows, mode, dtype, device), rows, mode, dtype, device)


def _names(rows: Sequence[Derivative]) -> frozenset[str]:
    return frozenset(name for row in rows for name in row.wrt)


class Gradients:
    """The derivatives that torch finds for a function, in one mode.

    rows: the derivatives asked for; mode: "reverse" (torch.autograd.grad) or "forward" (torch.func.jvp, nested for
    higher orders, all other variables carrying zero tangents).
    """

    def __init__(
        self, function: UnderTest, rows: Sequence[Derivative], mode: str, dtype: Dtype, device: torch.device
    ) -> None:
        self.function, self.rows, self.mode = function, tuple(rows), mode
        self.names = _names(rows)  # only what is differentiated requires grad
        self.dtype, self.device = getattr(torch, dtype.name), device

    def at(self, point: Mapping[str, float]) -> AutogradResult:
        """Value and derivatives at a point. What torch refuses is in `errors`, with torch's reason."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._reverse(point) if self.mode == "reverse" else self._forward(point)

    def _leaves(self, point: Mapping[str, float], requires_grad: bool) -> dict[str, Tensor]:
        return {
            name: torch.tensor(
                value, dtype=self.dtype, device=self.device, requires_grad=requires_grad and name in self.names
            )
            for name, value in point.items()
        }

    def at_many(self, columns: Mapping[str, Any], count: int) -> Mapping[Derivative, Any] | None:
        """The value and the derivatives at `count` points at once, as torch computes them for tensors of that
        length: NumPy arrays of doubles.

        columns: of each variable, numbers of the working dtype as a list or a NumPy array. None where torch refuses
        anything at all: then one asks at each point.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self._at_many({name: torch.as_tensor(column) for name, column in columns.items()}, count)
        return None if found is None else {row: numbers.numpy() for row, numbers in found.items()}

    def _at_many(self, columns: Mapping[str, Tensor], count: int) -> Tensors | None:
        leaves = {
            name: column.to(self.device, self.dtype, copy=True).requires_grad_(
                self.mode == "reverse" and name in self.names
            )
            for name, column in columns.items()
        }
        try:
            found = self._tensors(leaves)
        except Mixed as mixed:
            return self._in_two(columns, mixed.holds.detach().cpu(), count)
        except REFUSALS:
            return None
        return None if found is None else {row: _on_the_cpu(tensor, count) for row, tensor in found.items()}

    def _tensors(self, leaves: dict[str, Tensor]) -> dict[Derivative, Tensor | None] | None:
        """The value, by VALUE, and the derivatives by row; None where torch refuses one of them."""
        if self.mode == "reverse":
            value, found, errors = self._reverse_tensors(leaves)
            return None if errors else {VALUE: value, **{row: found[row] for row in self.rows}}
        if any(name in self.function.named for row in self.rows for name in row.wrt):
            return None
        found = {VALUE: self.function(leaves)[0]}
        for row in self.rows:
            found[row] = self._tangent(leaves, row)
        return found

    def _in_two(self, columns: Mapping[str, Tensor], holds: Tensor, count: int) -> Tensors | None:
        """The points where a condition holds and those where it does not, apart."""
        merged: dict[Derivative, Tensor] = {}
        for where in (holds, ~holds):
            part = self._at_many({name: column[where] for name, column in columns.items()}, int(where.sum()))
            if part is None:
                return None
            for row, numbers in part.items():
                merged.setdefault(row, torch.zeros(count, dtype=torch.float64))[where] = numbers
        return merged

    def _reverse(self, point: Mapping[str, float]) -> AutogradResult:
        leaves = self._leaves(point, requires_grad=True)
        try:
            value, found, errors = self._reverse_tensors(leaves)
        except REFUSALS as refusal:
            return self._refused(refusal)
        derivatives = {row: item_of(found[row]) for row in self.rows if row in found}
        return AutogradResult(item_of(value), derivatives, {row: errors[row] for row in self.rows if row in errors})

    def _reverse_tensors(
        self, leaves: dict[str, Tensor]
    ) -> tuple[Tensor, dict[Derivative, Tensor | None], dict[Derivative, str]]:
        """(value, derivatives by row, errors by row)."""
        value, names = self.function(leaves)
        inputs = {**leaves, **names}
        found: dict[Derivative, Tensor | None] = {VALUE: value}
        errors: dict[Derivative, str] = {}
        highest = max((row.order for row in self.rows), default=0)
        for order in range(1, highest + 1):
            prefixes = dict.fromkeys(row.up_to(order) for row in self.rows if row.order >= order)
            for before in dict.fromkeys(one.before for one in prefixes):
                names_here = [one.last for one in prefixes if one.before == before]
                if before in errors:
                    errors.update({before.by(name): errors[before] for name in names_here})
                    continue
                groups = [names_here]
                while groups:
                    group = groups.pop()
                    try:
                        gradients = _grad(found[before], [inputs.get(name) for name in group], order < highest)
                    except REFUSALS as refusal:
                        if len(group) > 1:  # only what a row asks for has to have a derivative
                            groups = [[name] for name in group]
                        else:
                            errors[before.by(group[0])] = reason_of(refusal)
                        continue
                    found.update({before.by(n): g for n, g in zip(group, gradients, strict=True)})
        return value, found, errors

    def _forward(self, point: Mapping[str, float]) -> AutogradResult:
        derivatives: dict[Derivative, float] = {}
        errors: dict[Derivative, str] = {}
        value: float | None = None
        for row in self.rows:
            try:
                leaves = self._leaves(point, requires_grad=False)
                if any(name in self.function.named for name in row.wrt):
                    leaves.update(self._inputs_of_their_own(leaves, row))
                value, derivatives[row] = self._jvp(leaves, row)
            except REFUSALS as refusal:
                errors[row] = reason_of(refusal)
        return AutogradResult(value, derivatives, errors)

    def _inputs_of_their_own(self, leaves: Mapping[str, Tensor], row: Derivative) -> dict[str, Tensor]:
        if not all(name in self.function.named for name in row.wrt):
            raise TorchRefusal("forward mode is not checked for a derivative by an intermediate result and a variable")
        _, names = self.function(leaves)
        return {name: names[name] for name in row.wrt if name in names}

    def _jvp(self, leaves: Mapping[str, Tensor], row: Derivative) -> tuple[float, float]:
        value = item_of(self.function(leaves)[0])
        return value, item_of(self._tangent(leaves, row))

    def _tangent(self, leaves: Mapping[str, Tensor], row: Derivative) -> Tensor | None:
        """The derivative of a row by nested forward mode; None where it is zero, since a variable is not there."""
        order = list(leaves)
        if any(name not in leaves for name in row.wrt):
            return None

        def value_of(*inputs: Tensor) -> Tensor:
            return self.function(dict(zip(order, inputs, strict=True)))[0]

        function: Callable[..., Tensor] = value_of
        for name in row.wrt:
            tangents = tuple(torch.ones_like(x) if n == name else torch.zeros_like(x) for n, x in leaves.items())
            function = _directional(function, tangents)
        return function(*leaves.values())

    def _refused(self, refusal: Exception) -> AutogradResult:
        return AutogradResult(None, {}, dict.fromkeys(self.rows, reason_of(refusal)))


def _directional(function: Callable[..., Tensor], tangents: tuple[Tensor, ...]) -> Callable[..., Tensor]:
    def tangent_of(*primals: Tensor) -> Tensor:
        tangent: Tensor = torch.func.jvp(function, primals, tangents)[1]
        return tangent

    return tangent_of


def _grad(value: Tensor | None, inputs: list[Tensor | None], create_graph: bool) -> list[Tensor | None]:
    """torch.autograd.grad, where what is not used, or has no graph, gives None: its derivative is zero."""
    if value is None or not value.requires_grad:
        return [None] * len(inputs)
    wanted = [x for x in inputs if x is not None and x.requires_grad]
    if not wanted:
        return [None] * len(inputs)
    total = value.sum() if value.ndim else value  # of many points, each of which has inputs of its own
    gradients = iter(
        torch.autograd.grad(total, wanted, create_graph=create_graph, retain_graph=True, allow_unused=True)
    )
    return [next(gradients) if x is not None and x.requires_grad else None for x in inputs]


def _on_the_cpu(value: Tensor | None, count: int) -> Tensor:
    """One number a point, as doubles; None is zero, and so is a ZeroTensor, which has no storage."""
    numbers = torch.zeros(count, dtype=torch.float64)
    return numbers if value is None else numbers.add_(value.detach().cpu())


def item_of(value: Tensor | None) -> float:
    """A tensor's number; None stands for a derivative of zero."""
    return 0.0 if value is None else float(value.item())


def reason_of(refusal: Exception) -> str:
    """torch's own words, on one line; ours where it is we who refuse."""
    if isinstance(refusal, TorchRefusal):
        return str(refusal)
    return f"torch refuses: {' '.join(str(refusal).splitlines()[0].split()) or type(refusal).__name__}"
