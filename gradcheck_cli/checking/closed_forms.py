"""The closed forms that people read, and the check that they mean the same as the derivative that is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.equality import Together, are_apart
from gradcheck_cli.certified.references import References
from gradcheck_cli.errors import InternalError
from gradcheck_cli.expression.nodes import Expr, intermediates, topological
from gradcheck_cli.language.printer import text_within
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.reference import Kind, Reference
from gradcheck_cli.symbolic.closed_form import closed_form
from gradcheck_cli.symbolic.to_sympy import NoClosedForm

MOST = 100  # derivatives that are written out: 12 variables have 4,368 of order 5
SHOWN = 400  # characters of a derivative without a closed form
BITS = 128


class ClosedForms:
    """The derivatives of a problem in closed form, as SymPy has them.

    texts: by the label of the derivative; where SymPy has no closed form, the derivative as it is checked.
    """

    def __init__(self, expression: Expr, rows: Sequence[Derivative], derivatives: Derivatives) -> None:
        self.texts: dict[str, str] = {}
        self.forms: dict[Derivative, Expr] = {}
        for row in rows[:MOST]:
            if row in derivatives.missing:
                continue
            derivative = derivatives.expressions[row]
            try:
                form: Expr | None = closed_form(expression, row.wrt, intermediates(expression), derivative)
            except NoClosedForm:
                form = None
            text = None if form is None else text_within(form, 2_000)
            self.texts[row.label] = text or _text(derivative)
            if form is not None and text is not None and not set(row.wrt) & set(intermediates(expression)):
                self.forms[row] = form
        self.both = Together(*self.forms.values(), *(derivatives.expressions[row] for row in self.forms))

    def must_agree(self, point: Mapping[str, float], references: References) -> None:
        """Closed form and derivative must overlap at a point. Raises InternalError: a bug of ours."""
        if not any(_is_regular(references.rows[row]) for row in self.forms):
            return
        values = self.both.at(point, BITS)
        for row, form, derivative in zip(self.forms, values, values[len(self.forms) :], strict=False):
            if _is_regular(references.rows[row]) and are_apart(form, derivative):
                raise InternalError(
                    f"the closed form {self.texts[row.label]} is not the derivative at {dict(point)}: "
                    f"{form} against {derivative}"
                )


def _is_regular(reference: Reference) -> bool:
    return reference.kind is Kind.EXISTS and not reference.probed


def _text(derivative: Expr) -> str:
    text = text_within(derivative, SHOWN)
    return text or f"(a derivative of {len(topological(derivative))} nodes, too long to show)"
