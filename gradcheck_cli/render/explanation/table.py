"""An explanation as people read it: the steps in one table, the chain rule below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from gradcheck_cli.number_text import brief
from gradcheck_cli.records.explanation import Chain, Explanation, StepRecord
from gradcheck_cli.render import labels, layout
from gradcheck_cli.render.console import to_text
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explanation import cells
from gradcheck_cli.render.layout import Column
from gradcheck_cli.render.plain import counted, lines, one_line

LOCAL = 46
"""Columns for the local derivatives where everything stands side by side."""
NARROWEST = 12
"""Columns for a step and its local derivatives, however little room there is."""


def render_explanation_table(explanation: Explanation, display: Display) -> str:
    """The function, a table of its steps for each mode, the chain rule for each variable, the notes."""
    return to_text(list(_parts(explanation, display)), display)


def _parts(explanation: Explanation, display: Display) -> Iterator[RenderableType]:
    yield _title(explanation, display.verbose)
    steps, left_out = cells.shown_steps(explanation, display.verbose)
    for number, (heading, mode) in enumerate(cells.columns(explanation)):
        yield Text()
        if mode != "reverse":
            yield Text(f"forward mode, along {mode}", style="bold")
        yield _table(explanation, steps, heading, mode, display.width, with_locals=number == 0)
    if left_out:
        yield Text(f"and {counted(left_out, 'more step')} between these (-v shows all)", style="dim")
    for one in explanation.chains:
        yield Text()
        yield _chain(explanation, one, display)
    remarks = cells.notes(explanation)
    if remarks:
        yield Text()
    for remark in remarks:
        yield layout.bullet("•", lines(remark))


def _title(explanation: Explanation, everything: bool) -> Table:
    formulas = [(one_line(label), one_line(text)) for label, text in cells.title(explanation, everything)]
    return layout.equations(formulas, [("at", one_line(cells.point(explanation)))])


def _table(
    explanation: Explanation, steps: Sequence[StepRecord], heading: str, mode: str, width: int, *, with_locals: bool
) -> RenderableType:
    """Side by side where there is room; else torch's own value and the local derivatives below their step, and the
    grad_fn below the verdict."""
    own = _columns(explanation, steps, heading, mode)
    derivatives = [list(map(one_line, cells.local_derivatives(explanation, step))) for step in steps]
    local = Column("local derivatives", tuple(Text("\n".join(_broken(texts, LOCAL))) for texts in derivatives))
    grad_fn = Column("grad_fn", tuple(Text(step.grad_fn or labels.NOTHING) for step in steps))
    if not with_locals:
        return _grid(own, width)
    wide = [*own[:2], local, *own[2:-1], grad_fn, own[-1]]
    if layout.width(wide) <= width:
        return _grid(wide, width)
    grad_fns = [[step.grad_fn] if step.grad_fn else [] for step in steps]
    verdict = tuple(_below(cell, texts, width) for cell, texts in zip(own[-1].cells, grad_fns, strict=True))
    values = [cell.plain.partition("\n") for cell in own[1].cells]
    value = Column("value", tuple(Text(certified) for certified, _, _ in values), right=True)
    others = [value, *own[2:-1], Column("verdict, grad_fn", verdict)]
    room = max(NARROWEST, width - layout.width(others) - 1)
    below = tuple(
        _below(first, [*filter(None, [torch]), *texts], room)
        for first, (_, _, torch), texts in zip(own[0].cells, values, derivatives, strict=True)
    )
    return _grid([Column("step", below), *others], width)


def _columns(explanation: Explanation, steps: Sequence[StepRecord], heading: str, mode: str) -> list[Column]:
    dtype = cells.dtype_of(explanation)
    flows = [cells.flow_of(step, mode) for step in steps]
    pairs = [cells.flow(flow, dtype) for flow in flows]
    found = [
        Column("step", tuple(Text(one_line(cells.definition(step))) for step in steps)),
        Column("value", tuple(Text(cells.value(step, dtype)) for step in steps), right=True),
        Column(heading, tuple(Text(first) for first, _ in pairs), right=True),
        Column("autograd", tuple(Text(second) for _, second in pairs), right=True),
    ]
    if any(mode in step.reference for step in steps):
        wide = [step.reference.get(mode) for step in steps]
        texts = (labels.NOTHING if number is None else brief(number, dtype) for number in wide)
        found.append(Column("in float64", tuple(map(Text, texts)), right=True))
    verdicts = []
    for step, flow in zip(steps, flows, strict=True):
        style = labels.STYLES[flow.verdict] if flow is not None and flow.verdict is not None else ""
        verdicts.append(Text(cells.verdict(step, flow, "reverse" if mode == "reverse" else "forward"), style=style))
    return [*found, Column("verdict", tuple(verdicts))]


def _broken(texts: Sequence[str], room: int, indent: str = "") -> Iterator[str]:
    """The texts in lines of at most `room` columns, further in where one goes on."""
    for text in texts:
        yield from wrap(text, room, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False)


def _below(first: Text, texts: Sequence[str], room: int) -> Text:
    """`first`, and the texts below it, indented."""
    return Text.assemble(first, *(Text(f"\n{line}", style="dim") for line in _broken(texts, room, "  ")))


def _grid(columns: Sequence[Column], width: int) -> Table:
    return layout.table(columns, gap=2 if layout.width(columns) <= width else 1)


def chain_lines(explanation: Explanation, one: Chain, everything: bool, width: int) -> list[str]:
    """The chain rule for one variable: symbols, numbers, the result, and what is left out.

    ds/dx = ds/dc · dc/dx
          = -0.7 · 0.1
          = -0.07

    A sum that is wider than `width` has a line for each of its terms.
    """
    written, remark = cells.written_out(explanation, one, everything)
    symbols, numbers = [], []
    for term in written.terms:
        symbols.append(cells.alone(explanation, term) or " · ".join(f"d{above}/d{below}" for above, below in term))
        numbers.append(" · ".join(cells.factor(explanation, above, below) for above, below in term) or "1")
    if len(numbers) > 1:
        numbers = [f"({product})" if product.startswith("-") else product for product in numbers]
    label = f"d{explanation.name}/d{one.by}"
    indent = " " * len(label)
    sides = ["0"]
    if written.terms:
        sides = [" + ".join(terms) for terms in (symbols, numbers)]
        if len(label) + len(" = ") + max(map(len, sides)) > width:
            sides = [f"\n{indent} + ".join(terms) for terms in (symbols, numbers)]
    found = cells.total(explanation, one.by)
    if found is not None:
        analytical, autograd, verdict = found
        if sides[-1] == analytical:
            sides.pop()
        sides.append(f"{analytical}    (autograd: {autograd}, {labels.SIGNS[verdict]} {verdict.value})")
    lines_ = [f"{indent if index else label} = {side}" for index, side in enumerate(sides)]
    return [*"\n".join(lines_).split("\n"), *([f"{indent}   {remark}"] if remark else [])]


def _chain(explanation: Explanation, one: Chain, display: Display) -> Table:
    """These lines, with a hanging indent."""
    indent = len(f"d{explanation.name}/d{one.by} = ")
    texts = chain_lines(explanation, one, display.verbose, display.width)
    return layout.hanging((Text(text[:indent]), Text(text[indent:])) for text in texts)
