"""The expression: a hash-consed DAG of constants, variables, named intermediate results and calls.

A node is built by `constant`, `variable`, `named` or `call`; equal nodes are the same object, so `is` compares whole
expressions and a walk that remembers nodes is linear in the size of the DAG. Nodes carry no behaviour: every
interpretation (symbolic, ball, torch, text) lives in a module of its own.

Conditions are calls too, of the names in `CONDITIONS`; they occur only as the first argument of `where` (both branches
are run, as torch does) and `ifelse` (only the branch taken is run, as Python does), and inside one another.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
CONDITIONS = frozenset(COMPARISONS) | {"and", "or", "not", "true", "false"}
BRANCHES = frozenset({"where", "ifelse"})
NAMED_CONSTANTS = ("pi", "e", "tau")


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Constant:
    """A number (a Fraction) or one of NAMED_CONSTANTS (a str).

    exact is False for what a user typed: in the verdict of a row it is rounded to the working dtype, once, as torch
    does. It is True for numbers that belong to a rule of differentiation: those are never rounded.
    """

    value: Fraction | str
    exact: bool


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Variable:
    name: str


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Named:
    """An intermediate result that the user named (`--let "y = x*x"`): the identity, but one can differentiate by it."""

    name: str
    value: Expr


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Call:
    """A function of the table, an operator (`add sub mul div pow neg`), a branch or a condition, applied."""

    function: str
    args: tuple[Expr, ...]


Expr = Constant | Variable | Named | Call

_interned: weakref.WeakValueDictionary[tuple[object, ...], Expr] = weakref.WeakValueDictionary()


def _intern(key: tuple[object, ...], make: Callable[[], Expr]) -> Expr:
    node = _interned.get(key)
    if node is None:
        node = _interned[key] = make()
    return node


def constant(value: Fraction | int | str, *, exact: bool = False) -> Constant:
    """The node of a number or of a constant's name. exact: see Constant."""
    stored = Fraction(value) if isinstance(value, int) else value
    node = _intern((Constant, stored, exact), lambda: Constant(stored, exact))
    assert isinstance(node, Constant)
    return node


def variable(name: str) -> Variable:
    node = _intern((Variable, name), lambda: Variable(name))
    assert isinstance(node, Variable)
    return node


def named(name: str, value: Expr) -> Named:
    node = _intern((Named, name, value), lambda: Named(name, value))
    assert isinstance(node, Named)
    return node


def call(function: str, *args: Expr) -> Call:
    node = _intern((Call, function, args), lambda: Call(function, args))
    assert isinstance(node, Call)
    return node


def children(node: Expr) -> tuple[Expr, ...]:
    if isinstance(node, Call):
        return node.args
    return (node.value,) if isinstance(node, Named) else ()


@lru_cache(maxsize=32)  # one expression is walked by all that read it, each with the same result
def topological(*roots: Expr) -> tuple[Expr, ...]:
    """Every node that the roots reach, once, children before parents. Iterative: depth is no limit."""
    order: list[Expr] = []
    done: set[Expr] = set()
    stack = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node in done:
            continue
        if isinstance(node, Call):
            below: tuple[Expr, ...] = node.args
        else:
            below = (node.value,) if isinstance(node, Named) else ()
        for child in below:
            if child not in done:
                stack.append(node)
                stack.extend(below[::-1])
                break
        else:
            done.add(node)
            order.append(node)
    return tuple(order)


def count(root: Expr, counted: set[Expr]) -> None:
    """Add the nodes that `root` reaches to `counted`. What is in there is not walked again."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in counted:
            counted.add(node)
            stack.extend(children(node))


def variables(*roots: Expr) -> tuple[str, ...]:
    """The names of the variables, in order of first appearance."""
    return tuple(node.name for node in topological(*roots) if isinstance(node, Variable))


def intermediates(root: Expr) -> tuple[str, ...]:
    """The names of the named intermediate results, innermost first."""
    return tuple(node.name for node in topological(root) if isinstance(node, Named))


def depends_on(nodes: Iterable[Expr], names: Iterable[str]) -> set[Expr]:
    """Those of `nodes` (children first) that depend on a variable or named result in `names`."""
    wanted, dependent = set(names), set[Expr]()
    for node in nodes:
        if getattr(node, "name", None) in wanted or any(child in dependent for child in children(node)):
            dependent.add(node)
    return dependent


def rebuild(root: Expr, replace: Callable[[Expr, tuple[Expr, ...]], Expr | None]) -> Expr:
    """A copy of `root`, bottom up: `replace(node, new_children)` gives the new node, or None to keep its kind."""
    new: dict[Expr, Expr] = {}
    for node in topological(root):
        args = tuple(new[child] for child in children(node))
        replacement = replace(node, args)
        if replacement is None:
            match node:
                case Call(function=function):
                    replacement = call(function, *args)
                case Named(name=name):
                    replacement = named(name, args[0])
                case _:
                    replacement = node
        new[node] = replacement
    return new[root]


def substitute(root: Expr, values: Mapping[str, Expr]) -> Expr:
    """`root` with its variables replaced."""
    return rebuild(root, lambda node, _: values.get(node.name) if isinstance(node, Variable) else None)
