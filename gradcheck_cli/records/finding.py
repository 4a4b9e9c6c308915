"""Why a row has its verdict, as data: a code and what it speaks of. Decided in diagnosis, worded in one place there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Code(Enum):
    """What a finding says. Programs may compare these: codes may be added, never renamed."""

    # at one step, which is to blame
    LEAK = "leak"  # 0 times a local derivative that is not finite, in the branch of a where that was not taken
    CUT = "cut"  # torch does not differentiate the function
    OVERFLOW = "overflow"
    UNDERFLOW = "underflow"
    CANCELLATION = "cancellation"
    LOSS = "loss"  # the operation depends too much on its operands' last digits
    VALUE = "value"  # torch's own value of the function is off
    INDEFINITE = "indefinite"  # 0 times infinity, outside of any branch
    TIE = "tie"  # a convention at a kink
    AMPLIFIED = "amplified"  # the local derivative depends too much on its operand's last digits
    KERNEL = "kernel"  # torch's own derivative of the function is off
    SUM = "sum"  # right contributions cancel where they are added
    UNDEFINED = "undefined"  # the function has no value
    CONTRIBUTION = "contribution"  # to a sum, a part of what is said of it

    # where no step is known to be to blame
    INSIDE_TORCH = "inside torch"  # only torch's own rules, of the operands, explain the number
    ROUNDING = "rounding"  # rounding errors are amplified
    RANGE = "range"  # a number on the way leaves the range of the dtype, or comes to a pole
    NAN = "nan"  # neither overflow nor rounding explains it
    CONVENTIONS = "conventions"  # of torch, at a tie, do not add up to the derivative
    WRONG = "wrong"  # rounding does not explain the difference
    BELOW_ATOL = "below atol"  # the digits are lost where they hardly matter
    FIRST = "first derivative"  # it is off already, of a row of higher order: the part says why

    # about the point
    ONE_SIDED = "one-sided"
    KINK = "kink"
    JUMP = "jump"
    EDGE = "edge"  # a jump at the end of the domain
    NO_LOWER_ORDER = "no lower order"  # no derivative, since one of lower order has no value
    NO_VALUE = "no value"  # of the function, at the point; these say why:
    DIVISION = "division by zero"
    DOMAIN = "domain"  # what a step is of is outside of its domain
    NOWHERE = "nowhere beside"  # the function is defined at the point only
    UNBOUNDED = "unbounded"
    OSCILLATES = "oscillates"
    NO_REFERENCE = "no reference"  # nothing certified to compare with
    REFUSED = "refused"  # torch has no such derivative
    DESTROYS = "destroys"  # a one-sided derivative that is infinite is no step
    OUTSIDE = "outside"  # of the one-sided derivatives

    # about the function's own value
    VALUE_OVERFLOWS = "value overflows"
    VALUE_OFF = "value off"
    VALUE_NOT_FINITE = "value not finite"  # of torch, though the derivative is right

    # about what a problem file says
    EXPECTED = "expected"  # another verdict
    EXPECTED_NUMBER = "expected number"  # of the derivative or the value


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is known of a row.

    step: the sub-expression it is about, as a text; name: its name in `gradcheck explain`, where it is a step there.
    order: of the derivative of that step, 0 for its value. operands: what the derivative is by, where there are others;
    or what takes part, as the code says. numbers, texts: by what they are. parts: what makes it so in turn.
    """

    code: Code
    step: str = ""
    name: str = ""
    order: int = 0
    operands: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Finding, ...] = ()

    @property
    def cause(self) -> str:
        """The code in a word."""
        return self.code.value
