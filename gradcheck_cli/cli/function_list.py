"""All functions that formulas may call: those of numbers, and those of arrays."""

from __future__ import annotations

from gradcheck_cli.render.functions import Listed, of_numbers

ARRAYS = "of arrays"
"""The group of those that only formulas of arrays have."""


def all_functions() -> list[Listed]:
    from gradcheck_cli.tensors.functions import TENSOR_FUNCTIONS

    of_arrays = (
        Listed(
            row.name, row.usage(), row.doc, ARRAYS, row.also,
            tuple((one.name, one.kind, one.default) for one in row.parameters),
        )
        for row in TENSOR_FUNCTIONS.values()
    )  # fmt: skip
    return [*of_numbers(), *of_arrays]
