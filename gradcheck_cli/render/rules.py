"""What formats for code review call a failure: `mismatch/leak`, with a sentence or two that help.

Programs keep these names: they may be added, never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gradcheck_cli.records.code import Cause
from gradcheck_cli.records.finding import Code
from gradcheck_cli.records.results import UNEXPECTED, UNEXPECTED_CLAIM, WRONG_NUMBER


@dataclass(frozen=True)
class Rule:
    """id: of the failure, and of what is behind it where that is known. severe: it is wrong, not only doubtful."""

    id: str
    title: str
    help: str
    severe: bool


BUG = "bug"
UNREADABLE = "unreadable"
INTERRUPTED = "interrupted"

_FAILURES: Mapping[str, tuple[str, str, bool]] = {
    "mismatch": ("autograd gives a wrong gradient",
                 "The gradient that autograd computes is not the derivative of the function, and rounding does not "
                 "explain the difference.", True),
    "unstable": ("the gradient has lost its digits",
                 "The gradient is off by more than the tolerance, and rounding errors explain it: the formula "
                 "amplifies them. Write it in another way, or compute in a wider dtype.", False),
    "undefined": ("the function has no derivative there",
                  "The function has no value or no derivative at the point, so there is nothing that the gradient "
                  "could be.", False),
    "error": ("there is no verdict",
              "The problem could not be checked: no reference could be certified, torch refuses, or the time is over.",
              True),
    "imprecise": ("the gradient is not exact to the last digits",
                  "With --strict, a gradient that is off by rounding only does not pass.", False),
    "kink": ("the function has no derivative there, and autograd takes one of its slopes",
             "With --strict, a point at which the one-sided derivatives differ does not pass.", False),
    "match": ("the gradient is right", "What fails is something else about the problem.", False),
    WRONG_NUMBER: ("the number that the file states is wrong",
                   "gradient: or value: of the problem is not what the function has there.", True),
    UNEXPECTED: ("another verdict was expected",
                 "expect: of the problem names another verdict. Where a defect is gone, delete expect:.", False),
    UNEXPECTED_CLAIM: ("the claim ended in another way than was expected",
                       "expect_claim: of the problem names another status.", False),
    "refuted": ("a derivative worked out by hand is wrong",
                "The claim differs from the certified derivative at the point that is named.", True),
    "unchecked": ("a claim could not be compared",
                  "The claim and the derivative are nowhere defined together.", False),
    UNREADABLE: ("the input cannot be read",
                 "A file, a problem or a claim has a mistake: the message says which, where, and what to write.", True),
    INTERRUPTED: ("the run did not come to its end", "Problems were left out, so nothing is known of them.", True),
    BUG: ("gradcheck failed", "This is a bug in gradcheck: please report it with the problem.", True),
}  # fmt: skip
"""Why something fails, in a word -> (title, help, whether it is severe)."""

_CODES: Mapping[Code, str] = {
    Code.LEAK: "A branch of where() that was not taken has a derivative that is not finite, and 0 times it is NaN: put "
    "a second where() into that branch, which gives it harmless numbers.",
    Code.CUT: "torch does not differentiate this function: its gradient is a silent 0.",
    Code.OVERFLOW: "A number on the way is larger than the dtype can hold.",
    Code.UNDERFLOW: "A number on the way is smaller than the dtype can hold.",
    Code.CANCELLATION: "Numbers that are nearly equal are subtracted, and their digits cancel.",
    Code.LOSS: "An operation depends on the last digits of its operands, which rounding has changed.",
    Code.VALUE: "torch's own value of a function is off.",
    Code.INDEFINITE: "0 times infinity is NaN.",
    Code.TIE: "torch has a convention at a kink, and it is not the derivative of the whole.",
    Code.AMPLIFIED: "A local derivative depends on the last digits of its operand.",
    Code.KERNEL: "torch's own derivative of a function is off.",
    Code.SUM: "Right contributions cancel where they are added.",
    Code.UNDEFINED: "A step has no value.",
    Code.CONTRIBUTION: "One contribution to a sum is off.",
    Code.INSIDE_TORCH: "The rule by which torch differentiates a function loses digits.",
    Code.ROUNDING: "Rounding errors are amplified on the way.",
    Code.RANGE: "A number on the way leaves the range of the dtype, or comes to a pole.",
    Code.NAN: "The gradient is NaN, and neither overflow nor rounding explains it.",
    Code.CONVENTIONS: "torch's conventions at a tie do not add up to the derivative.",
    Code.WRONG: "The gradient is wrong, and no single step is known to be to blame.",
    Code.BELOW_ATOL: "The digits are lost where the gradient is hardly different from 0.",
    Code.FIRST: "The first derivative is off already.",
    Code.ONE_SIDED: "There is a derivative on one side only.",
    Code.KINK: "The one-sided derivatives differ.",
    Code.JUMP: "The function jumps there.",
    Code.EDGE: "The domain of the function ends there.",
    Code.NO_LOWER_ORDER: "A derivative of lower order has no value there.",
    Code.NO_VALUE: "The function has no value there.",
    Code.DIVISION: "The function divides by zero there.",
    Code.DOMAIN: "A step is outside of its domain there.",
    Code.NOWHERE: "The function is defined at the point only.",
    Code.UNBOUNDED: "The function is unbounded beside the point.",
    Code.OSCILLATES: "The function oscillates beside the point.",
    Code.NO_REFERENCE: "No reference could be certified.",
    Code.REFUSED: "torch has no such derivative.",
    Code.DESTROYS: "A one-sided derivative is infinite.",
    Code.OUTSIDE: "autograd's number is outside of the one-sided derivatives.",
    Code.VALUE_OVERFLOWS: "The value of the function overflows.",
    Code.VALUE_OFF: "The value of the function is off.",
    Code.VALUE_NOT_FINITE: "torch's value of the function is not finite, though its gradient is right.",
    Code.EXPECTED: "The file expects another verdict.",
    Code.EXPECTED_NUMBER: "The file states another number.",
}
_CAUSES: Mapping[Cause, str] = {
    Cause.FUNCTION: "The backward of an autograd.Function is wrong.",
    Cause.DOUBLE_BACKWARD: "A backward is right, and cannot be differentiated again as it is written.",
    Cause.STALE: "A backward takes what a later call has left.",
    Cause.COTANGENT_CHANGED: "A backward writes into the gradient that it is given.",
    Cause.OPERATION: "An operation has a wrong derivative.",
    Cause.HOOK: "A hook of a tensor or a module changes the gradient.",
    Cause.CUT: "The graph is cut by a detach() or no_grad().",
    Cause.NAN: "NaN enters where 0 is multiplied by an infinite derivative.",
    Cause.SOUND: "Each function and operation is right by itself.",
    Cause.FACTOR: "Every wrong entry is the same multiple of the truth, often the size of a batch, 2 or -1.",
    Cause.FACTOR_ALONG: "Every wrong entry is a multiple of the truth that is the same along a dimension.",
    Cause.TERM: "A term of the derivative is missing, or has the wrong sign.",
    Cause.OFFSET: "Every wrong entry is off by the same number.",
    Cause.PASSED_ON: "The gradient that comes in is passed on as it is.",
    Cause.ZERO: "The gradient is 0 where the truth is not.",
    Cause.NOT_ZERO: "The gradient is not 0 where the truth is.",
    Cause.SIGN_ONLY: "The gradient has the sign of the truth only.",
    Cause.SIGN_LOST: "The gradient has lost the sign of the truth.",
    Cause.ONE_SUMMAND: "One summand stands where a sum over a dimension is due.",
    Cause.ANOTHER: "The gradient is that of another argument or output.",
    Cause.PERMUTED: "The right numbers stand at wrong places: transposed, flipped or shifted.",
    Cause.ELSEWHERE: "The gradient is that at other numbers.",
    Cause.OF_THE_OUTPUT: "A formula of the output is given the input.",
    Cause.SAVED_CHANGED: "The backward gives something else when it runs again: it changes what it has saved.",
    Cause.NEEDED: "The gradient is another one where other inputs need a gradient.",
    Cause.COTANGENT: "The backward does not depend on the gradient that comes in as it should.",
}


def rule(failure: str, cause: Code | Cause | None = None) -> Rule:
    """failure: the word for it that a record has, or one of the three above."""
    title, help, severe = _FAILURES[failure]
    name = failure.replace(" ", "-")
    if cause is None:
        return Rule(name, title, help, severe)
    text = _CODES[cause] if isinstance(cause, Code) else _CAUSES[cause]
    return Rule(f"{name}/{cause.value.replace(' ', '-')}", title, f"{help} {text}", severe)
