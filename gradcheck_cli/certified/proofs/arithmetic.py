"""Normal forms added, multiplied and reduced, where the signs of some polynomials are known; and further signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flint import fmpq

from gradcheck_cli.certified.proofs.kernels import (
    MOST_PRODUCTS,
    MOST_TERMS,
    Kernel,
    Kernels,
    NoForm,
    Nowhere,
    Poly,
    Ratio,
    Split,
    as_fmpq,
    in_one,
    poly_of,
    product_of,
    ratio_of,
)

MOST_FACTORED, LARGEST_FACTORED_DEGREE = 60, 120  # terms and degree of one that is factored: flint cannot be stopped
LARGEST_POWER = 200


class Arithmetic:
    """Normal forms where the signs of some polynomials are known.

    signs: by the text of a polynomial (irreducible, of positive leading coefficient). given: whether the expression may
    be taken to be defined, which tells the sign of what stands under a root or logarithm. apart: whether a root of a
    product needs the sign of every factor.
    """

    def __init__(self, kernels: Kernels, signs: Mapping[str, int], *, apart: bool = False) -> None:
        self.kernels, self.signs, self.apart = kernels, signs, apart
        self.given = False

    def add(self, a: Ratio, b: Ratio) -> Ratio:
        if a.below == b.below:
            return ratio_of(a.above + b.above, a.below)
        return ratio_of(product_of(a.above, b.below) + product_of(b.above, a.below), product_of(a.below, b.below))

    def neg(self, a: Ratio) -> Ratio:
        return Ratio(-a.above, a.below)

    def sub(self, a: Ratio, b: Ratio) -> Ratio:
        return self.add(a, self.neg(b))

    def mul(self, a: Ratio, b: Ratio) -> Ratio:
        return ratio_of(product_of(a.above, b.above), product_of(a.below, b.below))

    def div(self, a: Ratio, b: Ratio) -> Ratio:
        if self.reduced(b).above.is_zero():
            raise Nowhere
        return ratio_of(product_of(a.above, b.below), product_of(a.below, b.above))

    def power(self, a: Ratio, n: int) -> Ratio:
        """An integer power; 0**0 is 1."""
        if abs(n) > LARGEST_POWER or max(len(a.above), len(a.below)) ** min(abs(n), 8) > MOST_PRODUCTS:
            raise NoForm("a large power")
        if n < 0:
            return self.div(ratio_of(poly_of(1)), self.power(a, -n))
        return Ratio(a.above**n, a.below**n)

    def reduced(self, a: Ratio) -> Ratio:
        """With powers of roots and sines that can be written by others replaced, and no root as a factor below."""
        above, below = self._reduced(a.above), self._reduced(a.below)
        for i in self.kernels.of(below):
            if self.kernels.known[i].kind == "root" and self._relation(i) is not None:
                generator = self.kernels.generators[i]
                times = 0
                while not below.is_zero() and (quotient := divmod(below, generator))[1].is_zero():
                    below, times = quotient[0], times + 1
                if times:
                    rest = -times % self.kernels.root
                    above = self._reduced(product_of(above, generator**rest))
                    below = self._reduced(product_of(below, generator ** (times + rest)))
        return ratio_of(above, below)

    def _reduced(self, poly: Poly) -> Poly:
        while True:
            before = poly
            for i in reversed(self.kernels.of(poly)):
                relation = self._relation(i)
                if relation is not None:
                    poly = divmod(poly, relation)[1]
                    if len(poly) > MOST_TERMS:
                        raise NoForm("too many terms")
            if poly == before:
                return poly

    def _relation(self, i: int) -> Poly | None:
        """A polynomial that is zero, with a power of the kernel for its leading term."""
        generator, kernel = self.kernels.generators[i], self.kernels.known[i]
        match kernel.kind:
            case "sin":
                cosine = self.kernels.generator("cos", kernel.key, *kernel.inside)
                return generator**2 + cosine**2 - 1
            case "parity":
                return generator**2 - 1
            case "root":
                inside = kernel.inside[0].above
                sign = 1 if self._is_product(inside) else self.known_sign(inside)
                return None if sign is None else generator**self.kernels.root - (-inside if sign < 0 else inside)
        return None

    def _is_product(self, poly: Poly) -> bool:
        """A root of a product of factors of unknown sign: it is defined where the product is not negative."""
        return not poly.is_constant() and len(poly.factor()[1]) > 1

    # Signs

    def sign(self, a: Ratio) -> int:
        sign = 1
        for factor, times in self._factors(self.reduced(a)):
            one = self.sign_of(factor)
            sign *= one if times % 2 else abs(one)
        return sign

    def sign_of(self, factor: Poly) -> int:
        known = self.known_sign(factor)
        if known is None:
            raise Split(factor)
        return known

    def implied(self, factor: Poly) -> int | None:
        """The sign of a polynomial that is a sum of two others of the same, known sign, or of one and a number."""
        known = [(poly * (1 / poly.leading_coefficient()), sign) for poly, sign in self._known()]
        for wanted in (1, -1):
            for poly, sign in known:
                multiple = wanted * factor.leading_coefficient() * sign
                if sign == 0 or multiple < 0:
                    continue
                rest = wanted * factor - multiple * sign * poly
                if rest.is_zero() or (rest.is_constant() and rest.leading_coefficient() > 0):
                    return wanted
                lead = rest.leading_coefficient()
                side = 1 if lead > 0 else -1
                if any(other * lead == rest and side * its >= 0 for other, its in known):
                    return wanted
        return None

    def _known(self) -> list[tuple[Poly, int]]:
        polynomials = self.kernels.polynomials
        return [(polynomials[text], sign) for text, sign in self.signs.items() if text in polynomials]

    def known_sign(self, factor: Poly) -> int | None:
        if str(factor) in self.signs:
            return self.signs[str(factor)]
        known = self.definite(factor)
        return self.implied(factor) if known is None else known

    def definite(self, poly: Poly) -> int | None:
        """The sign of a polynomial that has the same one everywhere, where that is plain to see."""
        if poly.is_constant():
            value = poly.leading_coefficient() if not poly.is_zero() else 0
            return (value > 0) - (value < 0)
        positive = [i for i in self.kernels.of(poly) if self._is_positive(self.kernels.known[i])]
        strictly, signs = False, set[int]()
        for powers, coefficient in poly.terms():
            others = [power for i, power in enumerate(powers[::-1]) if power and i not in positive]
            strictly = strictly or not others
            signs.add(0 if any(power % 2 for power in others) else 1 if coefficient > 0 else -1)
        if strictly and len(signs) == 1 and 0 not in signs:
            return signs.pop()
        return _sign_without_roots(self.kernels, poly)

    def slope(self, poly: Poly) -> Poly | None:
        """The derivative of a polynomial by the variable, where all its pieces have one everywhere."""
        total = poly_of(0)
        for i in self.kernels.of(poly):
            kernel, generator = self.kernels.known[i], self.kernels.generators[i]
            if kernel.kind == "variable":
                inner = poly_of(int(kernel.key == self.kernels.name))
            elif kernel.kind in ("exp", "sin", "cos") and kernel.inside[0].below.is_constant():
                slope = self.slope(kernel.inside[0].above)
                if slope is None:
                    return None
                slope = slope * as_fmpq(self.kernels.units[kernel.key])
                if kernel.kind == "exp":
                    inner = generator * slope
                else:
                    other, sign = ("sin", -1) if kernel.kind == "cos" else ("cos", 1)
                    inner = sign * self.kernels.generator(other, kernel.key, *kernel.inside) * slope
            elif self.kernels.depends(generator):
                return None
            else:
                continue
            total += poly.derivative(len(poly.degrees()) - 1 - i) * inner
        return self._reduced(total)

    def _is_positive(self, kernel: Kernel) -> bool:
        match kernel.kind:
            case "root":
                inside = kernel.inside[0].above
                return not self._is_product(inside) and bool(self.known_sign(inside))
            case "exp" | "pi":
                return True
        return False

    def _factors(self, a: Ratio) -> list[tuple[Poly, int]]:
        """Irreducible factors of positive leading coefficient, and a number."""
        found: list[tuple[Poly, int]] = []
        number = fmpq(1)
        for poly, direction in ((a.above, 1), (a.below, -1)):
            if poly.is_zero():
                return [(poly, 1)]
            if len(poly) > MOST_FACTORED or (len(poly) > 1 and poly.total_degree() > LARGEST_FACTORED_DEGREE):
                raise NoForm("too many terms to be factored")
            content, factors = poly.factor()
            number = number * content if direction > 0 else number / content
            for factor, times in factors:
                lead = factor.leading_coefficient()
                number *= (1 if lead > 0 else -1) ** int(times)
                found.append((factor if lead > 0 else -factor, int(times) * direction))
        return [(poly_of(number), 1), *found]


def _sign_without_roots(kernels: Kernels, poly: Poly) -> int | None:
    """The sign of a polynomial in one variable that has no real zeros."""
    of = kernels.of(poly)
    if len(of) != 1:
        return None
    whole: Any = in_one(kernels, poly, of[0])
    if any(root.imag == 0 for root, _ in whole.complex_roots()):  # real ones come with exactly 0
        return None
    return 1 if whole(0) > 0 else -1
