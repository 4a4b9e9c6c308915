"""The record that an explanation of a formula of arrays leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck_cli.records.code import Block, CodeResult, Entry
from gradcheck_cli.records.shown import Shown


@dataclass(frozen=True)
class Contribution:
    """What a step adds to the adjoint of one of its operands: its vector-Jacobian product.

    by: the operand; step: the one that uses it. text: the product as a formula, in which df/db is the adjoint of b;
    None where it has no short one. right: whether torch's is the certified one; None where it is not known by itself.
    """

    by: str
    step: str
    text: str | None
    right: bool | None


@dataclass(frozen=True)
class ArrayStep:
    """One operation of a formula of arrays, or a variable.

    formula: over the names of its operands, as it was typed; None for a variable. shape, numbers: of its value, as
    torch has it; numbers is None where there are many. adjoint: of the result by it, entry by entry; None for the
    result itself. worst: its worst entry, where it is known. contributions: what makes up the adjoint. grad_fn: what
    torch recorded. blamed: what arrives here is right, and what is passed on is not.
    """

    name: str
    formula: str | None
    shape: tuple[int, ...]
    numbers: tuple[float, ...] | None
    adjoint: Block | None
    worst: Entry | None
    contributions: tuple[Contribution, ...]
    grad_fn: str | None
    blamed: bool = False


@dataclass(frozen=True, repr=False)
class ArrayExplanation(Shown):
    """The chain rule of a formula of arrays, operation by operation.

    result: the ordinary check. name: what the result is called. summed: it is an array, so that the adjoints are those
    of the sum of its elements. steps: in order of evaluation, the variables first. sentences: who is to blame.
    """

    result: CodeResult
    name: str
    summed: bool
    steps: tuple[ArrayStep, ...]
    sentences: tuple[str, ...] = ()

    def _repr_words(self) -> str:
        return self.result._repr_words()

    @property
    def by_name(self) -> dict[str, ArrayStep]:
        return {step.name: step for step in self.steps}
