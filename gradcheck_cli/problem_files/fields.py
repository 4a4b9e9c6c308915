"""What the values in a problem file mean: one reader for each kind of field.

A reader takes the name of its key and the data as it stands in the file, and returns texts and numbers as a Request has
them, or raises Misread: a sentence that says what was found and what was expected.
"""

from __future__ import annotations

import difflib
import itertools
import math
import re
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from gradcheck_cli import option_values
from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.language.lines import is_left_side
from gradcheck_cli.option_table import CODE_OPTIONS, OPTIONS, Declared
from gradcheck_cli.problem_files.plain_yaml import Node, YamlList, YamlMapping, YamlText
from gradcheck_cli.records.request import CodeInput
from gradcheck_cli.records.results import ClaimStatus, Verdict
from gradcheck_cli.user_code.inputs import read_init, read_inputs

T = TypeVar("T")
ByVariable = dict[str, T]
"""variable ("x", or "x,y" for order 2) -> what belongs to it; the key "" where no variable is named."""

MAX_POINTS = 100_000
"""How many points may be listed one by one; ranges make more of them and are not stored."""
MAX_CHARACTERS = 20_000_000

COMMA = "is the rest of a text that has a comma: between braces such a text goes in quotes"
"""What is said of the key `y)` in {expression: max(x, y)}."""

COMMA_IN_LIST = "between brackets, a text that has a comma goes in quotes"

VALUES = "a number, a range such as -3:3:101, a list of those, or {tensor: [[1, 2], [3, 4]]} for an array"
_VERDICTS = tuple(verdict.value for verdict in Verdict)
STATUSES = tuple(status.value for status in ClaimStatus if status is not ClaimStatus.UNREADABLE)
_NAME = re.compile(r"[^\W\d]\w*")
_INFINITY = re.compile(r"([+-]?)\.inf", re.IGNORECASE)
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Misread(ValueError):
    """A value that is not what its key takes. node: where it stands."""

    def __init__(self, sentence: str, node: Node) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.node = node


def short(text: str, limit: int = 60) -> str:
    """A text for a message: in one line, printable and not too long."""
    if not text:
        return "''"
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return cut if cut.isprintable() else repr(cut)[1:-1]


def advice(word: str, known: Collection[str], also: str = "the names are") -> str:
    """`did you mean ...?`, or else all the names there are."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"{also} {', '.join(known)}"


def text(key: str, node: Node, expected: str = "a text") -> str:
    """Any scalar, as it is written."""
    found = str(node).strip() if isinstance(node, YamlText) else ""
    if isinstance(node, YamlText) and not node.is_null and found:
        return found
    raise _unfit(key, node, expected)


def expression(key: str, node: Node) -> str:
    return text(key, node, "an expression, for example x**2 + sin(x)")


def name(key: str, node: Node) -> str:
    found = text(key, node, "a text")
    if not found.isprintable():
        raise Misread(f"{key} {short(found)}: a name is one line of printable text", node)
    return found


def texts(key: str, node: Node) -> tuple[str, ...]:
    """A text or a list of them."""
    return _all(key, node, "a text or a list of texts", text)


def names(key: str, node: Node) -> tuple[str, ...]:
    """Names of variables: `x`, `x, y` or a list."""
    return tuple(itertools.chain(*_all(key, node, "a variable or a list of variables", _comma_names)))


def lets(key: str, node: Node) -> tuple[str, ...]:
    """An ordered mapping from name to expression, or a text of definitions -> the texts of --let."""
    expected = "a mapping from name to expression, for example {y: x*x}"
    if isinstance(node, YamlText) and "=" in node:
        return (text(key, node, expected),)
    if not isinstance(node, YamlMapping):
        raise _unfit(key, node, expected)
    return tuple(
        f"{one if is_left_side(one) else _variable(key, one, one)} = {text(_inside(key, one), value, 'an expression')}"
        for one, value in node.entries()
    )


def claims(key: str, node: Node) -> tuple[str, ...]:
    """An expression, a mapping from variable to expression, or a list -> the texts of --claim."""
    expected = "an expression, a mapping such as {x: 2*x}, or a list of expressions"
    if not isinstance(node, YamlMapping):
        return tuple(text(key, item, expected) for item in _items(key, node))
    return tuple(f"{variable}: {claim}" for variable, claim in by_variable(key, node, expression).items())


def points(key: str, node: Node) -> tuple[str, ...]:
    """A number, the text of --at, a mapping from variable to number or list, or a list of those -> texts of --at."""
    form = "2, [1, 2], {x: 1, y: 2} or a text such as x=-3:3:101"
    items = node if isinstance(node, YamlList) else [node]
    if not items:
        raise Misread(f"{key} is an empty list: it takes {form}", node)
    found: list[str] = []
    for item in items:
        if isinstance(item, YamlList):
            raise Misread(f"{key} has a list inside of a list: for a product write {{x: [1, 2], y: [3, 4]}}", item)
        if isinstance(item, YamlMapping):
            found.extend(_product(key, item, MAX_POINTS - len(found)))
        else:
            found.append(text(key, item, form))
    if len(found) > MAX_POINTS:
        raise _too_many(key, node)
    return tuple(found)


def _product(key: str, node: YamlMapping, room: int) -> Iterable[str]:
    """`{x: [1, 2], y: 3}` -> `x=1,y=3` and `x=2,y=3`."""
    if not node:
        raise Misread(
            f"{key} is an empty mapping: it takes a value for each variable, for example {{x: 1, y: 2}}", node
        )
    axes = [
        [
            f"{_variable(key, variable, variable)}={_coordinate(_inside(key, variable), item)}"
            for item in _items(_inside(key, variable), value)
        ]
        for variable, value in node.entries()
    ]
    count = math.prod(map(len, axes))
    if count > room or count * sum(max(map(len, axis)) for axis in axes) > MAX_CHARACTERS:
        raise _too_many(key, node)
    return map(",".join, itertools.product(*axes))


def _coordinate(key: str, node: Node) -> str:
    """The value of one variable: a number, a constant expression or a range."""
    if isinstance(node, YamlMapping):
        return _tensor(key, node)
    found = text(key, node, VALUES)
    if "=" in found or _has_comma(found):
        raise Misread(f"{key}: {short(found)} is not one number or range: for several write a list, [1, 2]", node)
    return found


def _tensor(key: str, node: YamlMapping) -> str:
    """`{tensor: [[1, 2], [3, 4]]}` -> the text of an array."""
    if list(node) != ["tensor"]:
        raise _unfit(key, node, VALUES)
    return _array(f"{key}.tensor", node["tensor"])


def shapes(key: str, node: Node) -> tuple[str, ...]:
    """`W: 3x4` as a text, a list of those, or a mapping {W: 3x4} -> the texts of --shape."""
    expected = "shapes by variable, for example {W: 3x4}"
    if isinstance(node, YamlMapping):
        return tuple(f"{_variable(key, one, one)}: {_sizes(_inside(key, one), value)}" for one, value in node.entries())
    return _all(key, node, expected, text)


def _sizes(key: str, node: Node) -> str:
    """`3x4`, 3 or [3, 4]."""
    return "x".join(text(key, item, "a whole number") for item in _items(key, node))


def _too_many(key: str, node: Node) -> Misread:
    return Misread(f"{key} lists more than {MAX_POINTS:,} points: write ranges, for example x=-3:3:101,y=0:1:11", node)


def ranges(key: str, node: Node) -> tuple[str, ...]:
    """`-3:3`, `x=0:1`, a list of those, or a mapping from variable to range -> the texts of --range."""
    expected = "a text such as -3:3, or a mapping such as {x: 0:1}"
    if isinstance(node, YamlMapping):
        return tuple(f"{_variable(key, one, one)}={_range(_inside(key, one), value)}" for one, value in node.entries())
    return _all(key, node, expected, _range)


def _range(key: str, node: Node) -> str:
    found = text(key, node, "a text such as -3:3")
    if ":" not in found:
        raise Misread(f"{key} {short(found)}: it takes low:high, for example -3:3", node)
    return found


def number(key: str, node: Node) -> str:
    """The text of a number: decimal, infinite or a constant expression."""
    found = text(key, node, "a number, for example 326, -inf or pi/4")
    if found.lower() in ("nan", ".nan", "-nan"):
        raise Misread(f"{key} {found}: where there is no derivative write expect: undefined", node)
    infinite = _INFINITY.fullmatch(found)
    return f"{infinite[1]}inf" if infinite else found


def numbers(key: str, node: Node) -> tuple[str, ...]:
    """A number, a list with one for each point, or the lists of an array, row by row."""
    if isinstance(node, YamlList) and any(isinstance(item, YamlList) for item in node):
        return tuple(found for item in node for found in numbers(key, item))
    return _all(key, node, "a number or a list of numbers", number)


def gradients(key: str, node: Node) -> ByVariable[tuple[str, ...]]:
    return by_variable(key, node, numbers)


def verdicts(key: str, node: Node) -> ByVariable[tuple[Verdict, ...]]:
    return by_variable(key, node, _verdicts)


def claim_statuses(key: str, node: Node) -> ByVariable[tuple[ClaimStatus, ...]]:
    return by_variable(key, node, _claim_statuses)


def _verdicts(key: str, node: Node) -> tuple[Verdict, ...]:
    return _all(key, node, "a verdict or a list of verdicts", lambda k, n: Verdict(_choice(k, n, _VERDICTS)))


def _claim_statuses(key: str, node: Node) -> tuple[ClaimStatus, ...]:
    expected = "what becomes of a claim, or a list of that"
    return _all(key, node, expected, lambda k, n: ClaimStatus(_choice(k, n, STATUSES)))


def by_variable(key: str, node: Node, read: Callable[[str, Node], T]) -> ByVariable[T]:
    """A value, or a mapping from variable ("x", "x,y") to values."""
    if not isinstance(node, YamlMapping):
        return {"": read(key, node)}
    if not node:
        raise Misread(f"{key} is an empty mapping", node)
    found: ByVariable[T] = {}
    for written, value in node.entries():
        variables = ",".join(_variable(key, part, written) for part in written.split(","))
        if variables in found:
            raise Misread(f"{key} has {variables} twice", written)
        found[variables] = read(_inside(key, variables), value)
    return found


def code(key: str, node: Node) -> str:
    return text(key, node, "the name of code, for example losses.py::focal_loss")


def inputs(key: str, node: Node) -> tuple[CodeInput, ...]:
    """What a function is called with: a mapping from name to value, or a list of values."""
    found: tuple[CodeInput, ...]
    if isinstance(node, YamlMapping):
        found = tuple((str(name), _array(_inside(key, name), value)) for name, value in node.entries())
    elif isinstance(node, YamlList):
        found = tuple((None, _array(key, value)) for value in node)
    else:
        raise _unfit(key, node, "a mapping such as {x: [1.0, 2.0]}, or a list of values")
    return _readable(key, node, read_inputs, found)


def init(key: str, node: Node) -> str:
    """The arguments of a class: a text as in a call, a list of values, or a mapping from name to value."""
    if isinstance(node, YamlMapping):
        found = ", ".join(f"{name}={_array(_inside(key, name), value)}" for name, value in node.entries())
    elif isinstance(node, YamlList):
        found = ", ".join(_array(key, value) for value in node)
    else:
        found = text(key, node, "arguments as in a call, for example 8, eps=1e-5")
    return _readable(key, node, read_init, found)


def _array(key: str, node: Node) -> str:
    """The text of a value; lists may be those of the file."""
    if isinstance(node, YamlMapping):
        raise _unfit(key, node, "a value such as [[1, 2], [3, 4]], randn(4, 3) or 0.5")
    if isinstance(node, YamlList):
        return f"[{', '.join(_array(key, item) for item in node)}]"
    return "none" if node.is_null else str(node).strip()


def _readable(key: str, node: Node, read: Callable[[T], object], found: T) -> T:
    try:
        read(found)
    except GradcheckError as error:
        comma = f" ({COMMA_IN_LIST})" if "is not closed" in str(error) else ""
        raise Misread(f"{key}: {error}{comma}", node) from None
    return found


def code_names(key: str, node: Node) -> tuple[str, ...]:
    """Names of inputs and of parameters, which may have points in them."""
    listed = _all(key, node, "the name of an input, or a list of names", text)
    return tuple(name.strip() for one in listed for name in one.split(","))


def code_verdicts(key: str, node: Node) -> ByVariable[tuple[Verdict, ...]]:
    if not isinstance(node, YamlMapping):
        return {"": _verdicts(key, node)}
    return {str(name).strip(): _verdicts(_inside(key, name), value) for name, value in node.entries()}


def code_option(key: str, node: Node) -> object:
    """The same of code."""
    if key == "order":
        return _as_usage(node, option_values.whole, key, text(key, node, "1 or 2"), 1, 2)
    return _declared(CODE_OPTIONS[key], key, node)


def option(key: str, node: Node) -> object:
    """A text that means the same here as on the command line."""
    return _declared(OPTIONS[key], key, node)


def _declared(declared: Declared, key: str, node: Node) -> object:
    assert declared.read is not None
    return _as_usage(node, declared.read, key, text(key, node, declared.takes))


def seconds(key: str, node: Node) -> float:
    expected = "a number of seconds above 0, for example 30"
    found = text(key, node, expected)
    try:
        value = float(found)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise Misread(f"{key} {short(found)}: it takes {expected}", node)
    return value


def truth(key: str, node: Node) -> bool:
    found = text(key, node, "true or false")
    if found.lower() not in _TRUTHS:
        raise Misread(f"{key} {short(found)}: it takes true or false", node)
    return _TRUTHS[found.lower()]


def _as_usage(node: Node, read: Callable[..., T], key: str, found: str, *limits: int) -> T:
    """The readers of the command line, which say the same of the same mistakes."""
    try:
        return read(key, found, *limits)
    except UsageError as error:
        raise Misread(error.worded(lambda option: f"{option.name} {short(option.value or '')}"), node) from None


def _choice(key: str, node: Node, known: tuple[str, ...]) -> str:
    found = text(key, node, f"one of {', '.join(known)}")
    # Similar names are sought for what fits into a message: a text can be megabytes.
    return _as_usage(node, lambda option, one: option_values.choice(option, short(one), known), key, found)


def _all(key: str, node: Node, expected: str, read: Callable[[str, Node], T]) -> tuple[T, ...]:
    """A value or a list of values, which is not empty."""
    if isinstance(node, YamlMapping):
        raise _unfit(key, node, expected)
    return tuple(read(key, item) for item in _items(key, node))


def _items(key: str, node: Node) -> list[Node]:
    if isinstance(node, YamlList) and not node:
        raise Misread(f"{key} is an empty list", node)
    return node if isinstance(node, YamlList) else [node]


def _comma_names(key: str, node: Node) -> tuple[str, ...]:
    found = text(key, node, "a variable")
    return tuple(_variable(key, part, node) for part in found.split(","))


def _variable(key: str, written: str, place: Node) -> str:
    """The name of a variable, or Misread at that place."""
    found = written.strip()
    if _NAME.fullmatch(found):
        return found
    if not found:
        raise Misread(f"{key}: the name of a variable is missing", place)
    if found.endswith(")"):
        raise Misread(f"{key}: {short(found)} {COMMA}", place)
    before, colon, after = found.partition(":")
    if colon and after and _NAME.fullmatch(before):
        raise Misread(f"{key} {short(found)}: write a space after the colon, {before}: {short(after)}", place)
    raise Misread(f"{key}: {short(found)} is not the name of a variable", place)


def _inside(key: str, variable: str) -> str:
    """What messages call the value of one variable."""
    return f"{key} {short(variable)}"


def _has_comma(found: str) -> bool:
    """Whether there is a comma outside of parentheses."""
    depth = 0
    for character in found:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth <= 0:
            return True
    return False


def kind(node: Node) -> str:
    """What messages call data of the wrong kind."""
    return "a list" if isinstance(node, YamlList) else "a mapping" if isinstance(node, YamlMapping) else "a text"


def _unfit(key: str, node: Node, expected: str) -> Misread:
    if isinstance(node, YamlText) and (node.is_null or not node.strip()):
        return Misread(f"{key} has no value: it takes {expected}", node)
    found = kind(node)
    return Misread(f"{key} is {found}: it takes {expected}", node)
