"""A function along two variables: numbers at the crossings of a grid, and what torch makes of them there."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from gradcheck_cli.picturing.axes import LARGEST, abscissa, of_errors, ordinate
from gradcheck_cli.picturing.numbers import certified_numbers
from gradcheck_cli.picturing.subject import MOST_DOTS, Subject
from gradcheck_cli.records.derivative import VALUE
from gradcheck_cli.records.picture import Axis, Field, Grid, MapDot, MapPicture
from gradcheck_cli.records.results import Check, worst_first
from gradcheck_cli.records.verdicts import Verdict

SIDES = ((48, 32), (36, 24), (24, 16), (16, 10))
"""Columns and rows of the grid, from the finest; a coarser one where the finer would take too long."""
SHARE = 0.6
"""Of the time left, for the grid."""


def map_picture(subject: Subject, variables: tuple[str, str], fixed: Mapping[str, float]) -> MapPicture:
    """variables: of x and of y; fixed: the others."""
    x_name, y_name = variables
    checks = [row for row in subject.checks if all(row.point[name] == fixed[name] for name in fixed)]
    x, y = (
        abscissa([*subject.coordinates[name], *(row.point[name] for row in checks)]) for name in variables
    )  # fmt: skip
    xs, ys, rows = _grid(subject, variables, fixed, x, y)
    points = [{**fixed, x_name: a, y_name: b} for b in ys for a in xs]
    numbers = certified_numbers(subject.derivatives, points, subject.deadline)
    value = [one[VALUE] for one in numbers]
    fields = [Field(VALUE, _axis(value), _laid_out(value, len(xs)), dots=_dots(checks, variables, values=True))]
    for row in subject.rows:
        mine = [one[row] for one in numbers]
        judged = _by_point([check for check in rows if check.derivative == row], variables)
        at = [judged.get((point[x_name], point[y_name])) for point in points]
        ulps = [None if check is None else _ulps(check) for check in at]
        failing = tuple(
            (i % len(xs), i // len(xs)) for i, check in enumerate(at) if check is not None and _fails(check)
        )
        dots = _dots([check for check in checks if check.derivative == row], variables)
        fields.append(Field(row, _axis(mine), _laid_out(mine, len(xs)), _laid_out(ulps, len(xs)), failing, dots))
    errors = of_errors((u for one in fields for line in one.ulps for u in line), ())
    return MapPicture(variables, x, y, xs, ys, tuple(fields), errors, dict(fixed), subject.notes)


def _grid(
    subject: Subject, variables: tuple[str, str], fixed: Mapping[str, float], x: Axis, y: Axis
) -> tuple[tuple[float, ...], tuple[float, ...], list[Check]]:
    """The coordinates, in the working dtype, and the rows at the crossings; as fine as there is time for."""
    started, left = time.monotonic(), SHARE * (subject.deadline - time.monotonic())
    columns, lines = SIDES[-1]
    tried = [{**fixed, variables[0]: a, variables[1]: b}
             for a, b in zip(_middles(subject, x, columns), _middles(subject, y, columns), strict=False)]  # fmt: skip
    subject.judge(tried)
    each = (time.monotonic() - started) / max(1, len(tried))
    columns, lines = next((side for side in SIDES if side[0] * side[1] * each < left), SIDES[-1])
    xs, ys = _middles(subject, x, columns), _middles(subject, y, lines)
    return xs, ys, subject.judge([{**fixed, variables[0]: a, variables[1]: b} for b in ys for a in xs])


def _middles(subject: Subject, axis: Axis, count: int) -> tuple[float, ...]:
    """The middles of cells, as numbers of the working dtype."""
    numbers = (subject.dtype.round(axis.at((i + 0.5) / count)) for i in range(count))
    return tuple(dict.fromkeys(number for number in numbers if math.isfinite(number)))


def _by_point(checks: Sequence[Check], variables: tuple[str, str]) -> dict[tuple[float, float], Check]:
    """The row of each point; of several modes, the worst."""
    worst: dict[tuple[float, float], Check] = {}
    for check in sorted(checks, key=worst_first):
        worst.setdefault((check.point[variables[0]], check.point[variables[1]]), check)
    return worst


def _fails(check: Check) -> bool:
    return not check.passed and check.verdict is not Verdict.UNDEFINED


def _axis(numbers: Sequence[float | None]) -> Axis:
    return ordinate([number for number in numbers if number is not None])


def _laid_out(numbers: Sequence[float | None], columns: int) -> Grid:
    finite = [None if number is None or math.isnan(number) else number for number in numbers]
    return tuple(tuple(finite[i : i + columns]) for i in range(0, len(finite), columns))


def _ulps(check: Check) -> float | None:
    """The error, inf where torch has no finite number and there is one."""
    if check.analytical is None:
        return None
    return check.ulps if check.autograd is not None and abs(check.autograd) <= LARGEST else math.inf


def _dots(checks: Sequence[Check], variables: tuple[str, str], *, values: bool = False) -> tuple[MapDot, ...]:
    """A dot for each point asked for. values: of the function itself."""
    found = []
    for place, check in list(_by_point(checks, variables).items())[:MOST_DOTS]:
        verdict = check.value_verdict if values and check.value_verdict is not None else check.verdict
        found.append(MapDot(*place, verdict, verdict.passes if values else check.passed))
    return tuple(found)
