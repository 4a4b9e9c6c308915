"""The expression: a hash-consed DAG of constants, variables, named intermediate results and calls.

A node is built by `constant`, `variable`, `named` or `call`; equal nodes are the same object, so `is` compares whole
expressions and a walk that remembers nodes is linear in the size of the DAG. Nodes carry no behaviour: every
interpretation (symbolic, ball, torch, text) lives in a module of its own.

A call holds the row of its function, which need not be one of the table. Conditions are calls too (of a row whose
`is_condition`); they occur only as the first argument of a branch, and inside one another.
"""

from __future__ import annotations

import itertools
import weakref
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeVar

from gradcheck_cli.expression.function import Function

NAMED_CONSTANTS = ("pi", "e", "tau")
FUNCTION_NAMES = ("f", "g", "h", "F", "G")
"""What the function is called where its text does not say: the first that is free."""


def free_name(taken: Collection[str]) -> str:
    """A name for the function."""
    return next(
        name for name in itertools.chain(FUNCTION_NAMES, map("f{}".format, itertools.count(1))) if name not in taken
    )


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
    """A function applied: one of the table, an operator, a branch or a condition."""

    function: Function
    args: tuple[Expr, ...]


Expr = Constant | Variable | Named | Call
E = TypeVar("E", Constant, Variable, Named, Call)


class _Reference(weakref.ref[Expr]):
    """To a node, with its key. A WeakValueDictionary does the same, and takes three times as long."""

    __slots__ = ("key",)
    key: tuple[object, ...]


_interned: dict[tuple[object, ...], _Reference] = {}
_dead: deque[_Reference] = deque()
"""References to forget. Nodes die in any thread, and only one that is in a check (see one_at_a_time) may do that."""


def _known(key: tuple[object, ...]) -> Any:
    """The node that has this key, or None."""
    reference = _interned.get(key)
    return None if reference is None else reference()


def _remember(key: tuple[object, ...], node: E) -> E:
    while _dead:
        dead = _dead.popleft()
        if _interned.get(dead.key) is dead:
            del _interned[dead.key]
    reference = _interned[key] = _Reference(node, _dead.append)
    reference.key = key
    return node


def constant(value: Fraction | int | str, *, exact: bool = False) -> Constant:
    """The node of a number or of a constant's name. exact: see Constant."""
    # A Fraction's own hash and comparison are slow.
    key = (Constant, value, exact) if isinstance(value, str) else (Constant, *value.as_integer_ratio(), exact)
    node: Constant | None = _known(key)
    stored = Fraction(value) if isinstance(value, int) else value
    return _remember(key, Constant(stored, exact)) if node is None else node


def variable(name: str) -> Variable:
    key = Variable, name
    node: Variable | None = _known(key)
    return _remember(key, Variable(name)) if node is None else node


def named(name: str, value: Expr) -> Named:
    key = Named, name, value
    node: Named | None = _known(key)
    return _remember(key, Named(name, value)) if node is None else node


def call(function: Function, *args: Expr) -> Call:
    key = Call, function, args
    node: Call | None = _known(key)
    return _remember(key, Call(function, args)) if node is None else node


def children(node: Expr) -> tuple[Expr, ...]:
    if isinstance(node, Call):
        return node.args
    return (node.value,) if isinstance(node, Named) else ()


@lru_cache(maxsize=32)  # one expression is walked by all that read it, each with the same result
def topological(*roots: Expr) -> tuple[Expr, ...]:
    """Every node that the roots reach, once, children before parents. Iterative: depth is no limit."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    waiting: list[Expr] = []  # for their children
    stack: list[Expr | None] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node is None:  # what was above is done: the last of those that wait is complete
            order.append(waiting.pop())
        elif node not in seen:
            seen.add(node)
            if below := children(node):
                waiting.append(node)
                stack.append(None)
                stack.extend(below[::-1])
            else:
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
        if isinstance(node, Call):
            if not dependent.isdisjoint(node.args):
                dependent.add(node)
        elif not isinstance(node, Constant) and (node.name in wanted or not dependent.isdisjoint(children(node))):
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


def unshared(root: Expr, limit: int) -> Expr:
    """A copy in which what was typed twice is there twice, as Python would run it; only a named result is one.

    Its calls are nodes of their own, and equal ones are not the same object. `root` itself where nothing is shared, or
    where the copy would have more than `limit` nodes.
    """
    order = topological(root)
    uses = Counter(child for node in order for child in children(node) if isinstance(child, Call))
    if not any(count > 1 for count in uses.values()):
        return root
    sizes: dict[Expr, int] = {}
    for node in order:
        sizes[node] = 1 + (sum(sizes[arg] for arg in node.args) if isinstance(node, Call) else 0)
    if sum(sizes[node.value] for node in order if isinstance(node, Named)) + sizes[root] > limit:
        return root
    names: dict[Expr, Expr] = {}
    done: list[Expr] = []
    stack: list[tuple[Expr, bool]] = [(root, False)]
    while stack:
        node, visited = stack.pop()
        below = children(node)
        if node in names or not below:
            done.append(names.get(node, node))
        elif not visited:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(below))
        elif isinstance(node, Call):
            args = tuple(done[-len(below) :])
            del done[-len(below) :]
            done.append(Call(node.function, args))
        elif isinstance(node, Named):
            names[node] = Named(node.name, done.pop())
            done.append(names[node])
    return done[0]
