"""Real expressions without branches as rational functions of independent pieces, by rules that hold at every point.

A piece (`Kernel`) is a variable, pi, an exponential, sine or cosine of one term, log|p|, a root of |p|, or a function
of normal forms. Two expressions of the same normal form are equal wherever both are defined: nothing is sampled, and no
rule assumes a sign that is not known. What depends on a sign that is not known raises `Split`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from gradcheck_cli.certified.proofs.kernels import (
    Kernels,
    NoForm,
    Ratio,
    Split,
    number_of,
    poly_of,
    ratio_of,
    ratio_of_number,
    ratio_text,
)
from gradcheck_cli.certified.proofs.powers import Powers
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS, by_row, rows
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, Variable, topological

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


class Algebra(Powers):
    """Normal forms of whole expressions. See Arithmetic for what goes in."""

    def __init__(self, kernels: Kernels, signs: Mapping[str, int], *, apart: bool = False) -> None:
        super().__init__(kernels, signs, apart=apart)
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
                    made = ratio_of_number(value)
                case Constant(value="e"):
                    made = self.exp(Ratio(poly_of(1), poly_of(1)))
                case Constant(value=value):
                    pi = self.kernels.generator("pi", "")
                    made = ratio_of(2 * pi if value == "tau" else pi)
                case Variable(name=name):
                    made = ratio_of(self.kernels.generator("variable", name))
                case Named(value=value):
                    made = self.made[value]
                case Call(function=function, args=args):
                    rule = RULES.get(function)
                    values = [self.made[arg] for arg in args]
                    made = rule(self, *values) if rule else self.function(function, values)
            self.made[node] = made

    def function(self, row: Function, args: Sequence[Ratio]) -> Ratio:
        """A function of the table that has no rule here: a piece of its own."""
        args = [self.reduced(arg) for arg in args]
        for index, least, allowed in DOMAINS.get(row, ()):
            self._must_have_sign(self.sub(args[index], ratio_of(poly_of(least))), allowed)
        if row.odd and args[0].above.is_zero():
            return args[0]
        negative = row.odd and args[0].above.leading_coefficient() < 0
        if negative:
            args = [self.neg(args[0])]
        key = f"{row.name}({', '.join(map(ratio_text, args))})"
        made = ratio_of(self.kernels.generator("function", key, *args))
        return self.neg(made) if negative else made


def _sqrt(algebra: Algebra, a: Ratio) -> Ratio:
    return algebra.root(algebra.reduced(a), Fraction(1, 2))


def _tan(algebra: Algebra, a: Ratio) -> Ratio:
    return algebra.div(*algebra.circular(a))


def _hyperbolic(algebra: Algebra, a: Ratio) -> tuple[Ratio, Ratio]:
    """Hyperbolic sine and cosine."""
    up, down = algebra.exp(a), algebra.exp(algebra.neg(a))
    half = ratio_of_number(Fraction(1, 2))
    return algebra.mul(half, algebra.sub(up, down)), algebra.mul(half, algebra.add(up, down))


def _bessel_i(algebra: Algebra, n: Ratio, x: Ratio) -> Ratio:
    if algebra.reduced(x).above.is_zero():
        return ratio_of(poly_of(int(number_of(n) == 0)))
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
        before, last = ratio_of(poly_of(0)), ratio_of(poly_of(int(n >= 0)))
        for k in range(1, int(n) + 1):
            a, b = step(algebra, Fraction(k), x, [number for number in numbers[:-1] if number is not None])
            before, last = last, algebra.add(algebra.mul(a, last), algebra.mul(b, before))
        return last

    return rule


def _linear(algebra: Algebra, factor: Fraction, x: Ratio, number: Fraction = Fraction(0)) -> Ratio:
    return algebra.add(algebra.mul(ratio_of_number(factor), x), ratio_of_number(number))


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
        "chebyshev_t": _polynomial(lambda s, k, x, _: (_linear(s, min(k, Fraction(2)), x), ratio_of_number(-1))),
        "gegenbauer": _polynomial(
            lambda s, k, x, a: (_linear(s, 2 * (k + a[0] - 1) / k, x), ratio_of_number(-(k + 2 * a[0] - 2) / k))
        ),
        "hermite": _polynomial(lambda s, k, x, _: (_linear(s, Fraction(2), x), ratio_of_number(-2 * (k - 1)))),
        "laguerre": _polynomial(
            lambda s, k, x, a: (_linear(s, -1 / k, x, (2 * k - 1 + a[0]) / k), ratio_of_number(-(k - 1 + a[0]) / k))
        ),
    }
)
