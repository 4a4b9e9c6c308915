"""What is beside a point where a polynomial, which decides a branch, is zero along the variable."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck_cli.certified.proofs.cases import Case, Signs
from gradcheck_cli.certified.proofs.kernels import (
    Kernels,
    NoForm,
    Nowhere,
    Poly,
    Ratio,
    Split,
    number_of,
    solved,
)
from gradcheck_cli.certified.proofs.normal_form import RULES, TOTAL, Algebra
from gradcheck_cli.expression.nodes import Call, Expr, substitute, topological


class Seam:
    """What is beside a point where a polynomial is zero along the variable."""

    def __init__(self, kernels: Kernels, signs: Signs, still: Sequence[Poly], poly: Poly, apart: bool) -> None:
        self.kernels, self.signs, self.poly, self.apart = kernels, signs, poly, apart
        self.values = Case(kernels, signs, (*still, poly), apart).values if solved(kernels, poly) else None

    def _at(self, difference: Expr) -> Ratio | None:
        """The normal form of a difference at the zero itself, where that can be told."""
        if self.values is None or not all(map(_is_defined, topological(difference))):
            return None
        try:
            return Algebra(self.kernels, self.signs, apart=self.apart).form(substitute(difference, self.values))
        except (Split, Nowhere, NoForm):
            return None

    def _beside(self, difference: Expr, sign: int) -> Ratio | None:
        try:
            signs = {**self.signs, str(self.poly): sign}
            return Algebra(self.kernels, signs, apart=self.apart).form(difference)
        except (Split, Nowhere, NoForm):
            return None

    def vanishes(self, difference: Expr, sign: int) -> bool:
        """Whether a continuous difference is 0 at the zero."""
        beside = self._beside(difference, sign)
        if beside is not None and beside.above.is_zero():
            return True
        there = self._at(difference)
        if there is not None:
            return bool(there.above.is_zero())
        return beside is not None and self._is_multiple(beside, self.poly)

    def is_multiple_of_slope(self, difference: Expr, sign: int, *, exactly: bool = False) -> bool:
        """Whether it is 0 wherever the slope of the polynomial is 0; exactly: and only there."""
        beside, slope = self._beside(difference, sign), Algebra(self.kernels, self.signs).slope(self.poly)
        if beside is None or slope is None or slope.is_zero() or not self._is_multiple(beside, slope):
            return False
        return not exactly or bool(Algebra(self.kernels, self.signs).definite(divmod(beside.above, slope)[0]))

    def _is_multiple(self, form: Ratio, factor: Poly) -> bool:
        """Whether it is a factor times something that is defined and continuous everywhere."""
        if not all(self._is_total(i) for poly in form for i in self.kernels.of(poly)):
            return False
        is_unit = bool(Algebra(self.kernels, self.signs).definite(form.below))
        return is_unit and bool(divmod(form.above, factor)[1].is_zero())

    def _is_total(self, i: int) -> bool:
        """Whether a piece is defined and continuous everywhere."""
        kernel = self.kernels.known[i]
        return kernel.kind in ("variable", "pi") or (
            kernel.kind in ("exp", "sin", "cos")
            and kernel.inside[0].below.is_constant()
            and all(self._is_total(j) for j in self.kernels.of(kernel.inside[0].above))
        )

    def is_not_zero(self, difference: Expr) -> bool:
        """Whether it is a number other than 0 where the polynomial is zero."""
        there = self._at(difference)
        if there is None and self.values is None:
            there = self._beside(difference, 1)
        return there is not None and bool(number_of(there))

    def crosses(self) -> bool:
        """Whether the polynomial changes its sign wherever it is zero at a single point."""
        of = self.kernels.of(self.poly)
        if any(self.kernels.known[i].kind not in ("variable", "pi") for i in of):
            return False
        place = next(i for i in of if self.kernels.known[i][:2] == ("variable", self.kernels.name))
        return self.poly.degrees()[::-1][place] == 1 or len(of) == 1


def _is_defined(node: Expr) -> bool:
    """Whether it can be told of a node if it is defined."""
    return not isinstance(node, Call) or node.function in RULES or node.function in TOTAL
