"""Expressions of the product for single elements of a tape: made for what float64 does not settle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Expr, call, constant, variable
from gradcheck_cli.tape.rows import CONDITIONS, ROWS
from gradcheck_cli.tape.tape import REDUCTIONS, Instruction
from gradcheck_cli.tape.values import Values

HELD = "'"
"""What is appended to the name of a variable inside of what is held constant: the same number, another variable."""
CHOICES = {"where": 1, "and": 2, "or": 2, "not": 1}
"""Functions whose first arguments are conditions, and how many."""


class Expressions:
    """The expressions of a tape at the point of some values, shared by all that are asked for.

    What is decided there, also within the radii of the values, is followed: a branch that is not taken, and an operand
    that a maximum is far above, have no part in an expression. everywhere: they have, so that the expressions are the
    function at other points as well.
    """

    def __init__(self, values: Values, *, everywhere: bool = False) -> None:
        self.tape, self.values, self.everywhere = values.tape, values, everywhere
        self._made: dict[tuple[int, bool], Expr] = {}
        self._names = {
            int(e): given.label(k) for given in self.tape.inputs for k, e in enumerate(given.elements.reshape(-1))
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
        root = self._same(int(element)), False
        stack = [root]
        while stack:
            key = stack[-1]
            if key in self._made:
                stack.pop()
                continue
            instruction, columns = self._operands(key[0])
            held = key[1] or instruction.function == "held"
            missing = [(e, held) for column in columns for e in column if (e, held) not in self._made]
            if missing:
                stack.extend(missing)
            else:
                self._made[key] = self._make(key[0], held, instruction, columns)
                stack.pop()
        return self._made[root]

    def _same(self, element: int) -> int:
        return int(element) if self.everywhere else int(self.values.choices.same[element])

    def _operands(self, element: int) -> tuple[Instruction, list[list[int]]]:
        """The instruction of an element, and the elements that it is made of, argument by argument."""
        instruction = self.tape.instruction_of(element)
        if instruction.function in CONDITIONS and self._is_decided(element):
            return instruction, []
        columns = instruction.operands(element)
        if instruction.function in ("max", "min"):
            return instruction, [self._rivals(instruction.function, columns[0])]
        return instruction, [[self._same(e) for e in column] for column in columns]

    def _is_decided(self, element: int) -> bool:
        return not self.everywhere and bool(self.values.choices.firm(np.array([element]))[1][0])

    def _rivals(self, function: str, terms: list[int]) -> list[int]:
        """The terms of a maximum or minimum that may be it, each once."""
        if self.everywhere:
            return list(dict.fromkeys(terms))
        best, rivals = self.values.choices.rivals_of(function, np.array([terms]))
        rivals[0, best[0]] = True
        return list(dict.fromkeys(self._same(e) for e in np.array(terms)[rivals[0]].tolist()))

    def _make(self, element: int, held: bool, instruction: Instruction, operands: list[list[int]]) -> Expr:
        match instruction.function:
            case "input":
                return variable(self._names[element] + (HELD if held else ""))
            case "constant":
                return self._constant(float(self.tape.numbers[element]), instruction)
        columns = [[self._made[e, held] for e in column] for column in operands]
        match instruction.function:
            case "held":
                return columns[0][0]
            case function if function in CONDITIONS and not operands:
                return call(op.TRUE if self.values.value[element] else op.FALSE)
            case "dot":
                return _tree("add", [call(op.MUL, a, b) for a, b in zip(*columns, strict=True)])
            case function if function in REDUCTIONS:
                return _tree(REDUCTIONS[function], columns[0])
        args = [column[0] for column in columns]
        for index in range(CHOICES.get(instruction.function, 0)):
            (operand,) = operands[index]
            if self.tape.fixed[operand]:
                args[index] = call(op.TRUE if self.tape.numbers[operand] else op.FALSE)
        return call(ROWS[instruction.function], *args)

    def _constant(self, value: float, instruction: Instruction) -> Expr:
        if not math.isfinite(value):
            raise NoReference(f"a constant is {value} in {instruction.origin.operation}")
        return constant(Fraction(value), exact=True)

    def size(self, element: int, limit: int) -> int:
        """How many operations the expression of an element has, counted up to the limit."""
        root, total = self._same(element), 0
        seen, stack = {root}, [root]
        while stack and total <= limit:
            instruction, operands = self._operands(stack.pop())
            if instruction.function in REDUCTIONS or instruction.function == "dot":
                total += len(operands[0]) * len(operands)
            elif operands:
                total += 1
            for column in operands:
                for operand in column:
                    if operand not in seen:
                        seen.add(operand)
                        stack.append(operand)
        return total


def _tree(function: str, terms: list[Expr]) -> Expr:
    """A chain of a function of two arguments as a balanced tree."""
    while len(terms) > 1:
        pairs = [call(ROWS[function], a, b) for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[2 * len(pairs) :]
    return terms[0]
