"""The note under a row: why it has its verdict, and what to do. Words only; every decision has been taken before."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gradcheck_cli.certified.rounding import Enclosure
from gradcheck_cli.certified.row_rounding import RowRounding, ValueRounding
from gradcheck_cli.diagnosis.blame import Blame, Cause
from gradcheck_cli.differentiation.rules import expand_composed
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr, call, topological, variable
from gradcheck_cli.language.printer import to_text
from gradcheck_cli.number_text import exact, pair
from gradcheck_cli.records.reference import Reference
from gradcheck_cli.records.results import Remedy, Verdict

if TYPE_CHECKING:
    from gradcheck_cli.diagnosis.diagnosis import Diagnosed


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
            return f"the digits are lost in {dtype.name}, far below atol{_where_lost(rounding.plain)}"
        case Verdict.UNSTABLE:
            cause = _where(blame, dtype) or _inside_torch(autograd, rounding) or _vague(rounding)
            return f"the formula is right, its arithmetic in {dtype.name} is not: {cause}{_advice(remedy, dtype)}"
        case Verdict.MISMATCH:
            reason = _mismatch(truth, autograd, dtype, rounding, blame)
            return reason + _advice(remedy, dtype)


def run_instead(composed: Iterable[Function], given_tensors: Iterable[str]) -> Iterable[str]:
    """What torch ran that is not what was typed: the functions that it lacks, and those that refused a number."""
    for row in composed:
        yield f"{row.name}: torch has no such function, so {row.definition} is run"
    for name in given_tensors:
        yield f"{name}: torch refuses a number there, so a 0-d tensor is given"


def short(node: Expr, limit: int = 60) -> str:
    """The text of a sub-expression; where that is too long, what is deepest in it is left out: (… + …)**2."""
    try:
        return to_text(node, limit=limit)
    except ValueError:
        pass
    for depth in range(DEEPEST, 0, -1):
        try:
            return to_text(_elided(node, depth), limit=limit)
        except ValueError:
            continue
    return f"{node.function.name}(…)" if isinstance(node, Call) else "…"


DEEPEST = 6
"""How deep a sub-expression is shown that is too long to be shown whole."""


def _elided(node: Expr, depth: int) -> Expr:
    """A sub-expression with `…` for what is more than `depth` calls deep, leaves apart."""
    if not isinstance(node, Call):
        return node
    if depth == 0:
        return variable("…")
    return call(node.function, *(_elided(arg, depth - 1) for arg in node.args))


RULE = 100
"""Characters of a rule of torch that are shown."""


def _kink(truth: Reference, dtype: Dtype) -> str:
    assert truth.left is not None
    assert truth.right is not None
    left, right = exact(truth.left, dtype), exact(truth.right, dtype)
    if truth.jump and truth.one_sided:
        where = f"one-sided: the function exists only to the {truth.one_sided} of the point"
        return f"{where}, and jumps here; the slope beside it is {right}"
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


def _inside_torch(autograd: float, rounding: RowRounding) -> str | None:
    """Where only torch's own rules explain a number: the rules of which functions."""
    if rounding.explains(autograd):
        return None
    return f"the digits are lost inside torch's own {' or '.join(_functions(rounding.expression))}"


def _where(blame: Blame | None, dtype: Dtype) -> str | None:
    """Where a wrong derivative begins, and why."""
    told = _step(blame, dtype)
    before = blame is not None and blame.lower
    return f"in the first derivative already, {told}" if told is not None and before else told


def _vague(rounding: RowRounding) -> str:
    """The cause where no step is known."""
    if rounding.plain.bounded:
        return "rounding errors are amplified"
    return f"a number on the way leaves the range of {rounding.sweeps.dtype.name}, or rounding brings it to a pole"


def _step(blame: Blame | None, dtype: Dtype) -> str | None:
    """What happens at the step to blame; None where that is not known."""
    match blame:
        case None:
            return None
        case Blame(cause=(Cause.OVERFLOW | Cause.UNDERFLOW) as cause, step=step) if blame.operands:
            verb = "overflows" if cause is Cause.OVERFLOW else "underflows"
            shown = "" if blame.beyond is None else f", {_without_zeros(blame.beyond)},"
            return f"the {_nth(blame.order)}derivative of {short(step.node)}{_by(blame)}{shown} {verb}"
        case Blame(cause=Cause.OVERFLOW, step=step):
            return f"{short(step.node)} overflows"
        case Blame(cause=Cause.UNDERFLOW, step=step):
            return f"{short(step.node)} underflows"
        case Blame(cause=Cause.CANCELLATION, step=step):
            return f"cancellation in {short(step.node)}"
        case Blame(cause=(Cause.LOSS | Cause.AMPLIFIED), step=step):
            return f"{short(step.node)} amplifies the rounding of its operands"
        case Blame(cause=Cause.VALUE, step=step, local=float(found), exact=float(right)):
            shown, true = pair(found, right, dtype)
            return f"torch's own value of {short(step.node)} is {shown}, not {true}"
        case Blame(cause=Cause.SUM):
            return _sum(blame, dtype)
        case Blame(cause=(Cause.INDEFINITE | Cause.LEAK)):
            return _indefinite(blame, dtype)
        case Blame(cause=Cause.UNDEFINED, step=step):
            return f"{short(step.node)} has no value"
        case Blame(cause=Cause.TIE):
            return _tie(blame)
        case Blame(cause=Cause.KERNEL):
            return _kernel(blame, dtype)
    return None


def _without_zeros(digits: str) -> str:
    """1.00000e400 as 1e400."""
    mantissa, exponent, power = digits.partition("e")
    return mantissa.rstrip("0").removesuffix(".") + exponent + power


def _tie(blame: Blame) -> str:
    tied, step = blame.tied, blame.step
    if blame.local is not None and math.isnan(blame.local):
        return f"torch's derivative of {_and(short(step.node) for step in tied)} is nan here"
    if not step.is_branch:
        kinks = _and(short(step.node) for step in tied)
        return f"at the kink of {kinks} torch's conventions do not add up to the derivative"
    told = f"{short(step.node)} is decided at a tie, and autograd follows one branch only"
    return told if blame.constant is None else f"{told}: the constant {short(blame.constant)}, whose derivatives are 0"


def _kernel(blame: Blame, dtype: Dtype) -> str | None:
    """`torch's own derivative of tanh(x) is 6.55e-5, not 6.56e-5: it computes 1 - tanh(x)*tanh(x), whose digits
    cancel`."""
    if blame.local is None:
        return f"torch's own {_nth(blame.order)}derivative of {short(blame.step.node)} is off"
    of = f"torch's own {_nth(blame.order)}derivative of {short(blame.step.node)}{_by(blame)}"
    if blame.exact is None:
        return f"{of} is {exact(blame.local, dtype)} here"
    found, right = pair(blame.local, blame.exact, dtype)
    return f"{of} is {found}, not {right}{_loss(blame, dtype)}"


def _loss(blame: Blame, dtype: Dtype) -> str:
    """What rounding does inside torch's own rule for the derivative."""
    match blame.loss:
        case None:
            assert blame.local is not None
            assert blame.exact is not None
            slack = 4 * dtype.unit_roundoff * max(1.0, abs(blame.exact))
            within = blame.order == 1 and abs(blame.local - blame.exact) <= slack
            return ": the digits are lost inside torch's own rule" if within else ""
        case loss:
            rule = f": it computes {short(loss.rule, RULE)}"
            if loss.overflow is not None:
                return f"{rule}, where {short(loss.overflow)} overflows"
            if loss.cancellation is not None and loss.cancellation is loss.rule:
                return f"{rule}, whose digits cancel"
            if loss.cancellation is not None:
                return f"{rule}, where the digits of {short(loss.cancellation)} cancel"
            if loss.underflow is not None:
                return f"{rule}, where {short(loss.underflow)} underflows"
            return f"{rule}, and rounding there loses the digits"


def _by(blame: Blame) -> str:
    """` by y`, where a step has several operands; ` by x and y` for a mixed derivative."""
    if not blame.operands or len(blame.step.locals) < 2:
        return ""
    return f" by {_and(short(operand) for operand in blame.operands)}"


def _nth(order: int) -> str:
    return {1: "", 2: "second ", 3: "third "}.get(order, f"{order}-th ")


def _mismatch(truth: Reference, autograd: float, dtype: Dtype, rounding: RowRounding, blame: Blame | None) -> str:
    cut = rounding.cut
    if blame is not None and blame.cause is Cause.CUT and blame.step.function is not None:
        cut = blame.step.function.name
    if cut is not None and not math.isnan(autograd):
        return f"torch does not differentiate {cut}: the graph is cut there, and what goes through it counts as 0"
    reason = _where(blame, dtype)
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


def _indefinite(blame: Blame, dtype: Dtype) -> str:
    """`NaN enters at sqrt(x): local derivative inf times incoming 0, from the branch of where() that was not taken`."""
    assert blame.local is not None
    if blame.incoming is None:
        where = f"{short(blame.step.node)}{_by(blame)}"
        return f"the {_nth(blame.order)}derivative of {where} is {exact(blame.local, dtype)} here"
    nth = "" if blame.order == 1 else _nth(blame.order)
    product = f"{nth}local derivative {exact(blame.local, dtype)} times incoming {exact(blame.incoming + 0.0, dtype)}"
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
    return [row.name for row in calls if row.role == "function" and not callable(row.torch)]


def only_the_value(value: float | None, autograd: float | None, dtype: Dtype, blame: Blame | None) -> str:
    """What to say where the derivative is right and torch has no finite value. blame: of the value."""
    assert value is not None
    assert autograd is not None
    cause = _where(blame, dtype) or f"it leaves the range of {dtype.name} on the way"
    return f"the function's own value is {exact(value, dtype)}, and torch has {exact(autograd, dtype)}: {cause}"


def value_note(verdict: Verdict, value: float, autograd: float, dtype: Dtype, rounding: ValueRounding) -> str | None:
    """What to say about the function's own value, where it does not match."""
    if verdict is Verdict.MATCH:
        return f"the value overflows {dtype.name}" if math.isinf(value) else None
    lost = f"out of the range of {dtype.name} on the way" if rounding.leaves_the_range else "lost to rounding"
    reason = {
        Verdict.IMPRECISE: f"{lost}, far below atol",
        Verdict.UNSTABLE: lost,
    }.get(verdict, "which rounding does not explain")
    return f"the value is off as well: {exact(value, dtype)}, torch has {exact(autograd, dtype)} ({reason})"
