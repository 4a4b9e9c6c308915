"""An explanation as people read it: the steps in one table, the chain rule below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
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
SHORT = 12
"""Columns that the name of a derivative may take beside its chain rule, however little room there is."""
LEAST = 20
"""Columns that a step and its local derivatives need in a table."""


def render_explanation_table(explanation: Explanation, display: Display) -> str:
    """The function, a table of its steps for each mode, the chain rule for each variable, the notes."""
    return to_text(list(_parts(explanation, display)), display)


def _parts(explanation: Explanation, display: Display) -> Iterator[RenderableType]:
    yield _title(explanation, display)
    steps, left_out = cells.shown_steps(explanation, display.verbose)
    for number, (heading, mode) in enumerate(cells.columns(explanation)):
        yield Text()
        if mode != "reverse":
            yield Text(f"forward mode, along {mode}", style="bold")
        yield from _table(explanation, steps, heading, mode, display.width, with_locals=number == 0)
    if left_out:
        yield Text(f"and {counted(left_out, 'more step')} between these{display.hint()}", style="dim")
    for one in explanation.chains:
        yield Text()
        yield from _chain(explanation, one, display)
    remarks = cells.notes(explanation)
    if remarks:
        yield Text()
    for remark in remarks:
        yield layout.bullet("•", lines(remark))


def _title(explanation: Explanation, display: Display) -> Table:
    formulas = [(one_line(label), one_line(text)) for label, text in cells.title(explanation, display)]
    return layout.equations(formulas, display.width, [("at", one_line(cells.point(explanation)))])


def _table(
    explanation: Explanation, steps: Sequence[StepRecord], heading: str, mode: str, width: int, *, with_locals: bool
) -> Iterator[RenderableType]:
    """All side by side where there is room; else torch's own value and the local derivatives below their step, and the
    grad_fn below the verdict, or left out, and then what another dtype has; else lines for each step."""
    own = _columns(explanation, steps, heading, mode)
    grad_fn = Column("grad_fn", tuple(Text(step.grad_fn or labels.NOTHING) for step in steps))
    locals_ = [list(map(one_line, cells.local_derivatives(explanation, step) if with_locals else ())) for step in steps]
    slim = [column for column in own if column.goes is None]
    if not with_locals:
        candidates = [own, slim]
    else:
        local = Column("local derivatives", tuple(Text("\n".join(_broken(texts, LOCAL))) for texts in locals_))
        verdict = Column("verdict, grad_fn", tuple(map(_with_grad_fn, own[-1].cells, steps)))
        candidates = [[*own[:2], local, *own[2:-1], grad_fn, own[-1]]]
        ways = [(some[:-1], last, gap) for some in (own, slim) for last in (verdict, own[-1]) for gap in (2, 1)]
        candidates += filter(None, (_below(some, last, locals_, width, gap) for some, last, gap in ways))
    found = next((columns for columns in candidates if layout.width(columns, 1) <= width), None)
    if found is None:
        yield from _in_lines(explanation, steps, own, locals_, mode, width)
    else:
        yield layout.table(found, gap=2 if layout.width(found) <= width else 1)


def _with_grad_fn(verdict: Text, step: StepRecord) -> Text:
    return Text.assemble(verdict, (f"\n  {step.grad_fn}", "dim")) if step.grad_fn else verdict


def _below(
    own: Sequence[Column], last: Column, locals_: Sequence[Sequence[str]], width: int, gap: int
) -> list[Column] | None:
    """The columns with torch's own value and the local derivatives below each step; None where there is no room."""
    values = [cell.plain.partition("\n") for cell in own[1].cells]
    others = [Column("value", tuple(Text(certified) for certified, _, _ in values), right=True), *own[2:], last]
    room = width - layout.width(others, gap) - gap
    names = [text.partition(" = ")[0] for texts in locals_ for text in texts]
    if room < max([min(own[0].width, LEAST), *(LEAST for _ in names[:1]), *(len(f"  {name} =") for name in names)]):
        return None
    steps = []
    for first, (_, _, torch), texts in zip(own[0].cells, values, locals_, strict=True):
        below = _broken([*filter(None, [torch]), *texts], room, "  ")
        steps.append(Text.assemble("\n".join(_broken([first.plain], room)), *((f"\n{line}", "dim") for line in below)))
    return [Column("step", tuple(steps)), *others]


def _in_lines(
    explanation: Explanation,
    steps: Sequence[StepRecord],
    own: Sequence[Column],
    locals_: Sequence[Sequence[str]],
    mode: str,
    width: int,
) -> Iterator[RenderableType]:
    """Each step as lines: its definition, its numbers, its local derivatives."""
    for index, (step, local) in enumerate(zip(steps, locals_, strict=True)):
        if index:
            yield Text()
        definition, *cells_ = (column.cells[index] for column in own)
        by = f"d{explanation.name}/d{step.name}" if mode == "reverse" else f"d{step.name}/d{mode}"
        names = ["value", by, *(" ".join(column.header.split()) for column in own[3:])]
        rows = [(Text(f"  {name}"), Text(" ").join(cell.split("\n"))) for name, cell in zip(names, cells_, strict=True)]
        derivatives = [text.partition(" = ") for text in local]
        rows += [(Text(f"  {name}", style="dim"), Text("= " + text, style="dim")) for name, _, text in derivatives]
        yield Text("\n".join(layout.in_lines(definition.plain, width)), style="bold")
        yield layout.hanging(rows, gap=2)


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
        found.append(Column("in float64", tuple(map(Text, texts)), right=True, goes=1))
    verdicts = []
    for step, flow in zip(steps, flows, strict=True):
        style = labels.STYLES[flow.verdict] if flow is not None and flow.verdict is not None else ""
        verdicts.append(Text(cells.verdict(step, flow, "reverse" if mode == "reverse" else "forward"), style=style))
    return [*found, Column("verdict", tuple(verdicts))]


def _broken(texts: Sequence[str], room: int, indent: str = "") -> Iterator[str]:
    """The texts in lines of at most `room` columns, further in where one goes on."""
    for text in texts:
        whole = len(indent) + cell_len(text) <= room
        first, *more = [text] if whole else layout.in_lines(text, room - len(indent) - 2)
        yield indent + first
        yield from (f"{indent}  {line}" for line in more)


def chain_lines(explanation: Explanation, one: Chain, everything: bool, width: int) -> list[str]:
    """The chain rule for one variable: symbols, numbers, the result, and what is left out.

    ds/dx = ds/dc · dc/dx
          = -0.7 · 0.1
          = -0.07

    A sum that is wider than `width` has a line for each of its terms, and a long name a line of its own.
    """
    written = cells.written_out(explanation, one, everything)
    symbols = [
        cells.alone(explanation, term) or " · ".join(cells.symbol(explanation, factor) for factor in term)
        for term in written.terms
    ]
    numbers = [" · ".join(texts) or "1" for texts in written.numbers]
    if len(numbers) > 1:
        numbers = [f"({product})" if product.startswith("-") else product for product in numbers]
    label = f"d{explanation.name}/d{one.by}"
    beside = len(label) <= max(width // 3, SHORT)
    indent = " " * len(label) if beside else " "
    sides = ["0"]
    if written.terms:
        sides = [" + ".join(terms) for terms in (symbols, numbers) if terms]
        if len(indent) + len(" = ") + max(map(len, sides)) > width:
            sides = [f"\n{indent} + ".join(terms) for terms in (symbols, numbers) if terms]
    found = cells.total(explanation, one.by)
    if found is not None:
        analytical, autograd, verdict = found
        if sides[-1] == analytical:
            sides.pop()
        sides.append(f"{analytical}    (autograd: {autograd}, {labels.SIGNS[verdict]} {verdict.value})")
    lines_ = [f"{indent if index or not beside else label} = {side}" for index, side in enumerate(sides)]
    return [
        *([] if beside else [label]),
        *"\n".join(lines_).split("\n"),
        *(f"{indent}   {it}" for it in written.remarks),
    ]


def _chain(explanation: Explanation, one: Chain, display: Display) -> Iterator[RenderableType]:
    """These lines, with a hanging indent."""
    texts = chain_lines(explanation, one, display.verbose, display.width)
    if not texts[0].startswith(f"d{explanation.name}/d{one.by} = "):
        yield Text(texts.pop(0))
    room = texts[0].index("= ") + 2
    yield layout.hanging((Text(text[:room]), Text(text[room:])) for text in texts)
