"""A formula of arrays as a function that is called like any other code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.tensors.program import Program
from gradcheck_cli.tensors.question import Question


class Formula:
    """The formula as a function of tensors by name, which is what runs; results: of the program, and not the formula
    alone."""

    def __init__(self, question: Question, program: Program | None = None, results: Sequence[Any] = ()) -> None:
        self.question, self.__name__ = question, question.name
        self.program = question.program if program is None else program
        self.results = list(results) or [question.result.arg]

    def __call__(self, **given: Tensor) -> Any:
        arrays = {name: given.get(name) for name in self.question.inputs}
        for wanted in self.question.wanted:
            if wanted.place is not None:  # an element that is derived by stands in its array
                whole = arrays[wanted.variable]
                assert whole is not None
                arrays[wanted.variable] = whole.clone().index_put(
                    tuple(torch.tensor(i, device=whole.device) for i in wanted.place), given[wanted.name]
                )
        found = self.program.run({name: x for name, x in arrays.items() if x is not None}, self.results)
        return found[0] if len(found) == 1 else tuple(found)


def arguments(question: Question) -> dict[str, Tensor]:
    """What the formula is called with: the arrays, and beside them the elements that are derived by."""
    elements = {w.name: question.inputs[w.variable][w.place] for w in question.wanted if w.place is not None}
    return {**question.inputs, **{name: element.clone() for name, element in elements.items()}}
