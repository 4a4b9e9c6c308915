"""As LaTeX: the formulas as they are typed, the numbers as matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcheck_cli.language.latex import number
from gradcheck_cli.number_text import brief
from gradcheck_cli.records.array_explanation import ArrayExplanation, ArrayStep
from gradcheck_cli.render.code.arrays import equations
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explanation.arrays import cells
from gradcheck_cli.render.formula.latex import claims_about_arrays
from gradcheck_cli.render.latex_text import FRAGMENT, array, items, prose
from gradcheck_cli.render.plain import counted, in_short


def render_arrays_latex(explanation: ArrayExplanation, display: Display) -> str:
    return "\n".join([FRAGMENT, *_lines(explanation, display)]) + "\n"


def _lines(explanation: ArrayExplanation, display: Display) -> Iterator[str]:
    result = explanation.result
    yield from (rf"\texttt{{{prose(f'{left} = {right}')}}}\\" for left, right in equations(result))
    if result.error is not None:
        yield prose(in_short(result.error))
    steps, left_out = cells.shown_steps(explanation, display.verbose)
    if steps:
        yield ""
        yield from array("ll", _heads("step", "value"), [
            [_typed(cells.definition(step)), _value(explanation, step, step.numbers, display)] for step in steps
        ])  # fmt: skip
        yield ""
        rows = []
        for step in cells.adjoints(explanation, steps):
            assert step.adjoint is not None
            typed = r"\\ ".join(map(_typed, cells.product(explanation, step)))
            product = rf"\begin{{array}}{{@{{}}l@{{}}}} {typed} \end{{array}}" if len(step.contributions) > 1 else typed
            numbers = (step.adjoint.analytical, step.adjoint.autograd)
            values = [_value(explanation, step, one, display) for one in numbers]
            words = rf"\text{{{prose(cells.verdict(step).partition(' ')[2])}}}"
            rows.append([_typed(cells.adjoint(explanation, step)), product, *values, words])
        heads = _heads("adjoint", "vector-Jacobian product", "analytical", "autograd", "verdict")
        yield from array("llccl", heads, rows)
    if left_out:
        yield f"% {counted(left_out, 'more step')} left out{display.hint()}"
    if found := list(cells.remarks(explanation)):
        yield ""
        yield from items(("", remark) for remark in found)
    yield from claims_about_arrays(result)


def _heads(*names: str) -> list[str]:
    return [rf"\text{{{name}}}" for name in names]


def _typed(text: str) -> str:
    return rf"\texttt{{{prose(text)}}}"


def _value(
    explanation: ArrayExplanation, step: ArrayStep, numbers: Sequence[float | None] | None, display: Display
) -> str:
    dtype = cells.dtype_of(explanation)
    if numbers is None or cells.array(numbers, step.shape, dtype, display.verbose) is None:
        return rf"\text{{{prose(cells.shape(step))}}}"
    texts = [r"\text{--}" if x is None else number(brief(x, dtype)) for x in numbers]
    if not step.shape:
        return texts[0]
    columns = step.shape[-1]
    rows = [" & ".join(texts[i : i + columns]) for i in range(0, len(texts), columns)]
    inside = r" \\ ".join(rows)
    return rf"\begin{{bmatrix}} {inside} \end{{bmatrix}}"
