"""The symbolic side: expressions as SymPy's, and the closed form of a derivative.

With proof.py the only user of SymPy. What is shown here never decides a verdict; see derivative.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from gradcheck_cli.differentiation import rules
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import (
    Call,
    Constant,
    Expr,
    Named,
    Variable,
    call,
    children,
    constant,
    depends_on,
    rebuild,
    substitute,
    topological,
    variable,
    variables,
)

TREE_LIMIT = 400  # nodes of the expression as a tree: SymPy's diff of a whole tree is exponential on shared nodes
DERIVATIVE_LIMIT = 3_000  # nodes of the derivative as a tree: beyond, nobody reads it
NESTED_BRANCHES = 2  # SymPy takes minutes to sort out branches within branches within branches
PLAIN_BITS = 40  # of a number that SymPy may combine with others; longer ones stay as they were written
# SymPy multiplies out lowergamma(10**6, x) and the like: functions get numbers up to here, or there is no closed form.
LARGEST_ARGUMENT, LARGEST_SPECIAL = 10_000, 100
ARITHMETIC = op.ARITHMETIC - {op.POW}
ELEMENTARY = frozenset({"elementary", "trigonometric", "hyperbolic", "activation", "piecewise"})

_RELATIONS: dict[Function, Any] = {
    op.LT: sympy.Lt, op.LE: sympy.Le, op.GT: sympy.Gt, op.GE: sympy.Ge, op.EQ: sympy.Eq, op.NE: sympy.Ne,
    op.AND: sympy.And, op.OR: sympy.Or, op.NOT: sympy.Not,
}  # fmt: skip
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E, "tau": 2 * sympy.pi}


class NoClosedForm(Exception):
    """The expression is too large for SymPy, or SymPy's answer cannot be written in our language."""


def symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


def to_sympy(root: Expr, values: Mapping[str, Any] | None = None) -> Any:
    """The expression as SymPy's. Literals are Rationals. values: what stands for the variables (default: symbols)."""
    made: dict[Expr, Any] = {}
    for node in topological(root):
        match node:
            case Constant(value=Fraction() as number):
                made[node] = sympy.Rational(number.numerator, number.denominator)
            case Constant(value=name):
                made[node] = _CONSTANTS[str(name)]
            case Variable(name=name):
                made[node] = values[name] if values and name in values else symbol(name)
            case Named(name=name, value=value):
                made[node] = symbol(name) if values is not None and name in values else made[value]
            case Call(function=function, args=args):
                made[node] = _call(function, [made[arg] for arg in args])
    return made[root]


def _call(row: Function, args: list[Any]) -> Any:
    if row.is_branch:
        condition, a, b = args
        return sympy.Piecewise((a, condition), (b, True), evaluate=False)
    if row in (op.TRUE, op.FALSE):
        return sympy.true if row is op.TRUE else sympy.false
    if row.is_condition:
        return _RELATIONS[row](*args)
    largest = LARGEST_ARGUMENT if row.group in ELEMENTARY else LARGEST_SPECIAL
    if row not in op.ARITHMETIC and any(arg.is_number and abs(arg) > largest for arg in args):
        raise NoClosedForm(f"SymPy would write out {row.name} of a large number")
    if _has_long_numbers(row):
        raise NoClosedForm(f"SymPy would multiply out the numbers of {row.name}")
    return row_form(row, args)


@cache
def _has_long_numbers(row: Function) -> bool:
    nodes = topological(rules.formula(row.definition)) if row.definition and row.sympy is None else []
    return any(isinstance(node, Constant) and not _is_plain(node) for node in nodes)


def _is_plain(node: Constant) -> bool:
    if isinstance(node.value, str):
        return True
    return max(node.value.numerator.bit_length(), node.value.denominator.bit_length()) <= PLAIN_BITS


def row_form(row: Function, args: Sequence[Any]) -> Any:
    """A row of the table applied, in SymPy's terms."""
    if callable(row.sympy):
        return row.sympy(sympy, *args)
    if row.sympy is not None:
        return getattr(sympy, row.sympy)(*args)
    if row.definition is None:
        raise NoClosedForm(f"SymPy has no form of {row.name}")
    names = {argument.name: arg for argument, arg in zip(row.arguments, args, strict=True)}
    return to_sympy(rules.formula(row.definition), names)


def closed_form(root: Expr, wrt: Sequence[str], names: Sequence[str], derivative: Expr) -> Expr:
    """The derivative as SymPy has it, in our language: for people.

    names: the named results that stay names; derivative: the same derivative over the DAG, to judge the size by. Raises
    NoClosedForm where SymPy would take too long or the answer cannot be written.
    """
    if tree_size(root) > TREE_LIMIT or tree_size(derivative) > DERIVATIVE_LIMIT:
        raise NoClosedForm("the expression is too large")
    if branch_nesting(root) > NESTED_BRANCHES:
        raise NoClosedForm("branches are nested too deep")
    keep = {name: symbol(name) for name in names if name in wrt}
    opaque, constants = hide_constants(root)
    try:
        form = to_sympy(opaque, keep)
        for name in wrt:
            form = sympy.diff(form, symbol(name))
        return substitute(from_sympy(form), constants)
    except NoClosedForm:
        raise
    except Exception as error:  # SymPy raises what it likes, and nothing rests on the closed form
        raise NoClosedForm(str(error)) from error


def factored(root: Expr) -> Expr:
    """A polynomial as a product of factors over the rationals. Raises NoClosedForm where it is prime."""
    form = to_sympy(root)
    product = sympy.factor(form)
    if product.is_Add or product == form:
        raise NoClosedForm("it does not factor")
    return from_sympy(product)


def hide_constants(root: Expr, shown: Callable[[Call], bool] = lambda _: False) -> tuple[Expr, dict[str, Expr]]:
    """`root` with a variable for each constant that SymPy would evaluate (gamma(10**9), exp(exp(exp(5))), 1e300), and
    what these variables stand for. shown: which functions of constants stay all the same."""
    varying = depends_on(topological(root), variables(root))
    hidden: dict[str, Expr] = {}

    def replace(node: Expr, _: tuple[Expr, ...]) -> Expr | None:
        match node:
            case Constant():
                evaluated = not _is_plain(node)
            case Call(function=function):
                constant_call = node not in varying and function.role == "function" and function not in ARITHMETIC
                evaluated = constant_call and not shown(node)
            case _:
                evaluated = False
        if not evaluated:
            return None
        name = next((name for name, value in hidden.items() if value is node), f"constant {len(hidden) + 1}")
        hidden[name] = node
        return variable(name)

    parameters = {
        arg
        for node in topological(root)
        if isinstance(node, Call)
        for arg, argument in zip(node.args, node.function.arguments, strict=True)
        if argument.kind != "real"
    }
    return rebuild(root, lambda node, new: None if node in parameters else replace(node, new)), hidden


def branch_nesting(root: Expr) -> int:
    """How deep branches stand within branches, once each function is written out in SymPy's terms."""
    depth: dict[Expr, int] = {}
    for node in topological(root):
        below = max((depth[child] for child in children(node)), default=0)
        own = isinstance(node, Call) and (
            1 if node.function.is_branch else 0 if node.function.is_condition else _row_nesting(node.function)
        )
        depth[node] = below + own
    return depth[root]


@cache
def _row_nesting(row: Function) -> int:
    """How deep Piecewise stands within Piecewise in SymPy's form of the row."""
    if row.group not in ("activation", "piecewise"):
        return 0
    depth: dict[Any, int] = {}
    form = row_form(row, [symbol(argument.name) for argument in row.arguments])
    for node in sympy.postorder_traversal(form):
        below = max((depth.get(arg, 0) for arg in node.args), default=0)
        depth[node] = below + isinstance(node, sympy.Piecewise)
    return depth[form]


def tree_size(root: Expr) -> int:
    """How many nodes the expression has as a tree, shared ones counted each time."""
    sizes: dict[Expr, int] = {}
    for node in topological(root):
        match node:
            case Call(args=args):
                sizes[node] = 1 + sum(sizes[arg] for arg in args)
            case Named(value=value):
                sizes[node] = sizes[value]
            case _:
                sizes[node] = 1
    return sizes[root]


_BY_CLASS: dict[str, Function] = {
    row.sympy: row
    for row in reversed(FUNCTIONS.values())
    if isinstance(row.sympy, str) and len(row.arguments) in (1, 2) and not row.internal
}
_BY_CLASS.update({"Abs": op.ABS, "Max": op.MAXIMUM, "Min": op.MINIMUM})
_BY_CLASS.update({"loggamma": FUNCTIONS["lgamma"], "Heaviside": FUNCTIONS["heaviside"]})
_BY_RELATION = {"StrictLessThan": op.LT, "LessThan": op.LE, "StrictGreaterThan": op.GT, "GreaterThan": op.GE,
                "Equality": op.EQ, "Unequality": op.NE}  # fmt: skip
_NOT_OURS = frozenset({"sinc"})  # a SymPy name that means something else


def from_sympy(root: Any) -> Expr:
    """A SymPy expression in our language. Raises NoClosedForm for what it lacks (Derivative, Subs, DiracDelta ...)."""
    made: dict[Any, Expr] = {}
    for node in sympy.postorder_traversal(root):
        if node not in made and not isinstance(node, sympy.Tuple):
            made[node] = _from_node(node, made)
    return made[root]


def _from_node(node: Any, made: Mapping[Any, Expr]) -> Expr:
    args = [made[arg] for arg in node.args if arg in made]
    match node:
        case sympy.Rational():
            return _rational(node)
        case sympy.Symbol():
            return variable(node.name)
        case sympy.besseli() | sympy.besselj() if node.args[0] in (0, 1):
            kind = "i" if isinstance(node, sympy.besseli) else "bessel_j"
            return call(FUNCTIONS[f"{kind}{node.args[0]}"], args[1])
        case _ if node in (sympy.pi, sympy.E):
            return constant("pi" if node is sympy.pi else "e")
        case sympy.Add():
            return _sum(node, made)
        case sympy.Mul():
            return _product(node, made)
        case sympy.exp():
            return call(op.EXP, args[0])
        case sympy.Pow():
            if node.exp == sympy.S.Half:
                return call(op.SQRT, args[0])
            if node.exp.could_extract_minus_sign():
                return call(op.DIV, constant(1), _converted(node.base**-node.exp, made))
            return call(op.POW, *args)
        case sympy.Piecewise():
            return _piecewise(node, made)
        case sympy.And() | sympy.Or():
            result = args[0]
            for arg in args[1:]:
                result = call(op.AND if isinstance(node, sympy.And) else op.OR, result, arg)
            return result
        case sympy.Not():
            return call(op.NOT, args[0])
        case _ if node in (sympy.true, sympy.false):
            return call(op.TRUE if node is sympy.true else op.FALSE)
    return _from_function(type(node).__name__, args, node)


def _from_function(name: str, args: list[Expr], node: Any) -> Expr:
    if name in _BY_RELATION:
        return call(_BY_RELATION[name], *args)
    if name in ("Max", "Min") and len(args) > 2:
        result = args[0]
        for arg in args[1:]:
            result = call(_BY_CLASS[name], result, arg)
        return result
    if name == "polygamma" and node.args[0] == 0:
        return call(op.DIGAMMA, args[1])
    if name == "Heaviside" and len(args) == 1:
        args = [*args, constant(Fraction(1, 2))]
    function = _BY_CLASS.get(name)
    if function is None or name in _NOT_OURS or len(args) != len(function.arguments):
        raise NoClosedForm(f"SymPy's answer has {name} in it")
    return call(function, *args)


def _rational(value: Any) -> Expr:
    magnitude = constant(abs(int(value.p)))
    whole = magnitude if value.q == 1 else call(op.DIV, magnitude, constant(int(value.q)))
    return call(op.NEG, whole) if value < 0 else whole


def _sum(node: Any, made: Mapping[Any, Expr]) -> Expr:
    """A sum in the order in which SymPy prints it, with a - b for a + (-b)."""
    result: Expr | None = None
    for term in node.as_ordered_terms():
        negative = term.could_extract_minus_sign()
        part = made.get(-term) if negative and -term in made else _converted(-term if negative else term, made)
        assert part is not None
        if result is None:
            result = _negated(part) if negative else part
        else:
            result = call(op.SUB if negative else op.ADD, result, part)
    assert result is not None
    return result


def _converted(node: Any, made: Mapping[Any, Expr]) -> Expr:
    return made[node] if node in made else from_sympy(node)


def _product(node: Any, made: Mapping[Any, Expr]) -> Expr:
    """A product as sign * numerator / denominator."""
    numerator, denominator = sympy.fraction(node, exact=True)
    if denominator != 1 and numerator != node:
        negative = numerator.could_extract_minus_sign()
        top = _converted(-numerator if negative else numerator, made)
        return call(op.DIV, _negated(top) if negative else top, _converted(denominator, made))
    result: Expr | None = None
    factors = list(node.as_ordered_factors())
    negative = factors[0] == -1
    for factor in factors[1:] if negative else factors:
        part = _converted(factor, made)
        result = part if result is None else call(op.MUL, result, part)
    assert result is not None
    return _negated(result) if negative else result


def _negated(product: Expr) -> Expr:
    """-(2*x/y) with the sign where people write it: -2*x/y."""
    match product:
        case Call(function=(op.MUL | op.DIV) as function, args=(first, second)):
            return call(function, _negated(first), second)
    return call(op.NEG, product)


def _piecewise(node: Any, made: Mapping[Any, Expr]) -> Expr:
    *pairs, (last, condition) = node.args
    if condition != sympy.true:
        raise NoClosedForm("SymPy's answer has a gap")
    result = _converted(last, made)
    for value, test in reversed(pairs):
        result = call(op.WHERE, _converted(test, made), _converted(value, made), result)
    return result
