"""Real expressions without branches as rational functions of independent pieces, by rules that hold at every point.

A piece (`Kernel`) is a variable, pi, an exponential, sine or cosine of one term, log|p|, a root of |p|, or a function
of normal forms. Two expressions of the same normal form are equal wherever both are defined: nothing is sampled, and no
rule assumes a sign that is not known. What depends on a sign that is not known raises `Split`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, NoReturn

from flint import Ordering, fmpq, fmpq_mpoly_ctx, fmpz, fmpz_poly

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS, by_row, rows
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, Variable, call, constant, topological, variable

MOST_KERNELS = 40
MOST_TERMS = 1_000  # of a polynomial
MOST_FACTORED, LARGEST_FACTORED_DEGREE = 60, 120  # terms and degree of one that is factored: flint cannot be stopped
MOST_PRODUCTS = 100_000  # of terms, in one multiplication
LARGEST_POWER = 200
LARGEST_MULTIPLE = 24  # of an angle
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
def _context() -> Any:
    return fmpq_mpoly_ctx.get([f"k{i}" for i in reversed(range(MOST_KERNELS))], Ordering.lex)


TOTAL = rows("erf atan asinh besseli besselj")
"""Functions without a rule here that are defined everywhere."""
DOMAINS: Mapping[Function, Sequence[tuple[int, int, tuple[int, ...]]]] = by_row(
    {
        "acosh": ((0, 1, (0, 1)),),
        "igamma": ((0, 0, (1,)), (1, 0, (0, 1))),
        "zeta": ((0, 1, (1,)), (1, 0, (1,))),
        "besselk": ((1, 0, (1,)),),
        "bessely": ((1, 0, (1,)),),
    }
)
"""Where a function is defined: (which argument, a number, the signs that argument - number can have)."""
LARGEST_DEGREE = 20


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
    return tuple(_context().gens()[::-1])


def _number(value: Any) -> Poly:
    return _context().constant(value)


def _product(a: Poly, b: Poly) -> Poly:
    if len(a) * len(b) > MOST_PRODUCTS:
        raise NoForm("too many terms")
    return a * b


def _ratio(above: Poly, below: Poly | None = None) -> Ratio:
    """Reduced, with 1 for the leading coefficient below."""
    if below is None:
        return Ratio(above, _number(1))
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


class Algebra:
    """Normal forms where the signs of some polynomials are known.

    signs: by the text of a polynomial (irreducible, of positive leading coefficient). given: whether the expression may
    be taken to be defined, which tells the sign of what stands under a root or logarithm. apart: whether a root of a
    product needs the sign of every factor.
    """

    def __init__(self, kernels: Kernels, signs: Mapping[str, int], *, apart: bool = False) -> None:
        self.kernels, self.signs, self.apart = kernels, signs, apart
        self.given = False
        self.made: dict[Expr, Ratio] = {}

    def form(self, root: Expr, *, given: bool = False) -> Ratio:
        """The normal form of an expression without branches."""
        if self.given is not given:
            self.given = given
            self.made = {}
        nodes = topological(root)
        if given:  # these tell signs, which others need
            for node in nodes:
                if isinstance(node, Call) and node.function in (op.LOG, op.SQRT, op.POW):
                    try:
                        self._form(topological(node))
                    except NoForm:
                        pass
                    except Split as split:
                        if len(split.allowed) < 3:
                            raise
        self._form(nodes)
        return self.reduced(self.made[root])

    def _form(self, nodes: Sequence[Expr]) -> None:
        for node in nodes:
            if node in self.made:
                continue
            match node:
                case Constant(value=Fraction() as value):
                    made = _fraction(value)
                case Constant(value="e"):
                    made = self.exp(Ratio(_number(1), _number(1)))
                case Constant(value=value):
                    pi = self.kernels.generator("pi", "")
                    made = _ratio(2 * pi if value == "tau" else pi)
                case Variable(name=name):
                    made = _ratio(self.kernels.generator("variable", name))
                case Named(value=value):
                    made = self.made[value]
                case Call(function=function, args=args):
                    rule = RULES.get(function)
                    values = [self.made[arg] for arg in args]
                    made = rule(self, *values) if rule else self.function(function, values)
            self.made[node] = made

    # Arithmetic

    def add(self, a: Ratio, b: Ratio) -> Ratio:
        if a.below == b.below:
            return _ratio(a.above + b.above, a.below)
        return _ratio(_product(a.above, b.below) + _product(b.above, a.below), _product(a.below, b.below))

    def neg(self, a: Ratio) -> Ratio:
        return Ratio(-a.above, a.below)

    def sub(self, a: Ratio, b: Ratio) -> Ratio:
        return self.add(a, self.neg(b))

    def mul(self, a: Ratio, b: Ratio) -> Ratio:
        return _ratio(_product(a.above, b.above), _product(a.below, b.below))

    def div(self, a: Ratio, b: Ratio) -> Ratio:
        if self.reduced(b).above.is_zero():
            raise Nowhere
        return _ratio(_product(a.above, b.below), _product(a.below, b.above))

    def power(self, a: Ratio, n: int) -> Ratio:
        """An integer power; 0**0 is 1."""
        if abs(n) > LARGEST_POWER or max(len(a.above), len(a.below)) ** min(abs(n), 8) > MOST_PRODUCTS:
            raise NoForm("a large power")
        if n < 0:
            return self.div(_ratio(_number(1)), self.power(a, -n))
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
                    above = self._reduced(_product(above, generator**rest))
                    below = self._reduced(_product(below, generator ** (times + rest)))
        return _ratio(above, below)

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
        total = _number(0)
        for i in self.kernels.of(poly):
            kernel, generator = self.kernels.known[i], self.kernels.generators[i]
            if kernel.kind == "variable":
                inner = _number(int(kernel.key == self.kernels.name))
            elif kernel.kind in ("exp", "sin", "cos") and kernel.inside[0].below.is_constant():
                slope = self.slope(kernel.inside[0].above)
                if slope is None:
                    return None
                slope = slope * _rational(self.kernels.units[kernel.key])
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
        return [(_number(number), 1), *found]

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
        return _ratio(_number(0 if sign else 1))

    def parity(self, exponent: Ratio) -> Ratio:
        """(-1)**exponent, where the exponent is an integer."""
        terms = self._terms(exponent)
        whole = sum((q for q, piece in terms if piece is None), Fraction(0))
        if whole.denominator != 1:
            raise NoForm("a sign to a fraction")
        rest = self.sub(exponent, _ratio(_number(whole.numerator)))
        if rest.above.leading_coefficient() < 0:
            rest = self.neg(rest)
        return _ratio((-1) ** (whole.numerator % 2) * self.kernels.generator("parity", _text(rest), rest))

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
        result = _ratio(_number(1))
        if unknown:  # the root of their product, and whole powers of what is below
            together = _number(1)
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
            return _ratio(_number(0))
        if exponent.denominator == 1 and exponent.numerator % 2 == 0:
            return self.power(_ratio(factor), exponent.numerator)
        if exponent.denominator == 1 and not self._is_product(factor):
            return self.power(_ratio(factor * self.sign_of(factor)), exponent.numerator)
        kernel = self._as_kernel(factor)
        if kernel is not None and kernel.kind == "exp":
            unit = self.kernels.units[kernel.key]
            return self.power(_ratio(factor), self.kernels.multiple(kernel.key, unit * exponent))
        if kernel is not None and kernel.kind == "root":
            return self.power(_ratio(factor), self._whole(exponent))
        if not self._is_product(factor):
            self.sign_of(factor)
        generator = self.kernels.generator("root", str(factor), _ratio(factor))
        return self.power(_ratio(generator), self._whole(exponent * self.kernels.root))

    def _power_of_number(self, number: fmpq, exponent: Fraction) -> Ratio:
        result = _ratio(_number(1))
        for part, direction in ((number.p, 1), (number.q, -1)):
            for prime, times in _primes(part):
                whole, rest = divmod(direction * times * exponent, 1)
                result = self.mul(result, self.power(_ratio(_number(prime)), whole))
                if rest:
                    generator = self.kernels.generator("root", str(prime), _ratio(_number(prime)))
                    power = self.power(_ratio(generator), self._whole(rest * self.kernels.root))
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
        result = _ratio(_number(0))
        for factor, times in self._factors(a):
            result = self.add(result, self.mul(_ratio(_number(times)), self._log_of_factor(factor)))
        return result

    def _log_of_factor(self, factor: Poly) -> Ratio:
        if factor.is_zero() or self.known_sign(factor) == 0:
            raise Nowhere
        if factor.is_constant():
            result = _number(0)
            number = factor.leading_coefficient()
            for part, direction in ((number.p, 1), (number.q, -1)):
                for prime, times in _primes(abs(part)):
                    generator = self.kernels.generator("log", str(prime), _ratio(_number(prime)))
                    result += direction * times * generator
            return _ratio(result)
        kernel = self._as_kernel(factor)
        if kernel is not None and kernel.kind == "exp":
            return self.mul(kernel.inside[0], _fraction(self.kernels.units[kernel.key]))
        if kernel is not None and kernel.kind == "root":
            return self.mul(self.size_of_log(kernel.inside[0]), _fraction(Fraction(1, self.kernels.root)))
        return _ratio(self.kernels.generator("log", str(factor), _ratio(factor)))

    # Exponentials and angles

    def _terms(self, a: Ratio) -> list[tuple[Fraction, Ratio | None]]:
        """The terms as (rational coefficient, the rest of it); None: it is the number alone."""
        found: list[tuple[Fraction, Ratio | None]] = []
        for powers, coefficient in a.above.terms():
            mono = _context().from_dict({powers: 1})
            piece = _ratio(mono, a.below)
            q = Fraction(int(coefficient.p), int(coefficient.q))
            found.append((q, None if number_of(piece) == 1 else piece))
        return found

    def exp(self, a: Ratio) -> Ratio:
        result = _ratio(_number(1))
        for q, piece in self._terms(self.reduced(a)):
            if piece is not None and piece.below.is_constant():
                kernel = self._as_kernel(piece.above)
                if kernel is not None and kernel.kind == "log":
                    result = self.mul(result, self._size_of_power(kernel.inside[0].above, q))
                    continue
            inside = _ratio(_number(1)) if piece is None else piece
            key = _text(inside)
            times = self.kernels.multiple(key, q)
            result = self.mul(result, self.power(_ratio(self.kernels.generator("exp", key, inside)), times))
        return result

    def circular(self, a: Ratio) -> tuple[Ratio, Ratio]:
        """Sine and cosine."""
        one = _ratio(_number(1))
        sine, cosine = _ratio(_number(0)), one
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
            return _ratio(_number(s)), _ratio(_number(c))
        key = _text(inside)
        n = self.kernels.multiple(key, q)
        if abs(n) > LARGEST_MULTIPLE:
            raise NoForm("a large multiple of an angle")
        c1 = _ratio(self.kernels.generator("cos", key, inside))
        s1 = _ratio(self.kernels.generator("sin", key, inside))
        sine, cosine = _ratio(_number(0)), _ratio(_number(1))
        for _ in range(abs(n)):
            sine, cosine = (
                self.add(self.mul(sine, c1), self.mul(cosine, s1)),
                self.sub(self.mul(cosine, c1), self.mul(sine, s1)),
            )
        return self.reduced(sine if n >= 0 else self.neg(sine)), self.reduced(cosine)

    def function(self, row: Function, args: Sequence[Ratio]) -> Ratio:
        """A function of the table that has no rule here: a piece of its own."""
        args = [self.reduced(arg) for arg in args]
        for index, least, allowed in DOMAINS.get(row, ()):
            self._must_have_sign(self.sub(args[index], _ratio(_number(least))), allowed)
        if row.odd and args[0].above.is_zero():
            return args[0]
        negative = row.odd and args[0].above.leading_coefficient() < 0
        if negative:
            args = [self.neg(args[0])]
        key = f"{row.name}({', '.join(map(_text, args))})"
        made = _ratio(self.kernels.generator("function", key, *args))
        return self.neg(made) if negative else made


def _text(ratio: Ratio) -> str:
    return f"({ratio.above})/({ratio.below})"


def _rational(value: Fraction | int) -> fmpq:
    return fmpq(*Fraction(value).as_integer_ratio())


def _primes(number: fmpz) -> list[tuple[int, int]]:
    if number > LARGEST_FACTORED:
        raise NoForm("a large number under a root or logarithm")
    return [(int(prime), int(times)) for prime, times in fmpz(number).factor()]


def _sign_without_roots(kernels: Kernels, poly: Poly) -> int | None:
    """The sign of a polynomial in one variable that has no real zeros."""
    of = kernels.of(poly)
    if len(of) != 1:
        return None
    whole: Any = in_one(kernels, poly, of[0])
    if any(root.imag == 0 for root, _ in whole.complex_roots()):  # real ones come with exactly 0
        return None
    return 1 if whole(0) > 0 else -1


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


def _sqrt(algebra: Algebra, a: Ratio) -> Ratio:
    return algebra.root(algebra.reduced(a), Fraction(1, 2))


def _tan(algebra: Algebra, a: Ratio) -> Ratio:
    return algebra.div(*algebra.circular(a))


def _hyperbolic(algebra: Algebra, a: Ratio) -> tuple[Ratio, Ratio]:
    """Hyperbolic sine and cosine."""
    up, down = algebra.exp(a), algebra.exp(algebra.neg(a))
    half = _fraction(Fraction(1, 2))
    return algebra.mul(half, algebra.sub(up, down)), algebra.mul(half, algebra.add(up, down))


def _bessel_i(algebra: Algebra, n: Ratio, x: Ratio) -> Ratio:
    if algebra.reduced(x).above.is_zero():
        return _ratio(_number(int(number_of(n) == 0)))
    return algebra.function(FUNCTIONS["besseli"], (n, x))


Step = Callable[[Algebra, Fraction, Ratio, Sequence[Fraction]], tuple[Ratio, Ratio]]


def _polynomial(step: Step) -> Callable[..., Ratio]:
    """Polynomials with p(n) = a*p(n - 1) + b*p(n - 2), and 0 for n < 0. step: a and b by n, x and the parameters."""

    def rule(algebra: Algebra, *args: Ratio) -> Ratio:
        *parameters, x = args
        numbers = [number_of(parameter) for parameter in parameters]
        n = numbers[-1]
        if n is None or abs(n) > LARGEST_DEGREE or None in numbers:
            raise NoForm("a polynomial of large degree")
        before, last = _ratio(_number(0)), _ratio(_number(int(n >= 0)))
        for k in range(1, int(n) + 1):
            a, b = step(algebra, Fraction(k), x, [number for number in numbers[:-1] if number is not None])
            before, last = last, algebra.add(algebra.mul(a, last), algebra.mul(b, before))
        return last

    return rule


def _linear(algebra: Algebra, factor: Fraction, x: Ratio, number: Fraction = Fraction(0)) -> Ratio:
    return algebra.add(algebra.mul(_fraction(factor), x), _fraction(number))


def _fraction(value: Fraction | int) -> Ratio:
    return _ratio(_number(_rational(value)))


RULES: dict[Function, Callable[..., Ratio]] = by_row(
    {
        "add": Algebra.add,
        "sub": Algebra.sub,
        "mul": Algebra.mul,
        "div": Algebra.div,
        "neg": Algebra.neg,
        "pow": Algebra.pow,
        "exp": Algebra.exp,
        "log": Algebra.log,
        "sqrt": _sqrt,
        "sin": lambda algebra, a: algebra.circular(a)[0],
        "cos": lambda algebra, a: algebra.circular(a)[1],
        "tan": _tan,
        "sinh": lambda algebra, a: _hyperbolic(algebra, a)[0],
        "cosh": lambda algebra, a: _hyperbolic(algebra, a)[1],
        "tanh": lambda algebra, a: algebra.div(*_hyperbolic(algebra, a)),
        "besseli": _bessel_i,
        "chebyshev_t": _polynomial(lambda s, k, x, _: (_linear(s, min(k, Fraction(2)), x), _fraction(-1))),
        "gegenbauer": _polynomial(
            lambda s, k, x, a: (_linear(s, 2 * (k + a[0] - 1) / k, x), _fraction(-(k + 2 * a[0] - 2) / k))
        ),
        "hermite": _polynomial(lambda s, k, x, _: (_linear(s, Fraction(2), x), _fraction(-2 * (k - 1)))),
        "laguerre": _polynomial(
            lambda s, k, x, a: (_linear(s, -1 / k, x, (2 * k - 1 + a[0]) / k), _fraction(-(k - 1 + a[0]) / k))
        ),
    }
)
