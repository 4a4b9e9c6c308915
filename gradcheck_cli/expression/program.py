"""Expressions laid out for evaluation, in any arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeVar

from gradcheck_cli.expression.function import Role
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, Variable, children, topological

V = TypeVar("V")
Kind = Role | Literal["constant", "variable", "named"]


class Arithmetic(Protocol[V]):
    """What numbers and conditions are: for each kind of node a method, from the values of its arguments to its own."""

    def constant(self, node: Constant) -> V: ...

    def variable(self, node: Variable) -> V: ...

    def named(self, node: Named, value: V) -> V: ...

    def apply(self, node: Call, args: Sequence[V]) -> V:
        """A function."""

    def select(self, node: Call, condition: V, a: V, b: V) -> V:
        """A branch."""

    def compare(self, node: Call, a: V, b: V) -> V:
        """A comparison."""

    def join(self, node: Call, args: Sequence[V]) -> V:
        """And, or, not; true and false."""


class Program:
    """Expressions laid out for evaluation: nodes in topological order, each with the indices of its arguments."""

    def __init__(self, *roots: Expr) -> None:
        self.nodes = topological(*roots)
        self.index = {node: i for i, node in enumerate(self.nodes)}
        self.args = [tuple([self.index[child] for child in children(node)]) for node in self.nodes]
        self.kinds = [_kind(node) for node in self.nodes]
        self.roots = [self.index[root] for root in roots]

    def run(self, arithmetic: Arithmetic[V]) -> list[V]:
        """A value for every node."""
        apply = arithmetic.apply
        values: list[V] = []
        node: Any  # of the kind said
        for node, kind, args in zip(self.nodes, self.kinds, self.args, strict=True):
            match kind:
                case "function":
                    value = apply(node, [values[i] for i in args])
                case "constant":
                    value = arithmetic.constant(node)
                case "variable":
                    value = arithmetic.variable(node)
                case "named":
                    value = arithmetic.named(node, values[args[0]])
                case "comparison":
                    value = arithmetic.compare(node, *[values[i] for i in args])
                case "branch":
                    value = arithmetic.select(node, *[values[i] for i in args])
                case "junction":
                    value = arithmetic.join(node, [values[i] for i in args])
            values.append(value)
        return values

    def live(self, values: Sequence[object], root: int) -> set[int]:
        """The nodes that the value of `root` rests on: the branches not taken are left out."""
        reached, stack = {root}, [root]
        while stack:
            i = stack.pop()
            for j in self.taken(values, i):
                if j not in reached:
                    reached.add(j)
                    stack.append(j)
        return reached

    def taken(self, values: Sequence[object], i: int) -> tuple[int, ...]:
        """The arguments of node i that were used: of a branch that is decided, the condition and one more."""
        node, args = self.nodes[i], self.args[i]
        if isinstance(node, Call) and node.function.is_branch:
            condition = values[args[0]]
            if condition is True:
                return args[:2]
            if condition is False:
                return (args[0], args[2])
        return args


def _kind(node: Expr) -> Kind:
    match node:
        case Call(function=function):
            return function.role
        case Constant():
            return "constant"
        case Variable():
            return "variable"
        case Named():
            return "named"
