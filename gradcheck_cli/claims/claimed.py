"""A claim about one expression, read: which derivative it is for, and that derivative as it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradcheck_cli.claims.claim_text import split_claim
from gradcheck_cli.differentiation.gradient import gradient
from gradcheck_cli.errors import UsageError
from gradcheck_cli.expression.nodes import Expr, intermediates, variables
from gradcheck_cli.language.parser import parse
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.results import Claim, ClaimStatus, Counterexample

CLOSED_FORM_SECONDS = 2.0


class ClaimedDerivative:
    """One claim about one expression, read and ready to be compared.

    rows: the derivatives that are checked; a claim that names none belongs to the only one. lets: named results by
    name. Raises ExpressionError or UsageError for a claim that cannot be read.
    """

    def __init__(self, text: str, expression: Expr, rows: Sequence[Derivative], lets: Mapping[str, Expr]) -> None:
        names, self.text = split_claim(text)
        self.expression = expression
        known = (*variables(expression), *intermediates(expression))
        self.derivative = self._which(names, rows, known)
        self.claim = parse(self.text, names=set(variables(expression)) - set(lets), lets=lets)
        self.chain = [expression]
        for name in self.derivative.wrt:
            self.chain.append(gradient(self.chain[-1], [name])[name])
        self.right = self.chain[-1]
        self.extra = tuple(name for name in variables(self.claim) if name not in variables(expression))
        self.names = (*variables(expression), *self.extra)

    @staticmethod
    def _which(names: tuple[str, ...], rows: Sequence[Derivative], known: Sequence[str]) -> Derivative:
        if not names and len(rows) > 1:
            choices = " or ".join(f"'{row.label}: …'" for row in rows[:3])
            raise UsageError(f"it does not say which derivative it is: {choices}")
        found = Derivative(names) if names else rows[0]
        for name in found.wrt:
            if name not in known:
                raise UsageError(f"the expression has no {name}; it has {', '.join(known)}")
        return found

    def readable_chain(self) -> list[Expr]:
        """The function and its derivatives, those between the first and the last as one would write them."""
        between = (self.closed_form(order) for order in range(1, self.derivative.order))
        return [self.expression, *between, self.right]

    def record(
        self,
        status: ClaimStatus,
        points: int,
        counterexample: Counterexample | None = None,
        note: str | None = None,
        truth: str | None = None,
    ) -> Claim:
        """What became of the claim. truth: the right derivative, as a text."""
        return Claim(self.derivative, self.text, status, status.passes, points, counterexample, note, truth)

    def closed_form(self, order: int) -> Expr:
        """The derivative of that order, in closed form where SymPy has one soon."""
        from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit
        from gradcheck_cli.symbolic.closed_form import closed_form
        from gradcheck_cli.symbolic.to_sympy import NoClosedForm

        try:
            with time_limit(CLOSED_FORM_SECONDS):
                return closed_form(
                    self.expression, self.derivative.wrt[:order], intermediates(self.expression), self.chain[order]
                )
        except (NoClosedForm, OutOfTime):
            return self.chain[order]


def unreadable(text: str, rows: Sequence[Derivative], why: str) -> Claim:
    """What is reported of a claim that cannot be read. rows: the derivatives that are checked."""
    names, written = split_claim(text)
    which = rows[0] if not names and len(rows) == 1 else Derivative(names)
    return Claim(which, written, ClaimStatus.UNREADABLE, False, 0, note=why)
