"""One case of the signs of what decides a branch: the expressions without branches in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gradcheck_cli.certified.proofs.kernels import Kernels, NoForm, Nowhere, Poly, Ratio, solved
from gradcheck_cli.certified.proofs.normal_form import Algebra
from gradcheck_cli.certified.proofs.writing import FOLDED
from gradcheck_cli.differentiation import rules
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr, Named, call, substitute

DEPTH_LIMIT = 200
Signs = Mapping[str, int]


class Case:
    """Expressions where some signs are known.

    tied: whether something that decides between two pieces was 0; touched: and these need not meet.
    """

    def __init__(self, kernels: Kernels, signs: Signs, zeros: Sequence[Poly], apart: bool) -> None:
        self.algebra = Algebra(kernels, signs, apart=apart)
        self.zeros = zeros
        self.values: dict[str, Expr] = {}
        for poly in zeros:
            for name, value in (solved(kernels, poly) or {}).items():
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
