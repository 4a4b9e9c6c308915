"""An expression as a function of tensors, run as its text would be in Python.

A literal stays a Python number, as users write it; it becomes a 0-d tensor only where torch demands one or every
operand is constant. Nothing is folded away. `a if c else b`, `and` and `or` run what is taken.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.differentiation import rules
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import TorchRefusal
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.literals import rounded_constant
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, Variable, topological, unshared

_LAZY = frozenset({op.IFELSE, op.AND, op.OR})

UNSHARED = 20_000
"""Nodes up to which what was typed twice is run twice, as in Python: autograd adds up what it makes of each. That costs
what the text costs, since a named result stays one; only definitions put into each other go beyond, and are shared."""

Number = int | float
Operand = Tensor | Number | bool
Values = Mapping[Expr, Operand]
"""What the nodes are that have been run."""


class TorchArithmetic:
    """How torch runs one node, given what its operands are, in one dtype on one device.

    differentiable: the named results that torch.autograd.grad has to take; None: a transform does the differentiating.
    given_tensors: the functions that refused the numbers they were given beside tensors, and were run on 0-d tensors.
    """

    def __init__(self, dtype: Dtype, device: torch.device, differentiable: Collection[str] | None = None) -> None:
        self.working, self.dtype, self.device = dtype, getattr(torch, dtype.name), device
        self.differentiable = differentiable
        self.given_tensors: set[str] = set()
        self._numbers: dict[Constant, Number] = {}
        self._tensors: dict[tuple[Number, float], Tensor] = {}  # by number and sign: 0.0 and -0.0 are equal keys

    def learn(self, node: Constant) -> None:
        """Make a constant ready, before any transform runs."""
        if node in self._numbers:
            return
        rounded = rounded_constant(node, self.working)
        whole = isinstance(node.value, Fraction) and node.value.denominator == 1 and rounded.is_integer()
        self._numbers[node] = int(rounded) if whole and abs(rounded) < 2**63 else rounded
        if self.differentiable is not None:
            return  # no transform runs: most constants stay numbers, and the others are made when needed
        # A tensor made inside torch.func.jvp is another kind of tensor.
        for number in (rounded, -rounded):
            tensor = torch.tensor(number, dtype=self.dtype, device=self.device)
            self._tensors[number, math.copysign(1.0, number)] = tensor

    def value(self, node: Expr, values: Values, inputs: Mapping[str, Tensor]) -> Operand:
        """One node, from what its operands are."""
        if isinstance(node, Constant):
            return self._numbers[node]
        if isinstance(node, Variable):
            return inputs[node.name]
        if isinstance(node, Named):
            return inputs[node.name] if node.name in inputs else self._named(node.name, values[node.value], inputs)
        if node.function.is_condition or node.function.is_branch:
            return self._logic(node, values)
        return self._call(node.function, [values[arg] for arg in node.args])

    def _logic(self, node: Call, values: Values) -> Operand:
        """A condition or a branch."""
        match node.function, node.args:
            case op.IFELSE, (condition, a, b):
                return values[a] if truth(values[condition]) else values[b]
            case op.WHERE, (condition, a, b):
                return self._where(values[condition], values[a], values[b])
            case ((op.AND | op.OR), (a, b)):
                decided = truth(values[a]) is (node.function is op.OR)
                return truth(values[a]) if decided else truth(values[b])
            case op.NOT, (a,):
                return not truth(values[a])
            case ((op.TRUE | op.FALSE), _):
                return node.function is op.TRUE
        compared: Tensor | bool = _COMPARISONS[node.function](*(values[arg] for arg in node.args))
        return compared

    def _named(self, name: str, value: Operand, inputs: Mapping[str, Tensor]) -> Tensor:
        """A tensor of its own for a named result, which one can differentiate by, also where it is a constant: at many
        points, one number a point."""
        tensor = self.tensor(value)
        shape = next((x.shape for x in inputs.values()), tensor.shape)
        tensor = tensor.expand(shape).clone()
        return tensor.requires_grad_() if name in (self.differentiable or ()) and not tensor.requires_grad else tensor

    def _where(self, condition: Operand, a: Operand, b: Operand) -> Tensor:
        if not isinstance(condition, Tensor):
            condition = torch.tensor(bool(condition), device=self.device)
        if not isinstance(a, Tensor) and not isinstance(b, Tensor):
            a = self.tensor(a)
        return torch.where(condition, a, b)

    def _call(self, row: Function, args: list[Operand]) -> Operand:
        run, is_operator = torch_callable(row)
        reals = [i for i, argument in enumerate(row.arguments) if argument.kind == "real"]
        numbers = [i for i in reals if not isinstance(args[i], Tensor)]
        if numbers == reals:
            if row is op.NEG:
                return -args[0]
            args[reals[0]] = self.tensor(args[reals[0]])
        if is_operator or not (numbers or row.keywords or len(reals) < len(args)):
            return run(*args)  # type: ignore[no-any-return]
        kinds = row, *map(_kind, args)
        if numbers and kinds not in _WITHOUT_NUMBERS:
            try:
                return _run(run, row, args)
            except (TypeError, AttributeError):
                _WITHOUT_NUMBERS.add(kinds)
        for i in numbers:
            args[i] = self.tensor(args[i])
        if numbers and numbers != reals:
            self.given_tensors.add(row.torch.rpartition(".")[2] if isinstance(row.torch, str) else row.name)
        if row.one_shape:
            _of_one_shape(args, reals)
        return _run(run, row, args)

    def tensor(self, value: Operand) -> Tensor:
        """A number as a 0-d tensor of the working dtype, on the device."""
        if isinstance(value, Tensor):
            return value
        ready = self._tensors.get((value, math.copysign(1.0, value))) if self._tensors else None
        return torch.tensor(value, dtype=self.dtype, device=self.device) if ready is None else ready


def _run(run: Callable[..., Any], row: Function, args: Sequence[Operand]) -> Operand:
    keywords: dict[str, Operand | str | bool] = dict(row.keywords)
    keywords |= {a.name: arg for a, arg in zip(row.arguments, args, strict=True) if a.keyword}
    count = sum(not argument.keyword for argument in row.arguments)  # what is by keyword only comes last
    return run(*args[:count], **keywords)  # type: ignore[no-any-return]


def _of_one_shape(args: list[Operand], reals: Sequence[int]) -> None:
    """At many points, a number a point where there is one number for all."""
    shapes = {i: arg.shape for i in reals if isinstance(arg := args[i], Tensor)}
    if len(set(shapes.values())) > 1:
        shape = max(shapes.values(), key=len)
        for i in shapes:
            args[i] = args[i].expand(shape)  # type: ignore[union-attr]


class TorchFunction:
    """An expression as a function of tensors.

    Called with a 0-d tensor for each variable, and for each named result that is to be an input of its own.
    as_typed: whether an operation is run as often as it was typed, up to UNSHARED nodes; else once. named: the named
    results; composed: the functions that torch lacks, whose definitions are run.
    """

    def __init__(self, root: Expr, arithmetic: TorchArithmetic, *, as_typed: bool = False) -> None:
        self.composed = rules.composed(root)
        if self.composed:
            root = rules.expand_composed(root)
        self.root, self.arithmetic = unshared(root, UNSHARED) if as_typed else root, arithmetic
        self._order = topological(self.root)
        self._named = [node for node in self._order if isinstance(node, Named)]
        self.named = frozenset(node.name for node in self._named)
        # whether every node is run, whatever the others are
        self._straight = not any(isinstance(node, Call) and node.function in _LAZY for node in self._order)
        for node in self._order:
            if isinstance(node, Constant):
                arithmetic.learn(node)

    def __call__(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """(the value, the tensors of the named results). TorchRefusal where it is in another dtype."""
        values = self.evaluate(inputs)
        value, dtype = self.arithmetic.tensor(values[self.root]), self.arithmetic.dtype
        if value.dtype is not dtype:
            theirs, ours = (str(one).removeprefix("torch.") for one in (value.dtype, dtype))
            raise TorchRefusal(f"torch computes this in {theirs}, not in {ours}: check it with --dtype {theirs}")
        return value, {x.name: self.arithmetic.tensor(values[x]) for x in self._named if x in values}

    def evaluate(self, inputs: Mapping[str, Tensor]) -> dict[Expr, Operand]:
        """What every node is that was run.

        Iterative: depth is no limit. A node is computed when what it needs is there; a branch asks for its condition
        first.
        """
        values: dict[Expr, Operand] = {}
        value_of = self.arithmetic.value
        if self._straight and self.named.isdisjoint(inputs):
            for node in self._order:
                values[node] = value_of(node, values, inputs)
            return values
        stack: list[Expr] = [self.root]
        while stack:
            node = stack[-1]
            if node in values:
                stack.pop()
                continue
            missing = [child for child in _needed(node, values, inputs) if child not in values]
            if missing:
                stack.extend(reversed(missing))
                continue
            values[node] = value_of(node, values, inputs)
            stack.pop()
        return values


def _needed(node: Expr, values: Values, inputs: Mapping[str, Tensor]) -> Sequence[Expr]:
    """What has to be computed before the node, as far as that is known."""
    match node:
        case Named(name=name, value=value):
            return () if name in inputs else (value,)
        case Call(function=op.IFELSE, args=(condition, a, b)):
            if condition not in values:
                return (condition,)
            return (a,) if truth(values[condition]) else (b,)
        case Call(function=(op.AND | op.OR) as function, args=(a, b)):
            if a not in values:
                return (a,)
            return () if truth(values[a]) is (function is op.OR) else (b,)
        case Call(args=args):
            return args
    return ()


class Mixed(Exception):
    """A condition of Python's `if` that some of many points meet and others do not. Carries which do."""

    def __init__(self, holds: Tensor) -> None:
        self.holds = holds


def truth(value: Operand) -> bool:
    """A condition as Python's `if` takes it. Raises Mixed where it differs from point to point."""
    if not isinstance(value, Tensor) or not value.ndim:
        return bool(value)
    first = bool(value[0])
    if bool((value != first).any()):
        raise Mixed(value)
    return first


_COMPARISONS: dict[Function, Callable[[Any, Any], Any]] = {row: getattr(operator, row.name) for row in op.COMPARISONS}


@cache
def torch_callable(row: Function) -> tuple[Callable[..., Any], bool]:
    """(what torch runs for a row, whether it is a Python operator that takes numbers and tensors alike)."""
    if callable(row.torch):
        return row.torch, row.torch.__module__ in ("operator", "_operator")
    target: Any = torch
    for part in (row.torch or row.name).split("."):
        target = getattr(target, part)
    return target, False


_WITHOUT_NUMBERS: set[tuple[object, ...]] = set()
"""Calls that torch refuses with numbers in place of tensors: the function, and of which kind its arguments were."""


def _kind(arg: Operand) -> object:
    """What decides whether torch takes an argument: a tensor of no dimension may pass for a number."""
    return (arg.ndim, arg.requires_grad) if isinstance(arg, Tensor) else None
