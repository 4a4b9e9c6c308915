"""The pieces that normal forms are made of, and rational functions of them: polynomials over polynomials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, NoReturn

from flint import Ordering, fmpq, fmpq_mpoly_ctx, fmpz, fmpz_poly

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Expr, call, constant, variable

MOST_KERNELS = 40
MOST_TERMS = 1_000  # of a polynomial
MOST_PRODUCTS = 100_000  # of terms, in one multiplication
LARGEST_FACTORED = 1 << 64
Poly = Any  # fmpq_mpoly, which has no types


class NoForm(Exception):
    """The expression has no normal form here: nothing is proven."""


class Nowhere(Exception):
    """The expression is undefined wherever the signs are as assumed."""


class Finer(Exception):
    """Roots of a larger common degree are needed, or smaller units of an exponent or angle."""


class Split(Exception):
    """The sign of a polynomial is needed.

    allowed: the signs that it can have. hides: where it is 0, something is defined that is not defined beside.
    """

    def __init__(self, poly: Poly, allowed: tuple[int, ...] = (-1, 0, 1), *, hides: bool = False) -> None:
        self.poly, self.allowed, self.hides = poly, allowed, hides


class Ratio(NamedTuple):
    above: Poly
    below: Poly


class Kernel(NamedTuple):
    """kind: "variable", "pi", "exp", "cos", "sin", "log", "root", "parity" or "function"; key: of what; inside: the
    normal form of that; arguments: of a function, as they are named in `key`."""

    kind: str
    key: str
    inside: tuple[Ratio, ...] = ()


@cache
def context() -> Any:
    return fmpq_mpoly_ctx.get([f"k{i}" for i in reversed(range(MOST_KERNELS))], Ordering.lex)


@dataclass
class Kernels:
    """The pieces found so far, shared by all cases, so that the same polynomial has the same text in each.

    name: the variable along which derivatives are taken. root: 1/root is the smallest exponent of a root. units: of
    what stands in an exponential, sine or cosine, by its text: a kernel is the exponential of one unit.
    """

    name: str
    root: int = 2
    units: dict[str, Fraction] = field(default_factory=dict)
    known: list[Kernel] = field(default_factory=list)
    polynomials: dict[str, Poly] = field(default_factory=dict)
    """Those whose signs were asked for, by their texts."""

    def generator(self, kind: str, key: str, *inside: Ratio) -> Poly:
        for i, kernel in enumerate(self.known):
            if kernel.kind == kind and kernel.key == key:
                return self.generators[i]
        if len(self.known) == MOST_KERNELS:
            raise NoForm("too many pieces")
        self.known.append(Kernel(kind, key, inside))
        return self.generators[len(self.known) - 1]

    @property
    def generators(self) -> Sequence[Poly]:
        """By kernel. Later ones come first in the order of the polynomials, and so are replaced by earlier ones."""
        return _generators()

    def multiple(self, key: str, value: Fraction) -> int:
        """How many units a value is."""
        unit = self.units.setdefault(key, abs(value))
        if (value / unit).denominator == 1:
            return int(value / unit)
        common = Fraction(math.gcd(unit.numerator * value.denominator, value.numerator * unit.denominator))
        self.units[key] = common / (unit.denominator * value.denominator)
        raise Finer

    def finer_root(self, factor: int) -> NoReturn:
        self.root *= factor
        raise Finer

    def of(self, poly: Poly) -> list[int]:
        """The kernels that a polynomial has, by number."""
        degrees = poly.degrees()[::-1]
        return [i for i in range(len(self.known)) if degrees[i] > 0]

    def below(self, i: int) -> set[int]:
        """A kernel and those inside it."""
        found = {i}
        for ratio in self.known[i].inside:
            for poly in ratio:
                for inner in self.of(poly):
                    found |= self.below(inner)
        return found

    def deep(self, poly: Poly) -> set[int]:
        return {inner for i in self.of(poly) for inner in self.below(i)}

    def depends(self, *polys: Poly) -> bool:
        """Whether one of them depends on the variable."""
        return any(self.known[i][:2] == ("variable", self.name) for poly in polys for i in self.deep(poly))


@cache
def _generators() -> Sequence[Poly]:
    return tuple(context().gens()[::-1])


def poly_of(value: Any) -> Poly:
    return context().constant(value)


def product_of(a: Poly, b: Poly) -> Poly:
    if len(a) * len(b) > MOST_PRODUCTS:
        raise NoForm("too many terms")
    return a * b


def ratio_of(above: Poly, below: Poly | None = None) -> Ratio:
    """Reduced, with 1 for the leading coefficient below."""
    if below is None:
        return Ratio(above, poly_of(1))
    if len(above) > MOST_TERMS or len(below) > MOST_TERMS:
        raise NoForm("too many terms")
    if below.is_zero():
        raise Nowhere
    if not below.is_constant():
        common = above.gcd(below)
        if not common.is_constant():
            above, below = divmod(above, common)[0], divmod(below, common)[0]
    lead = below.leading_coefficient()
    return Ratio(above * (1 / lead), below * (1 / lead))


def number_of(ratio: Ratio) -> Fraction | None:
    """The value, where it is a rational number."""
    if not (ratio.above.is_constant() and ratio.below.is_constant()):
        return None
    if ratio.above.is_zero():
        return Fraction(0)
    value = ratio.above.leading_coefficient() / ratio.below.leading_coefficient()
    return Fraction(int(value.p), int(value.q))


def ratio_text(ratio: Ratio) -> str:
    return f"({ratio.above})/({ratio.below})"


def as_fmpq(value: Fraction | int) -> fmpq:
    return fmpq(*Fraction(value).as_integer_ratio())


def prime_factors(number: fmpz) -> list[tuple[int, int]]:
    if number > LARGEST_FACTORED:
        raise NoForm("a large number under a root or logarithm")
    return [(int(prime), int(times)) for prime, times in fmpz(number).factor()]


def ratio_of_number(value: Fraction | int) -> Ratio:
    return ratio_of(poly_of(as_fmpq(value)))


def in_one(kernels: Kernels, poly: Poly, i: int) -> fmpz_poly:
    """A polynomial in one kernel alone, multiplied by a positive number so that its coefficients are integers."""
    terms = [(int(powers[::-1][i]), coefficient) for powers, coefficient in poly.terms()]
    scale = 1
    for _, coefficient in terms:
        scale *= int(coefficient.q)
    coefficients = [0] * (max(power for power, _ in terms) + 1)
    for power, coefficient in terms:
        coefficients[power] = int(coefficient.p) * (scale // int(coefficient.q))
    return fmpz_poly(coefficients)


def to_expression(kernels: Kernels, poly: Poly) -> Expr | None:
    """A polynomial in variables and pi as an expression, or None."""
    total: Expr = constant(0, exact=True)
    for powers, coefficient in poly.terms():
        term: Expr = constant(Fraction(int(coefficient.p), int(coefficient.q)), exact=True)
        for i, power in enumerate(powers[::-1]):
            if not power:
                continue
            kernel = kernels.known[i]
            if kernel.kind not in ("variable", "pi"):
                return None
            leaf = variable(kernel.key) if kernel.kind == "variable" else constant("pi", exact=True)
            term = call(op.MUL, term, call(op.POW, leaf, constant(int(power), exact=True)))
        total = call(op.ADD, total, term)
    return total


def solved(kernels: Kernels, poly: Poly) -> dict[str, Expr] | None:
    """A variable by what it is where the polynomial is zero, if it is there in one term only, a number times it."""
    whole = to_expression(kernels, poly)
    if whole is None:
        return None
    degrees = poly.degrees()[::-1]
    for i in reversed(kernels.of(poly)):
        kernel, generator = kernels.known[i], kernels.generators[i]
        if kernel.kind == "variable" and degrees[i] == 1:
            factor = poly.derivative(len(degrees) - 1 - i)
            if factor.is_constant():
                rest = to_expression(kernels, generator - poly * (1 / factor.leading_coefficient()))
                return None if rest is None else {kernel.key: rest}
    return None
