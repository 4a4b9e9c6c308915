"""What reports for people are laid out with: columns, tables, remarks with a hanging indent, formulas in line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

LONG, SHORT = 30, 12
"""Columns of the terminal that names get while there are other columns to give up, and when there are none."""
IN_LINE = 12
"""Columns before the equals signs of formulas with which a text below them is in line."""
_PLACES = (r"(?<= )(?! )", r"(?<=[-+*/(,.=])(?![*=/])", r"(?<=_)")
"""Where a text is best broken: after a space, within a word that is too long after an operator, within a name."""


@dataclass(frozen=True)
class Column:
    """right: numbers whose ends should be aligned. narrow: a form of the header for where there is little room.

    goes: where there is less, the columns that have this are left out, the smallest first. breaks: long cells may go on
    in a further line.
    """

    header: str
    cells: tuple[Text, ...]
    right: bool = False
    narrow: str | None = None
    goes: int | None = None
    breaks: bool = False

    @property
    def width(self) -> int:
        lines = [line for text in (self.header, *(cell.plain for cell in self.cells)) for line in text.split("\n")]
        return max(map(cell_len, lines))


def width(columns: Sequence[Column], gap: int = 2) -> int:
    """Columns of the terminal that a table fills."""
    return sum(column.width for column in columns) + gap * (len(columns) - 1)


def table(columns: Sequence[Column], gap: int = 2, header: bool = True, widths: Sequence[int] = ()) -> Table:
    """The columns side by side, a rule below their headers."""
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0), show_header=header,
                 header_style="bold")  # fmt: skip
    for index, column in enumerate(columns):
        made.add_column(
            Text(column.header),
            justify="right" if column.right else "left",
            overflow="fold",
            width=widths[index] if widths else None,
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        made.add_row(*cells)
    return made


def narrowed(columns: Iterable[Column]) -> list[Column]:
    """The columns with the headers that they have where there is little room."""
    return [replace(column, header=column.narrow) if column.narrow is not None else column for column in columns]


def fitting(columns: Sequence[Column], room: int) -> Table | None:
    """The columns as one table. None: it is too wide, whatever it gives up."""
    fitted = fitted_columns(columns, room)
    return None if fitted is None else table(*fitted)


def fitted_columns(columns: Sequence[Column], room: int) -> tuple[list[Column], int] | None:
    """(the columns of a table that fits, the gap between them); None where nothing does.

    What is least useful is given up first: the long headers, the gaps, one by one the columns that may go. Long names
    break before that where they are longer than LONG, and else only then.
    """
    going = sorted({column.goes for column in columns if column.goes is not None})
    left = list(columns)
    for gone in (None, *going):
        left = [column for column in left if gone is None or column.goes != gone]
        for candidate, gap in ((left, 2), (narrowed(left), 2), (narrowed(left), 1)):
            if (fitted := _broken(candidate, room - gap * (len(left) - 1), LONG)) is not None:
                return fitted, gap
    last = narrowed(left)
    fitted = _broken(last, room - len(last) + 1, SHORT)
    return None if fitted is None else (fitted, 1)


def _broken(columns: Sequence[Column], room: int, least: int) -> list[Column] | None:
    """The columns in so much room, their gaps aside, where the cells that may break get at least `least`."""
    over = sum(column.width for column in columns) - room
    if over <= 0:
        return list(columns)
    able = next((column for column in columns if column.breaks), None)
    if able is None or able.width - over < min(least, able.width):
        return None
    cells = tuple(Text("\n".join(in_lines(cell.plain, able.width - over)), style=cell.style) for cell in able.cells)
    return [replace(column, cells=cells) if column is able else column for column in columns]


def in_lines(text: str, room: int, places: Sequence[str] = _PLACES) -> list[str]:
    """A name or a formula in lines of at most `room` columns, broken where it is read most easily."""
    lines = [""]
    for part in re.split(places[0], text) if places else text:
        if cell_len(part.rstrip()) > room and places:
            first, *more = in_lines(part, room, places[1:])
        else:
            first, more = part, []
        if lines[-1] and cell_len((lines[-1] + first).rstrip()) > room:
            lines.append("")
        lines[-1] += first
        lines += more
    return [line.rstrip() for line in lines[:-1]] + lines[-1:]


def between_words(text: str, room: int) -> str:
    """A text that is whole where it fits, and else goes on in further lines, which stand in a little."""
    return text if cell_len(text) <= room else "\n  ".join(in_lines(text, room - 2, _PLACES[:1]))


def stacked(columns: Sequence[Column]) -> Iterator[Text | Table]:
    """Each row as lines of a label and a value, with an empty line between rows."""
    for index in range(len(columns[0].cells)):
        if index:
            yield Text()
        yield hanging(((Text(column.header, style="bold"), column.cells[index]) for column in columns), gap=2)


def hanging(rows: Iterable[tuple[Text, Text]], gap: int = 0) -> Table:
    """Pairs of a label, which stays whole, and a text, which goes on below itself where it is too long."""
    grid = Table.grid(padding=(0, gap, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, text)
    return grid


def bullet(sign: str, text: str, style: str = "") -> Table:
    """A remark."""
    return hanging([(Text(sign, style=style), Text(text, style=style))], gap=1)


def equations(formulas: Iterable[tuple[str, str]], room: int, below: Iterable[tuple[str, str]] = ()) -> Table:
    """Pairs (what, its formula) with their equals signs in line; below them pairs without one.

    Where what stands before the equals signs takes half of the room, formulas go below it.
    """
    formulas, grid = list(formulas), Table.grid()
    longest = max(cell_len(label) for label, _ in formulas)
    if longest + 3 > room // 2 and any(longest + 3 + cell_len(text) > room for _, text in formulas):
        for label, text in formulas:
            grid.add_row(Text(f"{label} ="))
            grid.add_row(Text("\n".join(f"  {line}" for line in in_lines(text, room - 2))))
    else:
        texts = [Text("\n".join(in_lines(text, room - longest - 3))) for _, text in formulas]
        labels = [Text(f"{label}{' ' * (longest - cell_len(label))} = ") for label, _ in formulas]
        grid.add_row(hanging(zip(labels, texts, strict=True)))
    for label, text in below:
        space = longest - cell_len(label) + len(" = ") if longest <= IN_LINE else 1
        grid.add_row(hanging([(Text(label + " " * space), Text(text))]))
    return grid
