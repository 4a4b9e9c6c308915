"""The note under a row: why it has its verdict, and what to do. Words only; every decision has been taken before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression.function import Function
from gradcheck_cli.number_text import exact, pair
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.results import Remedy, Verdict

EDGE = "one-sided: the function exists only to the {side} of the point"


def note(verdict: Verdict, findings: Sequence[Finding], remedy: Remedy | None, dtype: Dtype) -> str | None:
    """All that is to be said about a row, or None."""
    if not findings:  # of nearly every row
        return None
    own = [finding for finding in findings if finding.code not in _APART]
    clauses = [said(finding, dtype) for finding in findings if finding.code in _APART]
    if own:
        unstable = verdict is Verdict.UNSTABLE and all(one.code is not Code.VALUE_NOT_FINITE for one in findings)
        clauses.insert(0, _row(own, unstable, dtype) + _advice(remedy, dtype))
    return "; ".join(clauses) or None


def run_instead(composed: Iterable[Function], given_tensors: Iterable[str]) -> Iterable[str]:
    """What torch ran that is not what was typed: the functions that it lacks, and those that refused a number."""
    for row in composed:
        yield f"{row.name}: torch has no such function, so {row.definition} is run"
    for name in given_tensors:
        yield f"{name}: torch refuses a number there, so a 0-d tensor is given"


def _row(findings: Sequence[Finding], unstable: bool, dtype: Dtype) -> str:
    """unstable: the derivative, not only the value."""
    first, *more = findings
    told = said(first, dtype)
    if first.code in _NO_VALUE:
        return f"{told}{_limit(first, dtype)}"
    if first.code in _KINKS:
        return f"{told}{_beside_a_kink(first, more, dtype)}"
    if unstable:
        return f"the formula is right, its arithmetic in {dtype.name} is not: {told}"
    return told


def said(finding: Finding, dtype: Dtype) -> str:
    """One finding in words."""
    return _WORDS[finding.code](finding, dtype)


def _beside_a_kink(kink: Finding, more: Sequence[Finding], dtype: Dtype) -> str:
    """What autograd makes of a kink."""
    found = exact(kink.numbers["torch"], dtype)
    match more:
        case [Finding(code=Code.OUTSIDE, parts=())]:
            return f"; autograd's {found} is outside"
        case [Finding(code=Code.OUTSIDE, parts=(cause, *_))]:
            return f"; autograd's {found} is outside: {said(cause, dtype)}"
        case [Finding(code=Code.DESTROYS)]:
            return f"; autograd takes {found}: no weight survives a step with it"
    return f"; autograd takes {found}"


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


def _sides(finding: Finding, dtype: Dtype) -> str:
    """`[0, 1]`."""
    return f"[{exact(finding.numbers['left'], dtype)}, {exact(finding.numbers['right'], dtype)}]"


def _edge(finding: Finding, dtype: Dtype) -> str:
    where = EDGE.format(**finding.texts)
    return f"{where}, and jumps here; the slope beside it is {exact(finding.numbers['right'], dtype)}"


def _limit(finding: Finding, dtype: Dtype) -> str:
    """The limit of a function that has no value, where there is one."""
    if "limit" not in finding.numbers:
        return ""
    limit = exact(finding.numbers["limit"], dtype)
    if "from" in finding.texts:
        return f"; its limit from the {finding.texts['from']} is {limit}"
    return f": a removable singularity, with limit {limit}"


def _domain(finding: Finding, dtype: Dtype) -> str:
    shown = "its argument is" if len(finding.operands) == 1 else "its arguments are"
    return f"{finding.step} has no real value where {shown} {' and '.join(finding.operands)}"


def _below_atol(finding: Finding, dtype: Dtype) -> str:
    where = f" (cancellation in {finding.step})" if finding.step else ""
    return f"the digits are lost in {dtype.name}, far below atol{where}"


def _out_of_range(finding: Finding, dtype: Dtype) -> str:
    """Of a value; or of the derivative of a step."""
    verb = "overflows" if finding.code is Code.OVERFLOW else "underflows"
    if not finding.order:
        return f"{finding.step} {verb}"
    shown = f", {_without_zeros(finding.texts['exact'])}," if "exact" in finding.texts else ""
    return f"the {_nth(finding.order)}derivative of {finding.step}{_by(finding)}{shown} {verb}"


def _without_zeros(digits: str) -> str:
    """1.00000e400 as 1e400."""
    mantissa, exponent, power = digits.partition("e")
    return mantissa.rstrip("0").removesuffix(".") + exponent + power


def _own_value(finding: Finding, dtype: Dtype) -> str:
    shown, true = pair(finding.numbers["torch"], finding.numbers["exact"], dtype)
    return f"torch's own value of {finding.step} is {shown}, not {true}"


def _tie(finding: Finding, dtype: Dtype) -> str:
    kinks = _and(finding.operands) if finding.operands else finding.step
    if math.isnan(finding.numbers.get("torch", 0.0)):
        return f"torch's derivative of {kinks} is nan here"
    if finding.operands:
        return f"at the kink of {kinks} torch's conventions do not add up to the derivative"
    told = f"{finding.step} is decided at a tie, and autograd follows one branch only"
    constant = finding.texts.get("constant")
    return told if constant is None else f"{told}: the constant {constant}, whose derivatives are 0"


def _kernel(finding: Finding, dtype: Dtype) -> str:
    """`torch's own derivative of tanh(x) is 6.55e-5, not 6.56e-5: it computes 1 - tanh(x)*tanh(x), whose digits
    cancel`."""
    of = f"torch's own {_nth(finding.order)}derivative of {finding.step}"
    if "torch" not in finding.numbers:
        return f"{of} is off"
    if "exact" not in finding.numbers:
        return f"{of}{_by(finding)} is {exact(finding.numbers['torch'], dtype)} here"
    found, right = pair(finding.numbers["torch"], finding.numbers["exact"], dtype)
    return f"{of}{_by(finding)} is {found}, not {right}{''.join(map(_in_the_rule, finding.parts))}"


def _in_the_rule(loss: Finding) -> str:
    """What rounding does inside torch's own rule for the derivative."""
    if "rule" not in loss.texts:
        return ": the digits are lost inside torch's own rule"
    rule = f": it computes {loss.texts['rule']}"
    match loss.code, loss.step:
        case Code.OVERFLOW, part:
            return f"{rule}, where {part} overflows"
        case Code.CANCELLATION, "":
            return f"{rule}, whose digits cancel"
        case Code.CANCELLATION, part:
            return f"{rule}, where the digits of {part} cancel"
        case Code.UNDERFLOW, part:
            return f"{rule}, where {part} underflows"
    return f"{rule}, and rounding there loses the digits"


def _indefinite(finding: Finding, dtype: Dtype) -> str:
    """`NaN enters at sqrt(x): local derivative inf times incoming 0, from the branch of where() that was not taken`."""
    local, incoming = finding.numbers["torch"], finding.numbers.get("incoming")
    nth = _nth(finding.order)
    if incoming is None:
        return f"the {nth}derivative of {finding.step}{_by(finding)} is {exact(local, dtype)} here"
    product = f"{nth}local derivative {exact(local, dtype)} times incoming {exact(incoming, dtype)}"
    source = ""
    if finding.code is Code.LEAK:
        source = ", from the branch of where() that was not taken"
    elif "source" in finding.texts:
        source = f", which comes from {finding.texts['source']}"
    return f"NaN enters at {finding.step}: {product}{source}"


def _sum(finding: Finding, dtype: Dtype) -> str:
    """Contributions that are right one by one, and not together."""
    shown = _and(f"{pair(part.numbers['torch'], 0.0, dtype)[0]} from {part.step}" for part in finding.parts)
    left_out = int(finding.numbers["count"]) - len(finding.parts)
    more = f" and {left_out} more" if left_out else ""
    if math.isnan(finding.numbers["total"]):
        return f"NaN enters where the contributions to {finding.step} are added: {shown}{more}"
    if math.isinf(finding.parts[0].numbers["torch"]):
        return f"a contribution to {finding.step} is infinite: {shown}{more}"
    return f"the contributions to {finding.step} cancel: {shown}{more}"


def _by(finding: Finding) -> str:
    """` by y`, where a step has several operands; ` by x and y` for a mixed derivative."""
    return f" by {_and(finding.operands)}" if finding.operands else ""


def _nth(order: int) -> str:
    return {0: "", 1: "", 2: "second ", 3: "third "}.get(order, f"{order}-th ")


def _and(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def _value_off(finding: Finding, dtype: Dtype) -> str:
    reasons = {
        Code.RANGE: f"out of the range of {dtype.name} on the way",
        Code.ROUNDING: "lost to rounding",
        Code.INSIDE_TORCH: "lost inside torch's own functions",
        Code.WRONG: "which rounding does not explain",
        Code.BELOW_ATOL: "far below atol",
    }
    reason = ", ".join(reasons[part.code] for part in finding.parts)
    value, torch = exact(finding.numbers["exact"], dtype), exact(finding.numbers["torch"], dtype)
    return f"the value is off as well: {value}, torch has {torch} ({reason})"


def _value_not_finite(finding: Finding, dtype: Dtype) -> str:
    [part] = finding.parts
    cause = f"it leaves the range of {dtype.name} on the way" if part.code is Code.RANGE else said(part, dtype)
    value, torch = exact(finding.numbers["exact"], dtype), exact(finding.numbers["torch"], dtype)
    return f"the function's own value is {value}, and torch has {torch}: {cause}"


def _expected_number(finding: Finding, dtype: Dtype) -> str:
    told = f"{finding.texts['of']} is expected to be {exact(finding.numbers['expected'])}"
    if "exact" not in finding.numbers:
        return f"{told}, but has no value"
    return f"{told}, and is {exact(finding.numbers['exact'], dtype)}"


Words = Callable[[Finding, Dtype], str]

_KINKS: dict[Code, Words] = {
    Code.KINK: lambda finding, dtype: f"no derivative: left and right are {_sides(finding, dtype)}",
    Code.JUMP: lambda finding, dtype: f"the function jumps here; the slopes beside it are {_sides(finding, dtype)}",
    Code.EDGE: _edge,
    Code.NO_LOWER_ORDER: lambda finding, dtype: (
        f"no derivative, since one of lower order has no value here; beside the point it is {_sides(finding, dtype)}"
    ),
}
_APART: dict[Code, Words] = {
    # about the function's own value
    Code.VALUE_OVERFLOWS: lambda finding, dtype: f"the value overflows {dtype.name}",
    Code.VALUE_OFF: _value_off,
    Code.VALUE_NOT_FINITE: _value_not_finite,
    # about what a problem file says
    Code.EXPECTED: lambda finding, dtype: f"expected {' and '.join(finding.operands)}",
    Code.EXPECTED_NUMBER: _expected_number,
}
"""What is said in a clause of its own, after all else."""
_NO_VALUE: dict[Code, Words] = {
    Code.NO_VALUE: lambda finding, dtype: "the function has no real value here",
    Code.DIVISION: lambda finding, dtype: f"division by zero in {finding.step}",
    Code.DOMAIN: _domain,
    Code.NOWHERE: lambda finding, dtype: (
        f"the function is not defined on either side of the point along {finding.texts['along']}"
    ),
    Code.UNBOUNDED: lambda finding, dtype: (
        f"the function is unbounded just to the {finding.texts['side']} of the point along {finding.texts['along']}"
    ),
    Code.OSCILLATES: lambda finding, dtype: (
        f"the {finding.texts['side']} derivative does not exist along {finding.texts['along']}: it oscillates"
    ),
}
_WORDS: dict[Code, Words] = {
    **_KINKS,
    **_NO_VALUE,
    **_APART,
    # at one step
    Code.LEAK: _indefinite,
    Code.CUT: lambda finding, dtype: (
        f"torch does not differentiate {finding.operands[0]}: the graph is cut there, and what goes through it "
        "counts as 0"
    ),
    Code.OVERFLOW: _out_of_range,
    Code.UNDERFLOW: _out_of_range,
    Code.CANCELLATION: lambda finding, dtype: f"cancellation in {finding.step}",
    Code.LOSS: lambda finding, dtype: f"{finding.step} amplifies the rounding of its operands",
    Code.AMPLIFIED: lambda finding, dtype: f"{finding.step} amplifies the rounding of its operands",
    Code.VALUE: _own_value,
    Code.INDEFINITE: _indefinite,
    Code.TIE: _tie,
    Code.KERNEL: _kernel,
    Code.SUM: _sum,
    Code.CONTRIBUTION: lambda finding, dtype: f"{exact(finding.numbers['torch'], dtype)} from {finding.step}",
    Code.UNDEFINED: lambda finding, dtype: f"{finding.step} has no value",
    Code.FIRST: lambda finding, dtype: f"in the first derivative already, {said(finding.parts[0], dtype)}",
    # where no step is known
    Code.INSIDE_TORCH: lambda finding, dtype: f"the digits are lost inside torch's own {' or '.join(finding.operands)}",
    Code.ROUNDING: lambda finding, dtype: "rounding errors are amplified",
    Code.RANGE: lambda finding, dtype: (
        f"a number on the way leaves the range of {dtype.name}, or rounding brings it to a pole"
    ),
    Code.NAN: lambda finding, dtype: "autograd says NaN, and neither overflow nor rounding explains it",
    Code.CONVENTIONS: lambda finding, dtype: (
        "a branch is decided at a tie here, and the conventions of its functions do not add up to the derivative"
    ),
    Code.WRONG: lambda finding, dtype: "the gradient is wrong: rounding does not explain the difference",
    Code.BELOW_ATOL: _below_atol,
    # about the point
    Code.ONE_SIDED: lambda finding, dtype: EDGE.format(**finding.texts),
    Code.NO_REFERENCE: lambda finding, dtype: f"no certified reference: {finding.texts['reason']}",
    Code.REFUSED: lambda finding, dtype: finding.texts["reason"],
    Code.DESTROYS: lambda finding, dtype: "no weight survives a step with it",
    Code.OUTSIDE: lambda finding, dtype: "autograd's number is outside of the one-sided derivatives",
}
