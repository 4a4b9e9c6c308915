"""Findings about wrong entries in words. Words only; every decision has been taken before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gradcheck_cli.records.code import Cause, CodeFinding


def worded(finding: CodeFinding) -> CodeFinding:
    """The finding with its text."""
    return replace(finding, text=_WORDS[finding.cause](finding))


def _placed(finding: CodeFinding) -> str:
    return f"{finding.function} ({finding.place})" if finding.place else finding.function


def _function(finding: CodeFinding) -> str:
    told = f"{_placed(finding)} is wrong by {finding.argument}"
    if "right" in finding.texts:
        told += f"; it is right by {finding.texts['right']}"
    calls, wrong = int(finding.numbers["calls"]), int(finding.numbers["wrong calls"])
    return told + (f" (in {wrong} of the {calls} calls that were checked)" if wrong < calls else "")


def _double_backward(finding: CodeFinding) -> str:
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
    if "own" in finding.texts:
        return f"torch's own derivative of {_placed(finding)} is wrong by {finding.argument}"
    return f"the derivative of the operation {_placed(finding)} is wrong by {finding.argument}"


def _sound(finding: CodeFinding) -> str:
    functions, operations = (int(finding.numbers[key]) for key in ("functions", "operations"))
    counted = [
        f"{count} {name}{'s' * (count != 1)}"
        for count, name in ((functions, "function"), (operations, "operation"))
        if count
    ]
    return (
        f"each of the {' and '.join(counted)} that ran is right by itself: is a tensor changed after a backward has"
        " saved it, or does a hook change the gradient?"
    )


_WORDS: dict[Cause, Callable[[CodeFinding], str]] = {
    Cause.FUNCTION: _function,
    Cause.DOUBLE_BACKWARD: _double_backward,
    Cause.STALE: _stale,
    Cause.OPERATION: _operation,
    Cause.SOUND: _sound,
}
