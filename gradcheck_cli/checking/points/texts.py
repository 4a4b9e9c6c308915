"""Where to evaluate: the texts of `--at` and `--range` in, points out.

A point is a mapping from variable to the exact value of a double. A text is one point (`2`, `x=1,y=-2`, `x=pi/4`),
several (`[1, 2, 3]`) or, with a range in it (`x=-3:3:101`: start, stop, count, both ends included), the product of its
ranges. Nothing is stored but the texts' numbers: ten million points are made one at a time.
"""

from __future__ import annotations

import difflib
import math
import random
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, product

from gradcheck_cli.checking.points.assigned import points_in
from gradcheck_cli.checking.points.numbers import RANGE_FORM, Evaluate, read_number
from gradcheck_cli.checking.points.written import NUMBER, take_apart, unwrapped
from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_values import BRACKET, split
from gradcheck_cli.records.request import PointNumbers
from gradcheck_cli.surfaces import Option

MAX_POINTS = 10_000_000
MAX_LISTED = 100_000
"""Points that the lists of one text may make."""
MAX_OTHERS = 200
"""Values of a name that is no variable of the function."""
DEFAULT_COUNT = 5
DEFAULT_RANGE = (-3.0, 3.0)

Point = dict[str, Fraction]
Ranges = dict[str | None, tuple[float, float]]
"""variable -> (low, high); None stands for every variable not named."""

_LINSPACE = re.compile(r"(?:(?:np|numpy|torch|jnp)\.)?linspace\s*\((.*)\)", re.DOTALL)


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
    """The points of all `--at` texts, in the order given; in a product the last variable moves fastest.

    notices: what was assumed. counted: there is a range without a count, which took that of the samples. optional:
    names that are no variables of the function; others: their values.
    """

    texts: tuple[tuple[Axis, ...], ...]
    notices: tuple[str, ...] = ()
    counted: bool = False
    optional: tuple[str, ...] = ()
    others: Mapping[str, tuple[Fraction, ...]] = field(default_factory=dict)

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
    pairs = (pair for one in given for pair in (take_apart(one).parts if isinstance(one, str) else one))
    return {name for name, _ in pairs if name is not None}


def read_points(
    given: Sequence[str | PointNumbers],
    free: Sequence[str],
    evaluate: Evaluate | None = None,
    *,
    optional: Sequence[str] = (),
    count: int | None = None,
) -> Points:
    """The points that the texts of `--at` describe, or that are given as numbers.

    free: the variables that need a value, in order; optional: names that may have one. evaluate: the value of a
    constant expression such as `pi/4`, as the parser reads it; certified where it is not given. count: of a range that
    has none. Raises UsageError, or ExpressionError from within a value.
    """
    reader = _Reader(free, optional, evaluate, DEFAULT_COUNT if count is None else count)
    read = [reader.axes(point) for point in given]
    for point, several in zip(given, read, strict=True):
        for one in several:
            _require_all(point, [axis.name for axis in one], free, given, read)
    points = reader.points([one for several in read for one in several])
    if points.count > MAX_POINTS:
        raise _too_many("at")
    return points


def _too_many(option: str) -> UsageError:
    which = "which is all that are checked at once"
    return UsageError(Option(option), f" asks for more than {MAX_POINTS:,} points, {which}")


class _Reader:
    """Reads one `--at` after the other, and remembers what there is to say."""

    def __init__(
        self, free: Sequence[str], optional: Sequence[str], evaluate: Evaluate | None, default_count: int
    ) -> None:
        self.free, self.optional, self.evaluate = free, optional, evaluate
        self.default_count = default_count
        self.notices: list[str] = []
        self.counted = False

    def axes(self, point: str | PointNumbers) -> list[tuple[Axis, ...]]:
        """The points or products of one text: an axis for each variable."""
        this = Option("at", text_of(point))
        if not isinstance(point, str):
            numbers = [(self._name(this, name), Fraction(value)) for name, value in point]
            self._require_once(this, [name for name, _ in numbers])
            return [tuple(Axis(name, value, value) for name, value in numbers)]
        found: list[tuple[Axis, ...]] = []
        for parts in points_in(point, self.free, self.optional, self.notices):
            names = [self._name(this, name) for name, _ in parts]
            self._require_once(this, names)
            lists = [self._values(this, name, value) for name, (_, value) in zip(names, parts, strict=True)]
            if len(lists) > 1 and max(map(len, lists)) > 1:  # a product, in which the last variable moves fastest
                _require_few(this, math.prod(sum(axis.count for axis in axes) for axes in lists))
                lists = [[Axis(axis.name, one, one) for axis in axes for one in axis.values()] for axes in lists]
            found.extend(product(*lists))
            _require_few(this, len(found))
        return found

    def _name(self, this: Option, name: str | None) -> str:
        if name is None:
            return _only(this, self.free)
        if name not in self.free and name not in self.optional:
            raise UsageError(this, f": {_unknown(name, self.free)}")
        return name

    def _require_once(self, this: Option, names: Sequence[str]) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                raise UsageError(this, f" gives {name} two values; for two points ", Option("at", again=True))

    def _values(self, this: Option, name: str, value: str) -> list[Axis]:
        """One axis, or several where the value is a list: `[1, 2, -1:1:5]`."""
        if NUMBER.fullmatch(value):
            number = read_number(this, value, self.evaluate, self.notices)
            return [Axis(name, number, number)]
        opening, inside = unwrapped(value) if BRACKET.search(value) is not None else ("", value)
        if not opening:
            return [self._axis(this, name, value)]
        parts = take_apart(value).parts
        if any(one is not None for one, _ in parts):
            raise UsageError(this, f": {inside} is no list of numbers")
        return [self._axis(this, name, one) for _, one in parts]

    def _axis(self, this: Option, name: str, value: str) -> Axis:
        linspace = _LINSPACE.fullmatch(value) if "linspace" in value else None
        pieces = split(value.replace("..", ":"), ":") if linspace is None else split(linspace[1], ",")
        numbers = [read_number(this, piece, self.evaluate, self.notices) for piece in pieces[:2]]
        if len(pieces) == 1 and linspace is None:
            return Axis(name, numbers[0], numbers[0])
        if len(pieces) == 2 and linspace is None:
            self.counted = True
            said = f"{value} is read as {value.replace('..', ':')}:{self.default_count}: "
            self.notices.append(f"{said}{self.default_count} points, evenly spaced")
            return Axis(name, numbers[0], numbers[1], self.default_count)
        if len(pieces) != 3:
            form = "start:stop:count" if linspace is None else "linspace(start, stop, count)"
            raise UsageError(this, f": a range is {form}, for example {name}=-3:3:101")
        count_text = pieces[2].strip()
        if not re.fullmatch(r"\d{1,18}", count_text, re.ASCII) or int(count_text) < 1:
            raise UsageError(this, f": the count of a range is a whole number from 1, not {count_text or 'nothing'}")
        return Axis(name, numbers[0], numbers[1], int(count_text))

    def points(self, read: Sequence[tuple[Axis, ...]]) -> Points:
        """The points of the variables, and beside them the values of other names."""
        notices = tuple(dict.fromkeys(self.notices))
        if not self.optional:
            return Points(tuple(read), notices, self.counted)
        others = {
            name: tuple(islice((value for axes in read for axis in axes if axis.name == name
                                for value in axis.values()), MAX_OTHERS))
            for name in self.optional
        }  # fmt: skip
        others = {name: values for name, values in others.items() if values}
        if others:
            read = list(dict.fromkeys(tuple(axis for axis in axes if axis.name in self.free) for axes in read))
        return Points(tuple(read), notices, self.counted, tuple(self.optional), others)


def _require_few(this: Option, count: int) -> None:
    if count > MAX_LISTED:
        raise UsageError(this, f" lists more than {MAX_LISTED:,} points: write ranges, such as x=-3:3:101")


def _only(this: Option, free: Sequence[str]) -> str:
    """The variable that a number without a name belongs to: the only one there is."""
    if not free:
        raise UsageError(this, ": the expression has no variable")
    if len(free) > 1:
        example = ",".join(f"{name}={number}" for number, name in enumerate(free, 1))
        variables = ", ".join(free)
        several = f": there are several variables ({variables}), so say which is which: "
        raise UsageError(this, several, Option("at", example))
    return free[0]


def _require_all(
    point: str | PointNumbers,
    names: Sequence[str],
    free: Sequence[str],
    given: Sequence[str | PointNumbers],
    read: Sequence[Sequence[Sequence[Axis]]],
) -> None:
    """Every variable has a value at every point, or UsageError says which has none and how to write it."""
    missing = [name for name in free if name not in names]
    if not missing:
        return
    this, text = Option("at", text_of(point)), text_of(point).strip()
    everywhere = [axis.name for several in read for one in several for axis in one]
    if len(set(everywhere)) == len(everywhere) and set(free) <= set(everywhere):
        joined = Option("at", ",".join(text_of(one).strip() for one in given))
        one_alone = f" gives no value to {_list(missing)}: write "
        raise UsageError("each ", Option("at"), " is a whole point, and ", this, one_alone, joined)
    known = f"{text}," if names else ""
    example = Option("at", known + ",".join(f"{name}=1" for name in missing))
    raise UsageError(this, f" gives no value to {_list(missing)}: write, for example, ", example)


def read_ranges(texts: Sequence[str], evaluate: Evaluate | None = None) -> Ranges:
    """The texts of `--range` (`-3:3`, `0:2*pi`, `x=0:1,y=2:3`): where to sample each variable. evaluate: as above."""
    ranges: Ranges = {}
    for text in texts:
        if not text.strip():
            raise UsageError(Option("range"), f" is empty: {RANGE_FORM}")
        this = Option("range", text)
        for name, value in take_apart(text).parts:
            pieces = split(value.replace("..", ":"), ":")
            if len(pieces) != 2:
                raise UsageError(this, f": {RANGE_FORM}")
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


def _unknown(name: str, known: Collection[str]) -> str:
    if not known:
        return f"{name} is not a variable of the expression, which has none"
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"its variables are {_list(known)}"
    return f"{name} is not a variable of the expression; {advice}"


def _list(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
