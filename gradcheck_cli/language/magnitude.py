"""How large is a constant? Estimated with floats and logarithms, so that 9**9**9 is refused without being computed."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import NamedTuple

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, topological

MAX_EXPONENT = 1_000_000  # of a constant exponent, in absolute value
MAX_BITS = 100_000  # of a constant power written as a fraction
PLAIN_BITS = 3_300  # just below 1,000 digits
PARAMETER_BITS = 4 * PLAIN_BITS  # of any number on the way to a parameter's value
_LARGEST_LOG2, _SMALLEST_LOG2 = 1024, -1400  # of what a double holds, a little beyond underflow
_NAMED = {"pi": math.pi, "e": math.e, "tau": math.tau}


class Magnitude(NamedTuple):
    """An estimate of a constant. value: clamped to the finite doubles, and 0 only for 0; bits: an upper bound on the
    size of numerator and denominator, 0 for what is no fraction."""

    value: float
    bits: int


class TooLarge(ValueError):
    """A constant power beyond the bounds. str() says which bound."""


Magnitudes = dict[Expr, Magnitude | None]
"""By node; None for what is no constant, or a function of one."""


def magnitude(root: Expr, known: Magnitudes) -> Magnitude | None:
    """The magnitude of `root`. TooLarge where it is a power beyond the bounds.

    known: what was found before; what is found here is added, so that no node is looked at twice.
    """
    stack = [root]
    while stack:
        node = stack[-1]
        missing = [] if node in known else [child for child in _operands(node) if child not in known]
        if missing:
            stack += missing
            continue
        stack.pop()
        if node not in known:
            known[node] = _magnitude(node, known)
    return known[root]


def _operands(node: Expr) -> tuple[Expr, ...]:
    """What the magnitude of a node follows from."""
    if isinstance(node, Call):
        return node.args if node.function in op.ARITHMETIC else ()
    return (node.value,) if isinstance(node, Named) else ()


def _magnitude(node: Expr, known: Magnitudes) -> Magnitude | None:
    if isinstance(node, Constant):
        value = node.value
        if isinstance(value, str):
            return Magnitude(_NAMED[value], 0)
        return Magnitude(_clamp(_as_float(value), value != 0), _bits(value))
    match node, [known[operand] for operand in _operands(node)]:
        case Named(), [a]:
            return a
        case Call(function=op.POW), [a, Magnitude() as b]:
            return _power(a, b)
        case Call(function=op.NEG), [Magnitude() as a]:
            return Magnitude(-a.value, a.bits)
        case Call(function=function), [Magnitude() as a, Magnitude() as b]:
            return _combine(function, a, b)
    return None


def rational(root: Expr) -> Fraction | None:
    """The exact value of a constant made of numbers and + - * / ** only; None for any other, or a very large one."""
    values: dict[Expr, Fraction] = {}
    for node in topological(root):
        match node:
            case Constant(value=Fraction() as value):
                values[node] = value
            case Named(value=inner) if inner in values:
                values[node] = values[inner]
            case Call(function=function, args=args) if all(arg in values for arg in args):
                found = _exact(function, [values[arg] for arg in args])
                if found is None or _bits(found) > PARAMETER_BITS:
                    return None
                values[node] = found
            case _:
                return None
    return values[root]


def is_plain(value: Fraction) -> bool:
    """Whether a number fits in a double and is short enough to be written down again."""
    return _bits(value) <= PLAIN_BITS and math.isfinite(_as_float(value))


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _exact(function: Function, args: list[Fraction]) -> Fraction | None:
    match function, args:
        case op.NEG, [a]:
            return -a
        case op.ADD, [a, b]:
            return a + b
        case op.SUB, [a, b]:
            return a - b
        case op.MUL, [a, b]:
            return a * b
        case op.DIV, [a, b] if b:
            return a / b
        case op.POW, [a, b] if b.denominator == 1 and (a or b >= 0):
            return a**b.numerator if _bits(a) * abs(b) <= PARAMETER_BITS else None
    return None


def _combine(function: Function, a: Magnitude, b: Magnitude) -> Magnitude | None:
    bits = a.bits + b.bits + 1 if a.bits and b.bits else 0
    match function:
        case op.MUL:
            return Magnitude(_clamp(a.value * b.value, a.value != 0 != b.value), bits)
        case op.DIV:
            return Magnitude(_clamp(a.value / b.value, a.value != 0), bits) if b.value else None
    total = a.value + b.value if function is op.ADD else a.value - b.value
    largest = max(abs(a.value), abs(b.value))
    if abs(total) <= 1e-12 * largest:
        total = largest  # cancelled: what is left is unknown, and no larger than this
    return Magnitude(_clamp(total, False), bits)


def _power(base: Magnitude | None, exponent: Magnitude) -> Magnitude | None:
    if base is not None and base.value:
        log2 = exponent.value * math.log2(abs(base.value))
        if log2 > _LARGEST_LOG2:
            raise TooLarge("does not fit in a double: it is larger than 1.8e308")
        if log2 < _SMALLEST_LOG2:
            raise TooLarge("does not fit in a double: it is smaller than 1e-400")
    if abs(exponent.value) > MAX_EXPONENT:
        raise TooLarge(f"has an exponent beyond {MAX_EXPONENT:,}")
    if base is None:
        return None
    whole = exponent.bits > 0 and exponent.value.is_integer()
    bits = round(base.bits * max(1.0, abs(exponent.value))) if whole and base.bits > 1 else 0
    if bits > MAX_BITS:
        raise TooLarge(f"has more than {MAX_BITS:,} binary digits")
    if not base.value:
        return Magnitude(0.0 if exponent.value > 0 else 1.0, bits) if exponent.value >= 0 else None
    if base.value < 0 and not whole:
        return None
    sign = -1 if base.value < 0 and exponent.value % 2 else 1
    return Magnitude(sign * _clamp(2.0 ** min(log2, 1023.9), True), bits)


def _as_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def _clamp(value: float, nonzero: bool) -> float:
    """`value` among the finite doubles, and not 0 where it only underflowed."""
    largest, smallest = sys.float_info.max, 5e-324
    if value == 0 and nonzero:
        return smallest
    return max(-largest, min(largest, value))
