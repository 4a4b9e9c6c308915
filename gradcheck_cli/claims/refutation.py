"""What there is to say of a claim that is wrong: where, by which slip, and what is right."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from gradcheck_cli.certified.ball import Value
from gradcheck_cli.certified.comparison import Comparison
from gradcheck_cli.certified.comparison_points import Point
from gradcheck_cli.certified.equality import Together, are_same, common_factor, is_known, midpoint
from gradcheck_cli.certified.exact_place import at_place
from gradcheck_cli.certified.seam_search.places import Place
from gradcheck_cli.claims.claimed import ClaimedDerivative
from gradcheck_cli.claims.compared import Compared, at_text, exactly
from gradcheck_cli.claims.slips import slips
from gradcheck_cli.differentiation.gradient import gradient
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression.nodes import Expr, variables
from gradcheck_cli.language.printer import text_within
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.results import Claim, ClaimStatus, Counterexample
from gradcheck_cli.surfaces import Option, Words

SLIP_POINTS = 4
"""At how many points a slip must lead to exactly what is claimed."""


def refuted(claimed: ClaimedDerivative, compared: Compared, asked: Sequence[Point], words: Words) -> Claim:
    """The record of a claim that is refuted somewhere. asked: the points that were asked for; words: as for judge."""
    place, found = min(compared.refuting, key=lambda pair: _distance(pair[0], asked) if asked else _effort(pair[0]))
    counterexample = Counterexample(
        {name: float(value) for name, value in place.items()}, found.claimed, found.analytical, exactly(place)
    )
    notes = [f"the function has no {name}" for name in claimed.extra]
    if counterexample.exactly:
        texts = ", ".join(f"{name}={value}" for name, value in counterexample.exactly.items())
        notes.append(f"{texts} is no double, so no point of {words(Option('at'))} is there")
    if (number := _right_at(claimed, compared, asked)) is not None:
        notes.append(number)
    elif (slip := _slip(claimed, compared)) is not None:
        notes.append(slip)
    elif not claimed.is_entry and not compared.refutes_one_of(asked) and (right := _right(compared, asked)):
        notes.append(f"it is right at {at_text(right[0])}, and not in general")
    truth, remark = _truth(claimed, place, found)
    notes += [remark] if remark else []
    note = "; ".join(notes) or None
    return claimed.record(ClaimStatus.REFUTED, len(compared.pairs), counterexample, note, truth)


def _right_at(claimed: ClaimedDerivative, compared: Compared, asked: Sequence[Point]) -> str | None:
    """What to say of a number that is the derivative at a point asked for, and no derivative as a function."""
    right = _right(compared, asked)
    if variables(claimed.claim) or not right:
        return None
    names = " and ".join(dict.fromkeys(variables(claimed.right)))
    return f"{claimed.text} is right at {at_text(right[0])}, and wrong as a function of {names}"


def _right(compared: Compared, asked: Sequence[Point]) -> list[Place]:
    """The points asked for at which the claim is right."""
    return [place for place, found in compared.pairs if not found.differs and place in asked]


def _truth(claimed: ClaimedDerivative, place: Place, found: Comparison) -> tuple[str | None, str | None]:
    """The true derivative as a text, and what to say where that does not hold at a place: where a branch is decided
    at a tie, or an inner derivative is infinite, a formula may be wrong though the derivative exists."""
    forms = dict.fromkeys((claimed.closed_form(claimed.derivative.order), claimed.right))
    holding = [form for form in forms if not found.probed or _holds(form, place, found.analytical)]
    why = ": a branch changes there" if found.tied else ", where it has no value"
    remark = None if holding else f"the formula shown holds beside {at_text(place)}, not there{why}"
    for form in (*holding, *forms):
        if (text := text_within(form, 1_000)) is not None:
            return text, remark
    return None, None


def _holds(form: Expr, place: Place, number: float) -> bool:
    (value,) = Together(at_place(form, {name: Fraction(value) for name, value in place.items()})).at({})
    found = midpoint(value)
    return found is not None and abs(found - number) <= 1e-12 * abs(number)


def _slip(claimed: ClaimedDerivative, compared: Compared) -> str | None:
    """The slip that leads to what is claimed, at several places where that is wrong, and everywhere else.

    Where it took probes to know the derivative, formulas need not be it, neither the right one nor a slip's.
    """
    plain = [(place, found) for place, found in compared.pairs if not found.probed and not exactly(place)]
    refuting = [place for place, found in plain if found.differs]
    if len(refuting) < 2:
        return None
    agreeing = [place for place, found in plain if not found.differs]
    at = refuting[: SLIP_POINTS - 1] + agreeing[:SLIP_POINTS] + refuting[SLIP_POINTS - 1 : SLIP_POINTS + 3]
    candidates = list(slips(claimed.readable_chain(), claimed.derivative.wrt))
    claim_derived = _derived(claimed.claim, claimed.derivative.wrt[-1])
    made = [slip.result for slip in candidates]
    together = Together(claimed.claim, claimed.right, claimed.chain[-2], claim_derived, *made)
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
    return _constant_factor(pairs, claimed.derivative)


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


def _distance(point: Place, asked: Sequence[Point]) -> float:
    """How far a point is from the nearest of those asked for, each coordinate relative to its size."""
    return min(sum(abs(float(point[name]) - value) / (1 + abs(value)) for name, value in one.items()) for one in asked)


def _effort(point: Place) -> int:
    """How much there is to write in a point."""
    return sum(len(repr(value)) for value in point.values())
