"""The autograd side: the expression as a user would run it in torch, and what torch says its derivatives are.

The only user of torch. A literal stays a Python number, as users write it; it becomes a 0-d tensor only where torch
demands one or every operand is constant. Nothing is folded away. `a if c else b`, `and` and `or` run what is taken.
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from gradcheck_cli.differentiation import rules
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import DeviceError, TorchRefusal
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.literals import rounded_constant
from gradcheck_cli.expression.nodes import (
    Call,
    Constant,
    Expr,
    Named,
    Variable,
    topological,
    unshared,
)
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.surfaces import Option

with warnings.catch_warnings():
    # torch warns where NumPy is absent, which only many points need.
    warnings.filterwarnings("ignore", "Failed to initialize NumPy")
    import torch
    from torch import Tensor

_LAZY = frozenset({op.IFELSE, op.AND, op.OR})

UNSHARED = 20_000
"""Nodes up to which every operation is run as often as it was typed."""

Device = torch.device
Number = int | float
Operand = Tensor | Number | bool


@dataclass(frozen=True)
class AutogradResult:
    """What torch says at one point. value: of the function; derivatives by row; errors: rows that torch refuses."""

    value: float | None
    derivatives: Mapping[Derivative, float]
    errors: Mapping[Derivative, str]


Tensors = Mapping[Derivative, Tensor]
"""By row, and by () the value: one number a point, float64 on the CPU."""

TORCH_VERSION = str(torch.__version__)


def use_threads(count: int) -> None:
    """Let torch compute in so many threads of this process."""
    torch.set_num_threads(count)


def resolve_device(text: str) -> torch.device:
    """`cpu`, `cuda`, `cuda:N` or `auto` as a device that this machine has.

    Raises DeviceError, which says what there is.
    """
    if text == "cpu":  # without asking what else there is, which starts CUDA
        return torch.device("cpu")
    available = (
        ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))] if torch.cuda.is_available() else ["cpu"]
    )
    if text == "auto":
        return torch.device("cuda" if len(available) > 1 else "cpu")
    if text == "cuda" and len(available) > 1:
        return torch.device("cuda")
    if text not in available:
        raise DeviceError(
            f"there is no device {text!r} here: this machine and this build of torch ({TORCH_VERSION}) have "
            f"{', '.join(available)}; use ",
            Option("device", "auto"),
            " to take the best one there is",
        )
    return torch.device(text)


def device_name(device: torch.device) -> str:
    """The device for people: cpu, or cuda with the name of the card."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


class TorchFunction:
    """An expression as a function of tensors.

    Called with a 0-d tensor for each variable, and for each named result that is to be an input of its own.
    differentiable: the named results that torch.autograd.grad has to take; None: a transform does the differentiating.
    """

    def __init__(
        self, root: Expr, dtype: Dtype, device: torch.device, *, differentiable: Collection[str] | None = None
    ) -> None:
        self.root, self.device, self.dtype = rules.expand_composed(root), device, getattr(torch, dtype.name)
        self.differentiable = differentiable
        self.order = topological(self.root)
        self.straight = True  # every node is run, whatever the others are
        self.named: set[str] = set()
        self.constants: dict[Expr, Number] = {}
        self.given_tensors: set[str] = set()  # the functions whose numbers had to be tensors beside others
        self.tensors: dict[tuple[Number, float], Tensor] = {}  # by number and sign: 0.0 and -0.0 are equal keys
        for node in self.order:
            if isinstance(node, Constant):
                self._add_constant(node, dtype)
            elif isinstance(node, Call):
                self.straight = self.straight and node.function not in _LAZY
            elif isinstance(node, Named):
                self.named.add(node.name)

    def _add_constant(self, node: Constant, dtype: Dtype) -> None:
        rounded = rounded_constant(node, dtype)
        whole = isinstance(node.value, Fraction) and node.value.denominator == 1 and rounded.is_integer()
        self.constants[node] = int(rounded) if whole and abs(rounded) < 2**63 else rounded
        if (
            self.differentiable is not None
        ):  # no transform runs: most constants stay numbers, and the others are made when needed
            return
        # Made before any transform runs: a tensor made inside torch.func.jvp is another kind of tensor.
        for number in (rounded, -rounded):
            tensor = torch.tensor(number, dtype=self.dtype, device=self.device)
            self.tensors[number, math.copysign(1.0, number)] = tensor

    def __call__(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """(the value, the tensors of the named results). TorchRefusal where it is in another dtype."""
        names: dict[str, Tensor] = {}
        value = self.tensor(self.evaluate(inputs, names)[self.root])
        if value.dtype is not self.dtype:
            theirs, ours = (str(dtype).removeprefix("torch.") for dtype in (value.dtype, self.dtype))
            raise TorchRefusal(f"torch computes this in {theirs}, not in {ours}: check it with --dtype {theirs}")
        return value, names

    def evaluate(self, inputs: Mapping[str, Tensor], names: dict[str, Tensor]) -> dict[Expr, Operand]:
        """What every node is that was run; the tensors of the named results go into `names`.

        Iterative: depth is no limit. A node is computed when what it needs is there; a branch asks for its condition
        first.
        """
        values: dict[Expr, Operand] = {}
        if self.straight and self.named.isdisjoint(inputs):
            for node in self.order:
                values[node] = self.value(node, values, inputs, names)
            return values
        stack: list[Expr] = [self.root]
        while stack:
            node = stack[-1]
            if node in values:
                stack.pop()
                continue
            missing = [child for child in self._needed(node, values, inputs) if child not in values]
            if missing:
                stack.extend(reversed(missing))
                continue
            values[node] = self.value(node, values, inputs, names)
            stack.pop()
        return values

    def _needed(self, node: Expr, values: Mapping[Expr, Operand], inputs: Mapping[str, Tensor]) -> Sequence[Expr]:
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

    def value(
        self, node: Expr, values: Mapping[Expr, Operand], inputs: Mapping[str, Tensor], names: dict[str, Tensor]
    ) -> Operand:
        """One node, from what its operands are."""
        if isinstance(node, Constant):
            return self.constants[node]
        if isinstance(node, Variable):
            return inputs[node.name]
        if isinstance(node, Named):
            name = node.name
            names[name] = inputs[name] if name in inputs else self._named(name, values[node.value], inputs)
            return names[name]
        if node.function.is_condition or node.function.is_branch:
            return self._logic(node, values)
        return self._call(node.function, [values[arg] for arg in node.args])

    def _logic(self, node: Call, values: Mapping[Expr, Operand]) -> Operand:
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
        keywords: dict[str, Operand | str] = dict(row.keywords)
        keywords |= {a.name: arg for a, arg in zip(row.arguments, args, strict=True) if a.keyword}
        count = sum(not argument.keyword for argument in row.arguments)  # what is by keyword only comes last
        kinds = row, *map(_kind, args)
        if numbers and kinds not in _WITHOUT_NUMBERS:
            try:
                return run(*args[:count], **keywords)  # type: ignore[no-any-return]
            except (TypeError, AttributeError):
                _WITHOUT_NUMBERS.add(kinds)
        for i in numbers:
            args[i] = self.tensor(args[i])
        if numbers != reals:
            self.given_tensors.add(row.name)
        return run(*args[:count], **keywords)  # type: ignore[no-any-return]

    def tensor(self, value: Operand) -> Tensor:
        """A number as a 0-d tensor of the working dtype, on the device."""
        if isinstance(value, Tensor):
            return value
        ready = self.tensors.get((value, math.copysign(1.0, value))) if self.tensors else None
        return torch.tensor(value, dtype=self.dtype, device=self.device) if ready is None else ready


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


# What torch raises where it has no derivative, kernel, mode or meaning for what it is given.
REFUSALS = (RuntimeError, TypeError, ValueError, NotImplementedError, TorchRefusal)

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


class Autograd:
    """The derivatives that torch finds for an expression, in one mode.

    rows: the derivatives asked for; mode: "reverse" (torch.autograd.grad) or "forward" (torch.func.jvp, nested for
    higher orders, all other variables carrying zero tangents). composed: the functions that torch lacks, whose
    definitions are run.
    """

    def __init__(self, root: Expr, rows: Sequence[Derivative], mode: str, dtype: Dtype, device: torch.device) -> None:
        self.composed = rules.composed(root)
        root = unshared(rules.expand_composed(root), UNSHARED)
        self.rows, self.mode = tuple(rows), mode
        self.names = frozenset(name for row in rows for name in row.wrt)  # only what is differentiated requires grad
        self.function = TorchFunction(root, dtype, device, differentiable=self.names if mode == "reverse" else None)
        self.dtype, self.device = getattr(torch, dtype.name), device

    @property
    def given_tensors(self) -> Collection[str]:
        """The functions that refused the numbers they were given beside tensors, and were run on 0-d tensors."""
        return self.function.given_tensors

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
    if value is None:
        return 0.0
    return 0.0 if value.device.type == "meta" else float(value.item())


def reason_of(refusal: Exception) -> str:
    """torch's own words, on one line; ours where it is we who refuse."""
    if isinstance(refusal, TorchRefusal):
        return str(refusal)
    return f"torch refuses: {' '.join(str(refusal).splitlines()[0].split()) or type(refusal).__name__}"
