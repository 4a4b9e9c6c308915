"""The report of one formula as Markdown: what one pastes into a pull request or a notebook."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.results import ProblemResult
from gradcheck_cli.render import cells, labels, plain
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formula import parts
from gradcheck_cli.render.markup import aligned_head, code, escaped, fenced, line


def formula_report(result: ProblemResult, display: Display) -> Iterator[str]:
    """The lines, without a heading: the formulas, the value, the rows, the notes, the claims."""
    checks = cells.select(result, display)
    notes, markers = cells.number_notes(checks, display)
    equations, more = parts.equations(result, display, room=display.width // 3)
    shown = [(equation.label, plain.one_line(equation.text)) for equation in equations]
    longest = max(len(label) for label, _ in shown)
    lines = [f"{label:{longest}} = {text}" for label, text in shown] + ([more] if more else [])
    if (value := parts.value(result)) is not None:
        torch = "" if value.torch is None else f" (torch: {value.torch})"
        lines += ["", f"{labels.function_name(result)}({value.point}) = {value.value}{torch}"]
    yield from fenced(lines)
    if result.error is not None:
        yield from ("", *fenced(plain.lines(result.error).split("\n")))
    if checks:
        columns = cells.columns(result, checks, markers, display)
        yield ""
        yield from aligned_head(*((column.header, column.right) for column in columns))
        for index in range(len(checks)):
            yield line(*(escaped(column.cells[index].plain) for column in columns))
        if rest := cells.rest(result, checks, display):
            yield from ("", f"{rest}.")
    remarks = parts.remarks(result, checks, notes, markers, display)
    if remarks:
        yield ""
    for number, remark in remarks:
        yield f"- {'' if number is None else labels.superscript(number) + ' '}{escaped(remark)}"
    yield from claims(result)


def claims(result: AnyResult) -> Iterator[str]:
    """What became of each claim."""
    for claim in result.claims:
        derivative = labels.derivative(result, claim.wrt)
        outcome, _ = labels.claim_outcome(claim)
        detail = parts.claim_detail(result, claim)
        yield ""
        yield f"The claim {code(f'{derivative} = {claim.expression}')} is {escaped(outcome + detail)}."
        if claim.analytical is not None:
            yield f"The derivative is {code(claim.analytical)}."
        if claim.note:
            yield from ("", f"- {escaped(claim.note)}")
