"""The derivative of a tape as more of the tape: the chain rule in reverse order, written down as instructions.

The rule of each function is the formula of its row, as for expressions. Applied to its own result it gives derivatives
of any order, which are exact in the same sense as the tape.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.differentiation import rules
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import Call, Constant, Variable
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.formulas import real_arguments
from gradcheck_cli.tape.rows import CONDITIONS
from gradcheck_cli.tape.tape import SOURCES, Instruction, Tape
from gradcheck_cli.tape.values import Values

EXACT = 2**53
"""Up to here a whole number is a float."""


def gradient(tape: Tape, outputs: Elements, cotangents: Elements) -> Elements:
    """The elements of the derivative of sum(cotangents * outputs) by all inputs that the tape has so far, one after
    the other. Raises NoReference where a function on the way has no known derivative by one of its arguments."""
    return _Gradient(tape).run(outputs.reshape(-1), cotangents.reshape(-1))


class _Gradient:
    def __init__(self, tape: Tape) -> None:
        self.tape, self.variables = tape, tape.variables
        self.instructions = list(tape.instructions)
        self.starts = np.array([instruction.start for instruction in self.instructions])
        self.winners = Values(tape)
        self.waiting: dict[int, list[tuple[Elements, Elements]]] = {}

    def run(self, outputs: Elements, cotangents: Elements) -> Elements:
        self._wait(outputs, cotangents)
        before = self.tape.origin, self.tape.dtype
        result = np.zeros(self.tape.size, np.int64)  # element 0 is the number 0
        for place in range(len(self.instructions) - 1, -1, -1):
            parts = self.waiting.pop(place, None)
            if parts is None:
                continue
            instruction = self.instructions[place]
            self.tape.origin, self.tape.dtype = instruction.origin, instruction.dtype
            elements, adjoint = self._gathered(parts)
            if instruction.function == "input":
                result[elements] = adjoint
            elif instruction.function not in SOURCES and instruction.function != "held":
                self._back(instruction, elements - instruction.start, adjoint)
        self.tape.origin, self.tape.dtype = before
        return result[self.variables]

    def _wait(self, targets: Elements, contributions: Elements) -> None:
        """Keep contributions until the instruction that made their targets is reached."""
        moving = self.tape.depends[targets] & (contributions != 0)
        targets, contributions = targets[moving], contributions[moving]
        places = np.searchsorted(self.starts, targets, side="right") - 1
        for place in np.unique(places).tolist():
            here = places == place
            self.waiting.setdefault(place, []).append((targets[here], contributions[here]))

    def _gathered(self, parts: Sequence[tuple[Elements, Elements]]) -> tuple[Elements, Elements]:
        """(each element once, the sum of its contributions)."""
        targets = np.concatenate([part[0] for part in parts])
        contributions = np.concatenate([part[1] for part in parts])
        order = np.argsort(targets, kind="stable")
        elements, firsts, sizes = np.unique(targets[order], return_index=True, return_counts=True)
        contributions = contributions[order]
        sums = np.zeros(len(elements), np.int64)
        for size in np.unique(sizes).tolist():
            chosen = sizes == size
            sums[chosen] = self.tape.reduce("sum", contributions[firsts[chosen][:, None] + np.arange(size)])
        return elements, sums

    def _back(self, instruction: Instruction, rows: NDArray[np.int64], adjoint: Elements) -> None:
        match instruction.function:
            case "sum":
                terms = instruction.args[0][rows]
                self._wait(terms.reshape(-1), np.broadcast_to(adjoint[:, None], terms.shape).reshape(-1))
            case "prod":
                self._prod(instruction.args[0][rows], adjoint)
            case "max" | "min":
                self._largest(instruction, rows, adjoint)
            case "dot":
                self._dot(instruction, rows, adjoint)
            case "where":
                chosen, a, b = (_rows(arg, rows) for arg in instruction.args)
                nothing = np.zeros(1, np.int64)
                self._wait(_full(a, adjoint), self.tape.call("where", chosen, adjoint, nothing))
                self._wait(_full(b, adjoint), self.tape.call("where", chosen, nothing, adjoint))
            case function if function not in CONDITIONS:
                args = [_rows(arg, rows) for arg in instruction.args]
                for index in real_arguments(function):
                    if self.tape.depends[args[index]].any():
                        self._wait(_full(args[index], adjoint), self._times(function, index, args, adjoint))

    def _times(self, function: str, index: int, args: Sequence[Elements], adjoint: Elements) -> Elements:
        """The adjoint times the local derivative."""
        row = FUNCTIONS[function]
        text = rules.partial_text(row, index)
        if not text:
            raise NoReference(
                f"the derivative of {row.usage()} by {row.arguments[index].name} has no known closed form"
            )
        match text:
            case "0":
                return np.zeros(len(adjoint), np.int64)
            case "1":
                return adjoint
            case "-1":
                return self.tape.call("neg", adjoint)
        names = [argument.name for argument in row.arguments]
        slope = self._formula(text, dict(zip(names, args, strict=True)))
        return self.tape.call("mul", adjoint, slope)

    def _formula(self, text: str, given: dict[str, Elements]) -> Elements:
        program = rules.formula_program(text)
        made: list[Elements] = []
        for node, places in zip(program.nodes, program.args, strict=True):
            match node:
                case Constant(value=value):
                    made.append(self._constant(value))
                case Variable(name=name):
                    made.append(given[name])
                case Call(function=row) if row in (op.TRUE, op.FALSE):
                    made.append(np.full(1, self.tape.constant(float(row is op.TRUE))))
                case Call(function=row):
                    name = "where" if row.is_branch else row.name
                    made.append(self.tape.call(name, *[made[i] for i in places]))
        return made[program.roots[0]]

    def _constant(self, value: Fraction | str) -> Elements:
        """A number of a formula, exactly: pi is 4 atan(1), a fraction a quotient."""
        if isinstance(value, str):
            one = np.full(1, self.tape.constant(1.0))
            if value == "e":
                return self.tape.call("exp", one)
            quarter = self.tape.call("atan", one)
            return self.tape.call("mul", quarter, np.full(1, self.tape.constant(8.0 if value == "tau" else 4.0)))
        if Fraction(float(value)) == value:
            return np.full(1, self.tape.constant(float(value)))
        return self.tape.call("div", self._whole(value.numerator), self._whole(value.denominator))

    def _whole(self, value: int) -> Elements:
        """A whole number of any size, by its digits to the base 2**53."""
        if abs(value) <= EXACT:
            return np.full(1, self.tape.constant(float(value)))
        high, low = divmod(value, EXACT)
        base = np.full(1, self.tape.constant(float(EXACT)))
        return self.tape.call("add", self.tape.call("mul", self._whole(high), base), self._whole(low))

    def _prod(self, terms: Elements, adjoint: Elements) -> None:
        width = terms.shape[1]
        before, after = [adjoint], [np.full(len(adjoint), self.tape.constant(1.0))]
        for k in range(width - 1):
            before.append(self.tape.call("mul", before[-1], terms[:, k]))
            after.append(self.tape.call("mul", after[-1], terms[:, width - 1 - k]))
        for k in range(width):
            self._wait(terms[:, k], self.tape.call("mul", before[k], after[width - 1 - k]))

    def _largest(self, instruction: Instruction, rows: NDArray[np.int64], adjoint: Elements) -> None:
        """To the winner alone, where it beats the best of the others; a tie shows itself in that comparison."""
        terms = instruction.args[0][rows]
        numbers = self.winners.value[terms]
        best = numbers.argmax(axis=1) if instruction.function == "max" else numbers.argmin(axis=1)
        every = np.arange(len(terms))
        winner = terms[every, best]
        rival = np.where(terms == winner[:, None], -1, terms)
        alone: NDArray[np.bool_] = np.all(rival < 0, axis=1)
        some = np.take_along_axis(rival, np.argmax(rival >= 0, axis=1)[:, None], axis=1)
        rivals = self.tape.reduce(
            instruction.function, np.where(rival < 0, np.where(alone[:, None], winner[:, None], some), rival)
        )
        wins = self.tape.call("gt" if instruction.function == "max" else "lt", winner, rivals)
        passed = self.tape.call("where", wins, adjoint, np.zeros(1, np.int64))
        self._wait(winner, np.where(alone, adjoint, passed))

    def _dot(self, instruction: Instruction, rows: NDArray[np.int64], adjoint: Elements) -> None:
        a, b = instruction.args
        flat = np.zeros(instruction.stop - instruction.start, np.int64)
        flat[rows] = adjoint
        cotangent: Elements = flat.reshape(len(a), a.shape[1], b.shape[1])
        if self.tape.depends[a].any():
            self._wait(a.reshape(-1), self.tape.dot(cotangent, b.swapaxes(1, 2)).reshape(-1))
        if self.tape.depends[b].any():
            self._wait(b.reshape(-1), self.tape.dot(cotangent.swapaxes(1, 2), a.swapaxes(1, 2)).reshape(-1))


def _rows(arg: Elements, rows: NDArray[np.int64]) -> Elements:
    return arg if len(arg) == 1 else arg[rows]


def _full(arg: Elements, adjoint: Elements) -> Elements:
    return np.broadcast_to(arg, adjoint.shape)
