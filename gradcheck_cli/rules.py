"""The formulas of the table, read once: partial derivatives, definitions, domains and seams as expressions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from gradcheck_cli.expression import Call, Constant, Expr, Variable, call, constant, rebuild, substitute, topological
from gradcheck_cli.functions import FUNCTIONS, Function
from gradcheck_cli.parser import parse


@cache
def formula(text: str) -> Expr:
    """A formula of the table. Its numbers are exact, and it may use the internal rows."""
    return parse(text, exact=True, internal=True)


def partial(row: Function, index: int) -> Expr | None:
    """The partial derivative of a row by its index-th argument, in terms of its arguments; None: there is none."""
    text = partial_text(row, index)
    return formula(text) if text else None


def partial_text(row: Function, index: int) -> str:
    """The formula of that partial derivative, as the row has it."""
    real = [i for i, argument in enumerate(row.arguments) if argument.kind == "real"]
    return row.partials[real.index(index)]


def expand_composed(root: Expr) -> Expr:
    """`root` with the functions that torch has not replaced by their definitions."""

    def replace(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        match node:
            case Call(function=function) if (row := FUNCTIONS.get(function)) and row.composed and row.definition:
                names = dict(zip((argument.name for argument in row.arguments), args, strict=True))
                return expand_composed(substitute(formula(row.definition), names))
        return None

    return rebuild(root, replace)


def instantiate(rule: Expr, row: Function, args: Sequence[Expr]) -> Expr:
    """`rule` with the row's arguments put in. Simplified on the way: see `fold`."""
    values = {argument.name: arg for argument, arg in zip(row.arguments, args, strict=True)}
    new: dict[Expr, Expr] = {}
    for node in _order(rule):
        match node:
            case Variable(name=name):
                new[node] = values[name]
            case Call(function=function, args=inner):
                new[node] = fold(function, *[new[arg] for arg in inner])
            case _:
                new[node] = node
    return new[rule]


@cache
def _order(rule: Expr) -> tuple[Expr, ...]:
    return topological(rule)


ZERO, ONE = constant(0, exact=True), constant(1, exact=True)
_SMALL = 256  # integers up to here are exact in every working dtype, so that rounding a literal does not change them


def integer_value(node: Expr) -> int | None:
    """The value of a constant that is an integer, exact or small enough to be exact in every dtype; else None."""
    match node:
        case Constant(value=Fraction() as value, exact=exact) if value.denominator == 1:
            return value.numerator if exact or abs(value) <= _SMALL else None
        case Call(function="neg", args=(Constant() as inner,)):
            value_of_inner = integer_value(inner)
            return None if value_of_inner is None else -value_of_inner
    return None


def _ratio(node: Expr) -> Fraction | None:
    """The value of an integer, or of a quotient of two: 1/3 is one third in every dtype."""
    match node:
        case Call(function="div", args=(above, below)):
            a, b = integer_value(above), integer_value(below)
            return Fraction(a, b) if a is not None and b else None
    value = integer_value(node)
    return None if value is None else Fraction(value)


def fold(function: str, *args: Expr) -> Expr:
    """`call(function, *args)` for the derivative DAG, with what is trivially constant folded away.

    Only the derivative is folded, never what a user typed: there, 0*exp(x) is NaN where exp overflows, and that is what
    one wants to see.
    """
    values = [integer_value(arg) for arg in args]
    match function, values:
        case "add", [0, _]:
            return args[1]
        case (("add" | "sub"), [_, 0]):
            return args[0]
        case "sub", [0, _]:
            return fold("neg", args[1])
        case "mul", ([0, _] | [_, 0]):
            return ZERO
        case "mul", [1, _]:
            return args[1]
        case (("mul" | "div" | "pow"), [_, 1]):
            return args[0]
        case "mul", [-1, _]:
            return fold("neg", args[1])
        case "mul", [_, -1]:
            return fold("neg", args[0])
        case "pow", [_, 0]:
            return ONE
        case "div", [0, int(divisor)] if divisor:
            return ZERO
        case "neg", [int(value)]:
            return constant(-value, exact=True)
        case (("add" | "sub" | "mul"), [int(a), int(b)]) if max(abs(a), abs(b)) <= _SMALL:
            return constant({"add": a + b, "sub": a - b, "mul": a * b}[function], exact=True)
        case (("and" | "or"), _):
            decisive, neutral = ("false", "true") if function == "and" else ("true", "false")
            for arg, other in (args, args[::-1]):
                match arg:
                    case Call(function=name) if name == decisive:
                        return arg
                    case Call(function=name) if name == neutral:
                        return other
        case "where", _ if args[1] is args[2]:
            return args[1]
        case "where", _:
            match args[0]:
                case Call(function="true"):
                    return args[1]
                case Call(function="false"):
                    return args[2]
        case (("eq" | "ne"), _) if (ratios := [_ratio(arg) for arg in args]) and None not in ratios:
            return call("true" if (ratios[0] == ratios[1]) is (function == "eq") else "false")
        case (("lt" | "le" | "gt" | "ge"), [int(a), int(b)]):
            truth = {"lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[function]
            return call("true" if truth else "false")
        case "neg", _:
            match args[0]:
                case Call(function="neg", args=(inner,)):
                    return inner
        case "mul", _:
            x, guards_x = _unguard(args[0])
            y, guards_y = _unguard(args[1])
            if guards_x or guards_y:
                product: Expr = fold("mul", x, y)
                for condition, zero_first in reversed(guards_x + guards_y):
                    product = fold("where", condition, *((ZERO, product) if zero_first else (product, ZERO)))
                return product
    if function in FUNCTIONS:
        args = tuple(
            _number(arg) if argument.kind in ("number", "integer") else arg
            for argument, arg in zip(FUNCTIONS[function].arguments, args, strict=True)
        )
    return call(function, *args)


def _number(node: Expr) -> Expr:
    """A parameter: sums and products of constants as one constant, so that the node stays a number."""
    match node:
        case Call(function=("add" | "sub" | "mul" | "div" | "neg") as function, args=args):
            parts = [_number(arg) for arg in args]
            numbers = [part.value for part in parts if isinstance(part, Constant) and isinstance(part.value, Fraction)]
            if len(numbers) == len(parts):
                match function, numbers:
                    case "neg", [a]:
                        return constant(-a, exact=True)
                    case "add", [a, b]:
                        return constant(a + b, exact=True)
                    case "sub", [a, b]:
                        return constant(a - b, exact=True)
                    case "mul", [a, b]:
                        return constant(a * b, exact=True)
                    case "div", [a, b] if b:
                        return constant(a / b, exact=True)
    return node


def _unguard(node: Expr) -> tuple[Expr, list[tuple[Expr, bool]]]:
    """Strip where(c, node, 0) and where(c, 0, node), outermost first: (what is inside, [(c, whether 0 comes first)]).

    A zero of a branch is a choice, not a factor: 1/(2*sqrt(relu(x))) times relu'(x) is 0 at -1, not infinity times 0.
    So a product goes inside the branch.
    """
    guards: list[tuple[Expr, bool]] = []
    while True:
        match node:
            case Call(function="where", args=(condition, inner, zero)) if zero is ZERO:
                guards.append((condition, False))
            case Call(function="where", args=(condition, zero, inner)) if zero is ZERO:
                guards.append((condition, True))
            case _:
                return node, guards
        node = inner
