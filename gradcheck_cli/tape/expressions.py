"""Expressions of the product for single elements of a tape: made for what float64 does not settle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Expr, call, constant, variable
from gradcheck_cli.tape.rows import ROWS
from gradcheck_cli.tape.tape import REDUCTIONS, Instruction, Tape

HELD = "'"
"""What is appended to the name of a variable inside of what is held constant: the same number, another variable."""
CHOICES = {"where": 1, "and": 2, "or": 2, "not": 1}
"""Functions whose first arguments are conditions, and how many."""


class Expressions:
    """The expressions of a tape, shared by all that are asked for."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._made: dict[tuple[int, bool], Expr] = {}
        self._names = {
            int(e): given.label(k) for given in tape.inputs for k, e in enumerate(given.elements.reshape(-1))
        }

    @property
    def point(self) -> Mapping[str, float]:
        """The numbers of all variables, also of those that are held."""
        numbers = {name: float(self.tape.numbers[e]) for e, name in self._names.items()}
        return numbers | {name + HELD: number for name, number in numbers.items()}

    def name(self, element: int) -> str:
        return self._names[element]

    def of(self, element: int) -> Expr:
        """The expression of an element. Raises NoReference where an infinite constant is a part of it."""
        root = int(element), False
        stack = [root]
        while stack:
            key = stack[-1]
            if key in self._made:
                stack.pop()
                continue
            missing = self._missing(key)
            if missing:
                stack.extend(missing)
            else:
                self._made[key] = self._make(key)
                stack.pop()
        return self._made[root]

    def _missing(self, key: tuple[int, bool]) -> list[tuple[int, bool]]:
        element, held = key
        instruction = self.tape.instruction_of(element)
        held = held or instruction.function == "held"
        return [(e, held) for column in instruction.operands(element) for e in column if (e, held) not in self._made]

    def _make(self, key: tuple[int, bool]) -> Expr:
        element, held = key
        instruction = self.tape.instruction_of(element)
        match instruction.function:
            case "input":
                return variable(self._names[element] + (HELD if held else ""))
            case "constant":
                return self._constant(float(self.tape.numbers[element]), instruction)
        held = held or instruction.function == "held"
        columns = [[self._made[e, held] for e in column] for column in instruction.operands(element)]
        match instruction.function:
            case "held":
                return columns[0][0]
            case "dot":
                return _tree("add", [call(op.MUL, a, b) for a, b in zip(*columns, strict=True)])
            case function if function in REDUCTIONS:
                return _tree(REDUCTIONS[function], columns[0])
        args = [column[0] for column in columns]
        for index in range(CHOICES.get(instruction.function, 0)):
            (operand,) = instruction.operands(element)[index]
            if self.tape.fixed[operand]:
                args[index] = call(op.TRUE if self.tape.numbers[operand] else op.FALSE)
        return call(ROWS[instruction.function], *args)

    def _constant(self, value: float, instruction: Instruction) -> Expr:
        if not math.isfinite(value):
            raise NoReference(f"a constant is {value} in {instruction.origin.operation}")
        return constant(Fraction(value), exact=True)

    def size(self, element: int, limit: int) -> int:
        """How many operations the expression of an element has, counted up to the limit."""
        total = 0
        for _, instruction, operands in self.tape.below([element]):
            if instruction.function in REDUCTIONS or instruction.function == "dot":
                total += len(operands[0]) * len(operands)
            elif operands:
                total += 1
            if total > limit:
                break
        return total


def _tree(function: str, terms: list[Expr]) -> Expr:
    """A chain of a function of two arguments as a balanced tree."""
    while len(terms) > 1:
        pairs = [call(ROWS[function], a, b) for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[2 * len(pairs) :]
    return terms[0]
