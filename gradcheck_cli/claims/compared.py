"""The places at which a derivative and a claim about it were compared, and what was found there."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from gradcheck_cli.certified.comparison import ClaimUndefined, Comparison, Found
from gradcheck_cli.certified.comparison_points import Point
from gradcheck_cli.certified.equality import Together, midpoint
from gradcheck_cli.certified.seam_search.gaps import raw_gaps
from gradcheck_cli.certified.seam_search.places import Place
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr, topological


class Compared:
    """The places at which derivative and claim were compared, in order.

    pairs: each with what was found. missing: the first where the derivative exists, and the claim does not.
    """

    def __init__(self) -> None:
        self.pairs: list[tuple[Place, Comparison]] = []
        self.missing: Place | None = None

    def add(self, place: Place, found: Found) -> None:
        if isinstance(found, Comparison):
            self.pairs.append((place, found))
        elif found is ClaimUndefined and self.missing is None:
            self.missing = place

    @property
    def refuting(self) -> list[tuple[Place, Comparison]]:
        return [(place, found) for place, found in self.pairs if found.differs]

    def refutes_one_of(self, points: Sequence[Point]) -> bool:
        return any(place in points for place, _ in self.refuting)

    @property
    def close(self) -> bool:
        """Whether the two differ somewhere, though by less than the tolerance."""
        return any(found.close for _, found in self.pairs)

    def notes(self, function: Expr) -> list[str]:
        """What there is to say of a claim about a function that is not refuted."""
        notes = []
        if self.missing is not None:
            notes.append(f"the claim is undefined at {at_text(self.missing)}, where the derivative exists")
        if self.close:
            place, found = max(self.pairs, key=lambda pair: pair[1].relative)
            everywhere = sum(one.close for _, one in self.pairs) > len(self.pairs) // 2
            where = "" if everywhere else f" at {at_text(place)}"
            past = self._past_a_seam(function)
            why = "a rounded constant?" if past is None else f"{past.usage()} is {past.doc}"
            notes.append(f"equal to {found.relative:.0e} only{where}: {why}")
        return notes

    def _past_a_seam(self, function: Expr) -> Function | None:
        """The function of the table beyond a seam of which the two differ, and nowhere else: softplus is x there."""
        for node in topological(function):
            if not isinstance(node, Call) or node.function.definition is None:
                continue
            for gap in raw_gaps(node):
                together = Together(gap)
                sides = {True: set[int](), False: set[int]()}
                for place, found in self.pairs:
                    value = midpoint(together.at({name: float(number) for name, number in place.items()})[0]) or 0.0
                    sides[found.close].add((value > 0) - (value < 0))
                if len(sides[True]) == 1 and sides[False] and not sides[True] & sides[False]:
                    return node.function
        return None


def exactly(place: Place) -> dict[str, str]:
    """The coordinates that are no doubles, as texts."""
    return {name: str(value) for name, value in place.items() if Fraction(float(value)) != Fraction(value)}


def at_text(point: Place) -> str:
    return ", ".join(f"{name}={float(value):.6g}" for name, value in point.items())
