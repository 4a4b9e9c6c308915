"""A text as statements: `y = x^2; z = 2y + 3`, lines, the cell of a notebook.

What belongs to the program around a formula (imports, printing, comments, gradients that are printed) is passed over
here, and collected, so that it can be said. What a formula says is left to the parser: here it is a piece of text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language import signatures
from gradcheck_cli.language.branches import one_return
from gradcheck_cli.language.cursor import MAX_LENGTH
from gradcheck_cli.language.lines import NAME, Line, lines_of
from gradcheck_cli.language.modules import MODULES
from gradcheck_cli.language.parser import parse_constant
from gradcheck_cli.language.tokens import shorten
from gradcheck_cli.surfaces import Option


class Statement(NamedTuple):
    """One of them.

    text: a formula, perhaps with a left side. name, parameters: what `def` and `lambda` say of it; parameters is None
    where it is no function. body: the lines of a `def` before the last. value: of what requires a gradient, or is a
    point, as typed: `2.0`, `[[1, 2]]`, `torch.rand(3)`. is_target: whether backward was called on it, is_summed: on its
    sum, and cotangent: with what; is_jacobian: whether each of its elements was asked for. wrt: what autograd.grad was
    asked for. said: as it was typed, for messages.
    """

    text: str
    name: str | None = None
    parameters: tuple[str, ...] | None = None
    body: tuple[Statement, ...] = ()
    value: str = ""
    is_target: bool = False
    is_summed: bool = False
    cotangent: str = ""
    is_jacobian: bool = False
    wrt: tuple[str, ...] = ()
    said: str = ""


class Statements(NamedTuple):
    """A text. passed_over: what was in it that is no formula, as it was typed."""

    items: tuple[Statement, ...]
    passed_over: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it may be a formula and nothing else."""
        only = self.items[0]
        return len(self.items) == 1 and not self.passed_over and only.name is None and only.parameters is None


_UNUSUAL = frozenset(";\n\r#=:'\"%!`>↦→")
_WORDS = "return", "import", "print", "assert", ".backward", ".grad", "syms"
_DOTTED = rf"{NAME}(?:\.{NAME})*"
CALL = re.compile(rf"({NAME})\s*\((.*)\)", re.DOTALL)
_GRAD = re.compile(
    rf"(?:{NAME}\s*=\s*)?(?:jax\.|torch\.func\.)?(?:value_and_)?(grad|jac\w+|hessian)\(\s*({NAME})\s*\)\((.*)\)",
    re.DOTALL,
)
_FUNCTIONAL = re.compile(
    rf"(?:{NAME}\s*=\s*)?(?:torch\.)?autograd\.functional\.(jacobian|hessian)\(\s*({NAME})\s*,\s*(.*)\)", re.DOTALL
)
_PASSED = re.compile(
    rf"""
    (?:import|from|assert|syms)\b\s*(?![-+*/^=.]).* | pass | with\b.*: | (?:print|display)\s*\(.*\) | [%!`].*
    | [\w,\s]+=\s*(?:\w+\.)?[sS]ymbols?\(.*\)
    | (?P<quote>['"]).*(?P=quote) | (?:[^=]*[^=<>!]=)?(?!=).*\.grad\b.*
    | (?:{NAME}\s*=\s*)?{NAME}\.gradient\(.*\) | {_DOTTED}\.(?:zero_grad|zero_|retain_grad|item)\(.*\)
    | {_DOTTED}\.step\(.*\) | {NAME}\s*=\s*(?:torch\.)?optim\.\w+\(.*\) | (?:plt|d2l|sns)\.\w+\(.*\)
    | torch\.(?:manual_seed|set_\w+|testing\.\w+)\(.*\) | np\.(?:random\.seed|testing\.\w+|set_printoptions)\(.*\)
    """,
    re.VERBOSE | re.DOTALL,
)
_MADE = re.compile(rf"({NAME})\s*=\s*((?:torch\.)?nn\.(\w+)\s*\([^()]*\))")
_BACKWARD = re.compile(r"(.+?)(\.sum\(\s*\))?\.backward\s*\((.*)\)", re.DOTALL)
_AUTOGRAD = re.compile(
    rf"(?:(?:{NAME}|\(?\s*{NAME}(?:\s*,\s*{NAME})*\s*,?\s*\)?)\s*=\s*)?(?:torch\.)?autograd\.grad\s*\((.*)\)\s*(?:\[0\])?",
    re.DOTALL,
)
_BACKWARD_OF = re.compile(r"(?:torch\.)?autograd\.backward\s*\((.*)\)", re.DOTALL)
_OF_GRAPH = re.compile(r"\s*(?:retain_graph|create_graph|allow_unused|is_grads_batched|materialize_grads)\s*=.*")
_COTANGENT = re.compile(r"\s*(?:gradient|grad_outputs?|grad_tensors)\s*=\s*", re.DOTALL)
_OF_ONE = re.compile(
    r"1\.?0* | (?:torch|np)\.ones(?:_like)?\(.*\) | torch\.tensor\(\s*\[?(?:\s*1\.?0*\s*,?)*\]?\s*\)",
    re.VERBOSE | re.DOTALL,
)
_CONSTANT = re.compile(
    r"@?(?:with\s+)?(?:torch\.)?(?:(?:no_grad|inference_mode)\b.* | set_grad_enabled\(\s*(?:mode\s*=\s*)?False\s*\).*)",
    re.VERBOSE | re.DOTALL,
)
"""What makes constants of all that is computed in it."""
_DEF = re.compile(rf"def\s+({NAME})\s*\(((?:[^()]|\([^()]*\))*)\)\s*(?:->[^:]*)?:(.*)", re.DOTALL)
_WORD = re.compile(NAME)
_LEFT = rf"{NAME}\s*(?:\([^()]*\)\s*)?=(?!=)"
_AT = re.compile(rf"[\s,](?:at|for|where|when|with)\s+(?={_LEFT})")
_AND = re.compile(rf"\sand\s+(?={_LEFT})")
_DEFINED = re.compile(rf"({NAME})\s*(?:\([^()]*\)\s*)?=(?!=)(.+)", re.DOTALL)
_LIST = re.compile(r"\[[-+\d.eE_\s,\[\]]+\]")
_VALUE = re.compile(rf"({NAME})\s*=(?!=)\s*([^=<>]+)", re.DOTALL)
_LAMBDA = re.compile(rf"(?:({NAME})\s*=\s*)?lambda\b([^:()]*):(.*)", re.DOTALL)
_PARAMETER = re.compile(rf"\s*({NAME})\s*(?::[^=]*)?(?:=(.*))?", re.DOTALL)
_MAP = re.compile(rf"(?:({NAME})\s*:\s*)?(?:\(([^()]*)\)|({NAME}))\s*(?:->|=>|→|↦)\s*(.*)", re.DOTALL)
_DERIVATIVE = re.compile(
    rf"(?:[d∂]\w*(?:\([^()]*\))?\s*/\s*[d∂]\s*\w+|{NAME}'+\s*(?:\([^()]*\))?)\s*=(?!=)(.*)", re.DOTALL
)
_TENSOR = re.compile(
    rf"({NAME})\s*(?::\s*{_DOTTED}\s*)?=\s*"
    r"(?:torch\.(?:tensor|Tensor|FloatTensor|DoubleTensor)|(?:np|numpy|jnp)\.array|tf\.(?:Variable|constant))\s*"
    r"\((.*)\)",
    re.DOTALL,
)
_FILLED = re.compile(rf"({NAME})\s*(?::\s*{_DOTTED}\s*)?=\s*(torch\.{NAME})\s*\((.*)\)", re.DOTALL)
_VARIABLE = re.compile(rf"({NAME}\s*=\s*)(?:{_DOTTED}\.)?(Variable|Parameter)\s*\((.*)\)", re.DOTALL)
_AT_ONCE = re.compile(rf"({NAME})\s*=(?!=)\s*(.*?)\.requires_grad_\(\s*(?:True)?\s*\)", re.DOTALL)
_SAME_NAME = re.compile(rf"({NAME})\s*=\s*{NAME}\.(?:{NAME}\.)*({NAME})\s*(?:\(\s*\))?")
_REQUIRES = re.compile(r"\s*requires_grad\s*=\s*True\s*")
_NO_MATTER = re.compile(r"\s*(?:requires_grad\s*=.*|dtype\s*=\s*(?:\w+\.)?(?:float64|double))\s*|")
_LATER = re.compile(rf"({NAME})\.requires_grad(?:_\(\s*(?:True)?\s*\)|\s*=\s*True)")


def statements(text: str) -> Statements:
    """The statements of a text. ExpressionError where lines can be read in two ways."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"The text has {len(text):,} characters; {MAX_LENGTH:,} are allowed.")
    if text.rstrip().endswith(",") and text.strip(" \t\r\n,"):
        text = text.rstrip()[:-1]
    if _UNUSUAL.isdisjoint(text) and not any(word in text for word in _WORDS):
        return Statements((Statement(text),))
    bare = text.strip()
    if bare[:1] in ("`", "'", '"') and len(bare) > 2 and bare.find(bare[0], 1) == len(bare) - 1:  # `x**2`
        return statements(bare[1:-1])
    passed: list[str] = []
    lines = list(lines_of(text, passed))
    found = list(_read(lines, passed))
    if len(lines) == len(found) == 1 and not passed and found[0].text.strip() == text.strip():
        found = [found[0]._replace(text=text)]
    if not found and passed:
        raise ExpressionError("There is no formula in this text: give one, such as y = x**2.", text)
    required = {match[1] for line in lines if (match := _LATER.fullmatch(line.text))}
    for index, item in enumerate(found):
        named = re.fullmatch(rf"({NAME})\s*=\s*(.*)", item.text, re.DOTALL)
        if named and named[1] in required:
            found[index] = item._replace(name=named[1], text=named[2], value=named[2])
        elif item.name in required:
            found[index] = item._replace(value=item.text)
    return Statements(tuple(found) or (Statement(text),), tuple(passed))


def _read(lines: list[Line], passed: list[str], *, inside: bool = False) -> Iterator[Statement]:
    """What the lines say, with the bodies of functions in their place. inside: they are such a body."""
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        text = line.text
        if not text or _LATER.fullmatch(text):
            continue
        if found := _DEF.fullmatch(text):
            if inside:
                raise ExpressionError("A def inside of a def is not read: put one after the other.", text, 0, 3)
            end = index
            while end < len(lines) and _is_inside(lines[end], line, inline=bool(found[3].strip())):
                end += 1
            inner = [Line(found[3].strip(), None)] if found[3].strip() else []
            body = tuple(_read(one_return([*inner, *lines[index:end]]), passed, inside=True))
            index = end
            if not body or any(item.is_target or item.value for item in body):
                raise ExpressionError("This def has no formula: write def f(x): return x**2.", text)
            names, defaults = _parameters(found[2], text)
            yield Statement(body[-1].text, found[1], names, (*defaults, *body[:-1]), said=text)
        elif found := _GRAD.fullmatch(text) or _FUNCTIONAL.fullmatch(text):
            if found[1] == "hessian":
                message = f"This is a Hessian: write {found[2]}({found[3]}), and ask for it by "
                raise ExpressionError((message, Option("order", "2"), "."), text, 0, len(text))
            yield Statement(f"{found[2]}({found[3]})", is_target=True, is_jacobian=found[1] != "grad", said=text)
        elif _CONSTANT.fullmatch(text) and (held := _held(line, lines[index:])):
            what = shorten(held).rstrip(":")
            raise ExpressionError(
                f"What is computed here has no gradient, for torch holds it constant: {what}. Give its value in its "
                "place, or leave this line out.",
                text, 0, len(text),
            )  # fmt: skip
        elif not inside and (found := _AUTOGRAD.fullmatch(text)):
            yield _asked_of_autograd(found[1], text)
        elif not inside and (found := _BACKWARD_OF.fullmatch(text)):
            outputs, *others = arguments_in(found[1])
            yield _statement(f"{outputs.strip('[]')}.backward({', '.join(others)})", passed)._replace(said=text)
        elif _PASSED.fullmatch(text) or _renames(text) or _CONSTANT.fullmatch(text):
            passed.append(text)
        else:
            formula, definitions, points = _clauses(text)
            for one in definitions:
                yield _statement(one, passed)
            yield _statement(formula, passed)
            yield from points


def _held(header: Line, rest: list[Line]) -> str:
    """The first formula that the line makes constants of; "" where there is none, only printing and the like."""
    for line in rest:
        of_with = header.text.startswith("with")
        if of_with and (line.indent is None or line.indent <= (header.indent or 0)):
            return ""
        if line.text and not _PASSED.fullmatch(line.text) and not _BACKWARD.fullmatch(line.text):
            return line.text
    return ""


def _is_inside(line: Line, header: Line, *, inline: bool) -> bool:
    """Whether a line belongs to the def before it, by what Python goes by. inline: the body begins beside the def."""
    return line.indent is None if inline else line.indent is None or line.indent > (header.indent or 0)


def _renames(text: str) -> bool:
    """Whether it gives a function the name that it has here anyway: relu = nn.ReLU(), exp = torch.exp."""
    found = _SAME_NAME.fullmatch(text)
    return found is not None and found[1] == found[2].lower() and signatures.find(found[1]) is not None


def _clauses(text: str) -> tuple[str, list[str], list[Statement]]:
    """The formula in `y = x**2, x = 3`, `x**2 at x = 3` and `y = u^2 where u = 3x + 1`; the definitions that stand
    behind it; its point: numbers, or lists of those."""
    words = _AT.split(text, maxsplit=1)
    first, *others = arguments_in(words[0])
    others += [one.strip() for part in words[1:] for piece in arguments_in(part) for one in _AND.split(piece)]
    others = [one for one in others if one]
    for other in others:
        if _DERIVATIVE.fullmatch(other):
            _statement(other, [])  # which says what to do with it
    found = [_DEFINED.fullmatch(other) for other in others]
    named = [one for one in found if one is not None]
    used = set(_WORD.findall(" ".join([first, *(one[2] for one in named)])))
    is_used = all(one[1] in used for one in named)
    if not named or len({one[1] for one in named}) < len(others) or not is_used or text.startswith("lambda"):
        return text, [], []
    if any("\\end" in other for other in others):  # the condition of a case
        return text, [], []
    values = [one for other in others if (one := _VALUE.fullmatch(other)) and _is_value(one[2])]
    points = [Statement(one[2], one[1], value=one[2], said=text) for one in values]
    given = {one[1] for one in values}
    return first, [one[0] for one in reversed(named) if one[1] not in given], points


def _is_value(text: str) -> bool:
    return _LIST.fullmatch(text) is not None or _is_number(text)


def _is_number(text: str) -> bool:
    try:
        parse_constant(text)
    except ExpressionError:
        return False
    return True


def _asked_of_autograd(arguments: str, text: str) -> Statement:
    """What `torch.autograd.grad(y, x, grad_outputs=v)` asks."""
    outputs, inputs, *others = [re.sub(r"^(?:in|out)puts\s*=\s*", "", one) for one in (*arguments_in(arguments), "")]
    summed = re.fullmatch(r"(.+?)\.sum\(\s*\)", outputs, re.DOTALL)
    return Statement(
        summed[1] if summed else outputs, is_target=True, is_summed=bool(summed), cotangent=_cotangent(others),
        wrt=tuple(filter(None, arguments_in(inputs.strip("[]() \n")))), said=text,
    )  # fmt: skip


def _cotangent(arguments: list[str]) -> str:
    """What the gradient is multiplied by, of the arguments of backward; "" where it is not."""
    given = (_COTANGENT.sub("", one, count=1) for one in arguments if one and not _OF_GRAPH.fullmatch(one))
    found = next(given, "")
    return "" if found == "None" else found


def require_gradient_itself(item: Statement) -> None:
    """ExpressionError where backward multiplies the gradient of a number by something else than 1."""
    if item.cotangent and not _OF_ONE.fullmatch(item.cotangent):
        start = item.said.rfind(item.cotangent)
        raise ExpressionError(
            f"backward multiplies the gradient by {shorten(item.cotangent)}: multiply {shorten(item.text)} by it "
            "instead, and call backward().",
            item.said, start, start + len(item.cotangent),
        )  # fmt: skip


def target_of(items: Sequence[Statement]) -> Statement | None:
    """The one that backward is called on; None where it is on none."""
    called = [one for one in items if one.is_target]
    targets = {(one.text, one.is_summed): one for one in called}
    if sum(not one.wrt for one in called) > len(targets) == 1:
        raise ExpressionError(
            f"backward is called {len(called)} times on {called[0].text}, and torch adds up what each gives: "
            "call it once."
        )
    if len(targets) > 1:
        first, second, *_ = (one.text for one in targets.values())
        raise ExpressionError(f"backward is called on {first} and on {second}: give one function at a time.")
    return next(iter(targets.values()), None)


def _statement(text: str, passed: list[str]) -> Statement:
    if wrapped := _VARIABLE.fullmatch(text):
        inner, *others = arguments_in(wrapped[3])
        if wrapped[2] == "Parameter" and not any("requires_grad" in other for other in others):
            others.append("requires_grad=True")
        if inner.endswith(")"):
            text = f"{wrapped[1]}{inner[:-1]}, {', '.join(others)})"
    if found := _AT_ONCE.fullmatch(text):
        made = f"{found[1]} = {found[2]}"
        if _TENSOR.fullmatch(made):
            return _statement(f"{made[:-1]}, requires_grad=True)", passed)._replace(said=text)
        return Statement(found[2], found[1], value=found[2], said=text)
    if found := _BACKWARD.fullmatch(text):
        cotangent = _cotangent(arguments_in(found[3]))
        return Statement(found[1], is_target=True, is_summed=bool(found[2]), cotangent=cotangent, said=text)
    if (found := _MADE.fullmatch(text)) and found[3] in MODULES:
        names = MODULES[found[3]].arguments()
        return Statement(f"{found[2]}({', '.join(names)})", found[1], names, said=text)
    if found := _LAMBDA.fullmatch(text):
        names, defaults = _parameters(found[2], text)
        return Statement(found[3].strip(), found[1], names, defaults, said=text)
    if found := _MAP.fullmatch(text):
        return Statement(found[4], found[1], _parameters(found[3] or found[2] or "", text)[0], said=text)
    if found := _DERIVATIVE.fullmatch(text):
        message = (
            "This is a derivative: give the function, and this by ",
            Option("claim", shorten(found[1].strip())),
            ".",
        )
        raise ExpressionError(message, text, 0, found.start(1))
    if found := _TENSOR.fullmatch(text):
        first, *others = arguments_in(found[2])
        passed += [other for other in others if not _NO_MATTER.fullmatch(other)]
        if any(_REQUIRES.fullmatch(other) for other in others):
            return Statement(first, found[1], value=first, said=text)
        if not first.startswith("["):
            return Statement(first, found[1], said=text)
    if (found := _FILLED.fullmatch(text)) and any(map(_REQUIRES.fullmatch, arguments_in(found[3]))):
        kept = [one for one in arguments_in(found[3]) if not re.match(r"(?:requires_grad|dtype|device)\s*=", one)]
        made = f"{found[2]}({', '.join(kept)})"
        return Statement(made, found[1], value=made, said=text)
    returned = re.match(r"return\b(?!\s*=)\s*", text)
    return Statement(text[returned.end() :] if returned else text, said=text)


def _parameters(text: str, source: str) -> tuple[tuple[str, ...], tuple[Statement, ...]]:
    """(the names in the brackets of a def or after lambda, those with a default value as definitions)."""
    parts = [_PARAMETER.fullmatch(part) for part in arguments_in(text) if part]
    found = [part for part in parts if part is not None]
    if len({part[1] for part in found}) < len(parts):
        message = f"The parameters {shorten(text.strip())} are no list of names, such as x, y."
        raise ExpressionError(message, source, max(0, source.find(text)), max(0, source.find(text)) + len(text))
    names = tuple(part[1] for part in found if part[2] is None)
    return names, tuple(Statement(part[0].strip(), said=source) for part in found if part[2] is not None)


def arguments_in(text: str) -> list[str]:
    """`text` split at the commas outside of brackets."""
    parts, start, depth = [], 0, 0
    for index, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            parts.append(text[start:index].strip())
            start = index + 1
    return [*parts, text[start:].strip()]
