"""The note under a row: why it has its verdict, and what to do. Words only; every decision has been taken before."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gradcheck_cli.blame import Blame, Cause
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression import BRANCHES, Call, Expr, topological
from gradcheck_cli.functions import FUNCTIONS
from gradcheck_cli.numbers import exact, pair
from gradcheck_cli.records import Remedy, Verdict
from gradcheck_cli.rounding import Enclosure
from gradcheck_cli.row_rounding import RowRounding
from gradcheck_cli.rules import expand_composed
from gradcheck_cli.text import to_text
from gradcheck_cli.truth import Reference

if TYPE_CHECKING:
    from gradcheck_cli.diagnosis import Diagnosed


def row_note(
    verdict: Verdict, truth: Reference, autograd: float, dtype: Dtype, rounding: RowRounding, found: Diagnosed | None
) -> str | None:
    """What to say about a row, or None. found: what a diagnosis says of a row that did not pass."""
    blame, remedy = (found.blame, found.remedy) if found is not None else (None, None)
    match verdict:
        case Verdict.MATCH:
            if truth.one_sided:
                return f"one-sided: the function exists only to the {truth.one_sided} of the point"
            return None
        case Verdict.KINK:
            return f"{_kink(truth, dtype)}; autograd takes {exact(autograd, dtype)}"
        case Verdict.UNDEFINED:
            return _undefined(truth, dtype) + _advice(remedy, dtype)
        case Verdict.ERROR:
            return f"no certified reference: {truth.reason}"
        case Verdict.IMPRECISE:
            return f"the digits are lost to rounding in {dtype.name}, far below atol{_where_lost(rounding.plain)}"
        case Verdict.UNSTABLE:
            vague = "rounding errors are amplified" if rounding.plain.bounded else "a rounded value reaches a pole"
            cause = _unstable(blame, dtype) or vague
            return f"the formula is right, its arithmetic in {dtype.name} is not: {cause}{_advice(remedy, dtype)}"
        case Verdict.MISMATCH:
            reason = _mismatch(truth, autograd, dtype, rounding, blame)
            return reason + _advice(remedy, dtype)


def short(node: Expr, limit: int = 60) -> str:
    """The text of a sub-expression, or of its outermost function where that is too long."""
    try:
        return to_text(node, limit=limit)
    except ValueError:
        name = node.function if isinstance(node, Call) else "…"
        return {"add": "a sum", "sub": "a difference", "mul": "a product", "div": "a quotient", "pow": "a power"}.get(
            name, f"{name}(…)"
        )


def _kink(truth: Reference, dtype: Dtype) -> str:
    assert truth.left is not None
    assert truth.right is not None
    left, right = exact(truth.left, dtype), exact(truth.right, dtype)
    if truth.jump:
        return f"the function jumps here; the slopes beside it are [{left}, {right}]"
    if left == right:
        return f"no derivative, since one of lower order has no value here; beside the point it is [{left}, {right}]"
    return f"no derivative: left and right are [{left}, {right}]"


def _undefined(truth: Reference, dtype: Dtype) -> str:
    reason = truth.reason or "the function has no real value here"
    if truth.limit is not None and truth.one_sided is not None:
        return f"{reason}; its limit from the {truth.one_sided} is {exact(truth.limit, dtype)}"
    if truth.limit is not None:
        return f"{reason}: a removable singularity, with limit {exact(truth.limit, dtype)}"
    return reason


def _where_lost(enclosure: Enclosure) -> str:
    return f" (cancellation in {short(enclosure.cancellation)})" if enclosure.cancellation is not None else ""


def _advice(remedy: Remedy | None, dtype: Dtype) -> str:
    """`; write softplus(x) for log(1 + exp(x)): autograd is then 1, not nan`."""
    if remedy is None:
        return ""
    place = "instead" if remedy.better == remedy.expression else f"for {remedy.part}"
    advice = f"; write {remedy.better} {place}: autograd is then"
    if remedy.before is None:
        return f"{advice} {exact(remedy.autograd, dtype)}"
    after, before = pair(remedy.autograd, remedy.before, dtype)
    return f"{advice} {after}, not {before}"


def _unstable(blame: Blame | None, dtype: Dtype) -> str | None:
    """Which operation amplifies or overflows."""
    match blame:
        case Blame(cause=Cause.OVERFLOW, step=step):
            return f"{short(step.node)} overflows"
        case Blame(cause=Cause.UNDERFLOW, step=step):
            return f"{short(step.node)} underflows"
        case Blame(cause=Cause.CANCELLATION, step=step):
            return f"cancellation in {short(step.node)}"
        case Blame(cause=(Cause.LOSS | Cause.AMPLIFIED), step=step):
            return f"{short(step.node)} amplifies the rounding of its operands"
        case Blame(cause=Cause.SUM):
            return _sum(blame, dtype)
        case Blame(cause=(Cause.INDEFINITE | Cause.LEAK)):
            return _indefinite(blame, dtype)
    return None


def _mismatch(truth: Reference, autograd: float, dtype: Dtype, rounding: RowRounding, blame: Blame | None) -> str:
    cut = blame.step.function if blame is not None and blame.cause is Cause.CUT else rounding.cut
    if cut is not None and not math.isnan(autograd):
        return f"torch does not differentiate {cut}: the graph is cut there, and what goes through it counts as 0"
    reason = _wrong(blame, autograd, dtype, rounding)
    if truth.left is not None:
        if math.isinf(autograd) and autograd in truth.numbers:
            return f"{_kink(truth, dtype)}; autograd takes {exact(autograd, dtype)}: no weight survives a step with it"
        outside = f"{_kink(truth, dtype)}; autograd's {exact(autograd, dtype)} is outside"
        return f"{outside}: {reason}" if reason is not None else outside
    if reason is not None:
        return reason
    if math.isnan(autograd):
        return "autograd says NaN, and neither overflow nor rounding explains it"
    if truth.probed:
        return "a branch is decided at a tie here, and the conventions of its functions do not add up to the derivative"
    if rounding.explains_with_slack(autograd):
        return f"the digits are lost inside torch's own {' or '.join(_functions(rounding.expression))}"
    return "the gradient is wrong: rounding does not explain the difference"


def _wrong(blame: Blame | None, autograd: float, dtype: Dtype, rounding: RowRounding) -> str | None:
    """Where a mismatch begins, and why."""
    match blame:
        case Blame(cause=(Cause.LEAK | Cause.INDEFINITE)):
            return _indefinite(blame, dtype)
        case Blame(cause=Cause.SUM):
            return _sum(blame, dtype)
        case Blame(cause=Cause.TIE, tied=tied, local=float(local)) if math.isnan(local):
            return f"torch's derivative of {_and(short(step.node) for step in tied)} is nan at the kink"
        case Blame(cause=Cause.TIE, step=step, tied=tied) if step.function in BRANCHES:
            return f"{short(step.node)} is decided at a tie, and autograd follows one branch only"
        case Blame(cause=Cause.TIE, tied=tied):
            kinks = _and(short(step.node) for step in tied)
            return f"at the kink of {kinks} torch's conventions do not add up to the derivative"
        case Blame(cause=Cause.KERNEL, step=step, local=float(local), exact=float(right)):
            off = f"torch's own derivative of {short(step.node)} is {exact(local, dtype)}, not {exact(right, dtype)}"
            lost = rounding.explains_with_slack(local * (blame.incoming or 0.0))
            return f"{off}: its digits are lost inside torch" if lost else f"{off}: rounding does not explain that"
        case Blame(cause=Cause.KERNEL, step=step, local=float(local)):
            return f"torch's own derivative of {short(step.node)} is {exact(local, dtype)} here"
        case Blame(cause=Cause.KERNEL, step=step):
            if rounding.explains_with_slack(autograd):
                return f"the digits are lost inside torch's own {step.function}"
            return f"torch's own gradient of {step.function} is off: rounding does not explain the difference"
        case Blame(cause=(Cause.OVERFLOW | Cause.UNDERFLOW | Cause.CANCELLATION | Cause.LOSS)):
            return _unstable(blame, dtype)
    return None


def _indefinite(blame: Blame, dtype: Dtype) -> str:
    """`NaN enters at sqrt(x): local derivative inf times incoming 0, from the branch of where() that was not taken`."""
    assert blame.local is not None
    assert blame.incoming is not None
    product = f"local derivative {exact(blame.local, dtype)} times incoming {exact(blame.incoming + 0.0, dtype)}"
    source = ""
    if blame.cause is Cause.LEAK:
        source = ", from the branch of where() that was not taken"
    elif blame.source is not None and blame.source is not blame.step:
        source = f", which comes from {short(blame.source.node)}"
    return f"NaN enters at {short(blame.step.node)}: {product}{source}"


def _sum(blame: Blame, dtype: Dtype) -> str:
    """Contributions that are right one by one, and not together."""
    parts = sorted(blame.parts, key=lambda part: -abs(part[1]) if math.isfinite(part[1]) else -math.inf)
    shown = _and(f"{pair(value, 0.0, dtype)[0]} from {short(step.node)}" for step, value in parts[:3])
    more = f" and {len(parts) - 3} more" if len(parts) > 3 else ""
    to = short(blame.step.node)
    if math.isnan(sum(value for _, value in parts)):
        return f"NaN enters where the contributions to {to} are added: {shown}{more}"
    if any(math.isinf(value) for _, value in parts):
        return f"a contribution to {to} is infinite: {shown}{more}"
    return f"the contributions to {to} cancel: {shown}{more}"


def _and(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def _functions(expression: Expr) -> list[str]:
    """The functions of torch that an expression runs, operators apart."""
    order = topological(expand_composed(expression))
    calls = dict.fromkeys(node.function for node in order if isinstance(node, Call))
    return [name for name in calls if (row := FUNCTIONS.get(name)) and not callable(row.torch)]


def value_note(verdict: Verdict, value: float, autograd: float, dtype: Dtype) -> str | None:
    """What to say about the function's own value, where it does not match."""
    if verdict is Verdict.MATCH:
        return f"the value overflows {dtype.name}" if math.isinf(value) else None
    rounding = "lost to rounding" if math.isfinite(autograd) else f"out of the range of {dtype.name} on the way"
    reason = {
        Verdict.IMPRECISE: "lost to rounding, far below atol",
        Verdict.UNSTABLE: rounding,
    }.get(verdict, "which rounding does not explain")
    return f"the value is off as well: {exact(value, dtype)}, torch has {exact(autograd, dtype)} ({reason})"
