"""Powers, roots, logarithms, exponentials and angles of normal forms."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import fmpq

from gradcheck_cli.certified.proofs.arithmetic import Arithmetic
from gradcheck_cli.certified.proofs.kernels import (
    Kernel,
    NoForm,
    Nowhere,
    Poly,
    Ratio,
    Split,
    context,
    number_of,
    poly_of,
    prime_factors,
    ratio_of,
    ratio_of_number,
    ratio_text,
)

LARGEST_MULTIPLE = 24  # of an angle


class Powers(Arithmetic):
    """See Arithmetic for what goes in."""

    # Powers and logarithms

    def pow(self, base: Ratio, exponent: Ratio) -> Ratio:
        base, exponent = self.reduced(base), self.reduced(exponent)
        value = number_of(exponent)
        if value is not None and value.denominator == 1:
            return self.power(base, value.numerator)
        if value is not None:
            return self.root(base, value)
        sign = self.sign(base)
        if sign == 0:
            return self.power_of_zero(exponent)
        size = self.exp(self.mul(exponent, self.size_of_log(base)))
        return size if sign > 0 else self.mul(self.parity(exponent), size)

    def power_of_zero(self, exponent: Ratio) -> Ratio:
        if self.kernels.depends(*exponent):
            raise NoForm("0**y jumps")
        sign = self.sign(exponent)
        if sign < 0:
            raise Nowhere
        return ratio_of(poly_of(0 if sign else 1))

    def parity(self, exponent: Ratio) -> Ratio:
        """(-1)**exponent, where the exponent is an integer."""
        terms = self._terms(exponent)
        whole = sum((q for q, piece in terms if piece is None), Fraction(0))
        if whole.denominator != 1:
            raise NoForm("a sign to a fraction")
        rest = self.sub(exponent, ratio_of(poly_of(whole.numerator)))
        if rest.above.leading_coefficient() < 0:
            rest = self.neg(rest)
        return ratio_of((-1) ** (whole.numerator % 2) * self.kernels.generator("parity", ratio_text(rest), rest))

    def root(self, base: Ratio, exponent: Fraction) -> Ratio:
        """base**exponent for a base that is not negative, the exponent no integer."""
        if base.above.is_zero():
            if exponent < 0:
                raise Nowhere
            return base
        factors = self._factors(base)
        unknown = [(factor, times) for factor, times in factors if times % 2 and self.known_sign(factor) is None]
        self._must_be_positive(factors, unknown, (0, 1) if exponent > 0 else (1,))
        if unknown and (self.apart or len(unknown) == 1):
            raise Split(unknown[0][0])
        result = ratio_of(poly_of(1))
        if unknown:  # the root of their product, and whole powers of what is below
            together = poly_of(1)
            for factor, _ in unknown:
                together = together * factor
            result = self.mul(result, self._size_of_power(together, exponent))
        for factor, times in factors:
            left = times - 1 if any(factor == other for other, _ in unknown) else times
            if left:
                result = self.mul(result, self._size_of_power(factor, left * exponent))
        return result

    def _must_be_positive(self, factors: Any, unknown: Any, allowed: tuple[int, ...]) -> None:
        """Nowhere, if the product of the factors has none of the allowed signs; Split, if that tells an unknown one."""
        sign = 1
        for factor, times in factors:
            known = self.known_sign(factor)
            if known is not None:
                sign *= known if times % 2 else abs(known)
        if (sign not in allowed and not unknown) or (self.given and len(unknown) == 1 and sign):
            for factor, times in factors:
                if 0 in allowed and times > 0 and times % 2 == 0 and self.known_sign(factor) is None:
                    raise Split(factor, hides=True)
            if not unknown:
                raise Nowhere
            raise Split(unknown[0][0], tuple(sorted(sign * one for one in allowed)))

    def _size_of_power(self, factor: Poly, exponent: Fraction) -> Ratio:
        """|factor|**exponent."""
        if factor.is_constant():
            return self._power_of_number(abs(factor.leading_coefficient()), exponent)
        if self.known_sign(factor) == 0:
            if exponent < 0:
                raise Nowhere
            return ratio_of(poly_of(0))
        if exponent.denominator == 1 and exponent.numerator % 2 == 0:
            return self.power(ratio_of(factor), exponent.numerator)
        if exponent.denominator == 1 and not self._is_product(factor):
            return self.power(ratio_of(factor * self.sign_of(factor)), exponent.numerator)
        kernel = self._as_kernel(factor)
        if kernel is not None and kernel.kind == "exp":
            unit = self.kernels.units[kernel.key]
            return self.power(ratio_of(factor), self.kernels.multiple(kernel.key, unit * exponent))
        if kernel is not None and kernel.kind == "root":
            return self.power(ratio_of(factor), self._whole(exponent))
        if not self._is_product(factor):
            self.sign_of(factor)
        generator = self.kernels.generator("root", str(factor), ratio_of(factor))
        return self.power(ratio_of(generator), self._whole(exponent * self.kernels.root))

    def _power_of_number(self, number: fmpq, exponent: Fraction) -> Ratio:
        result = ratio_of(poly_of(1))
        for part, direction in ((number.p, 1), (number.q, -1)):
            for prime, times in prime_factors(part):
                whole, rest = divmod(direction * times * exponent, 1)
                result = self.mul(result, self.power(ratio_of(poly_of(prime)), whole))
                if rest:
                    generator = self.kernels.generator("root", str(prime), ratio_of(poly_of(prime)))
                    power = self.power(ratio_of(generator), self._whole(rest * self.kernels.root))
                    result = self.mul(result, power)
        return result

    def _whole(self, value: Fraction) -> int:
        if value.denominator != 1:
            self.kernels.finer_root(value.denominator)
        return value.numerator

    def _as_kernel(self, poly: Poly) -> Kernel | None:
        kernels = self.kernels.of(poly)
        is_one = len(kernels) == 1 and poly == self.kernels.generators[kernels[0]]
        return self.kernels.known[kernels[0]] if is_one else None

    def log(self, a: Ratio) -> Ratio:
        a = self.reduced(a)
        if a.above.is_zero():
            raise Nowhere
        self._must_have_sign(a, (1,))
        return self.size_of_log(a)

    def _must_have_sign(self, a: Ratio, allowed: tuple[int, ...]) -> None:
        factors = self._factors(self.reduced(a))
        unknown = [(factor, times) for factor, times in factors if times % 2 and self.known_sign(factor) is None]
        self._must_be_positive(factors, unknown, allowed)

    def size_of_log(self, a: Ratio) -> Ratio:
        """log|a|."""
        result = ratio_of(poly_of(0))
        for factor, times in self._factors(a):
            result = self.add(result, self.mul(ratio_of(poly_of(times)), self._log_of_factor(factor)))
        return result

    def _log_of_factor(self, factor: Poly) -> Ratio:
        if factor.is_zero() or self.known_sign(factor) == 0:
            raise Nowhere
        if factor.is_constant():
            result = poly_of(0)
            number = factor.leading_coefficient()
            for part, direction in ((number.p, 1), (number.q, -1)):
                for prime, times in prime_factors(abs(part)):
                    generator = self.kernels.generator("log", str(prime), ratio_of(poly_of(prime)))
                    result += direction * times * generator
            return ratio_of(result)
        kernel = self._as_kernel(factor)
        if kernel is not None and kernel.kind == "exp":
            return self.mul(kernel.inside[0], ratio_of_number(self.kernels.units[kernel.key]))
        if kernel is not None and kernel.kind == "root":
            return self.mul(self.size_of_log(kernel.inside[0]), ratio_of_number(Fraction(1, self.kernels.root)))
        return ratio_of(self.kernels.generator("log", str(factor), ratio_of(factor)))

    # Exponentials and angles

    def _terms(self, a: Ratio) -> list[tuple[Fraction, Ratio | None]]:
        """The terms as (rational coefficient, the rest of it); None: it is the number alone."""
        found: list[tuple[Fraction, Ratio | None]] = []
        for powers, coefficient in a.above.terms():
            mono = context().from_dict({powers: 1})
            piece = ratio_of(mono, a.below)
            q = Fraction(int(coefficient.p), int(coefficient.q))
            found.append((q, None if number_of(piece) == 1 else piece))
        return found

    def exp(self, a: Ratio) -> Ratio:
        result = ratio_of(poly_of(1))
        for q, piece in self._terms(self.reduced(a)):
            if piece is not None and piece.below.is_constant():
                kernel = self._as_kernel(piece.above)
                if kernel is not None and kernel.kind == "log":
                    result = self.mul(result, self._size_of_power(kernel.inside[0].above, q))
                    continue
            inside = ratio_of(poly_of(1)) if piece is None else piece
            key = ratio_text(inside)
            times = self.kernels.multiple(key, q)
            result = self.mul(result, self.power(ratio_of(self.kernels.generator("exp", key, inside)), times))
        return result

    def circular(self, a: Ratio) -> tuple[Ratio, Ratio]:
        """Sine and cosine."""
        one = ratio_of(poly_of(1))
        sine, cosine = ratio_of(poly_of(0)), one
        for q, piece in self._terms(self.reduced(a)):
            s, c = self._circular_term(q, one if piece is None else piece)
            sine, cosine = (
                self.add(self.mul(sine, c), self.mul(cosine, s)),
                self.sub(self.mul(cosine, c), self.mul(sine, s)),
            )
        return self.reduced(sine), self.reduced(cosine)

    def _circular_term(self, q: Fraction, inside: Ratio) -> tuple[Ratio, Ratio]:
        kernel = self._as_kernel(inside.above) if inside.below.is_constant() else None
        if kernel is not None and kernel.kind == "pi" and (2 * q).denominator == 1:
            s, c = ((0, 1), (1, 0), (0, -1), (-1, 0))[int(2 * q) % 4]
            return ratio_of(poly_of(s)), ratio_of(poly_of(c))
        key = ratio_text(inside)
        n = self.kernels.multiple(key, q)
        if abs(n) > LARGEST_MULTIPLE:
            raise NoForm("a large multiple of an angle")
        c1 = ratio_of(self.kernels.generator("cos", key, inside))
        s1 = ratio_of(self.kernels.generator("sin", key, inside))
        sine, cosine = ratio_of(poly_of(0)), ratio_of(poly_of(1))
        for _ in range(abs(n)):
            sine, cosine = (
                self.add(self.mul(sine, c1), self.mul(cosine, s1)),
                self.sub(self.mul(cosine, c1), self.mul(sine, s1)),
            )
        return self.reduced(sine if n >= 0 else self.neg(sine)), self.reduced(cosine)
