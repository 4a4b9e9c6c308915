"""The steps in one table, their adjoints in another, from the last back to the variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import RenderableType
from rich.text import Text

from gradcheck_cli.records.array_explanation import ArrayExplanation, ArrayStep
from gradcheck_cli.render import labels, layout, plain
from gradcheck_cli.render.claims import claims
from gradcheck_cli.render.code.arrays import formulas
from gradcheck_cli.render.code.parts import inputs
from gradcheck_cli.render.console import to_text
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explanation.arrays import cells
from gradcheck_cli.render.layout import Column

LEAST = 20
"""Columns for numbers, however little room there is."""


def render_arrays_table(explanation: ArrayExplanation, display: Display) -> str:
    return to_text(list(_parts(explanation, display)), display)


def _parts(explanation: ArrayExplanation, display: Display) -> Iterator[RenderableType]:
    result = explanation.result
    yield formulas(result, display.width)
    yield Text(" · ".join(inputs(result, display)))
    if result.error is not None:
        yield Text()
        yield layout.bullet("!", plain.lines(result.error), labels.STYLES[result.verdict])
    steps, left_out = cells.shown_steps(explanation, display.verbose)
    if steps:
        yield Text()
        forward = _forward(explanation, steps, display)
        table = layout.fitting(forward, display.width)
        yield from layout.stacked(_in_room(forward, display.width)) if table is None else [table]
        yield Text()
        backward = _backward(explanation, steps, display)
        table = layout.fitting(backward, display.width)
        yield from _in_lines(backward, display.width) if table is None else [table]
    if left_out:
        yield Text(f"and {plain.counted(left_out, 'more step')} between these{display.hint()}", style="dim")
    if found := list(cells.remarks(explanation)):
        yield Text()
        yield from (layout.bullet("•", plain.lines(remark)) for remark in found)
    yield from claims(result, display.width)


def _in_lines(backward: Sequence[Column], width: int) -> Iterator[RenderableType]:
    """Each adjoint as lines: its formula, then both numbers."""
    columns = [*backward[:2], *_in_room([replace(one, header=f"  {one.header}") for one in backward[2:]], width)]
    headers = [Text(column.header) for column in columns[2:]]
    for index, (name, product, *rest) in enumerate(zip(*(column.cells for column in columns), strict=True)):
        if index:
            yield Text()
        written = f"{name.plain} = {' '.join(product.plain.split())}"
        yield Text("\n".join(layout.in_lines(written, width)), style="bold")
        yield layout.hanging(zip(headers, rest, strict=True), gap=2)


def _in_room(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns with cells that fit behind their headers: the row of a matrix goes on in a further line, between two
    numbers."""
    room = max(LEAST, width - max(len(column.header) for column in columns) - 2)
    return [replace(one, cells=tuple(_in_rows(cell, room) for cell in one.cells)) for one in columns]


def _in_rows(cell: Text, room: int) -> Text:
    rows = (layout.between_words(line, room) for line in cell.plain.split("\n"))
    return Text("\n".join(rows), style=cell.style)


def _forward(explanation: ArrayExplanation, steps: Sequence[ArrayStep], display: Display) -> list[Column]:
    """What is computed."""
    values = [cells.value(explanation, step, display.verbose) for step in steps]
    return [
        Column("step", tuple(Text(plain.one_line(cells.definition(step))) for step in steps), breaks=True),
        Column("shape", tuple(Text(cells.shape(step)) for step in steps)),
        Column("value", tuple(Text("\n".join(lines)) for lines in values)),
        Column("grad_fn", tuple(Text(step.grad_fn or labels.NOTHING) for step in steps), goes=1),
    ]


def _backward(explanation: ArrayExplanation, steps: Sequence[ArrayStep], display: Display) -> list[Column]:
    """How the derivative flows back."""
    shown = cells.adjoints(explanation, steps)
    pairs = [cells.pair(explanation, step, display.verbose) for step in shown]
    names = [cells.adjoint(explanation, step) for step in shown]
    products = ["\n".join(map(plain.one_line, cells.product(explanation, step))) for step in shown]
    styles = [labels.STYLES[step.adjoint.verdict] if step.adjoint is not None else "" for step in shown]
    return [
        Column("adjoint", tuple(map(Text, names))),
        Column("vector-Jacobian product", tuple(map(Text, products)), breaks=True),
        Column("analytical", tuple(Text("\n".join(first)) for first, _ in pairs)),
        Column("autograd", tuple(Text("\n".join(second)) for _, second in pairs)),
        Column("verdict", tuple(Text(cells.verdict(step), style=s) for step, s in zip(shown, styles, strict=True))),
    ]
