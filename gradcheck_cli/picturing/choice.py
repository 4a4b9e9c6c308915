"""Which picture a formula gets: a line along the variable that changes, or a map along two."""

from __future__ import annotations

from gradcheck_cli.picturing.line import line_picture
from gradcheck_cli.picturing.map import map_picture
from gradcheck_cli.picturing.subject import Subject
from gradcheck_cli.records.picture import Picture
from gradcheck_cli.records.results import worst_first


def picture_of(subject: Subject) -> Picture | None:
    """Where one variable changes from point to point, along that one; where two do, or the function has two and one
    point, a map; else along the first that is differentiated, through the worst point. None: there is no row."""
    if not subject.checks:
        return None
    worst = min(subject.checks, key=worst_first).point
    changing = [
        name for name in subject.variables
        if len({*subject.coordinates[name], *(row.point[name] for row in subject.checks)}) > 1
    ]  # fmt: skip
    along = changing if changing else list(subject.variables)
    if len(along) == 2:
        fixed = {name: value for name, value in worst.items() if name not in along}
        return map_picture(subject, (along[0], along[1]), fixed)
    by = [name for row in subject.rows for name in row.wrt if name in along]
    variable = by[0] if by else along[0]
    return line_picture(subject, variable, {name: value for name, value in worst.items() if name != variable})
