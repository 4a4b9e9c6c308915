"""The report of one function as Markdown: what one pastes into a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.render import labels, plain
from gradcheck_cli.render.code import arrays, parts, words
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.markup import aligned_head, escaped, fenced, head, line


def code_report(result: CodeResult, display: Display) -> Iterator[str]:
    """The lines, without a heading: where it is, its inputs, the derivatives, the worst entries, what is known."""
    if result.expression is not None:
        yield from (*fenced(arrays.lines(result, display)), "")
    yield escaped(" · ".join([*parts.header(result)[1:], *parts.inputs(result, display)]))
    if result.error is not None:
        yield from ("", *fenced(plain.lines(result.error).split("\n")))
    blocks, left_out = parts.shown_blocks(result, display)
    if blocks:
        columns = parts.block_columns(result, blocks)
        yield ""
        yield from aligned_head(*((column.header, column.right) for column in columns))
        for cells in zip(*(column.cells for column in columns), strict=True):
            yield line(*(escaped(cell.plain) for cell in cells))
        if left_out:
            yield from ("", f"{left_out}.")
    if entries := parts.shown_entries(result, display):
        places = any(entry.at for entry in entries)
        yield ""
        yield from head("entry", "analytical", "autograd", "verdict", *(["where"] if places else []))
        for entry in entries:
            texts = [parts.entry_name(entry, result), *words.numbers(entry, result), labels.outcome(entry)[0]]
            yield line(*map(escaped, [*texts, *([parts.entry_place(entry)] if places else [])]))
        if more := parts.more_entries(result, display):
            yield from ("", f"and {plain.counted(more, 'more entry')} that failed.")
    if remarks := parts.remarks(result, display):
        yield ""
        yield from (f"- {escaped(remark)}" for remark in remarks)
