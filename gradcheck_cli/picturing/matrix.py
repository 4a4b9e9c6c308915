"""The Jacobian of code as a picture: the blocks of a result, and where their entries are wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from gradcheck_cli.picturing.axes import of_sizes
from gradcheck_cli.records.code import Block, CodeResult, Entry
from gradcheck_cli.records.picture import Cell, Grid, Matrix, MatrixPicture
from gradcheck_cli.records.results import worst_first
from gradcheck_cli.records.verdicts import Verdict

KEPT = 10_000
"""Entries of a block up to which a result has their numbers."""
MOST = 12
"""Blocks of a picture."""
LINES, SIDE = 40, 64
"""Rows, and columns, of cells; of larger blocks a cell stands for several entries."""


def with_matrices(result: CodeResult) -> CodeResult:
    """The result with its picture; a result without a block has none. Where there are many, the worst are drawn."""
    worst = sorted(result.blocks, key=lambda block: (block.passed, -block.verdict.severity))[:MOST]
    if not worst:
        return result
    left = len(result.blocks) - len(worst)
    notes = (f"{left:,} more derivatives are not drawn",) if left else ()
    matrices = tuple(_matrix(block, result.checks) for block in result.blocks if block in worst)
    return replace(result, picture=MatrixPicture(matrices, notes))


def _matrix(block: Block, entries: Sequence[Entry]) -> Matrix:
    shape = math.prod(block.shape[0]), math.prod(block.shape[1])
    stride = max(1, math.ceil(shape[0] / LINES)), max(1, math.ceil(shape[1] / SIDE))
    cells: dict[tuple[int, int], Cell] = {}
    marked = 0
    for entry in sorted(entries, key=worst_first):
        place = _place(entry, block) if entry.verdict is not Verdict.MATCH else None
        if place is not None:
            marked += 1
            row, column = place[0] // stride[0], place[1] // stride[1]
            label = f"{entry.output} by {entry.wrt[-1]}"
            cells.setdefault((row, column), Cell(row, column, entry.verdict, entry.passed, label))
    odd = sum(count for verdict, count in block.counts.items() if verdict is not Verdict.MATCH)
    sizes = _sizes(block, shape, stride)
    z = of_sizes([size for line in sizes for size in line if size])
    return Matrix(
        block.output, block.input, block.mode, shape, stride, z, sizes, tuple(cells.values()), max(0, odd - marked)
    )


def _place(entry: Entry, block: Block) -> tuple[int, int] | None:
    """(row, column) of an entry; None where it is of another block, or a sum of rows."""
    if entry.mode != block.mode:
        return None
    row = _index(entry.output, block.output, block.shape[0])
    column = _index(entry.wrt[-1], block.input, block.shape[1])
    return None if row is None or column is None else (row, column)


def _index(label: str, name: str, shape: tuple[int, ...]) -> int | None:
    """The place in the flat array of `out[1,2]`; None where the label is not of an element of that array."""
    if not label.startswith(name):
        return None
    rest = label[len(name) :]
    if not shape:
        return 0 if not rest else None
    if not (rest.startswith("[") and rest.endswith("]")):
        return None
    texts = rest[1:-1].split(",")
    if len(texts) != len(shape) or not all(text.isdecimal() for text in texts):
        return None
    index = 0
    for text, size in zip(texts, shape, strict=True):
        index = index * size + int(text)
    return index


def _sizes(block: Block, shape: tuple[int, int], stride: tuple[int, int]) -> Grid:
    """The size of the largest true entry of each cell."""
    numbers = block.analytical
    if numbers is None or len(numbers) != shape[0] * shape[1]:
        return ()
    found: list[list[float | None]] = [
        [None] * math.ceil(shape[1] / stride[1]) for _ in range(math.ceil(shape[0] / stride[0]))
    ]
    for place, number in enumerate(numbers):
        row, column = place // shape[1] // stride[0], place % shape[1] // stride[1]
        if number is not None and math.isfinite(number):
            found[row][column] = max(found[row][column] or 0.0, abs(number))
    return tuple(map(tuple, found))
