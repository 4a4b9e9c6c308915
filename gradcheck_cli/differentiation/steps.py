"""The chain rule laid out: an expression as a list of steps, each with a name and its local derivatives.

`f = 1/(1 + exp(-x))` becomes a = -x, b = exp(a), c = 1 + b, f = 1/c, with da/dx = -1, db/da = exp(a) and so on. What
torch has not is written as its definition, so that each step is one operation that torch runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from gradcheck_cli.differentiation import rules
from gradcheck_cli.differentiation.folding import ONE, ZERO, fold
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import (
    NAMED_CONSTANTS,
    Call,
    Constant,
    Expr,
    Named,
    Variable,
    call,
    constant,
    depends_on,
    free_name,
    intermediates,
    named,
    topological,
    variable,
    variables,
)

LETTERS = "abcghkmnpqrtuvw"
"""Names of steps: no d, which would make dd/dx; no e, i, j, which are numbers; no f, s, z, which are results."""


@dataclass(frozen=True)
class Local:
    """One local derivative: of a step by one of its operands.

    by: the operand's name. formula: in terms of the names of steps; exact: the same in terms of the expression itself;
    both None where the derivative has no known form.
    """

    by: str
    formula: Expr | None
    exact: Expr | None


@dataclass(frozen=True)
class Step:
    """One step: a variable, an operation, or a name that the user gave to either.

    node: of the expression. formula: what it is in terms of the names of its operands; None for a variable. locals: its
    local derivatives, an operand each.
    """

    name: str
    node: Expr
    formula: Expr | None
    locals: tuple[Local, ...]

    @property
    def function(self) -> Function | None:
        return self.node.function if isinstance(self.node, Call) else None

    @property
    def is_branch(self) -> bool:
        return self.function is not None and self.function.is_branch


class ChainRule:
    """An expression as steps, in order of evaluation: the variables first, the result last.

    root: the expression as torch runs it; marked: the same with every step under its name, so that one can
    differentiate by each. users: for each step, the steps that it is an operand of. function_name: what the user calls
    the result; None: a letter that is free.
    """

    def __init__(self, expression: Expr, function_name: str | None = None) -> None:
        self.root = rules.expand_composed(expression)
        order = topological(self.root)
        names = {*variables(self.root), *intermediates(self.root)}
        dependent = depends_on(order, names)
        flowing = _flowing(self.root, order, dependent)
        self.names = _names(order, flowing, self.root, names, function_name)
        self.steps = tuple(self._steps(order))
        self.by_name = {step.name: step for step in self.steps}
        self.result = self.names[self.root]
        self.marked = self._mark(order)
        self.users: dict[str, list[str]] = {step.name: [] for step in self.steps}
        for step in self.steps:
            for local in step.locals:
                self.users[local.by].append(step.name)

    def below(self, names: Iterable[str]) -> set[str]:
        """The steps that others are made of, directly or not."""
        reached = set[str]()
        stack = list(names)
        while stack:
            for local in self.by_name[stack.pop()].locals:
                if local.by not in reached:
                    reached.add(local.by)
                    stack.append(local.by)
        return reached

    def _steps(self, order: Sequence[Expr]) -> Iterator[Step]:
        shown: dict[Expr, Expr] = {}
        steps: list[Step] = []
        for node in order:
            formula = _with_operands(node, shown)
            if node not in self.names:
                shown[node] = formula
                continue
            shown[node] = variable(self.names[node])
            if isinstance(node, Named) and self.names.get(node.value) == node.name:
                continue  # the step is the operation below, which has this name
            is_variable = isinstance(node, Variable)
            steps.append(Step(self.names[node], node, None if is_variable else formula, self._locals(node, shown)))
        steps.sort(key=lambda step: not isinstance(step.node, Variable))
        yield from steps

    def _locals(self, node: Expr, shown: Mapping[Expr, Expr]) -> tuple[Local, ...]:
        """The local derivatives of a step. Several by one operand (x*x) are added."""
        found: dict[str, Local] = {}
        for child, formula, exact in _partials(node, shown):
            if child not in self.names:
                continue
            by = self.names[child]
            before = found.get(by)
            if before is not None:
                formula, exact = _sum(before.formula, formula), _sum(before.exact, exact)
            found[by] = Local(by, formula, exact)
        return tuple(found.values())

    def _mark(self, order: Sequence[Expr]) -> Expr:
        new: dict[Expr, Expr] = {}
        for node in order:
            match node:
                case Call(function=function, args=args):
                    copy: Expr = call(function, *(new[arg] for arg in args))
                    new[node] = named(self.names[node], copy) if node in self.names else copy
                case Named(name=name, value=value):
                    new[node] = new[value] if self.names.get(value) == name else named(name, new[value])
                case _:
                    new[node] = node
        return new[self.root]


def _flowing(root: Expr, order: Sequence[Expr], dependent: set[Expr]) -> set[Expr]:
    """The nodes through which a derivative may flow: not those that only conditions look at."""
    reached = {root}
    for node in reversed(order):
        if node in reached:
            match node:
                case Call(function=function, args=(_, a, b)) if function.is_branch:
                    reached.update(child for child in (a, b) if child in dependent)
                case Call(args=args):
                    reached.update(child for child in args if child in dependent)
                case Named(value=value) if value in dependent:
                    reached.add(value)
    return reached


def _names(
    order: Sequence[Expr], flowing: set[Expr], root: Expr, taken: set[str], result: str | None
) -> dict[Expr, str]:
    """A name for each node that is a step. result: of the last one, where the user has named it."""
    used = taken | set(NAMED_CONSTANTS)
    result = result or free_name(used)
    fresh = (name for name in letters() if name not in used | {result})
    users_name = {node.value: node.name for node in order if isinstance(node, Named) and isinstance(node.value, Call)}
    names: dict[Expr, str] = {}
    for node in order:
        if node not in flowing and not isinstance(node, Variable):
            continue
        match node:
            case Variable(name=name) | Named(name=name):
                names[node] = name
            case Call() if node in users_name:
                names[node] = users_name[node]
            case Call(function=function) if not function.is_condition:
                names[node] = result if node is root else next(fresh)
    return names


def letters() -> Iterator[str]:
    """Names for steps."""
    yield from LETTERS
    for number in count(1):
        yield from (f"{letter}{number}" for letter in LETTERS)


def _with_operands(node: Expr, shown: Mapping[Expr, Expr]) -> Expr:
    """The node over the names of its operands."""
    match node:
        case Call(function=function, args=args):
            return call(function, *(shown[arg] for arg in args))
        case Named(value=value):
            return shown[value]
        case _:
            return node


def _partials(node: Expr, shown: Mapping[Expr, Expr]) -> Iterator[tuple[Expr, Expr | None, Expr | None]]:
    """(operand, local derivative over the names, the same over the expression)."""
    match node:
        case Named(value=value):
            yield value, ONE, ONE
        case Call(function=function, args=(condition, a, b)) if function.is_branch:
            for child, values in ((a, (ONE, ZERO)), (b, (ZERO, ONE))):
                yield child, fold(op.WHERE, shown[condition], *values), fold(op.WHERE, condition, *values)
        case Call(function=row, args=args) if not row.is_condition:
            for index, argument in enumerate(row.arguments):
                if argument.kind != "real":
                    continue
                rule = rules.partial(row, index)
                exact = None if rule is None else rules.instantiate(rule, row, args)
                yield args[index], local_derivative(row, index, [_as_meant(shown[arg]) for arg in args]), exact


def local_derivative(row: Function, index: int, args: Sequence[Expr]) -> Expr | None:
    """Of a call, by its argument at `index`, as people write it; None where the table has none."""
    rule = rules.partial(row, index)
    return None if rule is None else _as_written(rule, row, index, args)


AS_WRITTEN: dict[str, tuple[str, ...]] = {
    "tanh": ("1 - tanh(x)**2",),
    "sigmoid": ("sigmoid(x)*(1 - sigmoid(x))",),
    "logsigmoid": ("1 - sigmoid(x)",),
    "silu": ("sigmoid(x) + x*sigmoid(x)*(1 - sigmoid(x))",),
}
"""Rules as people write them, where those of the table are written so that they are accurate."""
WITHOUT_BRANCHES: dict[str, tuple[str, ...]] = {"pow": ("y*x**(y - 1)", "x**y*log(x)")}
"""The same where those of the table have a branch for a place where these have no value."""


def _as_written(rule: Expr, row: Function, index: int, args: Sequence[Expr]) -> Expr:
    """A local derivative, to be shown."""
    formula = rules.instantiate(rule, row, args)
    written = AS_WRITTEN.get(row.name)
    if any(isinstance(one, Call) and one.function.is_branch for one in topological(formula)):
        written = WITHOUT_BRANCHES.get(row.name)
    return formula if written is None else rules.instantiate(rules.formula(written[index]), row, args)


def _as_meant(node: Expr) -> Expr:
    """e as the number that is meant, in what is shown: the derivative of e**x is then e**x."""
    return constant(node.value, exact=True) if isinstance(node, Constant) and node.value == "e" else node


def _sum(first: Expr | None, second: Expr | None) -> Expr | None:
    if first is None or second is None:
        return None
    if first is second and not isinstance(first, Constant):
        return fold(op.MUL, constant(2, exact=True), first)
    return fold(op.ADD, first, second)
