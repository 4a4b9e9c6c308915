"""What the block of a record consists of, as plain data for the template: formulas, tables, remarks, claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gradcheck_cli.number_text import brief
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.explanation import Explanation, StepRecord
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Claim, ProblemResult
from gradcheck_cli.render import cells, labels, overview, plain
from gradcheck_cli.render.code import arrays, words
from gradcheck_cli.render.code import parts as code_parts
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explanation import cells as steps
from gradcheck_cli.render.explanation.table import chain_lines
from gradcheck_cli.render.formula import parts
from gradcheck_cli.render.layout import Column
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
    with its class; detail: what follows it."""

    left: str
    expression: str
    truth: str | None
    outcome: tuple[str, str]
    detail: str
    note: str


@dataclass(frozen=True)
class Block:
    """title: what was checked. outcome: (`✓ match`, its class). formulas: lines of text, as they stand. about: where
    it is defined, its inputs. below: lines of text after the tables. remarks: (the mark in a table, the text)."""

    title: str
    outcome: tuple[str, str] = ("", "")
    description: str = ""
    formulas: tuple[str, ...] = ()
    about: str = ""
    error: str = ""
    tables: tuple[Table, ...] = ()
    below: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    claims: tuple[ClaimBlock, ...] = ()


def of_result(result: AnyResult, display: Display) -> Block:
    """All of the report of one problem."""
    return _of_code(result, display) if isinstance(result, CodeResult) else _of_formula(result, display)


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


def of_explanation(explanation: Explanation, display: Display) -> Block:
    """The steps, the chain rule written out."""
    shown, left_out = steps.shown_steps(explanation, display.verbose)
    rest = f"{plain.counted(left_out, 'more step')} left out" if left_out else ""
    chains = [chain_lines(explanation, one, display.verbose, display.width) for one in explanation.chains]
    return Block(
        title=f"{explanation.result.title} at {steps.point(explanation)}",
        outcome=_outcome(explanation.result),
        formulas=tuple(_in_line(steps.title(explanation, display.verbose))),
        tables=tuple(
            Table(
                *_step_table(explanation, shown, heading, mode, with_locals=not number),
                rest=rest,
                caption="" if mode == "reverse" else f"forward mode, along {mode}",
            )
            for number, (heading, mode) in enumerate(steps.columns(explanation))
        ),
        below=tuple(line for number, lines in enumerate(chains) for line in ([""] if number else []) + lines),
        remarks=tuple(("", note) for note in steps.notes(explanation)),
    )


def _of_formula(result: ProblemResult, display: Display) -> Block:
    checks = cells.select(result, display)
    notes, markers = cells.number_notes(checks, display)
    equations, more = parts.equations(result, display, room=display.width)
    shown = [(equation.label, plain.one_line(equation.text)) for equation in equations] if result.expression else []
    formulas = [*_in_line(shown), *([more] if more else [])]
    if (value := parts.value(result)) is not None:
        torch = "" if value.torch is None else f" (torch: {value.torch})"
        formulas += ["", f"{labels.function_name(result)}({value.point}) = {value.value}{torch}"]
    columns = cells.columns(result, checks, markers, display) if checks else []
    remarks = parts.remarks(result, checks, notes, markers)
    return Block(
        title=result.title,
        outcome=_outcome(result),
        description=_description(result),
        formulas=tuple(formulas),
        error=plain.lines(result.error or ""),
        tables=(_table(columns, cells.rest(result, checks, display)),) if checks else (),
        remarks=tuple(("" if mark is None else labels.superscript(mark), text) for mark, text in remarks),
        claims=tuple(_claims(result)),
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
                Cell(labels.outcome(entry)[0], kind=_outcome(entry)[1]),
                Cell(code_parts.entry_place(entry) if entry.at else ""),
            )
            for entry in entries
        ]
        heads = Cell("entry"), Cell("analytical", True), Cell("autograd", True), Cell("verdict"), Cell("")
        rest = f"and {plain.counted(more, 'more entry')} that failed" if more else ""
        tables.append(Table(heads, tuple(rows), rest))
    return Block(
        title=result.title,
        outcome=_outcome(result),
        description=_description(result),
        formulas=() if result.expression is None else tuple(arrays.lines(result, display)),
        about=" · ".join([*code_parts.header(result)[1:], *code_parts.inputs(result, display)]),
        error=plain.lines(result.error or ""),
        tables=tuple(tables),
        remarks=tuple(("", plain.lines(remark)) for remark in code_parts.remarks(result, display)),
        claims=tuple(_claims(result)),
    )


def _description(result: AnyResult) -> str:
    where = f"({place(result)})" if place(result) else ""
    return " ".join(filter(None, (result.description, where)))


def _claims(result: AnyResult) -> Iterator[ClaimBlock]:
    for claim in result.claims:
        yield ClaimBlock(
            left=labels.derivative(result, claim.wrt),
            expression=plain.one_line(claim.expression),
            truth=None if claim.analytical is None else plain.one_line(claim.analytical),
            outcome=_outcome_of_claim(claim),
            detail=parts.claim_detail(result, claim),
            note=plain.lines(claim.note or ""),
        )


def _outcome(found: labels.Found) -> tuple[str, str]:
    text, style = labels.outcome(found)
    return text, KINDS[style]


def _outcome_of_claim(claim: Claim) -> tuple[str, str]:
    text, style = labels.claim_outcome(claim)
    return text, KINDS[style]


def _in_line(formulas: Sequence[tuple[str, str]]) -> list[str]:
    """With their equals signs one below the other."""
    longest = max((len(label) for label, _ in formulas), default=0)
    return [f"{label:{longest}} = {text}" for label, text in formulas]


def _table(columns: Sequence[Column], rest: str = "", caption: str = "") -> Table:
    heads = tuple(Cell(column.header, column.right) for column in columns)
    found = [
        [Cell(cell.plain, column.right, KINDS.get(str(cell.style), "")) for cell in column.cells] for column in columns
    ]
    return Table(heads, tuple(zip(*found, strict=True)), rest, caption)


def _step_table(
    explanation: Explanation, shown: Sequence[StepRecord], heading: str, mode: str, *, with_locals: bool
) -> tuple[tuple[Cell, ...], tuple[tuple[Cell, ...], ...]]:
    """(heads, rows) of the steps in one mode, as in the other formats."""
    dtype = steps.dtype_of(explanation)
    wide = any(mode in step.reference for step in shown)
    heads = [Cell("step"), Cell("value", True)]
    heads += [Cell("local derivatives")] if with_locals else []
    heads += [Cell(" ".join(heading.split()), True), Cell("autograd", True)]
    heads += [Cell("in float64", True)] if wide else []
    rows = []
    for step in shown:
        flow = steps.flow_of(step, mode)
        analytical, autograd = steps.flow(flow, dtype)
        row = [Cell(steps.definition(step)), Cell(steps.value(step, dtype), True)]
        if with_locals:
            row.append(Cell("\n".join(steps.local_derivatives(explanation, step))))
        row += [Cell(analytical, True), Cell(autograd, True)]
        if wide:
            number = step.reference.get(mode)
            row.append(Cell(labels.NOTHING if number is None else brief(number, dtype), True))
        kind = "" if flow is None or flow.verdict is None else KINDS[labels.STYLES[flow.verdict]]
        way = "reverse" if mode == "reverse" else "forward"
        rows.append((*row, Cell(steps.verdict(step, flow, way), kind=kind), Cell(step.grad_fn or "")))
    return (*heads, Cell("verdict"), Cell("grad_fn")), tuple(rows)
