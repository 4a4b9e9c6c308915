"""Proofs that a claim is the derivative wherever both exist. A proof not found says nothing.

The signs of what decides a branch are gone through case by case. In each case derivative and claim are without
branches, and must have the same normal form (see normal_form.py). Where a sign is 0, two things can be meant:

- it stays 0 beside the point, along the variable: then it is a case like the others;
- it is 0 at that point only. There the rules of differentiation say nothing of a function that has a branch. But a
  derivative that exists is the limit of the derivatives beside it, from each side (Darboux). So what a claim says there
  is right if it goes on from one side without a jump, and no matter if the limits from the two sides differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gradcheck_cli.certified.proofs.cases import Case, Signs
from gradcheck_cli.certified.proofs.kernels import Finer, Kernels, NoForm, Nowhere, Poly, Split, solved, to_expression
from gradcheck_cli.certified.proofs.normal_form import Algebra
from gradcheck_cli.certified.proofs.seams import Seam
from gradcheck_cli.certified.proofs.writing import has_branches, written
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Call, Expr, call, intermediates, substitute, topological, variables
from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit

SIZE_LIMIT = 3_000  # nodes of an expression
MOST_CASES = 400
MOST_ATTEMPTS = 20


def equal(function: Expr, derivative: Expr, claim: Expr, wrt: Sequence[str], seconds: float) -> bool:
    """Whether the claim is proven to be the derivative wherever both exist. Takes at most `seconds`.

    derivative: that of `function` by the names of `wrt` in turn, as `derivative` and `gradient` make it.
    """
    if max(len(topological(root)) for root in (function, derivative, claim)) > SIZE_LIMIT:
        return False
    parts = written(function, smooth=True), written(derivative), written(claim)
    branches = [has_branches(part) for part in parts]
    is_plain = not branches[0] or (len({*wrt}) == 1 and wrt[0] not in intermediates(function))
    if not is_plain or (wrt[-1] in intermediates(function) and any(branches)):
        return False
    if derivative is claim and not any(branches):
        return True
    try:
        with time_limit(seconds):
            return any(_holds(*parts, wrt[-1], apart) for apart in (False, True))
    except OutOfTime:
        return False


def _holds(function: Expr, derivative: Expr, claim: Expr, name: str, apart: bool) -> bool:
    kernels = Kernels(name)
    for _ in range(MOST_ATTEMPTS):
        try:
            return _Proof(function, derivative, claim, kernels, apart).holds({}, ())
        except Finer:
            kernels = Kernels(name, kernels.root, kernels.units)
        except (NoForm, RecursionError):
            return False
    return False


class _Proof:
    def __init__(self, function: Expr, derivative: Expr, claim: Expr, kernels: Kernels, apart: bool) -> None:
        self.function, self.derivative, self.claim = function, derivative, claim
        self.kernels, self.apart = kernels, apart
        self.has_choices = any(isinstance(node, Call) and node.function.is_branch for node in topological(claim))
        self.along_variable = kernels.name not in intermediates(function)
        self.hidden: set[str] = set()
        self.cases = 0

    def holds(self, signs: Signs, zeros: Sequence[Poly]) -> bool:
        """Whether the claim is right wherever the signs are these.

        signs: by the text of a polynomial; zeros: those that are 0.
        """
        self.cases += 1
        if self.cases > MOST_CASES:
            raise NoForm("too many cases")
        at_point = any(self.isolated(poly) for poly in zeros)
        case = Case(self.kernels, signs, zeros, self.apart)
        try:
            function = case.resolved(self.function, given=True)
            value = case.algebra.form(function, given=True)
            tied = case.tied or has_branches(function)
            claim = case.resolved(self.claim, given=True)
            claimed = case.algebra.form(claim, given=True)
            touched = case.touched or any(str(poly) in self.hidden for poly in zeros)
        except Split as split:
            return self.each(split, signs, zeros)
        except Nowhere:
            return True
        except NoForm:
            if self.is_nowhere(case):
                return True
            raise
        if _jumps(claim, self.kernels.name):
            return False
        moving = self.kernels.depends(*zeros)
        if self.along_variable and not moving and not self.kernels.depends(*value):
            return case.is_zero(claimed)
        try:
            derivative = case.algebra.form(case.resolved(self.derivative))
            same = case.is_zero(case.algebra.sub(derivative, claimed))
        except Split as split:
            return self.each(split, signs, zeros)
        except (Nowhere, NoForm):
            if not at_point:
                return False
            same = False
        if not same and not at_point:
            return False
        return not moving or not touched or (same and not tied) or self.goes_on(signs, zeros)

    def is_nowhere(self, case: Case) -> bool:
        """Whether the claim is plainly undefined, whatever becomes of the function."""
        try:
            case.algebra.form(case.resolved(self.claim, given=True), given=True)
        except Nowhere:
            return True
        except (Split, NoForm):
            pass
        return False

    def each(self, split: Split, signs: Signs, zeros: Sequence[Poly]) -> bool:
        """All cases of a sign. Single points matter only where the claim has branches."""
        self.kernels.polynomials[str(split.poly)] = split.poly
        if split.hides:
            self.hidden.add(str(split.poly))
        skipped = not self.has_choices and not split.hides and self.isolated(split.poly)
        allowed = [sign for sign in split.allowed if sign or not skipped]
        return all(
            self.holds({**signs, str(split.poly): sign}, zeros if sign else (*zeros, split.poly)) for sign in allowed
        )

    def isolated(self, poly: Poly) -> bool:
        """Whether the polynomial is zero at single points only, along the variable, whatever the others are."""
        kernels = [self.kernels.known[i] for i in self.kernels.of(poly)]
        if all(kernel.kind in ("variable", "pi") for kernel in kernels):
            return any(self._is_number_times_power(powers, poly) for powers, _ in poly.terms())
        inside = set(self.kernels.deep(poly))
        if any(
            self.kernels.known[i].kind == "variable" and self.kernels.known[i].key != self.kernels.name for i in inside
        ):
            return False
        return all(self._is_independent(i) for i in self.kernels.of(poly)) and self.kernels.depends(poly)

    def _is_number_times_power(self, powers: Any, poly: Poly) -> bool:
        """Whether a term is a number times a power of the variable, alone of its power."""
        place = next(
            (i for i, kernel in enumerate(self.kernels.known) if kernel[:2] == ("variable", self.kernels.name)), None
        )
        if place is None:
            return False
        degree = powers[::-1][place]
        same = [other for other, _ in poly.terms() if other[::-1][place] == degree]
        return len(same) == 1 and sum(powers) == degree and poly.degrees()[::-1][place] > 0

    def _is_independent(self, i: int) -> bool:
        """A variable, or one of the pieces that are analytic on a whole interval and algebraically independent of each
        other: exponentials, sines and logarithms of polynomials (Lindemann, Ostrowski)."""
        kernel = self.kernels.known[i]
        if kernel.kind == "variable":
            return True
        if kernel.kind not in ("exp", "sin", "cos", "log"):
            return False
        inside = kernel.inside[0]
        plain = inside.below.is_constant() and all(
            self.kernels.known[j].kind == "variable" for j in self.kernels.of(inside.above)
        )
        return plain and not inside.above.is_constant() and (kernel.kind != "log" or inside.above.total_degree() == 1)

    def goes_on(self, signs: Signs, zeros: Sequence[Poly]) -> bool:
        """Whether the claim is right at single points where what decides it is 0."""
        moving = [poly for poly in zeros if self.kernels.depends(poly)]
        if len(moving) != 1:
            return False
        poly, still = moving[0], [zero for zero in zeros if zero is not moving[0]]
        beside = {key: sign for key, sign in signs.items() if key != str(poly)}
        found = {sign: list(self.claims(beside, still, poly, sign)) for sign in (-1, 0, 1)}
        if not found[0] or any(claim is None for claims in found.values() for claim in claims):
            return False
        seam = Seam(self.kernels, beside, still, poly, self.apart)
        jumps = {
            sign: [call(op.SUB, here, side) for here in found[0] for side in found[sign] if here and side]
            for sign in (-1, 1)
        }
        go_on = {sign: bool(jumps[sign]) and all(seam.vanishes(jump, sign) for jump in jumps[sign]) for sign in jumps}
        if not all(jumps.values()):  # function or claim are on one side only
            return any(go_on.values())
        if all(go_on.values()):
            return True
        differences = [call(op.SUB, above, below) for above in found[1] for below in found[-1] if above and below]
        if all(
            go_on[sign] or all(seam.is_multiple_of_slope(jump, sign) for jump in jumps[sign]) for sign in jumps
        ):  # where the slope is 0, all is well; where it is not, the sign changes
            return any(go_on.values()) or all(
                seam.is_not_zero(one) or seam.is_multiple_of_slope(one, 1, exactly=True) for one in differences
            )
        return seam.crosses() and (any(go_on.values()) or all(seam.is_not_zero(one) for one in differences))

    def claims(self, signs: Signs, still: Sequence[Poly], poly: Poly, sign: int) -> Iterator[Expr | None]:
        """The claim where `poly` has a sign near a zero of it, in each of the cases that there are; None: not known.

        still: what else is zero, all along the variable.
        """
        waiting: list[Signs] = [{**signs, str(poly): sign}]
        undefined = False
        while waiting:
            tried = waiting.pop()
            self.cases += 1
            if self.cases > MOST_CASES:
                raise NoForm("too many cases")
            case = Case(self.kernels, tried, still, self.apart)
            try:
                case.algebra.form(case.resolved(self.function, given=True), given=True)
                claim = case.resolved(self.claim, given=True)
                case.algebra.form(claim, given=True)
                yield None if undefined else claim
            except Split as split:
                self.kernels.polynomials[str(split.poly)] = split.poly
                known = self.sign_at(split.poly, poly, signs)
                choices = [known] if known else [one for one in split.allowed if one or not self.isolated(split.poly)]
                waiting += [{**tried, str(split.poly): one} for one in choices]
            except Nowhere:
                undefined = undefined or bool(waiting) or len(tried) > len(signs) + 1
            except NoForm:
                yield None

    def sign_at(self, other: Poly, poly: Poly, signs: Signs) -> int:
        """The sign of `other` where `poly` is zero, or 0: it is not known."""
        values = solved(self.kernels, poly)
        expression = to_expression(self.kernels, other)
        if values is None or expression is None:
            return 0
        algebra = Algebra(self.kernels, signs)
        try:
            return algebra.sign(algebra.form(substitute(expression, values)))
        except (Split, Nowhere, NoForm):
            return 0


def _jumps(claim: Expr, name: str) -> bool:
    """Whether a claim without branches may jump where it is defined, along the variable."""
    for node in topological(claim):
        match node:
            case Call(function=function) if function.jumps and name in variables(node):
                return True
    return False
