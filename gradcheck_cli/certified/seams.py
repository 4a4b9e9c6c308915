"""Where may a derivative fail to exist? The comparisons and seams that a program goes through, and those at a tie."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from flint import arb

from gradcheck_cli.certified.ball import Truth, Value, seam_value
from gradcheck_cli.differentiation.rules import formula_program
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Named, Variable, topological
from gradcheck_cli.expression.program import Program


class Gap(NamedTuple):
    """What is zero where node i is tied: a seam of its row, or the difference of the sides of a comparison ("")."""

    node: int
    seam: str


class Seams:
    """The places of a program where a derivative of `root` may fail to exist: comparisons and rows with seams.

    What is decided whatever the values, as x >= x and max(x, x) are, is none.
    """

    def __init__(self, program: Program, root: int) -> None:
        self.program, self.root = program, root
        self.gaps = [
            Gap(i, seam) for i, node in enumerate(program.nodes) if isinstance(node, Call) for seam in _seams(node)
        ]
        if self.gaps:
            reached = program.live([None] * len(program.nodes), root)
            self.gaps = [gap for gap in self.gaps if gap.node in reached]
        self._names: dict[Gap, frozenset[str]] = {}
        self._found: tuple[Sequence[Value], dict[Gap, Truth]] | None = None

    def ties(self, values: Sequence[Value], name: str) -> Truth:
        """True: a live branch that depends on `name` is decided at a tie; False: none is; None: undecided at this
        precision."""
        if not self.gaps:
            return False
        found = [truth for gap, truth in self._at(values).items() if name in self._names_below(gap)]
        return True if True in found else None if found else False

    def tied_by(self, values: Sequence[Value], name: str) -> frozenset[str]:
        """All that the live branches depend on that depend on `name` and are decided at a tie, or undecided."""
        below = [names for gap in self._at(values) if name in (names := self._names_below(gap))] if self.gaps else []
        return frozenset().union(*below)

    def candidates_by(self, name: str) -> list[int]:
        """The nodes that may be tied and depend on a variable or named result."""
        return list(dict.fromkeys(gap.node for gap in self.gaps if name in self._names_below(gap)))

    def tied(self, values: Sequence[Value]) -> list[Call]:
        """The nodes that are decided at a tie."""
        tied = dict.fromkeys(gap.node for gap, truth in self._at(values).items() if truth)
        return [node for i in tied if isinstance(node := self.program.nodes[i], Call)]

    def _at(self, values: Sequence[Value]) -> dict[Gap, Truth]:
        """The live gaps that are zero (True) or undecided (None). The last answer is kept: rows share it."""
        if self._found is None or self._found[0] is not values:
            live = self.program.live(values, self.root)
            states = {gap: self._state(values, gap) for gap in self.gaps if gap.node in live}
            self._found = values, {gap: state for gap, state in states.items() if state is not False}
        return self._found[1]

    def _state(self, values: Sequence[Value], gap: Gap) -> Truth:
        node = self.program.nodes[gap.node]
        assert isinstance(node, Call)
        args = [values[j] for j in self.program.args[gap.node]]
        balls = [arg for arg in args if isinstance(arg, arb)]
        if len(balls) < len(args):
            return False
        width = seam_value(node.function, gap.seam, balls) if gap.seam else balls[0] - balls[1]
        if not isinstance(width, arb):
            return None
        if width.is_zero():
            return True
        return None if width.contains(0) or not width.is_finite() else False

    def _names_below(self, gap: Gap) -> frozenset[str]:
        """The variables and named results that a gap depends on."""
        if gap not in self._names:
            node = self.program.nodes[gap.node]
            assert isinstance(node, Call)
            args = [node.args[i] for i in _used(node.function, gap.seam)] if gap.seam else node.args
            self._names[gap] = frozenset(n.name for n in topological(*args) if isinstance(n, Variable | Named))
        return self._names[gap]


def _seams(node: Call) -> Sequence[str]:
    """The seams of a call, without those that are zero whatever the values."""
    if node.function.is_comparison:
        return () if node.args[0] is node.args[1] else ("",)
    row = node.function
    if not row.seams or len(set(node.args)) == len(node.args):
        return row.seams
    pattern = tuple(map(node.args.index, node.args))
    return [seam for seam in row.seams if not _always_zero(row, seam, pattern)]


@cache
def _always_zero(row: Function, seam: str, pattern: tuple[int, ...]) -> bool:
    """Whether a seam is zero wherever the i-th argument equals the one at pattern[i], as x - y is for x = y."""
    for sign in (1, -1):
        args = [arb(sign * (i + 1) + 0.3) for i in pattern]
        value = seam_value(row, seam, args)
        if not (isinstance(value, arb) and value.contains(0)):
            return False
    return True


@cache
def _used(row: Function, seam: str) -> tuple[int, ...]:
    """The places of the arguments that occur in a seam."""
    names = {node.name for node in formula_program(seam).nodes if isinstance(node, Variable)}
    return tuple(i for i, argument in enumerate(row.arguments) if argument.name in names)
