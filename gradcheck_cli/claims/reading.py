"""Claims as expressions: which derivative each is for, and what it says that it is. No derivative is made here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

from gradcheck_cli.claims.claim_text import ClaimText, has_left_side, separate_claims, split_claim
from gradcheck_cli.errors import ExpressionError, GradcheckError, UsageError
from gradcheck_cli.expression.nodes import Expr, Named, Variable, intermediates, rebuild, variable, variables
from gradcheck_cli.language.cursor import Defined
from gradcheck_cli.language.joined import application_in, product_in
from gradcheck_cli.language.parser import parse
from gradcheck_cli.language.statements import statements
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.surfaces import Option

_CALLED = re.compile(r"([^\W\d]\w*)\s*\(")
LONG = 2_000
"""Characters of a claim that nobody writes by hand."""
VALUES = ("f", "s", "y")
"""What people call the value of a function in its derivative, where it is nothing else."""


@dataclass(frozen=True)
class Subject:
    """The function that claims are about.

    rows: its derivatives that are checked. lets: named results by name; functions: likewise. given: names that have a
    value by a point, and are variables therefore. name: of the function, where it was given one. arguments: its
    variables, in order.
    """

    expression: Expr
    rows: Sequence[Derivative]
    lets: Mapping[str, Expr] = field(default_factory=dict)
    given: Collection[str] = ()
    name: str | None = None
    functions: Mapping[str, Defined] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The variables of the function."""
        return variables(self.expression)

    @cached_property
    def known(self) -> tuple[str, ...]:
        """What it can be differentiated by."""
        return *self.own, *intermediates(self.expression)

    @cached_property
    def values(self) -> list[str]:
        """What the value of the function may be called."""
        taken = {*self.own, *self.lets, *self.given}
        return [name for name in dict.fromkeys((self.name, *VALUES)) if name is not None and name not in taken]


@dataclass(frozen=True)
class ReadClaim:
    """One claim. text: the formula, as typed; note: what was assumed in reading it."""

    derivative: Derivative
    text: str
    claim: Expr
    note: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """A claim that cannot be read. option: it as it was given; derivative: as far as it says which."""

    derivative: Derivative
    text: str
    option: Option
    error: GradcheckError

    def raised(self) -> GradcheckError:
        """The error for who has nothing else to report."""
        error = self.error
        if isinstance(error, ExpressionError):
            return ExpressionError((self.option, ": ", *error.parts), error.source, error.start, error.end)
        return UsageError(self.option, ": ", *error.parts)


def read_claims(texts: Sequence[str], subject: Subject) -> tuple[ReadClaim | Unreadable, ...]:
    """The claims of texts, maybe several for one derivative. One that cannot be read does not keep others from it.

    As many as there are derivatives, none of which says which it is, stand in the order of these.
    """
    claims: list[ReadClaim | Unreadable] = []
    separate = list(chain.from_iterable(map(separate_claims, texts)))
    in_order = len(separate) == len(subject.rows) > 1 and not any(map(has_left_side, separate))
    for index, text in enumerate(separate):
        said = ClaimText((text.strip(),))
        try:
            said = split_claim(text)
            if in_order and len(said.formulas) == 1:
                said = replace(said, names=subject.rows[index].wrt)
            for derivative, formula in zip(_which(said, subject), said.formulas, strict=True):
                _require_same(said, subject)
                claims.append(_read(derivative, formula, subject))
        except (ExpressionError, UsageError) as error:
            one = len(subject.rows) == 1 and not said.names
            which = subject.rows[0] if one else Derivative(said.names)
            formula = said.formulas[0] if len(said.formulas) == 1 else text.strip()
            claims.append(Unreadable(which, formula, Option("claim", text), error))
    return tuple(claims)


def read_claim(text: str, subject: Subject) -> ReadClaim:
    """The one claim of a text. Raises ExpressionError or UsageError."""
    (claim,) = read_claims([text], subject)
    if isinstance(claim, Unreadable):
        raise claim.error
    return claim


def _which(said: ClaimText, subject: Subject) -> Sequence[Derivative]:
    """The derivatives that the formulas of a claim are for, in their order."""
    rows = subject.rows
    if said.names:
        return [_of_names(said, subject.known)]
    if said.order not in (0, rows[0].order):
        raise UsageError(f"{said.left} is of order {said.order}: for that give ", Option("order", str(said.order)))
    if len(said.formulas) == 1 < len(rows):
        choices = " or ".join(f"'{row.label}: …'" for row in rows[:3])
        raise UsageError(f"it does not say which derivative it is: {choices}")
    if len(said.formulas) not in (1, len(rows)):
        labels = ", ".join(row.label for row in rows[:8])
        derivatives = "the derivative" if len(rows) == 1 else f"{len(rows)} derivatives, which are"
        raise UsageError(f"there are {len(said.formulas)} formulas for {derivatives} by {labels}")
    return rows


def _of_names(said: ClaimText, known: Sequence[str]) -> Derivative:
    for name, written in zip(said.wrt(known), said.names, strict=True):
        if name in known:
            continue
        has = f"the expression has no {name}; it has {', '.join(known)}"
        if said.certain or not said.left:
            raise UsageError(has)
        example = f"{known[0]}: {said.formulas[0]}"
        raise UsageError(f"{written} is no variable to differentiate by: {has}; write ", Option("claim", example))
    return Derivative(said.wrt(known))


def _require_same(said: ClaimText, subject: Subject) -> None:
    """UsageError for d/dx (formula) where the formula is not the function."""
    if said.operand is not None and parse(said.operand, names=subject.own) is not subject.expression:
        raise UsageError(
            f"it is about {said.operand.strip()[:100]}, which is not written as the function is: leave it out"
        )


def _read(derivative: Derivative, formula: str, subject: Subject) -> ReadClaim:
    names = {*subject.own, *subject.given} - set(subject.lets)
    typed = _alone(formula)
    formula = _with_products(typed, subject) if len(typed) <= LONG else typed
    words = set(_CALLED.findall(formula)) if "(" in formula else set()
    called = [name for name in subject.values if name in words]
    functions = {name: _as_function(name, subject) for name in called}
    claim = parse(formula, names=names, lets=subject.lets, defined={**functions, **subject.functions})
    free = set(variables(claim)).difference(subject.own)
    for name in sorted(free.difference(subject.given, subject.values)):
        if meant := product_in(name, subject.own) or application_in(name):
            start = max(0, formula.find(name))
            kind = "the function" if "(" in meant else "a product"
            raise ExpressionError(
                f"The function has no {name}: for {kind} write {meant}.", formula, start, start + len(name)
            )
    used = [name for name in subject.values if name in called or name in free]
    if not used:
        return ReadClaim(derivative, typed, claim)

    def as_value(node: Expr, below: tuple[Expr, ...]) -> Expr | None:
        if isinstance(node, Variable):
            return subject.expression if node.name in used else None
        return below[0] if isinstance(node, Named) and node.name in used else None

    shown = " and ".join(used)
    return ReadClaim(
        derivative, typed, rebuild(claim, as_value), f"{shown} in the claim is read as the value of the function"
    )


def _alone(text: str) -> str:
    """What `lambda x: 2*x`, `return 2*x` and `2*x  # mine` say."""
    found = statements(text)
    return found.items[0].text if len(found.items) == 1 and not found.items[0].body else text


def _with_products(formula: str, subject: Subject) -> str:
    """`s*(1 - s)` for `s(1 - s)`: what is in the brackets is no argument of s where s itself is a value in it."""
    for name in subject.values:
        for found in reversed(list(re.finditer(rf"(?<!\w){re.escape(name)}\s*(?=\()", formula))):
            inside = formula[found.end() : _closed(formula, found.end())]
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w|\s*\()", inside):
                formula = f"{formula[: found.end()].rstrip()}*{formula[found.end() :]}"
    return formula


def _closed(text: str, opening: int) -> int:
    """Behind the bracket that closes the one there; the end of the text where none does."""
    depth = 0
    for index in range(opening, len(text)):
        depth += (text[index] in "([{") - (text[index] in ")]}")
        if not depth:
            return index + 1
    return len(text)


def _as_function(name: str, subject: Subject) -> Defined:
    arguments = subject.arguments or subject.own
    given = tuple(map(variable, arguments))
    return Defined(name, arguments, subject.expression, given, subject.expression)


def raise_unreadable(claims: Sequence[ReadClaim | Unreadable]) -> None:
    """Raises the error of a claim where none can be read: who typed it is told at once."""
    unreadable = [claim for claim in claims if isinstance(claim, Unreadable)]
    if unreadable and len(unreadable) == len(claims):
        raise unreadable[0].raised()
