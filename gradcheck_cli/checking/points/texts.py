"""Where to evaluate: the texts of `--at` and `--range` in, points out.

A point is a mapping from variable to the exact value of a double. A text is one point (`2`, `x=1,y=-2`, `x=pi/4`) or,
with a range in it (`x=-3:3:101`: start, stop, count, both ends included), the product of its ranges. Nothing is stored
but the texts' numbers: ten million points are made one at a time.
"""

from __future__ import annotations

import difflib
import math
import random
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from gradcheck_cli.errors import ExpressionError, NoReference, UsageError
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.records.request import PointNumbers
from gradcheck_cli.surfaces import Option

MAX_POINTS = 10_000_000
DEFAULT_RANGE = (-3.0, 3.0)

Point = dict[str, Fraction]
Evaluate = Callable[[Expr], Fraction]
Ranges = dict[str | None, tuple[float, float]]
"""variable -> (low, high); None stands for every variable not named."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NAME = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")
_NEXT_NAME = re.compile(r"\s+(?=[^\W\d]\w*\s*=(?!=))")
_COLON = re.compile(r"\s*([^\W\d]\w*)\s*:\s*")
_RANGE_FORM = "a range is low:high, for example -3:3 or x=0:1"
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_BRACKET = re.compile(r"[(\[{]")


@dataclass(frozen=True)
class Axis:
    """The values of one variable: `count` of them from start to stop, evenly spaced."""

    name: str
    start: Fraction
    stop: Fraction
    count: int = 1

    def values(self) -> Iterator[Fraction]:
        if self.count == 1:
            yield Fraction(float(self.start))
            return
        step = (self.stop - self.start) / (self.count - 1)
        for index in range(self.count):
            yield Fraction(float(self.start + step * index))


@dataclass(frozen=True)
class Points:
    """The points of all `--at` texts, in the order given; in a product the last variable moves fastest."""

    texts: tuple[tuple[Axis, ...], ...]
    notices: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(axis.name for axes in self.texts for axis in axes))

    @property
    def count(self) -> int:
        return sum(math.prod(axis.count for axis in axes) for axes in self.texts)

    def __iter__(self) -> Iterator[Point]:
        for axes in self.texts:
            first = {axis.name: next(axis.values()) for axis in axes}
            for ranged in _product([axis for axis in axes if axis.count > 1]):
                yield {**first, **ranged}


def _product(axes: Sequence[Axis]) -> Iterator[Point]:
    """Like itertools.product, but lazy: a range of ten million is never stored."""
    if not axes:
        yield {}
        return
    for value in axes[0].values():
        for rest in _product(axes[1:]):
            yield {axes[0].name: value, **rest}


def text_of(point: str | PointNumbers) -> str:
    """A point as a text of `--at`."""
    if isinstance(point, str):
        return point
    return ",".join(repr(value) if name is None else f"{name}={value!r}" for name, value in point)


def names_in(given: Sequence[str | PointNumbers]) -> set[str]:
    """The names that points, or texts of `--at` or `--range`, give values to."""
    pairs = (pair for one in given for pair in (_assignments(one) if isinstance(one, str) else one))
    return {name for name, _ in pairs if name is not None}


def read_points(given: Sequence[str | PointNumbers], free: Sequence[str], evaluate: Evaluate | None = None) -> Points:
    """The points that the texts of `--at` describe, or that are given as numbers.

    free: the variables that need a value, in order. evaluate: the value of a constant expression such as `pi/4`, as
    the parser reads it; certified where it is not given. Raises UsageError, or ExpressionError from within a value.
    """
    read = [_written(point, free) if isinstance(point, str) else point for point in given]
    notices: list[str] = []
    axes = [_axes(point, parts, free, evaluate, notices) for point, parts in zip(given, read, strict=True)]
    for point, one in zip(given, axes, strict=True):
        _require_all(point, [axis.name for axis in one], free, given, axes)
    points = Points(tuple(axes), tuple(dict.fromkeys(notices)))
    if points.count > MAX_POINTS:
        raise _too_many("at")
    return points


def _too_many(option: str) -> UsageError:
    which = "which is all that are checked at once"
    return UsageError(Option(option), f" asks for more than {MAX_POINTS:,} points, {which}")


def _written(text: str, free: Sequence[str]) -> tuple[tuple[str | None, str], ...]:
    """The assignments of one text, or UsageError where commas and equals signs are not as they should be."""
    if not text.strip():
        raise UsageError(Option("at"), " is empty: a point is written 2, or x=1,y=-2, or x=-3:3:101")
    this, parts = Option("at", text), _assignments(text)
    if len(parts) > 1 and (None, "") in parts:
        raise UsageError(this, ": there is nothing beside a comma: delete the comma, or write what is missing")
    for _, value in parts:
        for found in _NEXT_NAME.finditer(value):
            before = value[: found.start()]
            if before.count("(") == before.count(")"):
                joined = ",".join(piece.strip() for piece in _NEXT_NAME.split(text.strip()))
                raise UsageError(this, ": variables are separated by commas: write ", Option("at", joined))
    named = [_COLON.match(value) for name, value in parts if name is None]
    if len(named) == len(parts) and all(match and match[1] in free for match in named):
        fixed = ",".join(_COLON.sub(r"\1=", value, count=1) for _, value in parts)
        raise UsageError(this, ": a variable gets its value by =: write ", Option("at", fixed))
    return parts


def _axes(
    point: str | PointNumbers,
    parts: Sequence[tuple[str | None, str | float]],
    free: Sequence[str],
    evaluate: Evaluate | None,
    notices: list[str],
) -> tuple[Axis, ...]:
    """One point or text: an axis for each of its variables."""
    axes: dict[str, Axis] = {}
    for given_name, value in parts:
        name = _only(point, value, parts, free) if given_name is None else given_name
        if name not in free:
            raise UsageError(_at(point), f": {_unknown(name, free)}")
        if name in axes:
            raise UsageError(_at(point), f" gives {name} two values; for two points ", Option("at", again=True))
        if isinstance(value, str):
            axes[name] = _axis(_at(point), name, value, evaluate, notices)
        else:
            axes[name] = Axis(name, Fraction(value), Fraction(value))
    return tuple(axes.values())


def _at(point: str | PointNumbers) -> Option:
    return Option("at", text_of(point))


def _only(point: str | PointNumbers, value: str | float, parts: Sequence[object], free: Sequence[str]) -> str:
    """The variable that a value without a name belongs to: the only one there is."""
    if not free:
        raise UsageError(_at(point), ": the expression has no variable")
    example = ",".join(f"{name}={number}" for number, name in enumerate(free, 1))
    if len(parts) > 1 and len(free) == 1:
        raise UsageError(
            _at(point),
            f": {value} belongs to no variable; ",
            Option("at", again=True),
            " for several points, and write decimals with a point (1.5)",
        )
    if len(free) > 1:
        raise UsageError(
            _at(point),
            f": there are several variables ({', '.join(free)}), so say which is which: ",
            Option("at", example),
        )
    return free[0]


def _axis(this: Option, name: str, value: str, evaluate: Evaluate | None, notices: list[str]) -> Axis:
    pieces = _split(value, ":")
    numbers = [read_number(this, piece, evaluate, notices) for piece in pieces[:2]]
    if len(pieces) == 1:
        return Axis(name, numbers[0], numbers[0])
    if len(pieces) != 3:
        raise UsageError(this, f": a range is start:stop:count, for example {name}=-3:3:101")
    count_text = pieces[2].strip()
    if not re.fullmatch(r"\d{1,18}", count_text, re.ASCII) or int(count_text) < 1:
        raise UsageError(this, f": the count of a range is a whole number from 1, not {count_text or 'nothing'}")
    return Axis(name, numbers[0], numbers[1], int(count_text))


def read_number(where: Option, value: str, evaluate: Evaluate | None, notices: list[str]) -> Fraction:
    """A number or a constant expression, exactly. where: the option, and its text."""
    plain = value.strip().replace("\N{MINUS SIGN}", "-")
    if not plain:
        form = "a point is written 2, or x=1,y=-2, or x=-3:3:101" if where.name == "at" else _RANGE_FORM
        raise UsageError(where, f": a value is missing; {form}")
    if plain.lower().lstrip("+-") in ("inf", "infinity", "nan", "oo"):
        raise UsageError(where, f": points are finite numbers, and {plain} is not")
    if not _NUMBER.fullmatch(plain):
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


def _require_all(
    point: str | PointNumbers,
    names: Sequence[str],
    free: Sequence[str],
    given: Sequence[str | PointNumbers],
    axes: Sequence[Sequence[Axis]],
) -> None:
    """Every variable has a value at every point, or UsageError says which has none and how to write it."""
    missing = [name for name in free if name not in names]
    if not missing:
        return
    everywhere = [axis.name for one in axes for axis in one]
    if len(set(everywhere)) == len(everywhere) and set(free) <= set(everywhere):
        joined = ",".join(text_of(one).strip() for one in given)
        raise UsageError("each ", Option("at"), " is a whole point, and ", _at(point),
                         f" gives no value to {_list(missing)}: write ", Option("at", joined))  # fmt: skip
    known = f"{text_of(point).strip()}," if names else ""
    example = known + ",".join(f"{name}=1" for name in missing)
    raise UsageError(_at(point), f" gives no value to {_list(missing)}: write, for example, ", Option("at", example))


def read_ranges(texts: Sequence[str], evaluate: Evaluate | None = None) -> Ranges:
    """The texts of `--range` (`-3:3`, `0:2*pi`, `x=0:1,y=2:3`): where to sample each variable. evaluate: as above."""
    ranges: Ranges = {}
    for text in texts:
        if not text.strip():
            raise UsageError(Option("range"), f" is empty: {_RANGE_FORM}")
        this = Option("range", text)
        for name, value in _assignments(text):
            pieces = _split(value, ":")
            if len(pieces) != 2:
                raise UsageError(this, f": {_RANGE_FORM}")
            low, high = (float(read_number(this, piece, evaluate, [])) for piece in pieces)
            if low >= high:
                raise UsageError(this, ": low must be less than high")
            if name in ranges:
                raise UsageError(this, f": there are two ranges for {name or 'the variables not named'}")
            ranges[name] = low, high
    return ranges


def sample_points(names: Sequence[str], count: int, seed: int, ranges: Mapping[str | None, tuple[float, float]]) -> (
    Iterator[Point]
):  # fmt: skip
    """Endless points, uniform in the range of each variable: doubles, the same ones for the same seed.

    The caller takes as many as are defined until it has `count`, which must be positive and has no influence on the
    points. Raises UsageError for a range of an unknown variable.
    """
    if count < 1:
        raise UsageError(Option("samples"), " is a whole number from 1")
    if count > MAX_POINTS:
        raise _too_many("samples")
    for name in ranges:
        if name is not None and name not in names:
            raise UsageError(Option("range"), f": {_unknown(name, names)}")
    default = ranges.get(None, DEFAULT_RANGE)
    return _samples([(name, *ranges.get(name, default)) for name in names], random.Random(seed))


def _samples(bounds: Sequence[tuple[str, float, float]], generator: random.Random) -> Iterator[Point]:
    while True:
        point: Point = {}
        for name, low, high in bounds:
            share = Fraction(generator.random())
            point[name] = Fraction(float(Fraction(low) + (Fraction(high) - Fraction(low)) * share))
        yield point


@lru_cache(maxsize=256)  # a text is read for its names, and then for its values
def _assignments(text: str) -> tuple[tuple[str | None, str], ...]:
    """`x=1, y=2` -> (("x", "1"), ("y", "2")); a part without a name has None."""
    parts: list[tuple[str | None, str]] = []
    for part in _split(text, ","):
        named = _NAME.match(part)
        parts.append((named[1], part[named.end() :].strip()) if named else (None, part.strip()))
    return tuple(parts)


def _split(text: str, separator: str) -> list[str]:
    """`text` split at the separators outside of parentheses."""
    if _BRACKET.search(text) is None:
        return text.split(separator)
    parts, start, closers = [], 0, []
    for index, character in enumerate(text):
        if character in _PAIRS:
            closers.append(_PAIRS[character])
        elif closers and character == closers[-1]:
            closers.pop()
        elif character == separator and not closers:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _unknown(name: str, known: Collection[str]) -> str:
    if not known:
        return f"{name} is not a variable of the expression, which has none"
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"its variables are {_list(known)}"
    return f"{name} is not a variable of the expression; {advice}"


def _list(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
