"""Real code as people see it: what was called, a row a block, the worst entries, what is known about the cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from gradcheck_cli.records.code import CodeResult, Entry
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render import labels, layout, plain
from gradcheck_cli.render.code import arrays, parts, words
from gradcheck_cli.render.display import Display


def code_report(result: CodeResult, display: Display) -> Iterator[RenderableType]:
    """The parts of the report, one below the other."""
    if result.expression is None:
        yield Text("  ".join(parts.header(result)), style="bold")
    else:
        yield arrays.formulas(result, display.width)
    if result.inputs:
        yield Text(" · ".join(parts.inputs(result, display)))
    if result.error is not None:
        yield Text()
        yield layout.bullet("!", plain.lines(result.error), labels.STYLES[Verdict.ERROR])
    yield from _arrays(result, display)
    blocks, left_out = parts.shown_blocks(result, display)
    if blocks:
        yield Text()
        columns = parts.block_columns(result, blocks)
        table = layout.fitting(columns, display.width)
        yield from layout.stacked(columns) if table is None else [table]
        if left_out:
            yield Text(left_out, style="dim")
    if entries := parts.shown_entries(result, display):
        yield Text()
        yield from _entries(result, entries, display)
    if remarks := parts.remarks(result, display):
        yield Text()
        for remark in remarks:
            yield layout.bullet("•", plain.lines(remark))


def _arrays(result: CodeResult, display: Display) -> Iterator[RenderableType]:
    """The value of a formula, and its derivatives where they are small."""
    if result.expression is None:
        return
    if (value := arrays.value(result)) is not None:
        yield Text()
        yield value
    if found := list(arrays.matrices(result, display)):
        yield Text()
        yield from found


def _entries(result: CodeResult, entries: Sequence[Entry], display: Display) -> Iterator[RenderableType]:
    """The worst entries, each on a line; where there is no room for it, the numbers go below the name."""
    pairs = [words.numbers(entry, result) for entry in entries]
    columns = [
        [f"analytical {analytical}" for analytical, _ in pairs],
        [f"autograd {autograd}" for _, autograd in pairs],
    ]
    if len({entry.verdict for entry in result.checks if not entry.passed or display.verbose}) > 1:
        columns.append([entry.verdict.value for entry in entries])
    if any(entry.at for entry in entries):
        columns.append([parts.entry_place(entry) for entry in entries])
    names = [parts.entry_name(entry, result) for entry in entries]
    rest = list(zip(*_padded(columns), strict=True))
    beside = all(
        5 + cell_len(name) + cell_len("   ".join(cells)) <= display.width
        for name, cells in zip(_padded([names])[0], rest, strict=True)
    )
    for name, cells in zip(_padded([names])[0], rest, strict=True):
        if beside:
            yield Text(f"  {name}   {'   '.join(cells)}")
            continue
        yield Text("\n".join(f"  {line}" for line in layout.in_lines(name.rstrip(), display.width - 2)))
        whole = 4 + cell_len("   ".join(cells)) <= display.width
        yield Text("\n".join(f"    {line}" for line in (["   ".join(cells)] if whole else cells)))
    if more := parts.more_entries(result, display):
        yield Text(f"  ... (and {more:,} more)")


def _padded(columns: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells of each column as wide as the widest of them."""
    widths = [max(map(cell_len, column)) for column in columns]
    return [[cell + " " * (w - cell_len(cell)) for cell in column] for w, column in zip(widths, columns, strict=True)]
