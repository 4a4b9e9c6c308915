"""Derivatives worked out by hand: is a claim the derivative? Certified balls refute, algebra proves (see proof.py).

Claims are mathematics: nothing is rounded, decimals and pi are exact on both sides, only the points are doubles.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from gradcheck_cli.certified.ball import Value
from gradcheck_cli.certified.comparison import ClaimUndefined, Comparison, DerivativeAndClaim, Found
from gradcheck_cli.certified.comparison_points import NICE, Point, sample
from gradcheck_cli.certified.equality import Together, are_same, common_factor, is_known, midpoint
from gradcheck_cli.certified.exact_place import at_place
from gradcheck_cli.certified.seam_search.places import Place, at_seams, far_out
from gradcheck_cli.claims.claim_text import split_claim
from gradcheck_cli.claims.slips import slips
from gradcheck_cli.differentiation.gradient import gradient
from gradcheck_cli.errors import NoReference, UsageError
from gradcheck_cli.expression.nodes import Expr, intermediates, variables
from gradcheck_cli.language.parser import parse
from gradcheck_cli.language.printer import text_within
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.results import Claim, ClaimStatus, Counterexample
from gradcheck_cli.surfaces import Option, Words, on_command_line
from gradcheck_cli.verdict import Tolerance

COMPARED = 200
"""Points of the problem that a claim is compared at, at most."""
SAMPLED = 20
"""Points beyond these at which both must be defined before an agreement is believed; TRIES are tried."""
PROOF_SECONDS = 2.0
SWITCH = 3e-9
"""Beside a seam, a relative difference up to here refutes nothing: softplus is x beyond 20, off by exp(-20)."""
FAR_BITS = 640
"""Precision far out, at most: what takes more there is left."""
SLIP_POINTS = 4
"""At how many points a slip must lead to exactly what is claimed."""


class ClaimedDerivative:
    """One claim about one expression, read and ready to be compared.

    rows: the derivatives that are checked; a claim that names none belongs to the only one. lets: named results by
    name. Raises ExpressionError or UsageError for a claim that cannot be read.
    """

    def __init__(self, text: str, expression: Expr, rows: Sequence[Derivative], lets: Mapping[str, Expr]) -> None:
        names, self.text = split_claim(text)
        self.expression = expression
        known = (*variables(expression), *intermediates(expression))
        self.derivative = self._which(names, rows, known)
        self.claim = parse(self.text, names=set(variables(expression)) - set(lets), lets=lets)
        self.chain = [expression]
        for name in self.derivative.wrt:
            self.chain.append(gradient(self.chain[-1], [name])[name])
        self.right = self.chain[-1]
        self.extra = tuple(name for name in variables(self.claim) if name not in variables(expression))
        self.names = (*variables(expression), *self.extra)

    @staticmethod
    def _which(names: tuple[str, ...], rows: Sequence[Derivative], known: Sequence[str]) -> Derivative:
        if not names and len(rows) > 1:
            choices = " or ".join(f"'{row.label}: …'" for row in rows[:3])
            raise UsageError(f"it does not say which derivative it is: {choices}")
        found = Derivative(names) if names else rows[0]
        for name in found.wrt:
            if name not in known:
                raise UsageError(f"the expression has no {name}; it has {', '.join(known)}")
        return found

    def judge(
        self,
        points: Sequence[Point],
        asked: bool,
        tolerance: Tolerance,
        seconds: float = PROOF_SECONDS,
        words: Words = on_command_line,
    ) -> Claim:
        """What becomes of the claim.

        points: the problem's own; asked: whether they were asked for, and not drawn (then an easier counterexample is
        preferred). tolerance: rtol of claims, and atol where the derivative is 0. seconds: allowed for a proof.
        words: how notes call the options.
        """
        sides = DerivativeAndClaim(self.chain, self.claim, self.derivative, tolerance)
        own = _fill(points[:COMPARED], self.extra)
        compared = Compared()
        for point in itertools.chain(own, sample(self.names, own)):
            compared.add(point, sides.at(point))
            if len(compared.pairs) >= len(own) + SAMPLED:
                break
        if compared.pairs and not (compared.refuting and (not asked or compared.refutes_one_of(own))):
            self._look_further(compared, sides, own)
        if not compared.pairs:
            return self._claim(ClaimStatus.UNCHECKED, 0, note=_nowhere(compared.missing, words), truth=self._text())
        if compared.refuting:
            return self._refuted(compared, own if asked else (), words)
        notes = compared.notes()
        if not compared.close and self._proven(seconds):
            return self._claim(ClaimStatus.PROVEN, len(compared.pairs), note="; ".join(notes) or None)
        return self._claim(ClaimStatus.AGREES, len(compared.pairs), note="; ".join(notes) or None)

    def _look_further(self, compared: Compared, sides: DerivativeAndClaim, own: Sequence[Point]) -> None:
        """Compare at the seams of function and claim, and far out. A rounded constant is not held against far out."""
        points = [{name: float(value) for name, value in place.items()} for place, _ in compared.pairs]
        near = own[0] if own else {}
        seen = [] if compared.refuting else points  # beside a seam there may be a nearer counterexample
        for place in at_seams((*self.chain, self.claim), self.names, points, near, seen):
            compared.add(place, _beside_a_seam(sides.at(place)))
        if not compared.refuting and not compared.close:
            for place in far_out(self.names, points[0]):
                compared.add(place, sides.at(place, FAR_BITS))

    def _proven(self, seconds: float) -> bool:
        from gradcheck_cli.certified.proofs.proof import equal

        return equal(self.expression, self.right, self.claim, self.derivative.wrt, seconds)

    def _refuted(self, compared: Compared, asked: Sequence[Point], words: Words) -> Claim:
        place, found = min(compared.refuting, key=lambda pair: _distance(pair[0], asked) if asked else _effort(pair[0]))
        counterexample = Counterexample(
            {name: float(value) for name, value in place.items()}, found.claimed, found.analytical, _exactly(place)
        )
        notes = [f"the function has no {name}" for name in self.extra]
        if counterexample.exactly:
            texts = ", ".join(f"{name}={value}" for name, value in counterexample.exactly.items())
            notes.append(f"{texts} is no double, so no point of {words(Option('at'))} is there")
        if (number := self._right_at(compared, asked)) is not None:
            notes.append(number)
        elif (slip := self._slip(compared)) is not None:
            notes.append(slip)
        truth, remark = self._truth(place, found)
        notes += [remark] if remark else []
        note = "; ".join(notes) or None
        return self._claim(ClaimStatus.REFUTED, len(compared.pairs), counterexample, note, truth)

    def _right_at(self, compared: Compared, asked: Sequence[Point]) -> str | None:
        """What to say of a number that is the derivative at a point asked for, and no derivative as a function."""
        if variables(self.claim):
            return None
        right = [place for place, found in compared.pairs if not found.differs and place in asked]
        if not right:
            return None
        names = " and ".join(dict.fromkeys(variables(self.right)))
        return f"{self.text} is right at {_at(right[0])}, and wrong as a function of {names}"

    def _truth(self, place: Place, found: Comparison) -> tuple[str | None, str | None]:
        """The true derivative as a text, and what to say where that does not hold at a place: where a branch is decided
        at a tie, a formula may be wrong though the derivative exists."""
        forms = dict.fromkeys((self._closed_form(self.derivative.order), self.right))
        holding = [form for form in forms if not found.tied or self._holds(form, place, found.analytical)]
        remark = None if holding else f"the formula shown holds beside {_at(place)}, not there: a branch changes there"
        for form in (*holding, *forms):
            if (text := text_within(form, 1_000)) is not None:
                return text, remark
        return None, None

    def _text(self) -> str | None:
        return text_within(self._closed_form(self.derivative.order), 1_000)

    def _holds(self, form: Expr, place: Place, number: float) -> bool:
        (value,) = Together(at_place(form, {name: Fraction(value) for name, value in place.items()})).at({})
        found = midpoint(value)
        return found is not None and abs(found - number) <= 1e-12 * abs(number)

    def _slip(self, compared: Compared) -> str | None:
        """The slip that leads to what is claimed, at several places where that is wrong, and everywhere else.

        Where a branch is decided at a tie, formulas need not be derivatives, neither the right one nor a slip's.
        """
        plain = [(place, found) for place, found in compared.pairs if not found.tied and not _exactly(place)]
        refuting = [place for place, found in plain if found.differs]
        if len(refuting) < 2:
            return None
        agreeing = [place for place, found in plain if not found.differs]
        at = refuting[: SLIP_POINTS - 1] + agreeing[:SLIP_POINTS] + refuting[SLIP_POINTS - 1 : SLIP_POINTS + 3]
        candidates = list(slips(self._readable_chain(), self.derivative.wrt))
        claim_derived = _derived(self.claim, self.derivative.wrt[-1])
        made = [slip.result for slip in candidates]
        together = Together(self.claim, self.right, self.chain[-2], claim_derived, *made)
        alive, agreements, integrated = list(range(len(candidates))), 0, True
        pairs: list[tuple[Value, Value]] = []
        for place in at:
            values = together.at({name: float(value) for name, value in place.items()})
            claim, derivative, function, derived, *results = values
            if not is_known(claim) or not is_known(derivative):
                continue
            agreements += 1
            pairs.append((claim, derivative))
            alive = [i for i in alive if are_same(results[i], claim, derivative)]
            integrated = integrated and are_same(derived, function, function)
        if agreements < 2:
            return None
        if alive:
            return candidates[alive[0]].sentence
        if integrated:
            return "it is an antiderivative: integrated, not differentiated"
        return _constant_factor(pairs, self.derivative)

    def _readable_chain(self) -> list[Expr]:
        """The function and its derivatives, those between the first and the last as one would write them."""
        between = (self._closed_form(order) for order in range(1, self.derivative.order))
        return [self.expression, *between, self.right]

    def _claim(
        self,
        status: ClaimStatus,
        points: int,
        counterexample: Counterexample | None = None,
        note: str | None = None,
        truth: str | None = None,
    ) -> Claim:
        return Claim(self.derivative, self.text, status, status.passes, points, counterexample, note, truth)

    def _closed_form(self, order: int) -> Expr:
        """The derivative of that order, in closed form where SymPy has one soon."""
        from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit
        from gradcheck_cli.symbolic.closed_form import closed_form
        from gradcheck_cli.symbolic.to_sympy import NoClosedForm

        try:
            with time_limit(PROOF_SECONDS):
                return closed_form(
                    self.expression, self.derivative.wrt[:order], intermediates(self.expression), self.chain[order]
                )
        except (NoClosedForm, OutOfTime):
            return self.chain[order]


def _beside_a_seam(found: Found) -> Found:
    if isinstance(found, Comparison) and found.differs and 0 < found.relative <= SWITCH:
        return replace(found, differs=False, close=True)
    return found


def unreadable(text: str, rows: Sequence[Derivative], why: str) -> Claim:
    """What is reported of a claim that cannot be read. rows: the derivatives that are checked."""
    names, written = split_claim(text)
    which = rows[0] if not names and len(rows) == 1 else Derivative(names)
    return Claim(which, written, ClaimStatus.UNREADABLE, False, 0, note=why)


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

    def notes(self) -> list[str]:
        """What there is to say of a claim that is not refuted."""
        notes = []
        if self.missing is not None:
            notes.append(f"the claim is undefined at {_at(self.missing)}, where the derivative exists")
        if self.close:
            place, found = max(self.pairs, key=lambda pair: pair[1].relative)
            everywhere = sum(one.close for _, one in self.pairs) > len(self.pairs) // 2
            where = "" if everywhere else f" at {_at(place)}"
            notes.append(f"equal to {found.relative:.0e} only{where}: a rounded constant?")
        return notes


def _derived(root: Expr, name: str) -> Expr:
    try:
        return gradient(root, [name])[name]
    except NoReference:
        return root


def _constant_factor(pairs: Sequence[tuple[Value, Value]], which: Derivative) -> str | None:
    """What to say where the claim is the same multiple of the derivative at several points, and nowhere another.

    pairs: claims and derivatives.
    """
    factor = common_factor(pairs)
    if factor is None:
        return None
    if not factor:
        return f"the claim is 0, as if the function did not depend on {which.last}"
    shown = str(factor) if isinstance(factor, Fraction) else f"{factor:.6g}"
    return f"a constant factor is wrong: the claim is {shown} times the derivative"


def _fill(points: Sequence[Point], extra: Sequence[str]) -> list[Point]:
    """The points, with values for the variables that only the claim has."""
    return [{**point, **{name: NICE[i % len(NICE)] for i, name in enumerate(extra)}} for point in points]


def _exactly(place: Place) -> dict[str, str]:
    """The coordinates that are no doubles, as texts."""
    return {name: str(value) for name, value in place.items() if Fraction(float(value)) != Fraction(value)}


def _distance(point: Place, asked: Sequence[Point]) -> float:
    """How far a point is from the nearest of those asked for, each coordinate relative to its size."""
    return min(sum(abs(float(point[name]) - value) / (1 + abs(value)) for name, value in one.items()) for one in asked)


def _effort(point: Place) -> int:
    """How much there is to write in a point."""
    return sum(len(repr(value)) for value in point.values())


def _nowhere(missing: Place | None, words: Words) -> str:
    if missing is None:
        return f"the derivative exists at none of the points tried: name points where it does by {words(Option('at'))}"
    return f"the claim is undefined wherever the derivative exists, as at {_at(missing)}"


def _at(point: Place) -> str:
    return ", ".join(f"{name}={float(value):.6g}" for name, value in point.items())
