"""What a request says, as expressions: read before the heavy libraries load, so that a typing error answers at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gradcheck_cli.checking.points.texts import names_in
from gradcheck_cli.claims.claim_text import claimed_names
from gradcheck_cli.errors import UsageError
from gradcheck_cli.expression.nodes import Expr, variables
from gradcheck_cli.language.parser import parse, parse_lets
from gradcheck_cli.records.request import Request


@dataclass(frozen=True)
class Reading:
    """The expression, its intermediate results by name, and the names of its variables."""

    expression: Expr
    lets: Mapping[str, Expr]
    variables: tuple[str, ...]


def read(request: Request) -> Reading:
    """The expression of a request. Raises GradcheckError for one that cannot be read, or that has no variable."""
    given = names_in((*request.at, *request.ranges))
    names = given | set(request.wrt) | claimed_names(request.claims)
    lets = parse_lets(request.lets, names=given)
    expression = parse(request.expression, names=names - set(lets), lets=lets)
    found = variables(expression)
    if not found:
        raise UsageError(f"{request.expression.strip()} has no variable: there is nothing to differentiate")
    return Reading(expression, lets, found)
