"""What is expected on the command line: the texts of `--gradient` and `--value`, as problem files have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gradcheck_cli.checking.points.written import NUMBER, take_apart, unwrapped
from gradcheck_cli.claims.claim_text import separate_claims, split_claim
from gradcheck_cli.errors import ExpressionError, UsageError
from gradcheck_cli.option_values import split
from gradcheck_cli.records.request import Expectation
from gradcheck_cli.surfaces import Option

_INFINITE = re.compile(r"[+-]?(?:inf|infinity|oo)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)


def expectation(gradient: Sequence[str], value: Sequence[str]) -> Expectation:
    """`326`, `x: 14`, `x=14,y=2`; a list has a number for each point. Raises UsageError or ExpressionError."""
    by: dict[str, tuple[str, ...]] = {}
    for text in gradient:
        for name, number in _by_variable(text):
            if name in by:
                which = f" gives {name} two numbers" if name else " is given twice"
                raise UsageError(Option("gradient", text), f"{which}: for several points write a list, [1, 2]")
            by[name] = _numbers(Option("gradient", text), number)
    if len(value) > 1:
        raise UsageError(Option("value"), " is given twice: for several points write a list, [1, 2]")
    return Expectation(
        gradient=by, value=tuple(number for text in value for number in _numbers(Option("value", text), text))
    )


def _by_variable(text: str) -> Iterator[tuple[str, str]]:
    """(variable, numbers) for each that is named; "" where none is."""
    parts = take_apart(text).parts
    if parts and all(name is not None for name, _ in parts):
        yield from ((str(name), value) for name, value in parts)
        return
    separate = separate_claims(text)
    if len(separate) > 1:
        for one in separate:
            yield from _by_variable(one)
        return
    try:
        said = split_claim(separate[0])
    except UsageError:
        raise UsageError(
            Option("gradient", text), ": write the number alone, and the point by ", Option("at")
        ) from None
    yield ",".join(said.names), text if not said.left else said.formulas[0]


def _numbers(this: Option, text: str) -> tuple[str, ...]:
    opening, inside = unwrapped(text)
    if opening and "[" in inside:  # the rows of an array
        return tuple(number for row in split(inside, ",;") for number in _numbers(this, row))
    numbers = tuple(number.strip() for number in split(inside if opening else text, ",;"))
    if not opening and _DECIMAL_COMMA.fullmatch(text.strip()):
        decimal = Option(this.name, text.strip().replace(",", "."))
        raise UsageError(
            this, " can be read in two ways: write ", decimal, f" for the decimal number, or [{text.strip()}]"
        )
    for number in numbers:
        _require_number(this, number)
    return numbers


def _require_number(this: Option, number: str) -> None:
    from gradcheck_cli.language.parser import parse_constant

    plain = number.replace("\N{MINUS SIGN}", "-")
    if not plain:
        raise UsageError(this, ": a number is missing")
    if NUMBER.fullmatch(plain) or _INFINITE.fullmatch(plain):
        return
    try:
        parse_constant(number)
    except ExpressionError as error:
        raise ExpressionError((this, ": ", *error.parts), error.source, error.start, error.end) from None
