"""A function along one variable: its curve and those of its derivatives, and what torch says beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from gradcheck_cli.certified.ball import EXACT
from gradcheck_cli.certified.breaks import Breaks
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.picturing.along import Along, is_beside, runs, spots
from gradcheck_cli.picturing.axes import LARGEST, MARGIN, abscissa, of_errors, ordinate
from gradcheck_cli.picturing.places import Cut
from gradcheck_cli.picturing.subject import MOST_DOTS, Claimed, Subject
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.records.picture import (
    Axis,
    Curve,
    Dot,
    LinePicture,
    Panel,
    Place,
    PlaceKind,
    Run,
    Scale,
    Spot,
    Stretch,
)
from gradcheck_cli.records.results import Check, worst_first
from gradcheck_cli.records.verdicts import Verdict
from gradcheck_cli.verdict import Tolerance

DOTS = 70
"""What torch says between the points asked for."""
REACH = 2.0
"""How far beyond the curve a claim is still shown, in heights of the curve."""
ENOUGH = 20
"""Spots by which an axis can be chosen."""


def line_picture(subject: Subject, variable: str, fixed: Mapping[str, float]) -> LinePicture:
    """fixed: the other variables; rows at other points than these are left out."""
    checks = [row for row in subject.checks if all(row.point[name] == fixed[name] for name in fixed)]
    asked = [*subject.coordinates[variable], *(row.point[variable] for row in checks)]
    along = Along(subject.derivatives, variable, fixed, subject.deadline)
    axis = abscissa(asked)
    found = along.breaks(axis)
    axis = _inside(axis, found, asked)
    special = along.cuts(found, axis)
    xs = spots(axis, special)
    numbers = along.numbers(xs)
    between = _between(subject, along, axis, {row.point[variable] for row in checks})
    panels = []
    for row in (VALUE, *subject.rows):
        curve = runs(xs, [one[row] for one in numbers], _of_row(special, row))
        dots = (*_dots(row, checks, variable, asked=True), *_dots(row, between, variable, asked=False))
        claims = [claim for claim in subject.claims if claim.derivative == row]
        claimed = [_claimed(claim, along, axis) for claim in claims]
        refuted = [spot for claim in claims for spot in _refuted(claim, along, axis)]
        needed = [dot.truth for dot in dots if dot.asked and dot.truth is not None]
        wrong = [Spot(dot.x, dot.y) for dot in dots if dot.asked and not dot.passed and dot.y is not None]
        needed += _within_reach(curve, wrong)
        needed += _within_reach(curve, [*refuted, *(spot for one in claimed for run in one.runs for spot in run)])
        panels.append(
            Panel(
                row,
                _ordinate(curve, needed, axis, special),
                (Curve(curve), *claimed),
                dots,
                _tolerance(curve, subject.tolerance, subject.dtype) if row.wrt else (),
                tuple(refuted),
            )
        )
    stretches = (Stretch(max(low, axis.low), min(high, axis.high)) for low, high in found.undefined)
    return LinePicture(
        variable, axis, tuple(panels), _errors(panels),
        tuple(Place(cut.x, cut.kind) for cut in special if cut.kind is not None),
        tuple(one for one in stretches if one.low < one.high), dict(fixed),
        (*subject.notes, *_left_out(subject, checks)),
    )  # fmt: skip


def _inside(axis: Axis, found: Breaks, asked: Sequence[float]) -> Axis:
    """The axis without most of what is undefined at its ends, unless a point lies there."""
    if axis.scale is not Scale.LINEAR or not found.undefined:
        return axis
    low, high = axis.low, axis.high
    first, last = found.undefined[0], found.undefined[-1]
    if first[0] <= low and first[1] <= min(asked, default=high):
        low = first[1]
    if last[1] >= high and last[0] >= max(asked, default=low):
        high = last[0]
    if not low < high:
        return axis
    room = MARGIN * (high - low)
    return Axis(max(axis.low, low - room), min(axis.high, high + room))


def _of_row(special: Sequence[Cut], row: Derivative) -> list[Cut]:
    """The cuts that interrupt the curve of a row: the function itself goes on at a kink, and through a hole."""
    if row.wrt:
        return list(special)
    return [cut for cut in special if cut.kind not in (PlaceKind.KINK, PlaceKind.HOLE)]


def _ordinate(curve: Sequence[Run], needed: Sequence[float], axis: Axis, special: Sequence[Cut]) -> Axis:
    """The axis of a curve: spots beside poles count no more than others do."""
    spots = [spot for run in curve for spot in run]
    ys = [spot.y for spot in spots]
    apart = [spot.y for spot in spots if not is_beside(spot.x, axis, special)]
    if not apart:
        return ordinate(ys, needed)
    low, high = min(apart), max(apart)
    poles = bool(special) and not all(2 * low - high <= y <= 2 * high - low for y in ys)
    enough = len(apart) >= ENOUGH
    return ordinate(apart if poles and enough else ys, needed, apart=apart if enough else (), poles=poles)


def _within_reach(curve: Sequence[Run], claimed: Sequence[Spot]) -> list[float]:
    """What is claimed, as far as it leaves the curve its shape: what is farther off is beyond the edge."""
    ys = [spot.y for run in curve for spot in run]
    if not ys:
        return []
    room = REACH * ((max(ys) - min(ys)) or max(map(abs, ys)))
    return [spot.y for spot in claimed if min(ys) - room <= spot.y <= max(ys) + room]


def _between(subject: Subject, along: Along, axis: Axis, known: Iterable[float]) -> list[Check]:
    """The rows between the points asked for, evenly spaced, at numbers of the working dtype."""
    seen = set(known)
    xs = dict.fromkeys(subject.dtype.round(axis.at((i + 0.5) / DOTS)) for i in range(DOTS))
    xs = {x: None for x in xs if axis.low <= x <= axis.high and x not in seen}
    rows = subject.judge([{**along.fixed, along.variable: x} for x in xs])
    return [row for row in rows if row.verdict is not Verdict.UNDEFINED]


def _dots(row: Derivative, checks: Sequence[Check], variable: str, *, asked: bool) -> tuple[Dot, ...]:
    """The dots of a row, from left to right; where there are too many, of the worst."""
    if not row.wrt:
        return tuple(_of_values(checks, variable)) if asked else ()
    mine = [check for check in checks if check.derivative == row]
    if len(mine) > MOST_DOTS:
        mine = sorted(mine, key=worst_first)[:MOST_DOTS]
    return tuple(sorted((_dot(check, variable, asked) for check in mine), key=lambda dot: dot.x))


def _dot(check: Check, variable: str, asked: bool) -> Dot:
    number = check.autograd if check.autograd is not None and abs(check.autograd) <= LARGEST else None
    ulps = math.inf if number is None and check.analytical is not None else check.ulps
    return Dot(check.point[variable], number, check.analytical, ulps, check.verdict, check.passed, asked, check.mode)


def _of_values(checks: Sequence[Check], variable: str) -> Iterator[Dot]:
    """torch's values of the function at the points asked for."""
    first = {check.point[variable]: check for check in reversed(checks)}
    for x, check in islice(sorted(first.items(), key=lambda pair: pair[0]), MOST_DOTS):
        number, verdict = check.value_autograd, check.value_verdict
        if verdict is not None and verdict is not Verdict.UNDEFINED:
            finite = number if number is not None and abs(number) <= LARGEST else None
            yield Dot(x, finite, check.value, None, verdict, verdict.passes, True, check.mode)


def _tolerance(curve: Sequence[Run], tolerance: Tolerance, dtype: Dtype) -> tuple[Run, ...]:
    """How many ulps pass along a curve, where it is not 0."""
    return tuple(
        tuple(Spot(x, tolerance.rtol * abs(y) / dtype.ulp(y)) for x, y in run if y) for run in curve
    )  # fmt: skip


def _errors(panels: Sequence[Panel]) -> Axis:
    limits = (spot.y for panel in panels for run in panel.tolerance for spot in run)
    return of_errors((dot.ulps for panel in panels for dot in panel.dots), limits)


def _claimed(claim: Claimed, along: Along, axis: Axis) -> Curve:
    """The curve of a claim, interrupted where it is not smooth itself."""
    own = Derivatives(claim.expression, (), EXACT, along.derivatives.dtype)
    of_claim = Along(own, along.variable, {**along.fixed, **claim.extra}, along.deadline)
    special = of_claim.cuts(of_claim.breaks(axis), axis)
    xs = spots(axis, special)
    return Curve(runs(xs, [one[VALUE] for one in of_claim.numbers(xs)], special), claim.text)


def _refuted(claim: Claimed, along: Along, axis: Axis) -> Iterator[Spot]:
    """Where the claim is known to be wrong, if that is on the line."""
    wrong = claim.counterexample
    if wrong is None or any(wrong.point.get(name, value) != value for name, value in along.fixed.items()):
        return
    x = wrong.point.get(along.variable)
    if x is not None and axis.low <= x <= axis.high and abs(wrong.claimed) <= LARGEST:
        yield Spot(x, wrong.claimed)


def _left_out(subject: Subject, checks: Sequence[Check]) -> tuple[str, ...]:
    points = {tuple(sorted(row.point.items())) for row in subject.checks}
    left = len(points) - len({tuple(sorted(row.point.items())) for row in checks})
    if not left:
        return ()
    return ("1 other point is not on this line" if left == 1 else f"{left:,} other points are not on this line",)
