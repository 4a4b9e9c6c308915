"""What every form of an explanation shows: which steps, the texts of their cells, and the chain rule written out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gradcheck_cli import number_text
from gradcheck_cli.dtypes import DTYPES, Dtype
from gradcheck_cli.number_text import brief
from gradcheck_cli.records.explanation import Chain, Explanation, Flow, LocalDerivative, StepRecord
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.labels import NOTHING, SIGNS, function_name, lets, pair
from gradcheck_cli.render.plain import counted

MOST = 30
"""Steps that are shown unless -v asks for all."""
PATHS = 8
"""Paths that are written out unless -v asks for all."""
FACTORS = 12
"""Factors of a path that are written out unless -v asks for all."""


class Factor(NamedTuple):
    """A derivative in the chain rule, by the names of the steps above and below.

    local: of a step by one of its operands, the others held; else along all ways from the one to the other.
    """

    above: str
    below: str
    local: bool = True


@dataclass(frozen=True)
class Sum:
    """A derivative as a sum of products.

    terms: the factors of each. numbers: the text of each factor; none where
    one has no number. remarks: why that is so, and what is left out.
    """

    by: str
    terms: tuple[tuple[Factor, ...], ...]
    numbers: tuple[tuple[str, ...], ...] = ()
    remarks: tuple[str, ...] = ()


def dtype_of(explanation: Explanation) -> Dtype:
    return DTYPES[explanation.result.dtype]


def shown_steps(explanation: Explanation, everything: bool) -> tuple[list[StepRecord], int]:
    """(the steps to show, how many are left out between them): all, or the first and last and those that are off."""
    steps = list(explanation.steps)
    if everything or len(steps) <= MOST:
        return steps, 0
    wanted = [i for i, step in enumerate(steps) if step.blamed or _is_off(step)][: MOST // 2]
    ends = [i for pair in zip(range(len(steps)), reversed(range(len(steps))), strict=True) for i in pair]
    chosen = set(wanted)
    for i in ends:
        if len(chosen) >= MOST:
            break
        chosen.add(i)
    return [steps[i] for i in sorted(chosen)], len(steps) - len(chosen)


def _is_off(step: StepRecord) -> bool:
    flows = [step.adjoint, *step.tangents.values()]
    return any(flow is not None and flow.verdict is not None and not flow.verdict.passes for flow in flows)


def definition(step: StepRecord) -> str:
    """`b = exp(a)`; just the name of a variable."""
    return step.name if step.text is None else f"{step.name} = {step.text}"


def value(step: StepRecord, dtype: Dtype) -> str:
    """The certified value, with torch's below it where that is another."""
    if step.value is None:
        return NOTHING if step.value_autograd is None else f"{NOTHING}\n(torch: {brief(step.value_autograd, dtype)})"
    if step.value_autograd is None:
        return f"{brief(step.value, dtype)} (not run)"
    if step.beyond is not None:
        return f"{step.beyond}\n(torch: {brief(step.value_autograd, dtype)})"
    if not step.value_right:
        own, torch = number_text.pair(step.value, step.value_autograd, dtype)
        return f"{own}\n(torch: {torch})"
    return brief(step.value, dtype)


def local_derivatives(explanation: Explanation, step: StepRecord) -> list[str]:
    """`db/da = exp(a) = 0.135335`, one for each operand."""
    dtype = dtype_of(explanation)
    texts = []
    for local in step.locals:
        number = local_number(local, dtype)
        formula = "no known form" if local.text is None else local.text
        parts = [symbol(explanation, Factor(step.name, local.by)), formula, *([number] if number != formula else [])]
        texts.append(" = ".join(parts))
    return texts


def is_partial(explanation: Explanation, factor: Factor) -> bool:
    """Whether it is a partial derivative: others are held, since the step has several operands."""
    return factor.local and len(explanation.by_name[factor.above].locals) > 1


def symbol(explanation: Explanation, factor: Factor) -> str:
    """`∂b/∂x` of a step by one of several operands; `db/dx` by its only one, and of what goes along all steps."""
    d = "∂" if is_partial(explanation, factor) else "d"
    return f"{d}{factor.above}/{d}{factor.below}"


def local_number(local: LocalDerivative, dtype: Dtype) -> str:
    if local.value is None:
        return NOTHING
    return local.beyond or brief(local.value, dtype)


def flow(found: Flow | None, dtype: Dtype) -> tuple[str, str]:
    """(the certified derivative or the one-sided ones, torch's)."""
    if found is None:
        return NOTHING, NOTHING
    if found.verdict is Verdict.MATCH and found.analytical is not None and found.autograd is not None:
        return brief(found.analytical, dtype), brief(found.autograd, dtype)
    return pair(found, dtype, text=brief)


def verdict(step: StepRecord, found: Flow | None, mode: str) -> str:
    """`✓ match`, with an arrow where the step is to blame."""
    shown = NOTHING if found is None or found.verdict is None else f"{SIGNS[found.verdict]} {found.verdict.value}"
    return f"{shown} ← here" if any(blamed.endswith(f" {mode}") for blamed in step.blamed) else shown


def written_out(explanation: Explanation, chain: Chain, everything: bool) -> Sum:
    """The chain rule for one variable."""
    if not chain.count:
        return Sum(chain.by, ())
    few = chain.paths and (
        everything or (len(chain.paths) <= PATHS and all(len(path.steps) - 1 <= FACTORS for path in chain.paths))
    )
    if few:
        return _sum(explanation, chain.by, [tuple(map(Factor, p.steps, p.steps[1:])) for p in chain.paths])
    through = chain.through if everything else chain.through[:PATHS]
    name = explanation.name
    terms = [
        (Factor(name, step, local=False), Factor(step, chain.by)) if step != name else (Factor(name, chain.by),)
        for step in through
    ]
    more = len(chain.through) - len(through)
    left_out = f" (and {counted(more, 'more term')})" if more else ""
    paths = f"{chain.count:,}" if chain.count < 10**9 else f"{chain.count:.2g}"
    how = (
        f"written by the last step only: {paths} {'path leads' if chain.count == 1 else 'paths lead'} from "
        f"{name} to {chain.by}; the adjoints are in the table{left_out}"
    )
    return _sum(explanation, chain.by, terms, how)


def _sum(explanation: Explanation, by: str, terms: Sequence[tuple[Factor, ...]], *remarks: str) -> Sum:
    """The terms with their numbers, or why they have none: at a kink, one derivative does not exist."""
    numbers = tuple(tuple(number_of(explanation, factor) for factor in term) for term in terms)
    missing = {
        symbol(explanation, factor): len(term) > 1 or len(terms) > 1
        for term, texts in zip(terms, numbers, strict=True)
        for factor, text in zip(term, texts, strict=True)
        if text == NOTHING or text.startswith("[")
    }
    if not missing:
        return Sum(by, tuple(terms), numbers, remarks)
    told = [name for name, is_part in missing.items() if is_part]
    if not told:  # the whole sum is what does not exist
        return Sum(by, tuple(terms), (), remarks)
    names = " and ".join(told) if len(told) < 3 else f"{', '.join(told[:2])} and {len(told) - 2:,} more"
    why = f"{names} {'does' if len(told) == 1 else 'do'} not exist at this point: the chain rule gives no number here"
    return Sum(by, tuple(terms), (), (*remarks, why))


def number_of(explanation: Explanation, factor: Factor) -> str:
    """The certified number of one factor: a local derivative, or an adjoint."""
    steps, dtype = explanation.by_name, dtype_of(explanation)
    if not factor.local:
        return flow(steps[factor.below].adjoint, dtype)[0]
    return next(local_number(local, dtype) for local in steps[factor.above].locals if local.by == factor.below)


def alone(explanation: Explanation, term: Sequence[Factor]) -> str | None:
    """The formula of a local derivative that is a whole term: ds/dx = ds/dx says nothing."""
    if not term:
        return "1"
    if len(term) > 1 or term[0].above != explanation.name:
        return None
    locals_ = explanation.by_name[explanation.name].locals
    return next((local.text for local in locals_ if local.by == term[0].below), None)


def total(explanation: Explanation, by: str) -> tuple[str, str, Verdict] | None:
    """(the certified derivative in full, torch's, the verdict) of a variable; of the first mode that was checked."""
    dtype = dtype_of(explanation)
    for check in explanation.result.checks:
        if check.wrt == (by,):
            found = Flow(check.analytical, check.autograd, check.verdict, check.left, check.right)
            if check.analytical is not None:
                analytical = number_text.exact(check.analytical, dtype)
                autograd = NOTHING if check.autograd is None else number_text.exact(check.autograd, dtype)
                return analytical, autograd, check.verdict
            return (*flow(found, dtype), check.verdict)
    return None


def notes(explanation: Explanation) -> list[str]:
    """Why rows did not pass, where modes part, and remarks about the whole."""
    return list(dict.fromkeys(_notes(explanation)))


def _notes(explanation: Explanation) -> Iterator[str]:
    result = explanation.result
    several = len({check.wrt for check in result.checks}) > 1
    for check in result.checks:
        if check.note:
            mode = " (forward mode)" if check.mode == "forward" and len({c.mode for c in result.checks}) > 1 else ""
            where = f"d{explanation.name}/d{check.wrt[0]}{mode}: " if several or mode else ""
            yield f"{where}{check.note}"
    yield from (parting.sentence for parting in explanation.partings)
    yield from explanation.notices
    yield from result.notices


def title(explanation: Explanation, display: Display) -> list[tuple[str, str]]:
    """(label, text) of the intermediate results and the function."""
    result = explanation.result
    arguments = ", ".join(result.variables)
    own = (f"{function_name(result)}({arguments})", result.formula or result.expression)
    return [*lets(result, display), own]


def point(explanation: Explanation) -> str:
    """`x=2, y=1`."""
    dtype = dtype_of(explanation)
    return ", ".join(f"{name}={number_text.exact(number, dtype)}" for name, number in explanation.point.items())


def columns(explanation: Explanation) -> Sequence[tuple[str, str]]:
    """(heading, mode) of each pair of derivative columns: the adjoint, and the tangent along each variable."""
    first = explanation.steps[-1]
    pairs = [(f"adjoint\nd{explanation.name}/d·", "reverse")] if first.adjoint is not None else []
    return [*pairs, *((f"tangent\nd·/d{by}", by) for by in first.tangents)]


def flow_of(step: StepRecord, mode: str) -> Flow | None:
    return step.adjoint if mode == "reverse" else step.tangents.get(mode)
