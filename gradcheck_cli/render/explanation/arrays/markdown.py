"""As Markdown: two tables."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck_cli.records.array_explanation import ArrayExplanation
from gradcheck_cli.render.code.arrays import equations
from gradcheck_cli.render.code.parts import inputs
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explanation.arrays import cells
from gradcheck_cli.render.formula.markdown import claims
from gradcheck_cli.render.markup import code, escaped, head, line
from gradcheck_cli.render.plain import counted, in_short


def render_arrays_markdown(explanation: ArrayExplanation, display: Display) -> str:
    return "\n".join(_lines(explanation, display)) + "\n"


def _lines(explanation: ArrayExplanation, display: Display) -> Iterator[str]:
    result = explanation.result
    *lets, (left, right) = equations(result)
    yield f"## {code(f'{left} = {right}')}"
    yield ""
    for name, formula in lets:
        yield from (f"with {code(f'{name} = {formula}')}", "")
    yield escaped(" · ".join(inputs(result, display)))
    if result.error is not None:
        yield from ("", escaped(in_short(result.error)))
    steps, left_out = cells.shown_steps(explanation, display.verbose)
    if steps:
        yield ""
        yield from head("step", "shape", "value", "grad_fn")
        for step in steps:
            value = _array(cells.value(explanation, step, display.verbose))
            yield line(
                code(cells.definition(step)), cells.shape(step), value, code(step.grad_fn) if step.grad_fn else ""
            )
        yield ""
        yield from head("adjoint", "vector-Jacobian product", "analytical", "autograd", "verdict")
        for step in cells.adjoints(explanation, steps):
            first, second = cells.pair(explanation, step, display.verbose)
            product = "<br>".join(map(code, cells.product(explanation, step)))
            name = code(cells.adjoint(explanation, step))
            yield line(name, product, _array(first), _array(second), escaped(cells.verdict(step)))
    if left_out:
        yield from ("", f"{counted(left_out, 'more step')} left out{display.hint()}.")
    if found := list(cells.remarks(explanation)):
        yield ""
        yield from (f"- {escaped(remark)}" for remark in found)
    yield from claims(result)


def _array(lines: list[str]) -> str:
    """The rows of an array, which stand below each other."""
    return "<br>".join(map(code, lines))
