"""The Jacobian of code as a picture: the blocks of a result, and where their entries are wrong."""

from __future__ import annotations

import math
from dataclasses import replace

from gradcheck_cli.picturing.axes import of_sizes
from gradcheck_cli.records.code import Block, CodeResult, Entry
from gradcheck_cli.records.picture import Cell, Grid, Matrix, MatrixPicture
from gradcheck_cli.records.results import Claim, worst_first
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
    matrices = tuple(_matrix(block, result) for block in result.blocks if block in worst)
    return replace(result, picture=MatrixPicture(matrices, notes))


def _matrix(block: Block, result: CodeResult) -> Matrix:
    shape = math.prod(block.shape[0]), math.prod(block.shape[1])
    is_gradient = shape[0] == 1 and len(block.shape[1]) > 1
    if is_gradient:
        shape = math.prod(block.shape[1][:-1]), block.shape[1][-1]
    stride = max(1, math.ceil(shape[0] / LINES)), max(1, math.ceil(shape[1] / SIDE))
    cells: dict[tuple[int, int], Cell] = {}
    marked = 0

    def cell(place: int) -> tuple[int, int]:
        return place // shape[1] // stride[0], place % shape[1] // stride[1]

    for entry in sorted(result.checks, key=worst_first):
        place = _place(entry, block) if entry.verdict is not Verdict.MATCH else None
        if place is not None:
            marked += 1
            row, column = cell(place)
            label = f"{entry.output} by {entry.wrt[-1]}"
            cells.setdefault((row, column), Cell(row, column, entry.verdict, entry.passed, label))
    odd = sum(count for verdict, count in block.counts.items() if verdict is not Verdict.MATCH)
    sizes = _sizes(block, shape, stride)
    z = of_sizes([size for line in sizes for size in line if size])
    refuted = [_refuted(claim, block) for claim in result.claims]
    return Matrix(
        block.output, block.input, block.mode, shape, stride, z, sizes, tuple(cells.values()), max(0, odd - marked),
        is_gradient, tuple(cell(place) for place in refuted if place is not None),
    )  # fmt: skip


def _place(entry: Entry, block: Block) -> int | None:
    """The place of an entry, row by row; None where it is of another block, or a sum of rows."""
    if entry.mode != block.mode:
        return None
    row = _index(entry.output, block.output, block.shape[0])
    return _of_both(row, _index(entry.wrt[-1], block.input, block.shape[1]), block)


def _refuted(claim: Claim, block: Block) -> int | None:
    """The same of the entry where a claim is known to be wrong: `W[0,1]`, `∂f[2]/∂x[0]`, of order 2 `∂x[0]∂x[1]`."""
    example = claim.counterexample
    if example is None:
        return None
    of, _, by = example.entry.removeprefix("∂").rpartition("∂")
    of = of.removesuffix("/")
    name = block.output
    if len(claim.wrt) == 2:
        name = claim.wrt[0] if block.output.endswith(f"/∂{claim.wrt[0]}") else ""
    row = _index(of, name, block.shape[0]) if of else 0 if math.prod(block.shape[0]) == 1 else None
    return _of_both(row, _index(by, block.input, block.shape[1]), block)


def _of_both(row: int | None, column: int | None, block: Block) -> int | None:
    return None if row is None or column is None else row * math.prod(block.shape[1]) + column


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
