"""Findings about wrong entries in words. Words only; every decision has been taken before."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from gradcheck_cli.records.code import Cause, CodeFinding


def worded(finding: CodeFinding) -> CodeFinding:
    """The finding with its text."""
    return replace(finding, text=_WORDS[finding.cause](finding))


# -- who is to blame


def _placed(finding: CodeFinding) -> str:
    return f"{finding.function} ({finding.place})" if finding.place else finding.function


def _function(finding: CodeFinding) -> str:
    told = f"{_placed(finding)} is wrong by {finding.argument}"
    if "right" in finding.texts:
        told += f"; it is right by {finding.texts['right']}"
    if "dtype" in finding.texts:
        told += f", as {finding.texts['dtype']} shows"
    calls, wrong = int(finding.numbers["calls"]), int(finding.numbers["wrong calls"])
    return told + (f" (in {wrong} of the {calls} calls that were checked)" if wrong < calls else "")


def _double_backward(finding: CodeFinding) -> str:
    if "once" in finding.texts:
        return (
            f"{_placed(finding)} is right, and marked {finding.texts['once']}: it has no second derivative, and"
            " .backward() through it raises"
        )
    return (
        f"{_placed(finding)} is right, and its own derivative is not: {finding.argument}; what it computes must be made"
        " of differentiable operations on its cotangent and on saved tensors"
    )


def _stale(finding: CodeFinding) -> str:
    return (
        f"{_placed(finding)} takes what a later call of it left: keep all that it needs in ctx, and nothing in the"
        " class or the module"
    )


def _operation(finding: CodeFinding) -> str:
    if "nan" in finding.texts:
        return f"the derivative of {_placed(finding)} by {finding.argument} is NaN here, where the truth is not"
    own = "torch's own derivative of" if "own" in finding.texts else "the derivative of the operation"
    return f"{own} {_placed(finding)} is wrong by {finding.argument}"


def _nan(finding: CodeFinding) -> str:
    texts, where = finding.texts, _placed(finding)
    enters = f"in the {texts['order']} derivative, NaN enters" if "order" in texts else "NaN enters"
    if "added to" in texts:
        of = f"what {where} gives" if finding.function else texts["added to"]
        return f"{enters} where the contributions to the gradient of {of} are added: inf and -inf"
    source = f", which comes from {texts['source']}" if "source" in texts else ""
    if texts["incoming"] == "0":
        product = "a local derivative that is not finite times incoming 0"
    else:
        product = "local derivative 0 times incoming inf" if "local" in texts else "what comes in is infinite"
    return f"{enters} at {where}: {product}{source}"


def _sound(finding: CodeFinding) -> str:
    kinds = [(int(finding.numbers[f"{kind}s"]), kind) for kind in ("function", "operation")]
    counted = " and ".join(f"{count} {kind}{'s' * (count != 1)}" for count, kind in kinds if count)
    are = "is right by itself" if sum(count for count, _ in kinds) == 1 else "are right by themselves"
    return (
        f"{counted} that ran {are}: is a tensor changed after a backward has saved it, or does"
        " something else change the gradient?"
    )


# -- what was done wrong


def _every(finding: CodeFinding) -> str:
    """`every wrong entry by logits`."""
    of = f" of {finding.texts['output']}" if "output" in finding.texts else ""
    return f"every wrong entry{of} by {finding.argument}"


_OF_A_SIZE = {
    "n": ("{n} times", "is the mean over it missing?"),
    "1/n": ("1/{n} of", "is it a mean where a sum is due?"),
    "sqrt(n)": ("sqrt({n}) times", "is the scale 1/sqrt({n}) missing?"),
    "1/sqrt(n)": ("1/sqrt({n}) of", "is that scale taken twice?"),
    "(n-1)/n": ("{less}/{n} of", "is it divided by {n} where {less} is due?"),
    "n/(n-1)": ("{n}/{less} times", "is it divided by {less} where {n} is due?"),
    "n-1": ("{less} times", "is the division by {less} missing?"),
    "1/(n-1)": ("1/{less} of", "is it divided by {less} once too often?"),
}
"""By the form of a factor: how it is said, and what may be missing."""


def _factor(finding: CodeFinding) -> str:
    texts, every = finding.texts, _every(finding)
    if "quantity" in texts:
        return f"{every} is the truth times {texts['quantity']}"
    size = abs(finding.numbers["factor"])
    sign = " with the wrong sign" if finding.numbers["factor"] < 0 else ""
    if "form" in texts:
        n = int(finding.numbers["n"])
        times, hint = (text.format(n=n, less=n - 1) for text in _OF_A_SIZE[texts["form"]])
        return f"{every} is {times} the truth{sign}, and {texts['what']} is {n}{_untried(finding)}: {hint}"
    if size == 1:
        return f"{every} has the wrong sign"
    if "number" in texts:
        return f"{every} is {size:.6g} times the truth{sign}, which is {texts['number']}"
    if size in (2, 0.5):
        times, hint = ("twice", "is it counted twice?") if size == 2 else ("half", "is a factor of 2 missing?")
        return f"{every} is {times} the truth{sign}: {hint}"
    exact = Fraction(size).limit_denominator(12)
    if exact.denominator > 1 and math.isclose(exact, size, rel_tol=1e-9):
        return f"{every} is {exact} of the truth{sign}"
    return f"{every} is {size:.6g} times the truth{sign}"


def _untried(finding: CodeFinding) -> str:
    return " (which may be chance: the code does not run at another size)" if "unconfirmed" in finding.texts else ""


def _factor_along(finding: CodeFinding) -> str:
    low, high, dim = (finding.numbers[key] for key in ("low", "high", "dimension"))
    factor = f"a factor, {low:.3g} to {high:.3g}, that is the same along dimension {int(dim)}"
    return f"{_every(finding)} is the truth times {factor}"


def _term(finding: CodeFinding) -> str:
    direction, where = finding.texts["direction"], "over all that an element of the output depends on"
    if "dimension" in finding.numbers:
        where = f"along dimension {int(finding.numbers['dimension'])}"
    if direction == "constant":
        return f"{_every(finding)} is off by a term that is constant {where}: is a mean forgotten?"
    if " and " in direction:
        return f"{_every(finding)} is off by two terms {where}: one {direction.replace(' and ', ', one ')}"
    return f"{_every(finding)} is off by a term that is {direction} {where}: is a projection forgotten?"


def _offset(finding: CodeFinding) -> str:
    off = finding.numbers["off"]
    shown = f"{abs(off):.6g}"
    if "form" in finding.texts:
        n = int(finding.numbers["n"])
        shown += f" ({finding.texts['form']}, where {finding.texts['what']} is n = {n}{_untried(finding)})"
    hint = ": is the one-hot forgotten?" if "where" in finding.texts else ""
    return f"{_every(finding)} is too {'large' if off > 0 else 'small'} by {shown}{hint}"


def _zero(finding: CodeFinding) -> str:
    if "diagonal" in finding.texts:
        return f"{_every(finding)} is 0 where the truth is not: the part of each element in the others is missing"
    where = f" ({finding.texts['where']})" if "where" in finding.texts else ""
    none = ": there is no gradient (None)" if "none" in finding.texts else ""
    if "scalar" in finding.texts:
        none += (
            "; if it is a setting, which is not differentiated, give a number of Python in place of a tensor (on the"
            f" command line {finding.argument}=float(...))"
        )
    return f"{_every(finding)} is 0 where the truth is not{where}{none}"


def _meant(finding: CodeFinding) -> str:
    """Of a function that is constant between its steps, which a straight-through estimator has."""
    return (
        f"if {finding.texts['surrogate']} is meant to have the derivative of another function, say so from Python:"
        f" surrogate={{{finding.texts['surrogate']}: lambda x: x}}"
    )


def _passed_on(finding: CodeFinding) -> str:
    told = f"the gradient of {finding.argument} is the incoming gradient, as it came"
    return f"{told}, where the truth is 0: {_meant(finding)}" if "surrogate" in finding.texts else told


def _not_zero(finding: CodeFinding) -> str:
    if "surrogate" in finding.texts:
        return f"{_every(finding)} is 0 in truth: {_meant(finding)}"
    hint = "is a mask forgotten?" if "elementwise" in finding.texts else "does it reach elements that it should not?"
    return f"{_every(finding)} is 0 in truth: {hint}"


def _cut(finding: CodeFinding) -> str:
    return f"every wrong entry is what it is where the graph is cut: {finding.place} ({finding.texts['how']})"


def _one_summand(finding: CodeFinding) -> str:
    dim, n, index = (int(finding.numbers[key]) for key in ("dimension", "n", "index"))
    return (
        f"the gradient of {finding.argument} has the part of index {index} along dimension {dim} of"
        f" {finding.texts['output']} only: is the sum over all {n} missing?"
    )


def _another(finding: CodeFinding) -> str:
    if "other output" in finding.texts:
        return f"the gradient by {finding.argument} is that of another output, {finding.texts['other output']}"
    shaped = ", in another shape" if "shape" in finding.texts else ""
    return f"the gradient of {finding.argument} is that of {finding.texts['other']}{shaped}"


def _permuted(finding: CodeFinding) -> str:
    how, of = finding.texts["how"], finding.texts["of"]
    if of == "the Jacobian":
        return f"the gradient of {finding.argument} is a product with the Jacobian where that with its transpose is due"
    if of == finding.argument:
        return f"the gradient of {of} is {how}"
    return f"the gradient of {finding.argument} is right for {of} {how}"


def _cotangent(finding: CodeFinding) -> str:
    if finding.texts["how"] == "ignored":
        return f"the gradient of {finding.argument} is the same for twice the incoming gradient: is that forgotten?"
    return f"the gradient of {finding.argument} is not linear in the incoming gradient"


def _saved_changed(finding: CodeFinding) -> str:
    if "what" in finding.texts:
        return (
            f"the backward changes {finding.texts['what']} in place: whoever runs it again, or uses that tensor as"
            f" well, gets another gradient of {finding.argument}; copy it first"
        )
    return (
        f"the gradient of {finding.argument} is another one each time the backward runs, with the same incoming"
        " gradient: does it draw random numbers, or keep something from run to run?"
    )


def _needed(finding: CodeFinding) -> str:
    texts = finding.texts
    return (
        f"the gradient of {finding.argument} is another one where {texts['where']}: is an index of"
        f" ctx.needs_input_grad that of another input ({texts['places']})?"
    )


_WORDS: dict[Cause, Callable[[CodeFinding], str]] = {
    Cause.FUNCTION: _function,
    Cause.DOUBLE_BACKWARD: _double_backward,
    Cause.STALE: _stale,
    Cause.COTANGENT_CHANGED: lambda finding: (
        f"{_placed(finding)} changes its incoming gradient in place, which others use as well"
    ),
    Cause.HOOK: lambda finding: f"a hook changes the gradient ({finding.place}): without hooks, every entry is right",
    Cause.OPERATION: _operation,
    Cause.NAN: _nan,
    Cause.SOUND: _sound,
    Cause.FACTOR: _factor,
    Cause.FACTOR_ALONG: _factor_along,
    Cause.TERM: _term,
    Cause.OFFSET: _offset,
    Cause.ZERO: _zero,
    Cause.CUT: _cut,
    Cause.NOT_ZERO: _not_zero,
    Cause.PASSED_ON: _passed_on,
    Cause.SIGN_ONLY: lambda finding: f"the gradient of {finding.argument} is the sign of the truth only",
    Cause.SIGN_LOST: lambda finding: f"{_every(finding)} is the truth without its sign",
    Cause.ONE_SUMMAND: _one_summand,
    Cause.ANOTHER: _another,
    Cause.PERMUTED: _permuted,
    Cause.ELSEWHERE: lambda finding: f"the gradient of {finding.argument} is right for {finding.texts['where']}",
    Cause.OF_THE_OUTPUT: lambda finding: (
        f"the gradient of {finding.argument} is a formula of the output that is given the input"
    ),
    Cause.SAVED_CHANGED: _saved_changed,
    Cause.NEEDED: _needed,
    Cause.COTANGENT: _cotangent,
}
