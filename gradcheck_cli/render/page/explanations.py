"""What the block of an explanation consists of: the steps, the chain rule."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck_cli.number_text import brief
from gradcheck_cli.records.array_explanation import ArrayExplanation, ArrayStep
from gradcheck_cli.records.explanation import Explanation, StepRecord
from gradcheck_cli.render import labels, plain
from gradcheck_cli.render.code.arrays import equations
from gradcheck_cli.render.code.parts import inputs
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explanation import cells as steps
from gradcheck_cli.render.explanation.arrays import cells as array_cells
from gradcheck_cli.render.explanation.table import chain_lines
from gradcheck_cli.render.page.blocks import KINDS, Block, Cell, Table, claims, in_line, outcome


def of_explanation(explanation: Explanation, display: Display) -> Block:
    """The steps, the chain rule written out."""
    shown, left_out = steps.shown_steps(explanation, display.verbose)
    rest = f"{plain.counted(left_out, 'more step')} left out" if left_out else ""
    chains = [chain_lines(explanation, one, display.verbose, display.width) for one in explanation.chains]
    return Block(
        title=f"{explanation.result.title} at {steps.point(explanation)}",
        outcome=outcome(explanation.result),
        formulas=tuple(in_line(steps.title(explanation, display))),
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


def of_array_explanation(explanation: ArrayExplanation, display: Display) -> Block:
    """The operations, and the adjoints in the way that derivatives flow."""
    result = explanation.result
    shown, left_out = array_cells.shown_steps(explanation, display.verbose)
    return Block(
        title=result.title,
        outcome=outcome(result),
        formulas=tuple(in_line(equations(result))),
        about=" · ".join(inputs(result, display)),
        error=plain.lines(result.error or ""),
        tables=(_operations(explanation, shown, left_out, display), _adjoints(explanation, shown, display))
        if shown
        else (),
        remarks=tuple(("", remark) for remark in array_cells.remarks(explanation)),
        claims=tuple(claims(result)),
    )


def _operations(explanation: ArrayExplanation, shown: Sequence[ArrayStep], left_out: int, display: Display) -> Table:
    rows = [
        (
            Cell(array_cells.definition(step)),
            Cell(array_cells.shape(step)),
            Cell("\n".join(array_cells.value(explanation, step, display.verbose))),
            Cell(step.grad_fn or ""),
        )
        for step in shown
    ]
    rest = f"{plain.counted(left_out, 'more step')} left out" if left_out else ""
    return Table(tuple(map(Cell, ("step", "shape", "value", "grad_fn"))), tuple(rows), rest)


def _adjoints(explanation: ArrayExplanation, shown: Sequence[ArrayStep], display: Display) -> Table:
    rows = []
    for step in array_cells.adjoints(explanation, shown):
        numbers = array_cells.pair(explanation, step, display.verbose)
        rows.append(
            (
                Cell(array_cells.adjoint(explanation, step)),
                Cell("\n".join(array_cells.product(explanation, step))),
                *(Cell("\n".join(lines)) for lines in numbers),
                Cell(array_cells.verdict(step), kind="" if step.adjoint is None else outcome(step.adjoint)[1]),
            )
        )
    heads = "adjoint", "vector-Jacobian product", "analytical", "autograd", "verdict"
    return Table(tuple(map(Cell, heads)), tuple(rows))


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
