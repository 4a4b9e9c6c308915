"""What reports for people are laid out with: columns, tables, remarks with a hanging indent, formulas in line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Column:
    """right: numbers whose ends should be aligned. narrow: a form of the header for where there is little room."""

    header: str
    cells: tuple[Text, ...]
    right: bool = False
    narrow: str | None = None

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
    """The columns as one table; too wide, it gives up the headers and then the gaps. None: it is still too wide."""
    narrow = narrowed(columns)
    for candidate, gap in ((columns, 2), (narrow, 2), (narrow, 1)):
        if width(candidate, gap) <= room:
            return table(candidate, gap)
    return None


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


def equations(formulas: Iterable[tuple[str, str]], below: Iterable[tuple[str, str]] = ()) -> Table:
    """Pairs (what, its formula) with their equals signs in line; below them pairs without one."""
    formulas = list(formulas)
    room = max(cell_len(label) for label, _ in formulas)
    rows = [(Text(f"{label}{' ' * (room - cell_len(label))} = "), Text(text)) for label, text in formulas]
    return hanging([*rows, *((Text(label), Text(text)) for label, text in below)])
