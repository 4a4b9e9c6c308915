"""What the block of a record consists of, as plain data for the template: formulas, tables, remarks, claims."""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Claim, ProblemResult
from gradcheck_cli.render import cells, labels, overview, plain
from gradcheck_cli.render.code import arrays, words
from gradcheck_cli.render.code import parts as code_parts
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formula import parts
from gradcheck_cli.render.layout import Column
from gradcheck_cli.render.page import mathml
from gradcheck_cli.render.sentences import place

KINDS = {"": "", "green": "good", "cyan": "fair", "yellow": "weak", "magenta": "none", "red": "bad", "bold red": "bad"}
"""The style of a verdict on the terminal -> its class in the style sheet."""


@dataclass(frozen=True)
class Cell:
    """right: a number, whose end is aligned. kind: a class of the style sheet."""

    text: str
    right: bool = False
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """caption: a line above it; rest: what it leaves out."""

    heads: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    rest: str = ""
    caption: str = ""


@dataclass(frozen=True)
class ClaimBlock:
    """left: what was claimed to be `expression`. truth: the derivative, where the claim is another. outcome: in words,
    with its class; detail: what follows it. math, true_math: claim and truth as MathML, in their place."""

    left: str
    expression: str
    truth: str | None
    outcome: tuple[str, str]
    detail: str
    note: str
    math: Markup | None = None
    true_math: Markup | None = None


@dataclass(frozen=True)
class Picture:
    """One of both: the URL of a figure's data, or lines of text."""

    url: str = ""
    text: str = ""


@dataclass(frozen=True)
class Block:
    """title: what was checked. place: where it is asked for, `problems.yaml:12`. outcome: (`✓ match`, its class).
    description: by paragraphs. formulas: lines of text, as they stand; math: the same as MathML, in their place.
    value: of the function, at the point. about: where it is defined, its inputs. below: lines of text after the
    tables. remarks: (the mark in a table, the text)."""

    title: str
    outcome: tuple[str, str] = ("", "")
    place: str = ""
    description: tuple[Markup, ...] = ()
    formulas: tuple[str, ...] = ()
    math: tuple[Markup, ...] = ()
    value: str = ""
    about: str = ""
    error: str = ""
    tables: tuple[Table, ...] = ()
    below: tuple[str, ...] = ()
    picture: Picture | None = None
    remarks: tuple[tuple[str, str], ...] = ()
    claims: tuple[ClaimBlock, ...] = ()


def of_result(result: AnyResult, display: Display) -> Block:
    """All of the report of one problem."""
    block = _of_code(result, display) if isinstance(result, CodeResult) else _of_formula(result, display)
    return replace(block, picture=_picture(result, display))


def _picture(result: AnyResult, display: Display) -> Picture | None:
    """A figure, where there is what draws it."""
    if result.picture is None:
        return None
    if importlib.util.find_spec("matplotlib") is None:
        from gradcheck_cli.render.plot.terminal import render_plot

        return Picture(text=render_plot(result, display))
    from gradcheck_cli.render.plot.figure import render_figure

    return Picture(url=f"data:image/svg+xml;base64,{base64.b64encode(render_figure(result, 'svg')).decode()}")


def of_batch(report: Report, display: Display) -> Block:
    """A row a problem, a table a file."""
    passed = "✓ passed" if report.passed else "✗ failed"
    groups = {file: [p for p in report.problems if p.file == file] for file in [p.file for p in report.problems]}
    return Block(
        title=plain.counted(len(report.problems), "problem"),
        outcome=(passed, "good" if report.passed else "bad"),
        tables=tuple(_table(overview.columns(group), caption=_of_file(file, report)) for file, group in groups.items()),
        remarks=tuple(("", plain.lines(trouble.message)) for trouble in report.troubles),
    )


def _of_file(file: str | None, report: Report) -> str:
    """What a file is called, and says of itself."""
    said = [(one.title, one.description) for one in report.headings if one.file == file]
    return " · ".join(plain.one_line(part) for part in (file, *(said[0] if said else ())) if part)


def _of_formula(result: ProblemResult, display: Display) -> Block:
    checks = cells.select(result, display)
    notes, markers = cells.number_notes(checks, display)
    equations, more = parts.equations(result, display, room=display.width)
    shown = [(equation.label, plain.one_line(equation.text)) for equation in equations] if result.expression else []
    value = ""
    if (found := parts.value(result)) is not None:
        torch = "" if found.torch is None else f" (torch: {found.torch})"
        value = f"{labels.function_name(result)}({found.point}) = {found.value}{torch}"
    columns = cells.columns(result, checks, markers, display) if checks else []
    remarks = parts.remarks(result, checks, notes, markers, display)
    return Block(
        title=result.title,
        outcome=outcome(result),
        place=place(result),
        description=mathml.paragraphs(result.description or ""),
        formulas=(*in_line(shown), *([more] if more else [])),
        value=value,
        error=plain.lines(result.error or ""),
        tables=(_table(columns, cells.rest(result, checks, display)),) if checks else (),
        remarks=tuple(("" if mark is None else labels.superscript(mark), text) for mark, text in remarks),
        claims=tuple(claims(result)),
    )


def _of_code(result: CodeResult, display: Display) -> Block:
    blocks, left_out = code_parts.shown_blocks(result, display)
    tables = [_table(code_parts.block_columns(result, blocks), left_out)] if blocks else []
    if entries := code_parts.shown_entries(result, display):
        more = code_parts.more_entries(result, display)
        rows = [
            (
                Cell(code_parts.entry_name(entry, result)),
                *(Cell(number, right=True) for number in words.numbers(entry, result)),
                Cell(labels.outcome(entry)[0], kind=outcome(entry)[1]),
                Cell(code_parts.entry_place(entry) if entry.at else ""),
            )
            for entry in entries
        ]
        heads = Cell("entry"), Cell("analytical", True), Cell("autograd", True), Cell("verdict"), Cell("")
        rest = f"and {plain.counted(more, 'more entry')} that failed" if more else ""
        tables.append(Table(heads, tuple(rows), rest))
    return Block(
        title=result.title,
        outcome=outcome(result),
        place=place(result),
        description=mathml.paragraphs(result.description or ""),
        formulas=() if result.expression is None else tuple(arrays.lines(result, display)),
        about=" · ".join([*code_parts.header(result)[1:], *code_parts.inputs(result, display)]),
        error=plain.lines(result.error or ""),
        tables=tuple(tables),
        remarks=tuple(("", plain.lines(remark)) for remark in code_parts.remarks(result, display)),
        claims=tuple(claims(result)),
    )


def claims(result: AnyResult) -> Iterator[ClaimBlock]:
    for claim in result.claims:
        yield ClaimBlock(
            left=labels.derivative(result, claim.wrt),
            expression=plain.one_line(claim.expression),
            truth=None if claim.analytical is None else plain.one_line(claim.analytical),
            outcome=_outcome_of_claim(claim),
            detail=parts.claim_detail(result, claim),
            note=plain.lines(claim.note or ""),
        )


def outcome(found: labels.Found) -> tuple[str, str]:
    text, style = labels.outcome(found)
    return text, KINDS[style]


def _outcome_of_claim(claim: Claim) -> tuple[str, str]:
    text, style = labels.claim_outcome(claim)
    return text, KINDS[style]


def in_line(formulas: Sequence[tuple[str, str]]) -> list[str]:
    """With their equals signs one below the other."""
    longest = max((len(label) for label, _ in formulas), default=0)
    return [f"{label:{longest}} = {text}" for label, text in formulas]


def _table(columns: Sequence[Column], rest: str = "", caption: str = "") -> Table:
    heads = tuple(Cell(column.header, column.right) for column in columns)
    found = [
        [Cell(cell.plain, column.right, KINDS.get(str(cell.style), "")) for cell in column.cells] for column in columns
    ]
    return Table(heads, tuple(zip(*found, strict=True)), rest, caption)
