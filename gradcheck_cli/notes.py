"""The note under a row: why it has its verdict, and what to do. Words only; every decision has been taken before."""

from __future__ import annotations

import math

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression import Call, Expr, call, constant, rebuild, topological
from gradcheck_cli.functions import FUNCTIONS
from gradcheck_cli.numbers import exact
from gradcheck_cli.records import Verdict
from gradcheck_cli.rewrites import rewrite
from gradcheck_cli.rounding import Enclosure
from gradcheck_cli.row_rounding import RowRounding
from gradcheck_cli.rules import expand_composed
from gradcheck_cli.text import to_text
from gradcheck_cli.truth import Reference


def row_note(
    verdict: Verdict, truth: Reference, autograd: float, dtype: Dtype, rounding: RowRounding, expression: Expr
) -> str | None:
    """What to say about a row, or None."""
    match verdict:
        case Verdict.MATCH:
            if truth.one_sided:
                return f"one-sided: the function exists only to the {truth.one_sided} of the point"
            return None
        case Verdict.KINK:
            return f"{_kink(truth, dtype)}; autograd takes {exact(autograd, dtype)}"
        case Verdict.UNDEFINED:
            return _undefined(truth, dtype)
        case Verdict.ERROR:
            return f"no certified reference: {truth.reason}"
        case Verdict.IMPRECISE:
            return f"the digits are lost to rounding in {dtype.name}, far below atol{_where_lost(rounding.plain)}"
        case Verdict.UNSTABLE:
            return _unstable(rounding.plain, dtype, expression)
        case Verdict.MISMATCH:
            return _mismatch(truth, autograd, dtype, rounding, expression)


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
    if truth.limit is not None:
        return f"{reason}: a removable singularity, with limit {exact(truth.limit, dtype)}"
    return reason


def _where_lost(enclosure: Enclosure) -> str:
    return f" (cancellation in {short(enclosure.cancellation)})" if enclosure.cancellation is not None else ""


def _unstable(enclosure: Enclosure, dtype: Dtype, expression: Expr) -> str:
    blamed = [node for node in (enclosure.overflow, enclosure.cancellation, enclosure.underflow) if node is not None]
    advice = rewrite(expression, blamed)
    hint = f"; write {advice[1]} for {advice[0]}" if advice is not None else ""
    return f"the formula is right, its arithmetic in {dtype.name} is not: {_cause(enclosure, dtype)}{hint}"


def _cause(enclosure: Enclosure, dtype: Dtype) -> str:
    if enclosure.overflow is not None:
        return f"{short(enclosure.overflow)} overflows"
    if enclosure.underflow is not None and not enclosure.bounded:
        return f"{short(enclosure.underflow)} underflows"
    if enclosure.cancellation is not None:
        return f"cancellation in {short(enclosure.cancellation)}"
    if enclosure.underflow is not None:
        return f"{short(enclosure.underflow)} underflows"
    if not enclosure.bounded:
        return "a rounded value reaches a pole"
    return "rounding errors are amplified"


def _mismatch(truth: Reference, autograd: float, dtype: Dtype, rounding: RowRounding, expression: Expr) -> str:
    if rounding.cut is not None and not math.isnan(autograd):
        return (
            f"torch does not differentiate {rounding.cut}: the graph is cut there, and what goes through it counts as 0"
        )
    if truth.left is not None:
        return f"{_kink(truth, dtype)}; autograd's {exact(autograd, dtype)} is outside"
    if math.isnan(autograd):
        leak = rounding.sweeps.sweep(rounding.root).leak(rounding.name)
        if leak is not None:
            return _leak(*leak)
        if truth.probed:
            return "autograd multiplies 0 by an infinite local derivative here; the derivative exists all the same"
        return "autograd says NaN, and neither overflow nor rounding explains it"
    if truth.probed:
        return "a branch is decided at a tie here, and the conventions of its functions do not add up to the derivative"
    functions = _functions(expression)
    if rounding.explains_with_slack(autograd):
        return f"the digits are lost inside torch's own {' or '.join(functions)}; rewriting this formula does not help"
    if len(functions) == 1:
        return f"torch's own gradient of {functions[0]} is off: rounding does not explain the difference"
    return "the gradient is wrong: rounding does not explain the difference"


def _leak(branch: Call, culprit: Call, taken: bool) -> str:
    """The where trap, and its repair: the argument of the culprit is guarded by the same condition."""
    condition, *branches = branch.args
    argument = culprit.args[1] if culprit.function == "div" else culprit.args[0]
    guarded = call("where", condition, *((constant(1), argument) if taken else (argument, constant(1))))
    repaired = rebuild(
        branches[taken],
        lambda node, args: (
            guarded if node is argument else call(node.function, *args) if isinstance(node, Call) else None
        ),
    )
    form = call("where", condition, *((branches[0], repaired) if taken else (repaired, branches[1])))
    return (
        f"the branch of where that is not taken leaks NaN: 0 times the derivative of {short(culprit)}; guard its "
        f"argument too: {short(form, 100)}"
    )


def _functions(expression: Expr) -> list[str]:
    """The functions of torch that an expression runs, operators apart."""
    order = topological(expand_composed(expression))
    calls = dict.fromkeys(node.function for node in order if isinstance(node, Call))
    return [name for name in calls if (row := FUNCTIONS.get(name)) and not callable(row.torch)]


def value_note(verdict: Verdict, value: float, autograd: float, dtype: Dtype) -> str | None:
    """What to say about the function's own value, where it does not match."""
    if verdict is Verdict.MATCH:
        return f"the value overflows {dtype.name}" if math.isinf(value) else None
    if math.isinf(autograd) or (math.isnan(autograd) and math.isfinite(value)):
        return f"the value overflows {dtype.name}: torch has {exact(autograd, dtype)}"
    reason = {
        Verdict.IMPRECISE: "lost to rounding, far below atol",
        Verdict.UNSTABLE: "lost to rounding",
    }.get(verdict, "which rounding does not explain")
    return f"the value is off as well: {exact(value, dtype)}, torch has {exact(autograd, dtype)} ({reason})"
