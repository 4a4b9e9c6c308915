"""The report of one function as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.render import labels, plain
from gradcheck_cli.render.code import arrays, parts, words
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.latex_text import array, interval, items, prose


def code_report(result: CodeResult, display: Display) -> Iterator[str]:
    """The lines: what was called, the derivatives, the worst entries, what is known of them."""
    called, *where = parts.header(result)
    told = prose(" · ".join([*where, *parts.inputs(result, display)]))
    if result.expression is None:
        yield rf"\texttt{{{prose(called)}}} {told}"
    else:
        yield from _formula(result, display)
        yield told
    if result.error is not None:
        yield from ("", prose(plain.in_short(result.error)))
    blocks, left_out = parts.shown_blocks(result, display)
    if blocks:
        columns = parts.block_columns(result, blocks)
        shown = [
            [labels.outcome_words(block)[1] for block in blocks]
            if column.header == "verdict"
            else [cell.plain for cell in column.cells]
            for column in columns
        ]
        texts = [
            [_whole(cell) if column.right else rf"\text{{{prose(cell)}}}" for cell in cells]
            for column, cells in zip(columns, shown, strict=True)
        ]
        heads = [rf"\text{{{column.header}}}" for column in columns]
        yield ""
        yield from array("".join("r" if column.right else "l" for column in columns), heads, zip(*texts, strict=True))
        if left_out:
            yield from ("", prose(f"{left_out}."))
    if entries := parts.shown_entries(result, display):
        rows = [
            [
                rf"\text{{{prose(parts.entry_name(entry, result))}}}",
                *(interval(labels.NOTHING if text == "none" else text) for text in words.numbers(entry, result)),
                rf"\text{{{labels.outcome_words(entry)[1]}}}",
                rf"\text{{{prose(parts.entry_place(entry)) if entry.at else ''}}}",
            ]
            for entry in entries
        ]
        heads = [rf"\text{{{head}}}" for head in ("entry", "analytical", "autograd", "verdict", "")]
        yield ""
        yield from array("lrrll", heads, rows)
        if more := parts.more_entries(result, display):
            yield from ("", prose(f"and {plain.counted(more, 'more entry')} that failed."))
    if remarks := parts.remarks(result, display):
        yield ""
        yield from items(("", remark) for remark in remarks)


def _formula(result: CodeResult, display: Display) -> Iterator[str]:
    """The formula of arrays as typed, and its small derivatives as matrices."""
    for left, right in arrays.equations(result):
        yield rf"\texttt{{{prose(left)} = {prose(right)}}}"
        yield ""
    for block, rows in arrays.cells(result, display):
        yield r"\begin{equation*}"
        yield rf"  \text{{{prose(words.derivative(block.output, block.input))}}} ="
        yield r"  \begin{pmatrix}"
        yield from (f"    {' & '.join(map(interval, row))} \\\\" for row in rows)
        yield r"  \end{pmatrix}"
        yield r"\end{equation*}"
        yield ""


def _whole(text: str) -> str:
    """A count or a number."""
    return text.replace(",", "{,}") if text.replace(",", "").isdecimal() else interval(text)
