"""The common slips in differentiating by hand: each makes, of one function, the derivatives that it would lead to.

A slip is local: one node p of the function gets a wrong derivative p~ instead of p', and the rest of the chain rule is
right. Then the whole derivative is D + dF/dp * (p~ - p'). A new slip is a row of SLIPS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from gradcheck_cli.claims.misremembered import misremembered
from gradcheck_cli.differentiation import rules
from gradcheck_cli.differentiation.folding import ONE, ZERO, fold
from gradcheck_cli.differentiation.gradient import derivative, gradient
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS, by_row
from gradcheck_cli.expression.nodes import (
    Call,
    Constant,
    Expr,
    Variable,
    call,
    constant,
    depends_on,
    named,
    rebuild,
    substitute,
    topological,
    variables,
)
from gradcheck_cli.language.printer import short_text

MOST_NODES = 60  # of a function whose every node is tried
MARK = "slip node"


class Slip(NamedTuple):
    """What somebody may have done, as a sentence, and the derivative that it leads to."""

    sentence: str
    result: Expr


class Wrong(NamedTuple):
    """A sentence, and a wrong derivative of one node."""

    sentence: str
    derivative: Expr


def slips(chain: Sequence[Expr], wrt: Sequence[str]) -> Iterator[Slip]:
    """The derivatives that common slips lead to, the likeliest first.

    chain: the function and its derivatives by the names of `wrt` in turn; the last is the right one.
    """
    if len(wrt) == 1:
        yield from _first_order(chain[0], wrt[0], chain[1])
        return
    yield Slip("the sign is wrong", fold(op.NEG, chain[-1]))
    yield from _other_orders(chain, wrt)
    for step, name in reversed(tuple(enumerate(wrt))):
        right = _derivative(chain[step], name)
        for slip in _first_order(chain[step], name, right):
            try:
                result = derivative(slip.result, wrt[step + 1 :])
            except NoReference:
                continue
            yield Slip(f"in the {_ordinal(step + 1)} differentiation: {slip.sentence}", result)


def _other_orders(chain: Sequence[Expr], wrt: Sequence[str]) -> Iterator[Slip]:
    """A derivative of another order, or by other names."""
    order = len(wrt)
    for lower in range(order - 1, 0, -1):
        yield Slip(f"it is the {_ordinal(lower)} derivative, not the {_ordinal(order)}", chain[lower])
    yield Slip("it is the function itself, not its derivative", chain[0])
    for name in variables(chain[0]):
        other = (*wrt[:-1], name)
        if sorted(other) != sorted(wrt):
            sentence = f"it is the derivative by {', '.join(other)}, not by {', '.join(wrt)}"
            yield Slip(sentence, derivative(chain[0], other))
    higher = f"it is the {_ordinal(order + 1)} derivative, not the {_ordinal(order)}"
    yield Slip(higher, _derivative(chain[-1], wrt[-1]))
    power = call(op.POW, chain[1], constant(order, exact=True))
    yield Slip(f"it is a power of the first derivative, not the {_ordinal(order)} derivative", power)


def _ordinal(number: int) -> str:
    words = ("first", "second", "third", "fourth", "fifth")
    return words[number - 1] if number <= len(words) else f"{number}th"


def _first_order(expression: Expr, name: str, right: Expr) -> Iterator[Slip]:
    """What slips make of the derivative of an expression by `name`, which is `right`."""
    yield Slip("the sign is wrong", fold(op.NEG, right))
    for other in variables(expression):
        if other != name:
            yield Slip(f"it is the derivative by {other}, not by {name}", _derivative(expression, other))
    yield from _logarithms(expression, name)
    order = topological(expression)
    if len(order) > MOST_NODES:
        return
    dependent = depends_on(order, [name])
    nodes = [node for node in order if node in dependent and isinstance(node, Call) and not node.function.is_condition]
    for rule, sentence_for_all in SLIPS:
        everywhere, times = right, 0
        for node in reversed(nodes):
            outside = _adjoint(expression, node)
            for alternative, (sentence, wrong) in enumerate(rule(node, name, dependent)):
                change = fold(op.MUL, outside, fold(op.SUB, wrong, _derivative(node, name)))
                yield Slip(sentence, fold(op.ADD, right, change))
                if not alternative:
                    everywhere, times = fold(op.ADD, everywhere, change), times + 1
        if times > 1:
            yield Slip(sentence_for_all, everywhere)
    yield Slip("it is the function itself, not its derivative", expression)


def _logarithms(expression: Expr, name: str) -> Iterator[Slip]:
    found = {node.function for node in topological(expression) if isinstance(node, Call)}
    for used, meant, sentence in LOGARITHMS:
        if used in found:
            replaced = rebuild(
                expression,
                lambda node, args, used=used, meant=meant: (  # type: ignore[misc]
                    call(meant, *args) if isinstance(node, Call) and node.function is used else None
                ),
            )
            yield Slip(sentence, _derivative(replaced, name))


_LOG2, _LOG10 = FUNCTIONS["log2"], FUNCTIONS["log10"]
LOGARITHMS = (
    (
        FUNCTIONS["log10"],
        op.LOG,
        "log10 was differentiated like the natural logarithm: the factor 1/log(10) is missing",
    ),
    (_LOG2, op.LOG, "log2 was differentiated like the natural logarithm: the factor 1/log(2) is missing"),
    (op.LOG, _LOG10, "log is the natural logarithm here, and was differentiated like log10"),
)


def _derivative(root: Expr, name: str) -> Expr:
    return gradient(root, [name])[name]


def _adjoint(root: Expr, node: Expr) -> Expr:
    """The derivative of `root` by its node."""
    marked = rebuild(root, lambda old, args: _marked(old, args) if old is node else None)
    return gradient(marked, [MARK])[MARK]


def _marked(node: Expr, args: tuple[Expr, ...]) -> Expr:
    return named(MARK, call(node.function, *args) if isinstance(node, Call) else node)


Rule = Callable[[Call, str, set[Expr]], Iterator[Wrong]]


def _inner(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    for index, arg in enumerate(() if node.function in op.ARITHMETIC or node.function.is_branch else node.args):
        if arg not in dependent or isinstance(arg, Variable):
            continue
        wrong: Expr = ZERO
        for other, inner in enumerate(node.args):
            if inner in dependent:
                factor = ONE if other == index else _derivative(inner, name)
                wrong = fold(op.ADD, wrong, fold(op.MUL, _local(node, other), factor))
        yield Wrong(f"the inner derivative of {short_text(node)} is missing (chain rule)", wrong)
    if node.function is op.POW and node.args[1] not in dependent and not isinstance(node.args[0], Variable):
        base, exponent = node.args
        yield Wrong(
            f"the inner derivative of {short_text(node)} is missing (chain rule)",
            fold(op.MUL, exponent, fold(op.POW, base, fold(op.SUB, exponent, ONE))),
        )


def _power(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    if node.function is not op.POW or node.args[1] in dependent:
        return
    base, exponent = node.args
    inner = _derivative(base, name)
    less = fold(op.POW, base, fold(op.SUB, exponent, ONE))
    yield Wrong(
        f"the factor {short_text(exponent)} of the power rule is missing for {short_text(node)}",
        fold(op.MUL, less, inner),
    )
    yield Wrong(
        f"the exponent of {short_text(node)} was not reduced by 1 (power rule)",
        fold(op.MUL, fold(op.MUL, exponent, node), inner),
    )
    yield Wrong(
        f"the power was dropped, not reduced by 1, in the derivative of {short_text(node)}",
        fold(op.MUL, fold(op.MUL, exponent, base), inner),
    )
    yield Wrong(
        f"the power was dropped, not reduced by 1, in the derivative of {short_text(node)}",
        fold(op.MUL, exponent, inner),
    )
    yield Wrong(
        f"the exponent of {short_text(node)} was increased by 1, not reduced (power rule)",
        fold(op.MUL, fold(op.MUL, exponent, fold(op.POW, base, fold(op.ADD, exponent, ONE))), inner),
    )
    yield Wrong(
        f"the power {short_text(node)} was differentiated like an exponential",
        fold(op.MUL, fold(op.MUL, node, fold(op.LOG, base)), inner),
    )


def _exponential(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    if node.function is op.EXP and node.args[0] in dependent:
        (arg,) = node.args
        less = fold(op.MUL, arg, call(op.EXP, fold(op.SUB, arg, ONE)))
        sentence = f"the power rule was used for the exponential {short_text(node)}"
        yield Wrong(sentence, fold(op.MUL, less, _derivative(arg, name)))
        yield Wrong(f"{sentence}, and the inner derivative is missing (chain rule)", less)
    if node.function is op.POW and node.args[1] in dependent:
        base, exponent = node.args
        inner = _derivative(exponent, name)
        less = fold(op.MUL, exponent, fold(op.POW, base, fold(op.SUB, exponent, ONE)))
        yield Wrong(f"the power rule was used for the exponential {short_text(node)}", fold(op.MUL, less, inner))
        yield Wrong(f"the factor log({short_text(base)}) is missing for {short_text(node)}", fold(op.MUL, node, inner))


def _product(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    if node.function is not op.MUL or not all(arg in dependent for arg in node.args):
        return
    u, v = node.args
    du, dv = _derivative(u, name), _derivative(v, name)
    text = short_text(node)
    yield Wrong(f"only one term of the product rule for {text} is there", fold(op.MUL, du, v))
    yield Wrong(f"only one term of the product rule for {text} is there", fold(op.MUL, u, dv))
    yield Wrong(f"the derivative of the product {text} is not the product of the derivatives", fold(op.MUL, du, dv))
    sentence = f"a factor is missing in the product rule for {text}:"
    yield Wrong(f"{sentence} {short_text(u)} in the second term", fold(op.ADD, fold(op.MUL, du, v), dv))
    yield Wrong(f"{sentence} {short_text(v)} in the first term", fold(op.ADD, du, fold(op.MUL, u, dv)))
    yield Wrong(
        f"the terms of the product rule for {text} were subtracted, not added",
        fold(op.SUB, fold(op.MUL, du, v), fold(op.MUL, u, dv)),
    )


def _quotient(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    if node.function is not op.DIV or node.args[1] not in dependent:
        return
    u, v = node.args
    du, dv = _derivative(u, name), _derivative(v, name)
    text = short_text(node)
    square = fold(op.POW, v, constant(2, exact=True))
    cross, direct = fold(op.MUL, u, dv), fold(op.MUL, du, v)
    if u in dependent:
        yield Wrong(
            f"the derivative of the quotient {text} is not the quotient of the derivatives", call(op.DIV, du, dv)
        )
        yield Wrong(f"only one term of the quotient rule for {text} is there", call(op.DIV, du, v))
    yield Wrong(f"only one term of the quotient rule for {text} is there", fold(op.NEG, call(op.DIV, cross, square)))
    yield Wrong(f"the sign in the quotient rule for {text} is wrong", call(op.DIV, fold(op.ADD, direct, cross), square))
    yield Wrong(f"the sign in the quotient rule for {text} is wrong", call(op.DIV, fold(op.SUB, cross, direct), square))
    yield Wrong(
        f"the square of the denominator is missing in the quotient rule for {text}",
        call(op.DIV, fold(op.SUB, direct, cross), v),
    )


def _output(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    """Rules that are known in terms of the output, y' = y*(1 - y), with the argument put in for the output."""
    found = _known_by_output(node)
    if found is None:
        return
    function, arg = found
    if arg not in dependent:
        return
    rule = substitute(rules.formula(OUTPUT_RULES[function]), {"y": arg})
    y = OUTPUT_RULES[function]
    sentence = f"the derivative of {function.name} was written as y' = {y} with y = {short_text(arg)}: y is its output"
    yield Wrong(f"{sentence}, {short_text(node)}", fold(op.MUL, rule, _derivative(arg, name)))
    yield Wrong(f"{sentence}, {short_text(node)}, and the inner derivative is missing (chain rule)", rule)


def _known_by_output(node: Call) -> tuple[Function, Expr] | None:
    """(function, argument) where people know the derivative in terms of the output; 1/(1 + exp(-u)) is sigmoid."""
    if node.function in OUTPUT_RULES:
        return node.function, node.args[0]
    match node:
        case Call(function=op.DIV, args=(Constant(value=1), Call(function=op.ADD, args=args))):
            for one, other in (args, args[::-1]):
                match one, other:
                    case Constant(value=1), Call(function=op.EXP, args=(Call(function=op.NEG, args=(arg,)),)):
                        return op.SIGMOID, arg
    return None


OUTPUT_RULES = by_row(
    {
        "sigmoid": "y*(1 - y)",
        "tanh": "1 - y**2",
        "tan": "1 + y**2",
        "softplus": "1 - exp(-y)",
        "sqrt": "1/(2*y)",
        "exp": "y",
    }
)


def _remembered(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    for sentence, wrong in misremembered(node):
        inner = _derivative(node.args[0], name)
        yield Wrong(sentence, fold(op.MUL, wrong, inner))
        if inner is not ONE:
            yield Wrong(f"{sentence}; the inner derivative is missing as well (chain rule)", wrong)


def _sign(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    if node.function not in op.ARITHMETIC:
        yield Wrong(f"the sign of the derivative of {short_text(node)} is wrong", fold(op.NEG, _derivative(node, name)))


def _term_sign(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    if node.function in op.ARITHMETIC:
        yield Wrong(f"the sign of the derivative of {short_text(node)} is wrong", fold(op.NEG, _derivative(node, name)))


def _term(node: Call, name: str, dependent: set[Expr]) -> Iterator[Wrong]:
    if node.function in (op.ADD, op.SUB):
        u, v = node.args
        if u in dependent:
            rest = _derivative(v, name)
            rest = fold(op.NEG, rest) if node.function is op.SUB else rest
            yield Wrong(f"the derivative of {short_text(u)} is missing", rest)
        if v in dependent:
            yield Wrong(f"the derivative of {short_text(v)} is missing", _derivative(u, name))


SLIPS: tuple[tuple[Rule, str], ...] = (
    (_inner, "the inner derivatives are missing (chain rule)"),
    (_power, "the factors of the power rule are missing"),
    (_exponential, "the power rule was used for exponentials"),
    (_output, "derivatives that are known in terms of the output were written in terms of the argument"),
    (_remembered, "the derivatives of the functions themselves are wrong throughout"),
    (_sign, "the signs of the inner derivatives are wrong"),
    (_product, "only one term of each product rule is there"),
    (_quotient, "the derivative of a quotient is not the quotient of the derivatives"),
    (_term_sign, "the signs of the terms are wrong"),
    (_term, "the derivative of one term is missing in each sum"),
)
"""Each rule with what to say where it was broken throughout: at every node, in its first alternative."""


def _local(node: Call, index: int) -> Expr:
    rule = rules.partial(node.function, index)
    if rule is None:
        raise NoReference(f"the derivative of {node.function.name} is not known")
    return rules.instantiate(rule, node.function, node.args)
