"""What the selections of a tape took, and whether they take the same beside the point.

An element that a maximum or a `where` certainly took is the same number all around the point: comparisons of the two
are decided there, and derivatives go straight through. A comparison of equal numbers holds at the point and may not
beside it: it is loose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.certified.float_filter.kernels import WIDER
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.tape import Instruction, Tape

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
LOGICAL = frozenset({"and", "or", "not"})
LARGEST, SMALLEST = frozenset({"maximum", "fmax", "clamp_min"}), frozenset({"minimum", "fmin", "clamp_max"})
STEPS = frozenset({"floor", "ceil", "trunc", "round", "sign"})
"""Functions that jump from one number to the next."""
DEPTH = 20
"""Operations that are looked into."""
PICKS = LARGEST | SMALLEST | {"relu", "abs", "clamp", "mul"}
"""Functions that may give back one of their arguments, or a number: a product with a constant 0 is 0."""


class Choices:
    """value, radius: by element, as they become known. same: by element, the one that it equals all around the point
    (itself where no other is known); loose: whether it may jump beside the point."""

    def __init__(self, tape: Tape, value: Floats, radius: Floats) -> None:
        self.tape, self.value, self.radius = tape, value, radius
        self.same: Elements = np.arange(tape.size)
        self.loose = np.zeros(tape.size, bool)
        self._any_loose = False
        self._sources: Elements | None = None
        """Of what is held constant, what it is the number of."""

    def equal(self, a: Elements, b: Elements) -> Bools:
        """Whether they are the same number all around the point."""
        equal: Bools = self._identity(a) == self._identity(b)
        return equal

    def _identity(self, elements: Elements) -> Elements:
        elements = self.same[elements]
        return elements if self._sources is None else self.same[self._sources[elements]]

    def hold(self, instruction: Instruction) -> None:
        if self._sources is None:
            self._sources = np.arange(self.tape.size)
        self._sources[instruction.elements] = instruction.args[0]

    def follow(self, instruction: Instruction) -> None:
        """What is made of something loose is loose."""
        if not self._any_loose or instruction.function == "where" or instruction.function in LOGICAL:
            return
        for arg in instruction.args:
            loose = self.loose[arg]
            if loose.any():
                self._loosen(instruction, True if arg.ndim == 3 else loose.any(axis=1) if arg.ndim == 2 else loose)

    def compared(self, instruction: Instruction) -> tuple[Bools, Bools]:
        """(what a comparison gives, whether that is known). Loose where it is known of the point alone."""
        a, b = instruction.args
        x, y = self.value[a], self.value[b]
        reach = self.radius[a] + self.radius[b]
        equal, apart = self.equal(a, b), np.abs(x - y) > WIDER * reach
        same = equal & ~np.isnan(x)  # x != x is how NaN is found
        truth = COMPARE[instruction.function](np.where(same, 0.0, x), np.where(same, 0.0, y))
        loose = ~(apart | equal) & (self.tape.depends[a] | self.tape.depends[b])
        if loose.any():
            loose[loose] = ~np.logical_and(*(self.steady(np.broadcast_to(x, loose.shape)[loose]) for x in (a, b)))
        self._loosen(instruction, loose)
        return truth, apart | equal | (reach == 0)

    def combined(self, instruction: Instruction) -> tuple[Bools, Bools]:
        """The same of `and`, `or` and `not`."""
        parts = [(self.value[arg] != 0, self.radius[arg] == 0, ~self.loose[arg]) for arg in instruction.args]
        if instruction.function == "not":
            ((truth, known, firm),) = parts
            self._loosen(instruction, ~firm)
            return ~truth, known
        (a, a_known, a_firm), (b, b_known, b_firm) = parts
        decisive = instruction.function == "or"  # what one of the two decides alone
        truth = a | b if decisive else a & b
        known, firm = (
            (x & y) | (x & (a == decisive)) | (y & (b == decisive)) for x, y in ((a_known, b_known), (a_firm, b_firm))
        )
        self._loosen(instruction, ~firm)
        return truth, known

    def chosen(self, instruction: Instruction) -> None:
        """Of `where`: the branch that is taken."""
        condition, a, b = instruction.args
        truth, firm = self.firm(condition)
        taken = np.where(truth, a, b)
        here = instruction.elements
        self.same[here] = np.where(firm, self.same[taken], np.arange(here.start, here.stop))
        if self._any_loose:
            self._loosen(instruction, ~firm | self.loose[taken])

    def firm(self, condition: Elements) -> tuple[Bools, Bools]:
        """(what conditions are, whether they are so all around the point)."""
        return self.value[condition] != 0, (self.radius[condition] == 0) & ~self.loose[condition]

    def picked(self, instruction: Instruction) -> None:
        """Of a function of PICKS: the argument that it gives back."""
        name, args = instruction.function, instruction.args
        found = np.arange(instruction.start, instruction.stop)
        if name in LARGEST or name in SMALLEST:
            a, b = args if name in LARGEST else args[::-1]
            found = np.where(self._above(a, b), self.same[args[0]], found)
            found = np.where(self._above(b, a), self.same[args[1]], found)
            found = np.where(self.equal(a, b), self.same[a], found)
        elif name == "mul":
            for one, other in (args, args[::-1]):
                zero = (self.value[one] == 0) & self.tape.fixed[one]
                if zero.any():
                    found = np.where(zero & np.isfinite(self.value[other] + self.radius[other]), 0, found)
        elif name == "clamp":
            x, low, high = args
            found = np.where(self._above(x, low) & self._above(high, x), self.same[x], found)
            found = np.where(self._above(low, x) & self._above(high, low), self.same[low], found)
            found = np.where(self._above(x, high), self.same[high], found)
        else:
            (x,) = args
            nothing = np.zeros(1, np.int64)
            found = np.where(self._above(x, nothing), self.same[x], found)
            if name == "relu":
                found = np.where(self._above(nothing, x), nothing, found)
        self.same[instruction.elements] = found

    def _above(self, a: Elements, b: Elements) -> Bools:
        above: Bools = self.value[a] - self.value[b] > WIDER * (self.radius[a] + self.radius[b])
        return above

    def steady(self, elements: Elements, depth: int = 0) -> Bools:
        """Whether they are the same number all around the point: what was rounded to a whole number, and what is made
        of nothing else."""
        elements = self.same[elements]
        found: Bools = ~self.tape.depends[elements]
        if depth > DEPTH or found.all():
            return found
        places = self.tape.places_of(elements)
        for place in np.unique(places[~found]).tolist():
            instruction = self.tape.instructions[place]
            here = (places == place) & ~found
            rows = elements[here] - instruction.start
            found[here] = self._is_steady(instruction, rows, depth + 1)
        return found

    def _is_steady(self, instruction: Instruction, rows: Elements, depth: int) -> Bools:
        name = instruction.function
        if name == "input" or name not in FUNCTIONS:
            return np.zeros(len(rows), np.bool_)
        args = [arg if len(arg) == 1 else arg[rows] for arg in instruction.args]
        still = np.ones(len(rows), np.bool_)
        for arg in args:
            still = still & self.steady(arg, depth)
        return still | self._is_beside_a_step(name, args[0]) if name in STEPS else still

    def _is_beside_a_step(self, name: str, elements: Elements) -> Bools:
        x = self.value[elements]
        off = np.abs(x) if name == "sign" else np.abs(x - np.rint(x))
        off = 0.5 - off if name == "round" else off
        beside: Bools = off > WIDER * self.radius[elements]
        return beside

    def stepped(self, instruction: Instruction) -> None:
        """Of a function of STEPS: where it is at one, it may jump."""
        (x,) = instruction.args
        loose = ~self._is_beside_a_step(instruction.function, x)
        if loose.any():
            loose[loose] = ~self.steady(np.broadcast_to(x, loose.shape)[loose])
            self._loosen(instruction, loose)

    def rests_on(self, instruction: Instruction, index: int) -> Bools:
        """By element of a function of PICKS: whether it rests on its index-th argument all around the point."""
        taken, arg = self.same[instruction.elements], self.same[instruction.args[index]]
        rests: Bools = (taken == np.arange(instruction.start, instruction.stop)) | (taken == arg)
        return rests

    def largest(self, instruction: Instruction) -> None:
        """Of an n-ary max or min: the winner, where it has no rival."""
        best, rivals = self.rivals(instruction)
        winner = instruction.args[0][np.arange(len(best)), best]
        alone = ~rivals.any(axis=1)
        here = instruction.elements
        self.same[here] = np.where(alone, self.same[winner], np.arange(here.start, here.stop))

    def rivals(self, instruction: Instruction) -> tuple[NDArray[np.intp], Bools]:
        """(by row of an n-ary max or min, the place of the winner; by row and place, the others that may be as
        large)."""
        return self.rivals_of(instruction.function, instruction.args[0])

    def rivals_of(self, function: str, rows: Elements) -> tuple[NDArray[np.intp], Bools]:
        x = self.value[rows] if function == "max" else -self.value[rows]
        reach, every = self.radius[rows], np.arange(len(rows))
        best = x.argmax(axis=1)
        rivals = x + reach * WIDER >= (x[every, best] - reach[every, best] * WIDER)[:, None]
        return best, rivals & ~self.equal(rows, rows[every, best][:, None])

    def _loosen(self, instruction: Instruction, loose: Any) -> None:
        if np.any(loose):
            self._any_loose = True
            self.loose[instruction.elements] |= loose
