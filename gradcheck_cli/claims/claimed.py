"""A claim about one expression, and the derivative as it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from gradcheck_cli.claims.reading import ReadClaim, Unreadable
from gradcheck_cli.differentiation.gradient import gradient
from gradcheck_cli.expression.nodes import Expr, intermediates, variables
from gradcheck_cli.records.results import Claim, ClaimStatus, Counterexample
from gradcheck_cli.surfaces import Words

CLOSED_FORM_SECONDS = 2.0


class ClaimedDerivative:
    """One claim about one expression, ready to be compared.

    values: of the names that only the claim has, where they were given. is_entry: whether it is one entry of a claim
    about arrays, of which what is right at the point is told as a whole.
    """

    def __init__(
        self,
        read: ReadClaim,
        expression: Expr,
        values: Mapping[str, Sequence[Fraction]] | None = None,
        *,
        is_entry: bool = False,
    ) -> None:
        self.is_entry = is_entry
        self.text, self.expression, self.derivative, self.claim = read.text, expression, read.derivative, read.claim
        self.note = read.note
        self.chain = [expression]
        for name in self.derivative.wrt:
            self.chain.append(gradient(self.chain[-1], [name])[name])
        self.right = self.chain[-1]
        self.extra = tuple(name for name in variables(self.claim) if name not in variables(expression))
        self.names = (*variables(expression), *self.extra)
        self.values = values or {}

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
        """What became of the claim. truth: the right derivative, as a text. A claim that is proven was read as it was
        meant: how, is not said."""
        reading = None if status is ClaimStatus.PROVEN else self.note
        note = "; ".join(filter(None, (reading, note))) or None
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


def unreadable(claim: Unreadable, words: Words) -> Claim:
    """What is reported of a claim that cannot be read. words: how whoever asks calls the options."""
    status = ClaimStatus.UNREADABLE
    return Claim(claim.derivative, claim.text, status, False, 0, note=claim.error.worded(words))
