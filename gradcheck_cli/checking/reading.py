"""What a request says, as expressions: read before the heavy libraries load, so that a typing error answers at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement

from gradcheck_cli.checking.points.texts import Points, names_in, read_points, text_of
from gradcheck_cli.checking.points.written import take_apart
from gradcheck_cli.claims.claim_text import claimed_names
from gradcheck_cli.claims.reading import ReadClaim, Subject, Unreadable, read_claims
from gradcheck_cli.errors import ExpressionError, UsageError
from gradcheck_cli.expression.nodes import Expr, intermediates, variables
from gradcheck_cli.language.greek import TWINS
from gradcheck_cli.language.joined import application_in, product_in
from gradcheck_cli.language.script import read_script
from gradcheck_cli.option_table import MAX_ORDER
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.request import PointNumbers, Request
from gradcheck_cli.surfaces import Message, Option


@dataclass(frozen=True)
class Reading:
    """The expression, its intermediate results by name, and the names of its variables.

    request: as it was made, with the points that the text of the expression gives. rows: the derivatives asked for.
    points: those asked for; those of names that only claims have are their `others`. function_name: what the text calls
    the function; None where it has no left side. definitions, notices: as in language/script.py.
    """

    request: Request
    expression: Expr
    lets: Mapping[str, Expr]
    variables: tuple[str, ...]
    rows: tuple[Derivative, ...]
    claims: tuple[ReadClaim | Unreadable, ...]
    points: Points
    function_name: str | None = None
    definitions: Mapping[str, tuple[str, Expr]] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def read(request: Request) -> Reading:
    """The expression of a request, and what is asked of it.

    Raises GradcheckError for what cannot be read, and for an expression without variables; a claim that cannot be read
    is one of the claims.
    """
    given = names_in((*request.at, *request.ranges))
    names = given | set(request.wrt) | claimed_names(request.claims)
    script = read_script(request.expression, request.lets, given=given, names=names)
    expression, lets = script.expression, script.lets
    found = _in_order(variables(expression), script.parameters)
    if not found:
        raise UsageError(f"{request.expression.strip()} has no variable: there is nothing to differentiate")
    notices = (*script.notices, *_joined_names(request, found, given | names_in(script.at)))
    if script.at:
        its = " and ".join(script.at)
        if (completed := _completed(request.at, script.at, given, found)) is not None:
            request, given = replace(request, at=completed[0]), given | names_in(completed[0])
            notices = (f"the text gives {completed[1]}", *notices)
        elif request.at or (request.names("ranges") and request.samples is None):
            notices += (f"passed over: the point {its} of the text",)
        elif lacking := [name for name in found if name not in names_in(script.at)]:
            by = Option("at", ",".join(f"{name}=1" for name in lacking))
            raise UsageError(f"the text gives {its}, and no value to {' and '.join(lacking)}: give it by ", by)
        else:
            request, given = replace(request, at=script.at), given | names_in(script.at)
            notices = (f"the text gives the point {its}", *notices)
    rows = _rows(request, expression, found)
    claims: tuple[ReadClaim | Unreadable, ...] = ()
    others: list[str] = []
    if request.claims:
        subject = Subject(expression, rows, lets, given, script.function_name, script.functions, found)
        claims = read_claims(request.claims, subject)
        read = [claim.claim for claim in claims if isinstance(claim, ReadClaim)]
        others = [name for name in variables(*read) if name not in found]
    points = read_points(request.at, found, optional=others, count=request.samples)
    own = script.function_name, script.definitions, notices
    return Reading(request, expression, lets, found, rows, claims, points, *own)


def _completed(
    at: Sequence[str | PointNumbers], own: Sequence[str], given: Collection[str], found: Collection[str]
) -> tuple[tuple[str, ...], str] | None:
    """The points with what the text gives of the other variables, and that; None where they lack none, or more."""
    if not at or len(own) != 1:
        return None
    values = {name: value for name, value in take_apart(own[0]).parts if name is not None}
    texts = [text_of(one) for one in at]
    left = [name for name in found if name not in values]
    if not given and len(left) == 1 and not any(sign in text for text in texts for sign in "=;"):
        texts, given = [f"{left[0]}={text}" for text in texts], left
    lacking = {name: values.get(name) for name in found if name not in given}
    if not lacking or None in lacking.values() or any("=" not in text or ";" in text for text in texts):
        return None
    rest = ",".join(f"{name}={value}" for name, value in lacking.items())
    return tuple(f"{text},{rest}" for text in texts), rest


def _in_order(found: tuple[str, ...], parameters: tuple[str, ...]) -> tuple[str, ...]:
    """The variables: first those that the text gives the function as parameters, in its order."""
    if not parameters:
        return found
    return tuple(dict.fromkeys([*(name for name in parameters if name in found), *found]))


def _joined_names(request: Request, found: Collection[str], given: Collection[str]) -> Iterator[str]:
    """A notice for a name that may be a product without its sign, such as the xe of xe^x, where samples are taken.

    ExpressionError for one that has no value, where its parts have, and for `lnx`. found: the variables; given: those
    with a value.
    """
    for name in found:
        if name not in given and (meant := application_in(name)):
            as_name = Option("at", f"{name}=2")
            raise _at_name(request, name, (f"{name} has no value: for the function write {meant}; for a variable of "
                                           "that name, ", as_name, "."))  # fmt: skip
    if len(found) == 1 and not given:
        return
    for name in found:
        product = product_in(name, given or found) if name not in given else ""
        if product and not request.at:
            yield f"{name} is read as one variable; a product is written {product}"
        elif product:
            raise _at_name(request, name, f"{name} has no value: for a product write {product}.")


def _at_name(request: Request, name: str, message: str | Message) -> ExpressionError:
    """The error at the place of a name in what was typed."""
    place = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    source = next((text for text in (request.expression, *request.lets) if place.search(text)), "")
    where = place.search(source)
    return ExpressionError(message, source, *(where.span() if where else (0, 1)))


def _rows(request: Request, expression: Expr, found: tuple[str, ...]) -> tuple[Derivative, ...]:
    known = (*found, *intermediates(expression))
    wrt = [TWINS[name] if name not in known and TWINS.get(name) in known else name for name in request.wrt]
    for name in wrt:
        if name not in known:
            raise UsageError(Option("wrt", name), f": the expression has no {name}; it has {', '.join(known)}")
    if not 1 <= request.order <= MAX_ORDER:
        raise UsageError(Option("order"), f" is a whole number from 1 to {MAX_ORDER}, not {request.order}")
    names = tuple(dict.fromkeys(wrt)) or found
    return tuple(map(Derivative, combinations_with_replacement(names, request.order)))
