"""Which variable each value of a text of `--at` belongs to, and which values make a point.

Values without names: each is a point where there is one variable, and together they are a point where there is one for
each variable, in the order in which these appear. What can be read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradcheck_cli.checking.points.written import NUMBER, Parts, Written, key_of, take_apart, unwrapped
from gradcheck_cli.errors import UsageError
from gradcheck_cli.surfaces import Option

_DECIMAL_COMMA = re.compile(r"(?:\w+\s*=\s*)?([+-]?\d+),(\d+)", re.ASCII)
FORM = "a point is written 2, or x=1,y=-2, or x=-3:3:101"


def points_in(text: str, names: Sequence[str], optional: Sequence[str], notices: list[str]) -> list[Parts]:
    """The points of a text, each with a name before every value (None where the expression has no variable).

    names: the variables, in order; optional: what may be given a value as well. notices: what was assumed is added.
    Raises UsageError.
    """
    if not text.strip():
        raise UsageError(Option("at"), f" is empty: {FORM}")
    written = take_apart(text)
    if len(written.pieces) == 1 and not written.brackets:  # mostly it is as simple as that
        (parts,) = written.pieces
        if all(name is not None for name, _ in parts):
            return [parts]
        if len(parts) == len(names) == 1 and NUMBER.fullmatch(parts[0][1]):
            return [((names[0], parts[0][1]),)]
    return _Reader(text, names, optional, notices).points(written)


class _Reader:
    def __init__(self, text: str, names: Sequence[str], optional: Sequence[str], notices: list[str]) -> None:
        self.text, self.names, self.notices = text, names, notices
        self.known = (*names, *optional)
        self.this = Option("at", text)

    def points(self, written: Written, nested: bool = False) -> list[Parts]:
        pieces = [self._named(piece) for piece in written.pieces]
        parts = [part for piece in pieces for part in piece]
        if len(parts) > 1 and (None, "") in parts:
            raise UsageError(self.this, ": there is nothing beside a comma: delete the comma, or write what is missing")
        if not nested and (inner := self._nested(written)):
            return [point for one in inner for point in self.points(one, nested=True)]
        if len(pieces) == 1 or not self._is_a_point_each(pieces):
            return self._points(tuple(parts), in_brackets=bool(written.brackets))
        return [point for piece in pieces for point in self._points(piece, in_brackets=True)]

    def _named(self, piece: Parts) -> Parts:
        return tuple(key_of(part, self.known) for part in piece)

    def _nested(self, written: Written) -> list[Written]:
        """What stands between the brackets of `[1, 2], [3, 4]`, each of them a point; none where that is not so."""
        values = [value for name, value in written.parts if name is None]
        if len(values) < len(written.parts):
            return []
        opened = [unwrapped(value)[0] for value in values]
        if not all(opened):
            return []
        if len(self.names) > 1 and len(values) > 1 and not written.brackets and "[" in opened:
            rows = f" can be read in two ways: write [{','.join(values)}] if each bracket is a point, else "
            raise UsageError(self.this, rows, Option("at", again=True))
        return [take_apart(value) for value in values]

    def _is_a_point_each(self, pieces: Sequence[Parts]) -> bool:
        """Whether the pieces between semicolons are points, and not the parts of one."""
        if any(name is not None for piece in pieces for name, _ in piece):
            return all(set(self.names) <= {name for name, _ in piece} for piece in pieces)
        return any(len(piece) > 1 for piece in pieces) or len(pieces) != len(self.names)

    def _points(self, parts: Parts, *, in_brackets: bool) -> list[Parts]:
        given = [name for name, _ in parts]
        if None not in given:
            return [parts]
        if not self.names:
            raise UsageError(self.this, ": the expression has no variable")
        if len(self.names) == 1 and set(given[1:]) <= {None}:
            return self._of_the_only_variable(parts, in_brackets=in_brackets)
        if set(given) == {None} and len(parts) == len(self.names):
            shown = ", ".join(f"{name}={value}" for name, (_, value) in zip(self.names, parts, strict=True))
            self.notices.append(f"{self.text.strip()[:60]} is read in the order of the variables: {shown[:200]}")
            return [tuple((name, value) for name, (_, value) in zip(self.names, parts, strict=True))]
        example = Option("at", ",".join(f"{name}={number}" for number, name in enumerate(self.names, 1)))
        variables = ", ".join(self.names)
        if len(parts) == 1:
            several = f": there are several variables ({variables}), so say which is which: "
            raise UsageError(self.this, several, example)
        if set(given) == {None}:
            counts = f": there are {len(parts)} values for {len(self.names)} variables ({variables}): write "
            raise UsageError(self.this, counts, example)
        value = next(value for name, value in parts if name is None)
        raise UsageError(self.this, f": {value} belongs to no variable: write ", example)

    def _of_the_only_variable(self, parts: Parts, *, in_brackets: bool) -> list[Parts]:
        """Each value is a point."""
        (name,) = self.names
        values = [value for _, value in parts]
        ambiguous = None if in_brackets else _DECIMAL_COMMA.fullmatch(self.text.strip())
        if ambiguous is not None:
            decimal = Option("at", f"{ambiguous[1]}.{ambiguous[2]}")
            how = ", and for two points put brackets around them, or "
            raise UsageError(self.this, " can be read in two ways: write ", decimal, " for the decimal number", how,
                             Option("at", again=True))  # fmt: skip
        return [((parts[0][0] or name, value),) for value in values]
