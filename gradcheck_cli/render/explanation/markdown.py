"""An explanation as Markdown: a table of the steps for each mode, the chain rule as text."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck_cli.number_text import brief
from gradcheck_cli.records.explanation import Explanation, StepRecord
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explanation import cells
from gradcheck_cli.render.explanation.table import chain_lines
from gradcheck_cli.render.labels import NOTHING
from gradcheck_cli.render.markup import code, escaped, head, line
from gradcheck_cli.render.plain import counted, one_line


def render_explanation_markdown(explanation: Explanation, display: Display) -> str:
    """A heading, the tables, the chain rule in a code block, the notes."""
    return "\n".join(_lines(explanation, display)) + "\n"


def _lines(explanation: Explanation, display: Display) -> Iterator[str]:
    formula = explanation.result.formula or explanation.result.expression
    yield f"## {code(formula)} at {escaped(cells.point(explanation))}"
    for label, text in cells.title(explanation, display)[:-1]:
        yield ""
        yield f"with {code(f'{label} = {text}')}"
    steps, left_out = cells.shown_steps(explanation, display.verbose)
    for number, (heading, mode) in enumerate(cells.columns(explanation)):
        yield ""
        if mode != "reverse":
            yield from (f"Forward mode, along {code(mode)}:", "")
        yield from _table(explanation, steps, heading, mode, with_locals=number == 0)
    if left_out:
        yield from ("", f"{counted(left_out, 'more step')} left out{display.hint()}.")
    yield from ("", "```text")
    for index, one in enumerate(explanation.chains):
        if index:
            yield ""
        yield from map(one_line_kept, chain_lines(explanation, one, display.verbose, display.width))
    yield "```"
    remarks = cells.notes(explanation)
    if remarks:
        yield ""
        yield from (f"- {escaped(remark)}" for remark in remarks)


def one_line_kept(text: str) -> str:
    """`one_line`, with the spaces at its beginning."""
    return " " * (len(text) - len(text.lstrip(" "))) + one_line(text)


def _table(
    explanation: Explanation, steps: list[StepRecord], heading: str, mode: str, *, with_locals: bool
) -> Iterator[str]:
    dtype = cells.dtype_of(explanation)
    wide = any(mode in step.reference for step in steps)
    names = ["step", "value", *(["local derivatives"] if with_locals else []), " ".join(heading.split()), "autograd"]
    yield from head(*names, *(["in float64"] if wide else []), "grad_fn", "verdict")
    for step in steps:
        flow = cells.flow_of(step, mode)
        analytical, autograd = cells.flow(flow, dtype)
        texts = [code(cells.definition(step)), escaped(cells.value(step, dtype))]
        if with_locals:
            texts.append("<br>".join(map(code, cells.local_derivatives(explanation, step))))
        texts += [escaped(analytical), escaped(autograd)]
        if wide:
            number = step.reference.get(mode)
            texts.append(NOTHING if number is None else escaped(brief(number, dtype)))
        way = "reverse" if mode == "reverse" else "forward"
        texts += [code(step.grad_fn) if step.grad_fn else "", escaped(cells.verdict(step, flow, way))]
        yield line(*texts)
