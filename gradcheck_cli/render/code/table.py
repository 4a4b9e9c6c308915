"""Real code as people see it: what was called, a row a block, the worst entries, what is known about the cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from gradcheck_cli import number_text
from gradcheck_cli.records.code import Block, CodeResult, Entry
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render import labels, layout, plain
from gradcheck_cli.render.code import words
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.layout import Column

BLOCKS = 20
"""Rows of the table, unless -v asks for all; the worst are shown."""
ENTRIES = 4
"""Worst entries that are shown, unless -v asks for all."""
PARAMETERS = 8
"""Of a module, unless -v asks for all."""
NOTED = 3
"""Entries that are named beside a note which they share."""


def code_report(result: CodeResult, display: Display) -> Iterator[RenderableType]:
    """The parts of the report, one below the other."""
    yield _header(result)
    if result.inputs:
        yield Text(" · ".join(_inputs(result, display)))
    if result.error is not None:
        yield Text()
        yield layout.bullet("!", plain.lines(result.error), labels.STYLES[Verdict.ERROR])
    shown = _shown_blocks(result, display)
    if shown:
        yield Text()
        yield from _blocks(result, shown, display.width)
        if len(shown) < len(result.blocks):
            yield Text(f"the {len(shown):,} worst of {len(result.blocks):,} derivatives (-v shows all)", style="dim")
    entries = [entry for entry in result.checks if not entry.passed or display.verbose]
    if entries:
        yield Text()
        yield from _entries(result, entries, display)
    remarks = [*_remarks(result), *_notes(result, display)]
    if remarks:
        yield Text()
    for remark in remarks:
        yield layout.bullet("•", plain.lines(remark))


def _header(result: CodeResult) -> Text:
    parts = [result.signature, result.place, "" if result.order == 1 else f"order {result.order}"]
    return Text("  ".join(map(plain.one_line, filter(None, parts))), style="bold")


def _inputs(result: CodeResult, display: Display) -> Iterator[str]:
    """The arguments, then the first of the parameters."""
    arguments = [given for given in result.inputs if given.role != "parameter"]
    parameters = [given for given in result.inputs if given.role == "parameter"]
    room = len(parameters) if display.verbose else PARAMETERS
    yield from map(words.tensor, (*arguments, *parameters[:room]))
    if len(parameters) > room:
        yield f"and {len(parameters) - room:,} more parameters (-v shows all)"


def _shown_blocks(result: CodeResult, display: Display) -> Sequence[Block]:
    if display.verbose or len(result.blocks) <= BLOCKS:
        return result.blocks
    worst = sorted(result.blocks, key=lambda b: (b.passed, -b.verdict.severity, -(b.worst or 0.0)))[:BLOCKS]
    return [block for block in result.blocks if block in worst]


def _blocks(result: CodeResult, blocks: Sequence[Block], width: int) -> Iterator[RenderableType]:
    """The table. Too narrow for it, each row becomes lines of a label and a value."""
    verdicts = [v for v in Verdict if any(block.counts.get(v) for block in result.blocks)]

    def column(header: str, cells: Sequence[str], narrow: str | None = None) -> Column:
        return Column(header, tuple(Text(cell) for cell in cells), right=True, narrow=narrow)

    columns = [Column("derivative", tuple(Text(words.derivative(block.output, block.input)) for block in blocks))]
    if len({block.mode for block in result.blocks}) > 1:
        columns.append(Column("mode", tuple(Text(block.mode) for block in blocks)))
    columns.append(column("entries", [f"{block.entries:,}" for block in blocks]))
    columns += [column(v.value, [f"{block.counts.get(v, 0):,}" for block in blocks]) for v in verdicts]
    worst = [labels.NOTHING if block.worst is None else number_text.small(block.worst) for block in blocks]
    columns.append(column("worst relative error", worst, narrow="worst relative\nerror"))
    outcomes = [labels.outcome(block) for block in blocks]
    columns.append(Column("verdict", tuple(Text(verdict, style=style) for verdict, style in outcomes)))
    table = layout.fitting(columns, width)
    yield from layout.stacked(columns) if table is None else [table]


def _entries(result: CodeResult, entries: Sequence[Entry], display: Display) -> Iterator[RenderableType]:
    """The worst entries, each on a line; where there is no room for it, the numbers go below the name."""
    shown = entries if display.verbose else entries[:ENTRIES]
    several = len({entry.verdict for entry in entries}) > 1
    modes = len({block.mode for block in result.blocks})
    names = [words.derivative(entry.output, *entry.wrt) for entry in shown]
    if modes > 1:
        names = [f"{name} ({entry.mode})" for name, entry in zip(names, shown, strict=True)]
    pairs = [words.numbers(entry, result) for entry in shown]
    columns = [
        [f"analytical {analytical}" for analytical, _ in pairs],
        [f"autograd {autograd}" for _, autograd in pairs],
    ]
    if several:
        columns.append([entry.verdict.value for entry in shown])
    if any(entry.at for entry in shown):
        columns.append([f"at {entry.at}" if entry.at else "as given" for entry in shown])
    rest = list(zip(*_padded(columns), strict=True))
    for name, cells in zip(_padded([names])[0], rest, strict=True):
        line = "   ".join(cells)
        if 5 + cell_len(name) + cell_len(line) <= display.width:
            yield Text(f"  {name}   {line}")
        else:
            yield Text(f"  {name.rstrip()}")
            yield Text(f"    {line}")
    if not display.verbose and result.checks_failed > len(shown):
        yield Text(f"  ... (and {result.checks_failed - len(shown):,} more)")


def _padded(columns: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells of each column as wide as the widest of them."""
    widths = [max(map(cell_len, column)) for column in columns]
    return [[cell + " " * (w - cell_len(cell)) for cell in column] for w, column in zip(widths, columns, strict=True)]


def _notes(result: CodeResult, display: Display) -> Iterator[str]:
    """What is noted of entries, once, with the first of those that it is about."""
    alike: dict[str, list[Entry]] = {}
    for entry in result.checks:
        if entry.note:
            alike.setdefault(entry.note, []).append(entry)
    for note, entries in alike.items():
        names = [words.derivative(entry.output, *entry.wrt) for entry in entries]
        room = len(names) if display.verbose else NOTED
        more = f" and {len(names) - room:,} more" if len(names) > room else ""
        yield f"{', '.join(names[:room])}{more}: {note}"


def _remarks(result: CodeResult) -> Iterator[str]:
    """About the whole: the cause, the notices, how it was compared, values that are off, what is constant."""
    yield from (finding.text for finding in result.findings)
    yield from result.notices
    combined = [words.derivative(block.output, block.input) for block in result.blocks if block.cotangents == "random"]
    if combined:
        more = f" and {len(combined) - NOTED:,} more" if len(combined) > NOTED else ""
        yield (
            f"{', '.join(combined[:NOTED])}{more}: products with random cotangents were compared, element by element"
        )
    for value in result.values:
        if not value.verdict.passes:
            off = "" if value.worst is None else f": it is off by {number_text.small(value.worst)} relatively"
            yield f"the value of {value.output} is {value.verdict.value}{off}"
    yield from map(words.held, result.held)
