"""Derivatives worked out by hand: is a claim the derivative? Certified balls refute, algebra proves (certified/proofs).

Claims are mathematics: nothing is rounded, decimals and pi are exact on both sides, only the points are doubles.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from gradcheck_cli.certified.comparison import Comparison, DerivativeAndClaim, Found
from gradcheck_cli.certified.comparison_points import NICE, Point, sample
from gradcheck_cli.certified.seam_search.places import Place, at_seams, far_out
from gradcheck_cli.claims.claimed import ClaimedDerivative
from gradcheck_cli.claims.compared import Compared, at_text
from gradcheck_cli.claims.refutation import refuted
from gradcheck_cli.language.printer import text_within
from gradcheck_cli.records.results import Claim, ClaimStatus
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


def judge(
    claimed: ClaimedDerivative,
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
    sides = DerivativeAndClaim(claimed.chain, claimed.claim, claimed.derivative, tolerance)
    own = _fill(points[:COMPARED], claimed)
    compared = Compared()
    for point in itertools.chain(own, sample(claimed.names, own)):
        compared.add(point, sides.at(point))
        if len(compared.pairs) >= len(own) + SAMPLED:
            break
    if compared.pairs and not (compared.refuting and (not asked or compared.refutes_one_of(own))):
        _look_further(claimed, compared, sides, own)
    if not compared.pairs:
        return claimed.record(
            ClaimStatus.UNCHECKED,
            0,
            note=_nowhere(compared.missing, words),
            truth=text_within(claimed.closed_form(claimed.derivative.order), 1_000),
        )
    if compared.refuting:
        return refuted(claimed, compared, own if asked else (), words)
    notes = compared.notes(claimed.expression)
    if not compared.close and _proven(claimed, seconds):
        return claimed.record(ClaimStatus.PROVEN, len(compared.pairs), note="; ".join(notes) or None)
    return claimed.record(ClaimStatus.AGREES, len(compared.pairs), note="; ".join(notes) or None)


def _look_further(
    claimed: ClaimedDerivative, compared: Compared, sides: DerivativeAndClaim, own: Sequence[Point]
) -> None:
    """Compare at the seams of function and claim, and far out. A rounded constant is not held against far out."""
    points = [{name: float(value) for name, value in place.items()} for place, _ in compared.pairs]
    near = own[0] if own else {}
    seen = [] if compared.refuting else points  # beside a seam there may be a nearer counterexample
    for place in at_seams((*claimed.chain, claimed.claim), claimed.names, points, near, seen):
        compared.add(place, _beside_a_seam(sides.at(place)))
    if not compared.refuting and not compared.close:
        for place in far_out(claimed.names, points[0]):
            compared.add(place, sides.at(place, FAR_BITS))


def _proven(claimed: ClaimedDerivative, seconds: float) -> bool:
    from gradcheck_cli.certified.proofs.proof import equal

    return equal(claimed.expression, claimed.right, claimed.claim, claimed.derivative.wrt, seconds)


def _beside_a_seam(found: Found) -> Found:
    if isinstance(found, Comparison) and found.differs and 0 < found.relative <= SWITCH:
        return replace(found, differs=False, close=True)
    return found


def _fill(points: Sequence[Point], claimed: ClaimedDerivative) -> Sequence[Point]:
    """The points, with values for the variables that only the claim has."""
    if not claimed.extra:
        return list(points)
    nice = {name: [Fraction(NICE[i % len(NICE)])] for i, name in enumerate(claimed.extra)}
    values = {name: claimed.values.get(name) or nice[name] for name in claimed.extra}
    rounds = max(map(len, values.values())) if points else 0
    return [
        {**point, **{name: float(given[turn % len(given)]) for name, given in values.items()}}
        for turn in range(rounds)
        for point in points
    ][:COMPARED]


def _nowhere(missing: Place | None, words: Words) -> str:
    if missing is None:
        return f"the derivative exists at none of the points tried: name points where it does by {words(Option('at'))}"
    return f"the claim is undefined wherever the derivative exists, as at {at_text(missing)}"
