"""A formula of arrays as people see it: the formula, its value, the gradient or Jacobian as a matrix, the claims."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from gradcheck_cli import number_text
from gradcheck_cli.dtypes import DTYPES, Dtype
from gradcheck_cli.records.code import Block, CodeResult
from gradcheck_cli.render import labels, layout, plain
from gradcheck_cli.render.code import words
from gradcheck_cli.render.display import Display

LARGEST = 6
"""Rows and columns of a matrix that is shown, unless -v asks for all."""


def equations(result: CodeResult) -> list[tuple[str, str]]:
    """(left side, right side) of the intermediate results and of the formula."""
    label = f"{result.subject}({', '.join(result.variables)})"
    return [
        (plain.one_line(left), plain.one_line(right)) for left, right in (*result.lets.items(), (label, result.formula))
    ]


def formulas(result: CodeResult, width: int) -> Table:
    """These, with their equals signs in line."""
    return layout.equations(equations(result), width)


def lines(result: CodeResult, display: Display) -> list[str]:
    """The formulas, the value and the small derivatives, as plain lines."""
    shown = equations(result)
    room = max(len(left) for left, _ in shown)
    found = [f"{left:{room}} = {right}" for left, right in shown]
    if (number := value(result)) is not None:
        found += ["", number.plain]
    if arrays := [text.plain for text in matrices(result, display)]:
        found += ["", *arrays]
    return found


def value(result: CodeResult) -> Text | None:
    """`f = 20`: what torch returned, where it is short."""
    if result.order != 1 or not result.values or result.values[0].numbers is None:
        return None
    found, dtype = result.values[0], DTYPES[result.dtype]
    if len(found.numbers or ()) > LARGEST or len(found.shape) > 1:
        return None
    written = number_text.brief if found.shape else number_text.exact
    numbers = [written(x, dtype) for x in found.numbers or ()]
    shown = "  ".join(numbers)
    return Text(f"{result.subject} = {f'[{shown}]' if found.shape else shown}")


def matrices(result: CodeResult, display: Display) -> Iterator[Text]:
    """The derivatives whose numbers are known and fit, each as a row or a matrix."""
    dtype = DTYPES[result.dtype]
    for block in result.blocks:
        if (size := _size(block)) is None or (max(size) > LARGEST and not display.verbose):
            continue
        assert block.analytical is not None
        name = words.block(block, len({b.mode for b in result.blocks}))
        room = 0 if block.passed else len("autograd")
        known = _matrix(name, block.analytical, size, dtype, display.width, room)
        if known is None:
            continue
        yield from known
        if not block.passed and block.autograd is not None:
            yield from _matrix("autograd", block.autograd, size, dtype, display.width, max(room, len(name))) or ()


def is_shown(result: CodeResult, block: Block, display: Display) -> bool:
    """Whether a block is among the matrices."""
    size = _size(block)
    if size is None or (max(size) > LARGEST and not display.verbose):
        return False
    return _matrix("", block.analytical or (), size, DTYPES[result.dtype], display.width) is not None


def cells(result: CodeResult, display: Display) -> Iterator[tuple[Block, list[list[str]]]]:
    """The small derivatives, each with its numbers as texts, row by row."""
    dtype = DTYPES[result.dtype]
    for block in result.blocks:
        if is_shown(result, block, display) and (size := _size(block)) is not None and block.analytical is not None:
            texts = [labels.NOTHING if x is None else number_text.brief(x, dtype) for x in block.analytical]
            yield block, [texts[i * size[1] : (i + 1) * size[1]] for i in range(size[0])]


def _size(block: Block) -> tuple[int, int] | None:
    """Rows and columns of a derivative that is a matrix."""
    output, given = block.shape
    if block.analytical is None or len(output) + len(given) > 2 or not math.prod(output + given):
        return None
    if not output:
        return (1, given[0] if given else 1) if len(given) < 2 else (given[0], given[1])
    return (output[0], given[0] if given else 1) if len(output) == 1 else (output[0], output[1])


def _matrix(
    name: str, numbers: Sequence[float | None], size: tuple[int, int], dtype: Dtype, width: int, room: int = 0
) -> list[Text] | None:
    """Lines of an array, its name before the first; None where it is too wide."""
    label = f"{plain.one_line(name):>{room}} = "
    lines = [f"{' ' * len(label) if i else label}{row}" for i, row in enumerate(grid(numbers, size, dtype))]
    return [Text(line) for line in lines] if max(map(len, lines)) <= width else None


def grid(numbers: Sequence[float | None], size: tuple[int, int], dtype: Dtype) -> list[str]:
    """The rows of a matrix, in brackets, with its columns in line; a single number stands alone."""
    rows, columns = size
    texts = [labels.NOTHING if x is None else number_text.brief(x, dtype) for x in numbers]
    widths = [max(len(texts[i * columns + j]) for i in range(rows)) for j in range(columns)]
    lines = ["  ".join(texts[i * columns + j].rjust(widths[j]) for j in range(columns)) for i in range(rows)]
    return lines if size == (1, 1) else [f"[{line}]" for line in lines]
