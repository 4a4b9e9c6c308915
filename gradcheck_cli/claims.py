"""Derivatives worked out by hand: is a claim the derivative? Certified balls refute, algebra proves (see proof.py).

Claims are mathematics: nothing is rounded, decimals and pi are exact on both sides, only the points are doubles.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from gradcheck_cli.ball import EXACT, NEGLIGIBLE, Program, Seams, Undefined, Value, good, precision, precisions
from gradcheck_cli.derivative import gradient
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import ExpressionError, UsageError
from gradcheck_cli.expression import Expr, intermediates, variables
from gradcheck_cli.parser import parse
from gradcheck_cli.reading import split_claim
from gradcheck_cli.records import Claim, ClaimStatus, Counterexample
from gradcheck_cli.reference import Analysis
from gradcheck_cli.slips import slips
from gradcheck_cli.text import to_text
from gradcheck_cli.verdict import Tolerance

COMPARED = 200
"""Points of the problem that a claim is compared at, at most."""
SAMPLED = 20
"""Points beyond these at which both must be defined before an agreement is believed."""
TRIES = 300
"""Points tried for that."""
PROOF_SECONDS = 2.0
NICE = (1.0, 2.0, -1.0, 0.5, -2.0, 3.0, -0.5, 0.25, -3.0, 1.5, 5.0, 0.75, -0.25, 10.0, -5.0, 0.125, 4.0, -10.0)
"""Coordinates that make a counterexample easy to follow."""
SLIP_POINTS = 4
"""At how many points a slip must lead to exactly what is claimed."""

Point = Mapping[str, float]
Wrt = tuple[str, ...]


class ClaimedDerivative:
    """One claim about one expression, read and ready to be compared.

    rows: the derivatives that are checked; a claim that names none belongs to the only one. lets: named results by
    name. Raises ExpressionError or UsageError for a claim that cannot be read.
    """

    def __init__(self, text: str, expression: Expr, rows: Sequence[Wrt], lets: Mapping[str, Expr]) -> None:
        self.wrt, self.text = split_claim(text)
        self.expression = expression
        known = (*variables(expression), *intermediates(expression))
        self._settle_wrt(rows, known)
        try:
            self.claim = parse(self.text, names=set(variables(expression)) - set(lets), lets=lets)
        except ExpressionError as error:
            raise ExpressionError(f"--claim: {error.message}", error.source, error.start, error.end) from None
        self.chain = [expression]
        for name in self.wrt:
            self.chain.append(gradient(self.chain[-1], [name])[name])
        self.derivative = self.chain[-1]
        self.extra = tuple(name for name in variables(self.claim) if name not in variables(expression))

    def _settle_wrt(self, rows: Sequence[Wrt], known: Sequence[str]) -> None:
        if not self.wrt:
            if len(rows) > 1:
                choices = " or ".join(f"'{','.join(row)}: …'" for row in rows[:3])
                raise UsageError(f"--claim {self.text}: say which derivative it is: --claim {choices}")
            self.wrt = rows[0]
        for name in self.wrt:
            if name not in known:
                raise UsageError(f"--claim '{name}: …': the expression has no {name}; it has {', '.join(known)}")

    def judge(
        self, points: Sequence[Point], asked: bool, tolerance: Tolerance, seconds: float = PROOF_SECONDS
    ) -> Claim:
        """What becomes of the claim.

        points: the problem's own; asked: whether they were asked for, and not drawn (then an easier counterexample is
        preferred). tolerance: rtol of claims, and atol where the derivative is 0. seconds: allowed for a proof.
        """
        sides = Sides(self.chain, self.claim, self.wrt)
        names = (*variables(self.expression), *self.extra)
        compared: list[tuple[Point, Comparison]] = []
        missing: Point | None = None
        own = _fill(points[:COMPARED], self.extra)
        for point in itertools.chain(own, sample(names, own)):
            found = sides.at(point, tolerance)
            if isinstance(found, Comparison):
                compared.append((point, found))
            elif found is ClaimUndefined and missing is None:
                missing = point
            if len(compared) >= len(own) + SAMPLED:
                break
        if not compared:
            return self._claim(ClaimStatus.UNCHECKED, 0, note=_nowhere(missing))
        refuting = [(point, found) for point, found in compared if found.differs]
        if refuting:
            return self._refuted(refuting, [point for point, _ in compared], own if asked else ())
        notes = [f"the claim is undefined at {_at(missing)}, where the derivative exists"] if missing else []
        if any(found.close for _, found in compared):
            error = max(found.relative for _, found in compared)
            notes.append(f"equal to {error:.0e} only: a rounded constant?")
        elif self._proven(seconds):
            return self._claim(ClaimStatus.PROVEN, len(compared), note="; ".join(notes) or None)
        return self._claim(ClaimStatus.AGREES, len(compared), note="; ".join(notes) or None)

    def _proven(self, seconds: float) -> bool:
        from gradcheck_cli.proof import equal

        return equal(self.expression, self.derivative, self.claim, self.wrt, seconds)

    def _refuted(
        self, refuting: list[tuple[Point, Comparison]], points: Sequence[Point], asked: Sequence[Point]
    ) -> Claim:
        point, found = min(refuting, key=lambda pair: _distance(pair[0], asked) if asked else _effort(pair[0]))
        counterexample = Counterexample(point, found.claimed, found.analytical)
        notes = [f"the function has no {name}" for name in self.extra]
        if (slip := self._slip([point for point, _ in refuting], points)) is not None:
            notes.append(slip)
        return self._claim(ClaimStatus.REFUTED, len(points), counterexample, "; ".join(notes) or None)

    def _slip(self, refuting: Sequence[Point], points: Sequence[Point]) -> str | None:
        """The slip that leads to what is claimed, at several points where that is wrong, and everywhere else."""
        if len(self.wrt) > 1:
            return None
        candidates = list(slips(self.expression, self.wrt[0], self.derivative))
        at = list(refuting[: SLIP_POINTS - 1]) + [point for point in points if point not in refuting][:1]
        at += list(refuting[SLIP_POINTS - 1 : SLIP_POINTS + 3])
        program = Program(self.claim, self.derivative, *(slip.result for slip in candidates))
        alive, agreements = dict.fromkeys(range(len(candidates)), 0), 0
        factors: list[arb] = []
        for point in at:
            with precision(320):
                values = program.run({name: arb(value) for name, value in point.items()}, EXACT)
                claim, derivative, *made = (values[root] for root in program.roots)
                if not isinstance(claim, arb) or not isinstance(derivative, arb):
                    continue
                agreements += 1
                if not derivative.contains(0):
                    factors.append(claim / derivative)
                alive = {i: seen + 1 for i, seen in alive.items() if _same(made[i], claim)}
        if agreements < 2:
            return None
        for i in alive:
            return candidates[i].sentence
        return _constant_factor(factors)

    def _claim(
        self, status: ClaimStatus, points: int, counterexample: Counterexample | None = None, note: str | None = None
    ) -> Claim:
        analytical = None if status.passes else self._derivative_text()
        return Claim(self.wrt, self.text, status, status.passes, points, counterexample, note, analytical)

    def _derivative_text(self) -> str | None:
        """The true derivative, in closed form where SymPy has one soon."""
        from gradcheck_cli.symbolic import NoClosedForm, closed_form
        from gradcheck_cli.time_limit import OutOfTime, time_limit

        form = self.derivative
        try:
            with time_limit(PROOF_SECONDS):
                form = closed_form(self.expression, self.wrt, intermediates(self.expression), self.derivative)
        except (NoClosedForm, OutOfTime):
            pass
        try:
            return to_text(form, limit=1_000)
        except ValueError:
            return None


@dataclass(frozen=True)
class Comparison:
    """Derivative and claim at one point. differs: beyond the tolerance, proven. close: proven different, but within."""

    analytical: float
    claimed: float
    relative: float
    differs: bool
    close: bool


class ClaimUndefined:
    """The derivative exists at the point, the claim does not."""


class Sides:
    """The derivative and the claim, evaluated together.

    chain: the function and its derivatives by the names of `wrt` in turn; points where one of them does not exist are
    no points of comparison.
    """

    def __init__(self, chain: Sequence[Expr], claim: Expr, wrt: Wrt) -> None:
        self.wrt, self.function = wrt, chain[0]
        self.program = Program(*chain, claim)
        self.roots = self.program.roots
        self.seams = [(Seams(self.program, root), name) for root, name in zip(self.roots, wrt, strict=False)]

    def at(self, point: Point, tolerance: Tolerance) -> Comparison | type[ClaimUndefined] | None:
        env = {name: arb(value) for name, value in point.items()}
        for bits, last in precisions():
            with precision(bits):
                values = self.program.run(env, EXACT, settle=last)
                *chain, claim = (values[root] for root in self.roots)
                if any(isinstance(value, Undefined) for value in chain):
                    return None
                ties = [seams.ties(values, name) for seams, name in self.seams]
                if True in ties:
                    return self._at_a_tie(point, claim, tolerance) if good(claim) else None
                if None in ties or not all(map(good, chain)) or not good(claim):
                    if last and None not in ties and all(map(good, chain)):
                        return None  # nothing is known of the claim
                    continue
                if isinstance(claim, Undefined):
                    return ClaimUndefined
                return _compare(chain[-1], claim, tolerance)
        return None

    def _at_a_tie(self, point: Point, claim: Value, tolerance: Tolerance) -> Comparison | type[ClaimUndefined] | None:
        """Where a branch is decided at a tie, the derivative may exist all the same: known to the nearest double."""
        reference = Analysis(self.function, [self.wrt], EXACT, DTYPES["float64"]).at(point).rows[self.wrt]
        if reference.value is None or not math.isfinite(reference.value):
            return None
        if isinstance(claim, Undefined):
            return ClaimUndefined
        return _compare(arb(reference.value, abs(reference.value) * 2.0**-52), claim, tolerance)


def _compare(derivative: Value, claim: Value, tolerance: Tolerance) -> Comparison:
    assert isinstance(derivative, arb)
    assert isinstance(claim, arb)
    difference, size = abs(claim - derivative), abs(derivative)
    negligible = bool(size < NEGLIGIBLE)
    limit = arb(tolerance.atol) if negligible else arb(tolerance.rtol) * size
    return Comparison(
        analytical=float(derivative.mid()),
        claimed=float(claim.mid()),
        relative=0.0 if negligible else float((difference / size).mid()),
        differs=bool(difference > limit),
        close=not claim.overlaps(derivative) and not bool(difference > limit) and not negligible,
    )


def _same(made: Value, claim: arb) -> bool:
    """Whether two balls are the same number to 60 bits or more."""
    if not isinstance(made, arb) or not made.is_finite() or not made.overlaps(claim):
        return False
    return bool(made.rel_accuracy_bits() >= 60 and claim.rel_accuracy_bits() >= 60) or bool(made == claim)


def _constant_factor(factors: Sequence[arb]) -> str | None:
    """What to say where the claim is the same multiple of the derivative at several points."""
    if len(factors) < 3 or not all(_same(factor, factors[0]) for factor in factors):
        return None
    value = Fraction(float(factors[0].mid())).limit_denominator(10_000)
    shown = (
        str(value)
        if factors[0].overlaps(arb(value.numerator) / value.denominator)
        else f"{float(factors[0].mid()):.6g}"
    )
    return f"a constant factor is wrong: the claim is {shown} times the derivative"


def sample(names: Sequence[str], asked: Sequence[Point]) -> Iterator[Point]:
    """TRIES points to compare at: easy ones first, then ones near those asked for, near 0, positive, large and small.

    The same ones each time.
    """
    generator = random.Random(0)
    if len(names) == 1:
        yield from ({names[0]: value} for value in NICE)
    draw = (
        lambda name: generator.choice(NICE),
        lambda name: generator.uniform(-3, 3),
        lambda name: generator.uniform(0, 3),
        lambda name: generator.choice(asked).get(name, 1.0) * generator.uniform(0.5, 1.5) if asked else 1.0,
        lambda name: generator.uniform(0, 1),
        lambda name: generator.choice((-1, 1)) * 10 ** generator.uniform(-2, 2),
    )
    for number in range(TRIES):
        yield {name: draw[number % len(draw)](name) for name in names}


def _fill(points: Sequence[Point], extra: Sequence[str]) -> list[Point]:
    """The points, with values for the variables that only the claim has."""
    return [{**point, **{name: NICE[i % len(NICE)] for i, name in enumerate(extra)}} for point in points]


def _distance(point: Point, asked: Sequence[Point]) -> float:
    """How far a point is from the nearest of those asked for, each coordinate relative to its size."""
    return min(sum(abs(point[name] - value) / (1 + abs(value)) for name, value in one.items()) for one in asked)


def _effort(point: Point) -> int:
    """How much there is to write in a point."""
    return sum(len(repr(value)) for value in point.values())


def _nowhere(missing: Point | None) -> str:
    if missing is None:
        return "the derivative exists at none of the points tried: name points where it does by --at"
    return f"the claim is undefined wherever the derivative exists, as at {_at(missing)}"


def _at(point: Point) -> str:
    return ", ".join(f"{name}={value:.6g}" for name, value in point.items())
