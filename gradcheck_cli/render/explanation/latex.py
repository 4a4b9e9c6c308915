"""An explanation as LaTeX, for a report or a notebook: amsmath's environments, which MathJax knows too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcheck_cli.language.latex import name, number, plain, to_latex
from gradcheck_cli.number_text import brief
from gradcheck_cli.records.explanation import Chain, Explanation, Flow, StepRecord
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explanation import cells
from gradcheck_cli.render.latex_text import FRAGMENT, array, environment, interval, items, prose
from gradcheck_cli.render.plain import counted


def render_explanation_latex(explanation: Explanation, display: Display) -> str:
    """The steps with their local derivatives, the adjoints or tangents beside torch's, the chain rule."""
    return "\n".join([FRAGMENT, *_lines(explanation, display)]) + "\n"


def _lines(explanation: Explanation, display: Display) -> Iterator[str]:
    steps, left_out = cells.shown_steps(explanation, display.verbose)
    yield from environment("align*", [_step(explanation, step) for step in steps])
    for _, mode in cells.columns(explanation):
        yield ""
        yield from _flows(explanation, steps, mode)
    if left_out:
        yield ""
        yield f"% {counted(left_out, 'more step')} left out{display.hint()}"
    for one in explanation.chains:
        yield ""
        yield from environment("align*", list(_chain(explanation, one, display.verbose)))
        yield from map(prose, cells.written_out(explanation, one, display.verbose).remarks)
    if remarks := cells.notes(explanation):
        yield ""
        yield from items(("", remark) for remark in remarks)


def _step(explanation: Explanation, step: StepRecord) -> str:
    """`b &= \\exp(a) = 0.135 & \\frac{db}{da} &= \\exp(a) = 0.135`."""
    dtype = cells.dtype_of(explanation)
    value = r"\text{undefined}" if step.value is None else number(step.beyond or brief(step.value, dtype))
    own = [value] if step.formula is None else _distinct(to_latex(step.formula), value)
    row = f"{name(step.name)} &= {' = '.join(own)}"
    parts = []
    for local in step.locals:
        shown = r"\text{undefined}" if local.value is None else number(cells.local_number(local, dtype))
        formula = r"\text{no known form}" if local.formula is None else to_latex(local.formula)
        left = _derivative(explanation, cells.Factor(step.name, local.by))
        parts.append((left, " = ".join(_distinct(formula, shown))))
    if parts:
        (first, right), *rest = parts
        row += f" & {first} &= {right}"
        row += "".join(rf", \quad {left} = {text}" for left, text in rest)
    return row


def _distinct(first: str, second: str) -> list[str]:
    return [first] if first == second else [first, second]


def _flows(explanation: Explanation, steps: list[StepRecord], mode: str) -> Iterator[str]:
    """A table of the derivatives that flow: certified, torch's, the grad_fn and the verdict."""
    rows = []
    for step in steps:
        found = cells.flow_of(step, mode)
        ends = (explanation.name, step.name) if mode == "reverse" else (step.name, mode)
        numbers = map(interval, cells.flow(found, cells.dtype_of(explanation)))
        left = _derivative(explanation, cells.Factor(*ends, local=False))
        rows.append([left, *numbers, _text(step.grad_fn), _verdict(step, found, mode)])
    heads = ["", r"\text{analytical}", r"\text{autograd}", r"\text{grad}\_\text{fn}", ""]
    yield from array("lrrll", heads, rows)


def _text(text: str | None) -> str:
    return "" if text is None else rf"\text{{{plain(text)}}}"


def _verdict(step: StepRecord, found: Flow | None, mode: str) -> str:
    verdict = "" if found is None or found.verdict is None else found.verdict.value
    way = "reverse" if mode == "reverse" else "forward"
    return _text(f"{verdict} (here)" if any(blamed.endswith(f" {way}") for blamed in step.blamed) else verdict)


def _chain(explanation: Explanation, one: Chain, everything: bool) -> Iterator[str]:
    """The chain rule: symbols, numbers, the result. Each term of a sum has a line of its own."""
    written = cells.written_out(explanation, one, everything)
    left = _derivative(explanation, cells.Factor(explanation.name, one.by, local=False))
    symbols = [
        _alone(explanation, term) or r" \cdot ".join(_derivative(explanation, factor) for factor in term)
        for term in written.terms
    ]
    values = [_product(texts) for texts in written.numbers]
    yield from _sum(f"{left} &= ", symbols or ["0"])
    if values:
        yield from _sum("&= ", [rf"\left({v}\right)" if i and v.startswith("-") else v for i, v in enumerate(values)])
    found = cells.total(explanation, one.by)
    if found is not None and [found[0]] != (values or ["0"]):
        yield f"&= {interval(found[0])}"


def _product(texts: Sequence[str]) -> str:
    factors = [interval(text) for text in texts]
    return r" \cdot ".join(rf"\left({t}\right)" if t.startswith("-") and i else t for i, t in enumerate(factors)) or "1"


def _alone(explanation: Explanation, term: tuple[cells.Factor, ...]) -> str | None:
    if not term or cells.alone(explanation, term) is None:
        return "1" if not term else None
    formula = next(x.formula for x in explanation.by_name[explanation.name].locals if x.by == term[0].below)
    return None if formula is None else to_latex(formula)


def _sum(start: str, terms: list[str]) -> Iterator[str]:
    for index, term in enumerate(terms):
        yield f"{start}{term}" if not index else rf"&\quad + {term}"


def _derivative(explanation: Explanation, factor: cells.Factor) -> str:
    d = r"\partial " if cells.is_partial(explanation, factor) else "d"
    return rf"\frac{{{d}{name(factor.above)}}}{{{d}{name(factor.below)}}}"
