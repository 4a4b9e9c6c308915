"""torch's own numbers at every step: the value, the gradient that autograd has there, and the grad_fn it recorded."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.differentiation.steps import ChainRule, Step
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Call, Expr
from gradcheck_cli.pytorch.function import Operand, TorchArithmetic, TorchFunction, Values
from gradcheck_cli.pytorch.gradients import REFUSALS, item_of, reason_of

forward_ad: Any = torch.autograd.forward_ad


@dataclass(frozen=True)
class Traced:
    """One step as torch ran it.

    value: None where it was not run (a branch of `a if c else b`). derivative: the adjoint in reverse mode, the tangent
    in forward mode; None where torch has none. grad_fn: None for a variable, and for what is no operation of torch.
    """

    value: float | None = None
    derivative: float | None = None
    grad_fn: str | None = None


@dataclass(frozen=True)
class Trace:
    """All steps by name. refusal: why torch has no derivatives, else None."""

    steps: Mapping[str, Traced]
    refusal: str | None = None


class _Separate(TorchArithmetic):
    """Every node has a tensor of its own: an operation that returns its operand (`positive`, `a if c else b`) gives a
    copy, so that its gradient is not its operand's."""

    def value(self, node: Expr, values: Values, inputs: Mapping[str, Tensor]) -> Operand:
        result = super().value(node, values, inputs)
        if (
            isinstance(node, Call)
            and isinstance(result, Tensor)
            and any(values.get(arg) is result for arg in node.args)
        ):
            return result.clone()
        return result


class TorchGraph:
    """A chain rule as torch runs it in one dtype on one device."""

    def __init__(self, chain: ChainRule, dtype: Dtype, device: torch.device) -> None:
        self.chain = chain
        self.arithmetic = _Separate(dtype, device, differentiable=())
        self.function = TorchFunction(chain.root, self.arithmetic)

    def reverse(self, point: Mapping[str, float], by: Collection[str]) -> Trace:
        """The adjoint of every step that depends on the variables or named results in `by`: torch.autograd.grad at each
        tensor of the graph."""
        leaves = {name: self._leaf(value).requires_grad_(name in by) for name, value in point.items()}
        self.arithmetic.differentiable = by
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                values = self.function.evaluate(leaves)
            except REFUSALS as refusal:
                return Trace(self._steps({}, {}), reason_of(refusal))
            result = self.arithmetic.tensor(values[self.chain.root])
            tensors = self._tensors(values)
            wanted = [name for name, tensor in tensors.items() if tensor.requires_grad]
            if not result.requires_grad:
                return Trace(self._steps(values, dict.fromkeys(wanted, 0.0)))
            found, why = self._adjoints(result, {name: tensors[name] for name in wanted})
        return Trace(self._steps(values, found), why)

    def _adjoints(self, result: Tensor, tensors: Mapping[str, Tensor]) -> tuple[dict[str, float], str | None]:
        """The derivatives of the result by tensors. Where torch refuses one of them, each is asked for by itself; the
        refusal counts where no variable has one."""
        try:
            found = torch.autograd.grad(result, list(tensors.values()), allow_unused=True, retain_graph=True)
            return {name: item_of(x) for name, x in zip(tensors, found, strict=True)}, None
        except REFUSALS as refused:
            refusal = reason_of(refused)
        some: dict[str, float] = {}
        for name, tensor in tensors.items():
            try:
                (alone,) = torch.autograd.grad(result, [tensor], allow_unused=True, retain_graph=True)
            except REFUSALS:
                continue
            some[name] = item_of(alone)
        has_variable = any(tensor.grad_fn is None for name, tensor in tensors.items() if name in some)
        return some, None if has_variable else refusal

    def forward(self, point: Mapping[str, float], by: str) -> Trace:
        """The tangent of every step along one variable: dual numbers, the other variables with zero tangents."""
        with warnings.catch_warnings(), forward_ad.dual_level():
            warnings.simplefilter("ignore")
            leaves = {
                name: forward_ad.make_dual(self._leaf(value), self._leaf(1.0 if name == by else 0.0))
                for name, value in point.items()
            }
            try:
                values = self.function.evaluate(leaves)
            except REFUSALS as refusal:
                return Trace(self._steps({}, {}), reason_of(refusal))
            pairs = {name: forward_ad.unpack_dual(tensor) for name, tensor in self._tensors(values).items()}
            tangents = {name: item_of(pair.tangent) for name, pair in pairs.items()}
            return Trace(self._steps({node: _primal(value) for node, value in values.items()}, tangents))

    def local(self, step: Step, by: str, values: Mapping[str, float], incoming: float, mode: str) -> float | None:
        """What torch makes of one step alone: its part of the operand's adjoint, given its own (reverse), or its
        tangent, given the operand's (forward). values: of its operands. None: torch has no derivative there.

        With `incoming` 1 it is torch's local derivative.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return (
                    self._reverse_local(step, by, values, incoming)
                    if mode == "reverse"
                    else self._forward_local(step, by, values, incoming)
                )
            except REFUSALS:
                return None

    def _reverse_local(self, step: Step, by: str, values: Mapping[str, float], incoming: float) -> float | None:
        operands = {name: self._leaf(value).requires_grad_() for name, value in values.items()}
        result = self._run(step, operands)
        if not result.requires_grad:
            return None
        (gradient,) = torch.autograd.grad(result, [operands[by]], self._leaf(incoming), allow_unused=True)
        return None if gradient is None else item_of(gradient)

    def _forward_local(self, step: Step, by: str, values: Mapping[str, float], incoming: float) -> float | None:
        with forward_ad.dual_level():
            operands = {
                name: forward_ad.make_dual(self._leaf(value), self._leaf(incoming if name == by else 0.0))
                for name, value in values.items()
            }
            tangent = forward_ad.unpack_dual(self._run(step, operands)).tangent
            return None if tangent is None else item_of(tangent)

    def _run(self, step: Step, operands: Mapping[str, Tensor]) -> Tensor:
        formula = step.formula
        assert formula is not None
        return self.arithmetic.tensor(TorchFunction(formula, self.arithmetic).evaluate(operands)[formula])

    def _leaf(self, value: float) -> Tensor:
        return torch.tensor(value, dtype=self.arithmetic.dtype, device=self.arithmetic.device)

    def _tensors(self, values: Values) -> dict[str, Tensor]:
        found = ((step.name, values.get(step.node)) for step in self.chain.steps)
        return {name: value for name, value in found if isinstance(value, Tensor)}

    def _steps(self, values: Values, derivatives: Mapping[str, float]) -> dict[str, Traced]:
        return {
            step.name: _traced(step, values.get(step.node), derivatives.get(step.name)) for step in self.chain.steps
        }


def _traced(step: Step, value: Operand | None, derivative: float | None) -> Traced:
    if value is None:
        return Traced()
    number = item_of(value) if isinstance(value, Tensor) else float(value)
    is_operation = isinstance(step.node, Call) and step.node.function not in (op.IFELSE, op.POSITIVE)
    grad_fn = value.grad_fn.name() if is_operation and isinstance(value, Tensor) and value.grad_fn else None
    return Traced(number, derivative, grad_fn)


def _primal(value: Operand) -> Operand:
    return forward_ad.unpack_dual(value).primal if isinstance(value, Tensor) else value
