"""What is to blame for a wrong number: a step of the chain rule, and what happens there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradcheck_cli.certified.widened.sweep import Enclosure
from gradcheck_cli.diagnosis.torch_rules import RuleLoss
from gradcheck_cli.differentiation.steps import Step
from gradcheck_cli.expression.nodes import Call, Expr, Named
from gradcheck_cli.records.finding import Code
from gradcheck_cli.records.reference import Kind, Reference

EXACT_UNITS = 64
"""A number within this many unit roundoffs of the truth is right: torch's elementary functions lose up to four, and
what is beyond tolerance is off by thousands. Of a hundred rows that fail, none is told otherwise with 4 or 1,024."""
SHARE = 0.1
"""The part of an error that one summand must have made to be its cause. Errors that spoil a gradient differ by powers
of ten: nothing is told otherwise with 0.01 or with 0.5."""
PASSED_ON = 0.5
"""A step passes an error on where what comes in is off by at least this part of what goes out. It is a guide for the
search only, which ends at a step whose incoming derivative is right: nothing is told otherwise with 1e-9 or 0.999."""


@dataclass(frozen=True)
class Blame:
    """step: the one to blame; by: the operand whose derivative is off, where it is the derivative.

    local: torch's local derivative there, or its value (VALUE); exact: the certified one; beyond: the same in digits,
    where it is too large or too small for the dtype; incoming: the derivative that comes in, as torch has it; source:
    the step that an infinite incoming derivative comes from, or the `where` whose branch leaks. tied: the steps at a
    tie that the derivative goes through. parts: what is added, by step, where a sum is to blame. loss: what rounding
    does inside torch's own rule for the derivative. order: of the local derivative it is about; lower: it is the first
    derivative that is off already, of a row of higher order. operands: what it is by, one for each order. constant: the
    branch taken at a tie, where it is one.
    """

    step: Step
    code: Code
    by: str | None = None
    local: float | None = None
    exact: float | None = None
    incoming: float | None = None
    source: Step | None = None
    tied: tuple[Step, ...] = ()
    parts: tuple[tuple[Step, float], ...] = ()
    beyond: str | None = None
    loss: RuleLoss | None = None
    order: int = 1
    lower: bool = False
    operands: tuple[Expr, ...] = ()
    constant: Expr | None = None


def from_enclosure(enclosure: Enclosure) -> Blame | None:
    """The sub-expression whose rounding shows in an enclosure: for what is not traced step by step."""
    found = [(enclosure.overflow, Code.OVERFLOW), (enclosure.cancellation, Code.CANCELLATION)]
    found.insert(1 if not enclosure.bounded else 2, (enclosure.underflow, Code.UNDERFLOW))
    return next((Blame(Step("", node, None, ()), code) for node, code in found if node is not None), None)


def of_the_only_function(root: Expr) -> Blame | None:
    """The function of torch that an expression is, of variables and constants: where the gradient is wrong, it is its
    doing."""
    match root:
        case Call(function=function, args=args) if function.role == "function" and not callable(function.torch):
            if not any(isinstance(arg, Call | Named) for arg in args):
                return Blame(Step("", root, None, ()), Code.KERNEL)
    return None


def is_right(reference: Reference, found: float, limit: float) -> bool:
    """Whether a derivative is what it should be, or between its one-sided values."""
    if reference.kind is Kind.EXISTS and reference.value is not None:
        return relative_error(found, reference.value) <= limit
    if reference.kind is Kind.KINK and reference.left is not None and reference.right is not None:
        between = min(reference.left, reference.right) <= found <= max(reference.left, reference.right)
        return between and math.isfinite(found)
    return not math.isnan(found)


def relative_error(found: float | None, truth: float | None) -> float:
    """|found - truth| / |truth|; 0 where they are equal, infinite where that is no number."""
    if found is None or truth is None:
        return math.inf
    if found == truth:
        return 0.0
    error = abs(found - truth) / abs(truth) if truth and math.isfinite(truth) else math.inf
    return math.inf if math.isnan(error) else error
