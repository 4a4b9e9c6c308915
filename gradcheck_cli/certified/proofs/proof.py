"""Proofs that a claim is the derivative wherever both exist. A proof not found says nothing.

The signs of what decides a branch are gone through case by case. In each case derivative and claim are without
branches, and must have the same normal form (see normal_form.py). Where a sign is 0, two things can be meant:

- it stays 0 beside the point, along the variable: then it is a case like the others;
- it is 0 at that point only. There the rules of differentiation say nothing of a function that has a branch. But a
  derivative that exists is the limit of the derivatives beside it, from each side (Darboux). So what a claim says there
  is right if it goes on from one side without a jump, and no matter if the limits from the two sides differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from gradcheck_cli.certified.proofs.normal_form import (
    RULES,
    TOTAL,
    Algebra,
    Finer,
    Kernels,
    NoForm,
    Nowhere,
    Poly,
    Ratio,
    Split,
    number_of,
    to_expression,
)
from gradcheck_cli.differentiation import rules
from gradcheck_cli.differentiation.folding import ONE
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import by_row
from gradcheck_cli.expression.nodes import (
    Call,
    Constant,
    Expr,
    Named,
    call,
    intermediates,
    rebuild,
    substitute,
    topological,
    variables,
)
from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit

SIZE_LIMIT = 3_000  # nodes of an expression
DEPTH_LIMIT = 200
MOST_CASES = 400
MOST_ATTEMPTS = 20

FOLDED = by_row(
    {
        "abs": ("x", "x", "-x"),
        "relu": ("x", "x", "0"),
        "maximum": ("x - y", "x", "y"),
        "minimum": ("y - x", "x", "y"),
    }
)
"""Continuous functions with two pieces: what decides by its sign, the piece where it is not negative, the other."""
WRITTEN = by_row(
    {
        "erfc": "1 - erf(x)",
        "ndtri": "sqrt(2)*erfinv(2*x - 1)",
        "acos": "pi/2 - asin(x)",
        "ceil": "-floor(-x)",
        "offset_from_integer": "x - floor(x + 1/2)",
        "digamma": "polygamma(0, x)",
        "igammac": "1 - igamma(a, x)",
        "sinc": "where(x == 0, 1, sin(pi*x)/(pi*x))",
        "entr": "where(x == 0, 0, -x*log(x))",
        "xlogy": "where(x == 0, 0, x*log(y))",
        "xlog1py": "where(x == 0, 0, x*log1p(y))",
        "besselie": "exp(-abs(x))*besseli(n, x)",
        "nan_to_num": "x",
        "nan_to_num_bounded": "x",
    }
)
"""Functions in terms of others, where their row has no definition or one that leaves a point out."""
FIRST_DERIVATIVE_OF_SINC = "where(x == 0, 0, cos(pi*x)/x - sin(pi*x)/(pi*x**2))"


def equal(function: Expr, derivative: Expr, claim: Expr, wrt: Sequence[str], seconds: float) -> bool:
    """Whether the claim is proven to be the derivative wherever both exist. Takes at most `seconds`.

    derivative: that of `function` by the names of `wrt` in turn, as `derivative` and `gradient` make it.
    """
    if max(len(topological(root)) for root in (function, derivative, claim)) > SIZE_LIMIT:
        return False
    parts = _written(function, smooth=True), _written(derivative), _written(claim)
    branches = [_has_branches(part) for part in parts]
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


def _has_branches(root: Expr) -> bool:
    return any(
        isinstance(node, Call) and (node.function.is_branch or node.function in FOLDED or node.function.jumps)
        for node in topological(root)
    )


def _written(root: Expr, *, smooth: bool = False) -> Expr:
    """`root` in terms of the functions that normal forms know, of branches and of FOLDED.

    smooth: functions that need a branch here and have no seam stay as they are.
    """

    def replace(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        if not isinstance(node, Call) or node.function.role != "function":
            return None
        text = _text(node)
        if text is None or (smooth and node.function is op.SINC):
            return None
        names = [argument.name for argument in node.function.arguments]
        return substitute(_written_formula(text), dict(zip(names, args, strict=True)))

    return rebuild(root, replace)


def _text(node: Call) -> str | None:
    first, last = node.args[0], node.args[-1]
    if node.function is op.DSINC and first is ONE:
        return FIRST_DERIVATIVE_OF_SINC
    if node.function is op.MVPOLYGAMMA and isinstance(last, Constant):
        return " + ".join(f"polygamma(n, x - {j}/2)" for j in range(int(last.value)))
    if node.function in FOLDED:
        return None
    return WRITTEN.get(node.function, node.function.definition)


@cache
def _written_formula(text: str) -> Expr:
    return _written(rules.formula(text))


Signs = Mapping[str, int]


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
        case = _Case(self.kernels, signs, zeros, self.apart)
        try:
            function = case.resolved(self.function, given=True)
            value = case.algebra.form(function, given=True)
            tied = case.tied or _has_branches(function)
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

    def is_nowhere(self, case: _Case) -> bool:
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
        seam = _Seam(self.kernels, beside, still, poly, self.apart)
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
            case = _Case(self.kernels, tried, still, self.apart)
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
        values = _solved(self.kernels, poly)
        expression = to_expression(self.kernels, other)
        if values is None or expression is None:
            return 0
        algebra = Algebra(self.kernels, signs)
        try:
            return algebra.sign(algebra.form(substitute(expression, values)))
        except (Split, Nowhere, NoForm):
            return 0


class _Case:
    """Expressions where some signs are known.

    tied: whether something that decides between two pieces was 0; touched: and these need not meet.
    """

    def __init__(self, kernels: Kernels, signs: Signs, zeros: Sequence[Poly], apart: bool) -> None:
        self.algebra = Algebra(kernels, signs, apart=apart)
        self.zeros = zeros
        self.values: dict[str, Expr] = {}
        for poly in zeros:
            for name, value in (_solved(kernels, poly) or {}).items():
                self.values = {other: substitute(old, {name: value}) for other, old in self.values.items()}
                self.values[name] = value
        self.tied = self.touched = self.given = False

    def resolved(self, root: Expr, *, given: bool = False) -> Expr:
        """`root` without branches: only what is taken."""
        self.tied, self.touched, self.given = False, False, given
        self.done: dict[Expr, Expr] = {}
        return self._resolved(substitute(root, self.values) if self.values else root, 0)

    def _resolved(self, node: Expr, depth: int) -> Expr:
        if depth > DEPTH_LIMIT:
            raise NoForm("too deep")
        if node not in self.done:
            self.done[node] = self._resolve(node, depth + 1)
        return self.done[node]

    def _resolve(self, node: Expr, depth: int) -> Expr:
        match node:
            case Named(value=value):
                return self._resolved(value, depth)
            case Call(function=function, args=(condition, a, b)) if function.is_branch:
                return self._resolved(a if self._is_true(condition, depth) else b, depth)
            case Call(function=function, args=args) if function in FOLDED:
                decides, first, second = (
                    substitute(rules.formula(text), dict(zip("xy", args, strict=False))) for text in FOLDED[function]
                )
                sign = self._sign(decides, depth)
                return self._resolved(first if sign >= 0 else second, depth)
            case Call(function=function, args=args):
                return call(function, *(self._resolved(arg, depth) for arg in args))
        return node

    def _sign(self, node: Expr, depth: int) -> int:
        sign = self.algebra.sign(self.algebra.form(self._resolved(node, depth), given=self.given))
        self.tied = self.tied or sign == 0
        return sign

    def _is_true(self, condition: Expr, depth: int) -> bool:
        assert isinstance(condition, Call)
        match condition:
            case Call(function=(op.TRUE | op.FALSE) as function):
                return function is op.TRUE
            case Call(function=op.NOT, args=(inner,)):
                return not self._is_true(inner, depth)
            case Call(function=(op.AND | op.OR) as function, args=args):
                return self._junction(args, function is op.OR, depth)
        sign = self._sign(call(op.SUB, *condition.args), depth)
        self.touched = self.touched or sign == 0
        return _HOLDS[condition.function](sign)

    def _junction(self, conditions: Sequence[Expr], decisive: bool, depth: int) -> bool:
        """One that is decisive decides, also where the other is undefined."""
        undefined = False
        for condition in conditions:
            try:
                if self._is_true(condition, depth) is decisive:
                    return decisive
            except Nowhere:
                undefined = True
        if undefined:
            raise Nowhere
        return not decisive

    def is_zero(self, form: Ratio) -> bool:
        form = self.algebra.reduced(form)
        return bool(form.above.is_zero()) or any(divmod(form.above, zero)[1].is_zero() for zero in self.zeros)


_HOLDS: dict[Function, Callable[[int], bool]] = {
    op.LT: lambda sign: sign < 0,
    op.LE: lambda sign: sign <= 0,
    op.GT: lambda sign: sign > 0,
    op.GE: lambda sign: sign >= 0,
    op.EQ: lambda sign: sign == 0,
    op.NE: lambda sign: sign != 0,
}


class _Seam:
    """What is beside a point where a polynomial is zero along the variable."""

    def __init__(self, kernels: Kernels, signs: Signs, still: Sequence[Poly], poly: Poly, apart: bool) -> None:
        self.kernels, self.signs, self.poly, self.apart = kernels, signs, poly, apart
        self.values = _Case(kernels, signs, (*still, poly), apart).values if _solved(kernels, poly) else None

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


def _solved(kernels: Kernels, poly: Poly) -> dict[str, Expr] | None:
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


def _is_defined(node: Expr) -> bool:
    """Whether it can be told of a node if it is defined."""
    return not isinstance(node, Call) or node.function in RULES or node.function in TOTAL


def _jumps(claim: Expr, name: str) -> bool:
    """Whether a claim without branches may jump where it is defined, along the variable."""
    for node in topological(claim):
        match node:
            case Call(function=function) if function.jumps and name in variables(node):
                return True
    return False
