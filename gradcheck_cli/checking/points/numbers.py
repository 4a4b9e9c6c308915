"""The numbers of points and ranges: a decimal or a constant expression in, the exact value of a double out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from gradcheck_cli.checking.points.assigned import FORM
from gradcheck_cli.checking.points.written import NUMBER
from gradcheck_cli.errors import ExpressionError, NoReference, UsageError
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.surfaces import Option

Evaluate = Callable[[Expr], Fraction]
RANGE_FORM = "a range is low:high, for example -3:3 or x=0:1"


def read_number(where: Option, value: str, evaluate: Evaluate | None, notices: list[str]) -> Fraction:
    """A number or a constant expression, exactly. where: the option, and its text."""
    plain = value.strip().replace("\N{MINUS SIGN}", "-")
    if not plain:
        form = FORM if where.name == "at" else RANGE_FORM
        raise UsageError(where, f": a value is missing; {form}")
    if plain.lower().lstrip("+-") in ("inf", "infinity", "nan", "oo"):
        raise UsageError(where, f": points are finite numbers, and {plain} is not")
    if not NUMBER.fullmatch(plain):
        return _constant(where, plain, evaluate)
    nearest = float(plain)
    if math.isinf(nearest):
        raise UsageError(where, f": {plain} is larger than any double; points are finite numbers")
    if not nearest:
        if re.search("[1-9]", plain.lower().partition("e")[0]):
            notices.append(f"{plain} is smaller than any double: 0 is taken for it")
        return Fraction(0)
    # Past this length the digits change nothing, and an exact exponent may be astronomic ("0.000...1e1000").
    return Fraction(*Decimal(plain).as_integer_ratio()) if len(plain) <= 400 else Fraction(nearest)


def _constant(where: Option, text: str, evaluate: Evaluate | None) -> Fraction:
    from gradcheck_cli.language.parser import parse_constant

    this = "this" if where.value is not None and where.value.strip() == text else text
    try:
        return (evaluate or _certified)(parse_constant(text))
    except ExpressionError as error:
        raise ExpressionError((where, ": ", *error.parts), error.source, error.start, error.end) from None
    except NoReference:
        raise UsageError(where, f": {this} has no real finite value") from None
    except OverflowError:
        raise UsageError(where, f": {this} is larger than any double; points are finite numbers") from None


def _certified(expression: Expr) -> Fraction:
    from gradcheck_cli.certified.ball import certified_constant
    from gradcheck_cli.dtypes import DTYPES

    return Fraction(certified_constant(expression, DTYPES["float64"]))
