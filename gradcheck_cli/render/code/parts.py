"""What the report of code consists of, whatever its form: the derivatives, the worst entries, what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from gradcheck_cli import number_text
from gradcheck_cli.records.code import Block, CodeResult, Entry
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render import labels, plain
from gradcheck_cli.render.code import arrays, words
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.layout import Column

BLOCKS = 20
"""Derivatives that are shown, unless -v asks for all: the worst."""
ENTRIES = 4
"""Worst entries that are shown, unless -v asks for all."""
PARAMETERS = 8
"""Of a module, unless -v asks for all."""
MEANINGS = {
    Verdict.IMPRECISE: "imprecise: rounding explains the difference, and it is small beside the rest of the gradient",
    Verdict.KINK: "a kink: there is no derivative, and autograd's number lies between the one-sided ones",
    Verdict.UNSTABLE: "unstable: the derivative is right, and rounding or overflow on the way loses it",
    Verdict.UNDEFINED: "undefined: the function has no value there",
}
"""Of verdicts that surprise."""
NOTED = 3
"""Entries that are named beside a note which they share."""


def header(result: CodeResult) -> list[str]:
    """What was called, where it is defined, the order where it is not the first."""
    parts = [result.signature, result.place, "" if result.order == 1 else f"order {result.order}"]
    return [plain.one_line(part) for part in parts if part]


def inputs(result: CodeResult, display: Display) -> Iterator[str]:
    """The arguments, then the first of the parameters."""
    arguments = [given for given in result.inputs if given.role != "parameter"]
    parameters = [given for given in result.inputs if given.role == "parameter"]
    room = len(parameters) if display.verbose else PARAMETERS
    yield from map(words.tensor, (*arguments, *parameters[:room]))
    if len(parameters) > room:
        yield f"and {plain.counted(len(parameters) - room, 'more parameter')}{display.hint()}"


def shown_blocks(result: CodeResult, display: Display) -> tuple[Sequence[Block], str]:
    """(the derivatives to show, what is said of those that are left out)."""
    if display.verbose or len(result.blocks) <= BLOCKS:
        return result.blocks, ""
    worst = sorted(result.blocks, key=lambda b: (b.passed, -b.verdict.severity, -(b.worst or 0.0)))[:BLOCKS]
    shown = [block for block in result.blocks if block in worst]
    return shown, f"the {len(shown):,} worst of {len(result.blocks):,} derivatives{display.hint()}"


def block_columns(result: CodeResult, blocks: Sequence[Block]) -> list[Column]:
    """A row a derivative: its entries by verdict, the worst error."""
    verdicts = [v for v in Verdict if any(block.counts.get(v) for block in result.blocks)]

    def column(header: str, cells: Sequence[str], goes: int, narrow: str | None = None) -> Column:
        return Column(header, tuple(Text(cell) for cell in cells), True, narrow, goes)

    names = tuple(Text(words.derivative(block.output, block.input)) for block in blocks)
    columns = [Column("derivative", names, breaks=True)]
    if len({block.mode for block in result.blocks}) > 1:
        columns.append(Column("mode", tuple(Text(block.mode) for block in blocks)))
    columns.append(column("entries", [f"{block.entries:,}" for block in blocks], goes=2))
    columns += [column(v.value, [f"{block.counts.get(v, 0):,}" for block in blocks], goes=3) for v in verdicts]
    worst = [labels.NOTHING if block.worst is None else number_text.small(block.worst) for block in blocks]
    columns.append(column("worst relative error", worst, goes=1, narrow="worst relative\nerror"))
    outcomes = [labels.outcome(block) for block in blocks]
    return [*columns, Column("verdict", tuple(Text(verdict, style=style) for verdict, style in outcomes))]


def shown_entries(result: CodeResult, display: Display) -> list[Entry]:
    """The worst of the entries that failed, and of a formula of those that are in no matrix; with -v all there are."""
    if display.verbose:
        return list(result.checks)
    shown = {(b.output, b.input, b.mode) for b in result.blocks if arrays.is_shown(result, b, display)}
    return [entry for entry in result.checks if not entry.passed or _is_hidden(result, entry, shown)][:ENTRIES]


def _is_hidden(result: CodeResult, entry: Entry, shown: set[tuple[str, str, str]]) -> bool:
    """Whether nothing else says what an entry of a formula is."""
    if result.expression is None:
        return False
    block = entry.output.partition("[")[0], entry.wrt[-1].partition("[")[0], entry.mode
    return entry.verdict is not Verdict.MATCH or not shown & {block, (block[0], entry.wrt[-1], block[2])}


def more_entries(result: CodeResult, display: Display) -> int:
    """How many more failed."""
    return (
        0
        if display.verbose
        else max(0, result.checks_failed - sum(not entry.passed for entry in shown_entries(result, display)))
    )


def entry_name(entry: Entry, result: CodeResult) -> str:
    """`∂out/∂x[0]`, with its mode where there are several."""
    name = words.derivative(entry.output, *entry.wrt)
    return f"{name} ({entry.mode})" if len({block.mode for block in result.blocks}) > 1 else name


def entry_place(entry: Entry) -> str:
    """At which values of the inputs it was found."""
    return f"at {entry.at}" if entry.at else "as given"


def remarks(result: CodeResult, display: Display) -> list[str]:
    """What is known of the whole, and what is noted of entries."""
    return [*_remarks(result), *_notes(result, display)]


def _notes(result: CodeResult, display: Display) -> Iterator[str]:
    """What is noted of entries, or what their verdict means, once, with the first of those that it is about."""
    alike: dict[str, list[Entry]] = {}
    for entry in result.checks:
        note = entry.note or MEANINGS.get(entry.verdict)
        if note:
            alike.setdefault(note, []).append(entry)
    for note, entries in alike.items():
        names = list(dict.fromkeys(words.derivative(entry.output, *entry.wrt) for entry in entries))
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
