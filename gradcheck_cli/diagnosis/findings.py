"""What is known of a row, as data: what is said is decided here, and put into words in wording.py."""

from __future__ import annotations

import math
from dataclasses import replace

from gradcheck_cli.certified.widened.rows import RowRounding, ValueRounding
from gradcheck_cli.diagnosis.blame import Blame
from gradcheck_cli.diagnosis.torch_rules import RuleLoss
from gradcheck_cli.differentiation.rules import expand_composed
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression.nodes import Call, Expr, topological
from gradcheck_cli.language.printer import short_text
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.reference import Reference
from gradcheck_cli.records.results import Verdict

RULE = 100
"""Characters of a rule of torch that are shown."""
CONTRIBUTIONS = 3
"""Parts of a sum that are told, the largest ones."""


def of_row(
    verdict: Verdict, truth: Reference, autograd: float, dtype: Dtype, rounding: RowRounding, blame: Blame | None
) -> tuple[Finding, ...]:
    """What is to be said of a row, in this order. blame: of a row that did not pass, where it is known."""
    match verdict:
        case Verdict.MATCH:
            return (Finding(Code.ONE_SIDED, texts={"side": truth.one_sided}),) if truth.one_sided else ()
        case Verdict.KINK:
            return (_kink(truth, autograd),)
        case Verdict.UNDEFINED:
            return (_no_value(truth),)
        case Verdict.ERROR:
            return (Finding(Code.NO_REFERENCE, texts={"reason": truth.reason or ""}),)
        case Verdict.IMPRECISE:
            cancelling = rounding.plain.cancellation
            return (Finding(Code.BELOW_ATOL, "" if cancelling is None else short_text(cancelling)),)
        case Verdict.UNSTABLE:
            return (_cause(blame, dtype) or _vague(autograd, rounding),)
        case Verdict.MISMATCH:
            return _mismatch(truth, autograd, dtype, rounding, blame)


def of_value(verdict: Verdict, value: float, autograd: float, rounding: ValueRounding) -> Finding | None:
    """What is to be said of the function's own value, where it does not match."""
    numbers = {"exact": value, "torch": autograd}
    if verdict is Verdict.MATCH:
        return Finding(Code.VALUE_OVERFLOWS, numbers=numbers) if math.isinf(value) else None
    plain = Code.RANGE if rounding.leaves_the_range else Code.ROUNDING
    lost = Finding(plain if rounding.explains(autograd) else Code.INSIDE_TORCH)
    parts = {Verdict.IMPRECISE: (lost, Finding(Code.BELOW_ATOL)), Verdict.UNSTABLE: (lost,)}
    return Finding(Code.VALUE_OFF, numbers=numbers, parts=parts.get(verdict, (Finding(Code.WRONG),)))


def of_only_the_value(value: float | None, autograd: float | None, dtype: Dtype, blame: Blame | None) -> Finding:
    """What is to be said where the derivative is right and torch has no finite value. blame: of the value."""
    assert value is not None
    assert autograd is not None
    cause = _cause(blame, dtype) or Finding(Code.RANGE)
    return Finding(Code.VALUE_NOT_FINITE, numbers={"exact": value, "torch": autograd}, parts=(cause,))


def of_blame(blame: Blame, dtype: Dtype) -> Finding:
    """The step to blame, with all that is known of it."""
    step, code = blame.step, blame.code
    operands = tuple(map(short_text, blame.operands)) if len(step.locals) > 1 else ()
    numbers = {name: number for name, number in (("torch", blame.local), ("exact", blame.exact)) if number is not None}
    texts: dict[str, str] = {}
    parts: tuple[Finding, ...] = ()
    match code:
        case Code.CUT:
            operands = () if step.function is None else (step.function.name,)
        case Code.OVERFLOW | Code.UNDERFLOW if blame.beyond is not None:
            texts["exact"] = blame.beyond
        case Code.SUM:
            numbers, parts = _contributions(blame)
        case Code.LEAK | Code.INDEFINITE:
            if blame.incoming is not None:
                numbers["incoming"] = blame.incoming + 0.0
            if blame.source is not None and blame.source is not step:
                texts["source"] = short_text(blame.source.node)
        case Code.TIE:
            if not step.is_branch or math.isnan(numbers.get("torch", 0.0)):
                operands = tuple(short_text(tied.node) for tied in blame.tied)
            elif blame.constant is not None:
                texts["constant"] = short_text(blame.constant)
        case Code.KERNEL:
            loss = _loss(blame, dtype)
            parts = () if loss is None else (loss,)
    order = blame.order if blame.operands else 0
    return Finding(code, short_text(step.node), step.name, order, operands, numbers, texts, parts)


def _cause(blame: Blame | None, dtype: Dtype) -> Finding | None:
    """Why a derivative is wrong; None where no step says it."""
    if blame is None or blame.code is Code.CUT:
        return None
    if blame.code is Code.VALUE and (blame.local is None or blame.exact is None):
        return None
    found = of_blame(blame, dtype)
    return Finding(Code.FIRST, parts=(found,)) if blame.lower else found


def _kink(truth: Reference, autograd: float) -> Finding:
    assert truth.left is not None
    assert truth.right is not None
    numbers = {"left": truth.left, "right": truth.right, "torch": autograd}
    if truth.jump and truth.one_sided:
        return Finding(Code.EDGE, numbers=numbers, texts={"side": truth.one_sided})
    code = Code.JUMP if truth.jump else Code.NO_LOWER_ORDER if truth.left == truth.right else Code.KINK
    return Finding(code, numbers=numbers)


def _no_value(truth: Reference) -> Finding:
    """limit: of the function, where it has one; from: which side, where it has one on that side only."""
    why = truth.why or Finding(Code.NO_VALUE)
    if truth.limit is None:
        return why
    texts = {} if truth.one_sided is None else {"from": truth.one_sided}
    return replace(why, numbers={"limit": truth.limit}, texts={**why.texts, **texts})


def _vague(autograd: float, rounding: RowRounding) -> Finding:
    """The cause where no step is known."""
    if not rounding.explains(autograd):  # only torch's own rules do
        return Finding(Code.INSIDE_TORCH, operands=_functions(rounding.expression))
    return Finding(Code.ROUNDING if rounding.plain.bounded else Code.RANGE)


def _mismatch(
    truth: Reference, autograd: float, dtype: Dtype, rounding: RowRounding, blame: Blame | None
) -> tuple[Finding, ...]:
    if not math.isnan(autograd):
        if blame is not None and blame.code is Code.CUT:
            return (of_blame(blame, dtype),)
        if rounding.cut is not None:
            return (Finding(Code.CUT, operands=(rounding.cut,)),)
    cause = _cause(blame, dtype)
    if truth.left is not None:
        if math.isinf(autograd) and autograd in truth.numbers:
            return _kink(truth, autograd), Finding(Code.DESTROYS)
        return _kink(truth, autograd), Finding(Code.OUTSIDE, parts=() if cause is None else (cause,))
    if cause is not None:
        return (cause,)
    if math.isnan(autograd):
        return (Finding(Code.NAN),)
    if truth.probed:
        return (Finding(Code.CONVENTIONS),)
    if rounding.explains_with_slack(autograd):
        return (Finding(Code.INSIDE_TORCH, operands=_functions(rounding.expression)),)
    return (Finding(Code.WRONG),)


def _contributions(blame: Blame) -> tuple[dict[str, float], tuple[Finding, ...]]:
    """The sum of what torch adds and of how many parts, and the largest of them, what is not finite before all."""
    ranked = sorted(blame.parts, key=lambda part: -abs(part[1]) if math.isfinite(part[1]) else -math.inf)
    told = tuple(
        Finding(Code.CONTRIBUTION, short_text(step.node), step.name, numbers={"torch": value})
        for step, value in ranked[:CONTRIBUTIONS]
    )
    return {"total": sum(value for _, value in blame.parts), "count": len(blame.parts)}, told


def _loss(blame: Blame, dtype: Dtype) -> Finding | None:
    """What rounding does inside torch's own rule for a derivative."""
    if blame.local is None or blame.exact is None:
        return None
    if blame.loss is not None:
        return _in_the_rule(blame.loss)
    slack = 4 * dtype.unit_roundoff * max(1.0, abs(blame.exact))
    within = blame.order == 1 and abs(blame.local - blame.exact) <= slack
    return Finding(Code.LOSS) if within else None


def _in_the_rule(loss: RuleLoss) -> Finding:
    """step: the part of the rule that it is about, where that is not the whole."""
    ranked = ((Code.OVERFLOW, loss.overflow), (Code.CANCELLATION, loss.cancellation), (Code.UNDERFLOW, loss.underflow))
    code, part = next((pair for pair in ranked if pair[1] is not None), (Code.LOSS, None))
    whole = part is None or (code is Code.CANCELLATION and part is loss.rule)
    return Finding(code, "" if whole or part is None else short_text(part), texts={"rule": short_text(loss.rule, RULE)})


def _functions(expression: Expr) -> tuple[str, ...]:
    """The functions of torch that an expression runs, operators apart."""
    order = topological(expand_composed(expression))
    calls = dict.fromkeys(node.function for node in order if isinstance(node, Call))
    return tuple(row.name for row in calls if row.role == "function" and not callable(row.torch))
