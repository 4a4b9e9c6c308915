"""Whether a request is about arrays. Nothing heavy is loaded to tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from gradcheck_cli.checking.points.written import Part, take_apart
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records.request import Request

if TYPE_CHECKING:
    from gradcheck_cli.language.statements import Statement

LEFT = re.compile(r"\s*([^\W\d]\w*)\s*(\([\w\s,;|]*\)\s*)?:?=(?!=)\s*")
"""The left side of a definition, with its parameters."""
_MAY_GIVE = re.compile(
    r"tensor|Tensor|requires_grad|array|Variable|Parameter|rand|ones|zeros|full|eye|arange|linspace|=\s*\["
)
_LIBRARY = r"(?:(?:torch|np|numpy|jnp|tf)\.(?:random\.)?)"
_LIST = r"[-+\d.eE_\s,\[\]]+"
_PREFIX = re.compile(rf"(?<![\w.]){_LIBRARY}(?=\w+\s*\()")
_WRAPPED = re.compile(
    rf"\s*{_LIBRARY}?(?:array|asarray|tensor|as_tensor|Tensor)\s*\(\s*([\[(].*[\])])\s*,?\s*(?:\w+\s*=[^()]*)?\)\s*",
    re.DOTALL,
)
_OF_ANOTHER = re.compile(rf"\s*{_LIBRARY}(?:from_numpy|tensor|as_tensor|asarray|array)\s*\((.*)\)\s*", re.DOTALL)
_FILLED = re.compile(r"torch\.(?!\w*[tT]ensor\b)")
_AFTER = re.compile(r"(?:\.\w+\([^()]*\))+\s*")
"""Methods behind an array: .reshape(2, 3), .double()."""


def is_about_arrays(request: Request) -> bool:
    """Whether a variable is given an array (x=[1, 2], x=randn(3), a shape, a tensor in the cell of a notebook), which
    makes it a formula of arrays."""
    return (
        bool(request.shapes)
        or any(_is_given(value, request.expression) for name, value in _parts(request) if name is not None)
        or _is_cell(request.expression)
    )


def without_library(value: str) -> str:
    """`torch.randn(3)` as `randn(3)`, and `torch.tensor([1, 2])` as `[1, 2]`."""
    listed = _WRAPPED.fullmatch(value)
    return listed[1] if listed else _PREFIX.sub("", value, count=1)


def _is_given(value: str, expression: str) -> bool:
    """Whether a value is that of an array. `torch.tensor([1, 2])` and `torch.linspace(0, 1, 5)` are points, unless the
    formula is one of arrays."""
    if _WRAPPED.fullmatch(value) is None and "linspace" not in value:
        return is_array(without_library(value))
    if is_array(value):
        return True
    from gradcheck_cli.language.statements import statements

    try:
        return _of_arrays(statements(expression).items)
    except GradcheckError:  # which is told where the text is read
        return False


def is_array(value: str) -> bool:
    """Whether the text of a value is that of an array."""
    return _array().match(value) is not None


@cache
def _array() -> re.Pattern[str]:
    from gradcheck_cli.arrays.makers import MAKERS

    return re.compile(rf"\s*[-+]?(?:[\d.eE+-]+\s*\*\s*)?(?:\[|@|(?:{'|'.join(MAKERS)})\s*\()")


@cache
def _made() -> re.Pattern[str]:
    """A whole text that makes an array: torch.randn(3), np.array([1, 2]), 2*torch.ones(3), [1, 2]."""
    from gradcheck_cli.arrays.makers import MAKERS

    factor, inside = r"(?:[\d.]+\s*\*\s*)?", r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
    makers = "|".join(MAKERS)
    listed = r"(?:tensor|array|asarray|as_tensor|\w*Tensor|Variable|constant)\s*\(\s*[\[(](?=[^\])]*,|\s*\[).*\)"
    return re.compile(
        rf"\s*[-+]?{factor}(?:{_LIBRARY}?(?:{makers})\s*{inside}|{_LIBRARY}{listed}|\[(?=[^\]]*,|\s*\[){_LIST}\])\s*",
        re.DOTALL,
    )


def gives_array(item: Statement) -> bool:
    """Whether a statement gives an array, and not a formula of others."""
    if item.parameters is not None or item.is_target:
        return False
    left = LEFT.match(item.text) if item.name is None else None
    text = item.value or (item.text if left is None else item.text[left.end() :])
    bare = _AFTER.sub("", text) if text.rstrip().endswith(")") and _AFTER.search(text) else text
    if wrapped := _OF_ANOTHER.fullmatch(bare):  # torch.from_numpy(np.ones(3))
        bare = wrapped[1]
    return _made().fullmatch(bare) is not None or _made().fullmatch(text) is not None


@cache
def _called() -> re.Pattern[str]:
    """A library's maker anywhere in a text."""
    from gradcheck_cli.arrays.makers import MAKERS

    return re.compile(rf"{_LIBRARY}(?:{'|'.join(MAKERS)})\s*\(")


def _is_cell(text: str) -> bool:
    """Whether a text gives arrays itself."""
    if _MAY_GIVE.search(text) is None:
        return False
    from gradcheck_cli.language.statements import statements

    try:
        items = statements(text).items
    except GradcheckError:  # which is told where the text is read
        return False
    return (
        any(gives_array(item) or _FILLED.match(item.value) or _called().search(item.text) for item in items)
        or (any(item.value for item in items) and _of_arrays(items))
        or any(_is_at_array(item, items) for item in items)
    )


def _is_at_array(item: Statement, items: tuple[Statement, ...]) -> bool:
    """Whether it calls a function that the text defines with an array: f(torch.tensor([1., 2.]))."""
    from gradcheck_cli.language.statements import CALL, Statement, arguments_in

    call = CALL.fullmatch(item.text)
    if call is None or all(one.name != call[1] for one in items):
        return False
    return any(gives_array(Statement(text, "x")) for text in arguments_in(call[2]))


def _of_arrays(items: tuple[Statement, ...]) -> bool:
    """Whether functions are called that only arrays have: x.mean()."""
    from gradcheck_cli.language import signatures
    from gradcheck_cli.tensors.functions import BY_NAME

    names = [name for name in BY_NAME if "." not in name and signatures.find(name) is None]
    called = re.compile(rf"(?:\.\s*|\b)(?:{'|'.join(names)})\s*\(|\w\s*@\s*\w")
    return any(called.search(item.text) for item in items)


def _parts(request: Request) -> Iterator[Part]:
    for text in request.at:
        if isinstance(text, str) and "=" in text and ("[" in text or "(" in text or "@" in text):
            try:
                yield from take_apart(text).parts
            except GradcheckError:  # which is told where the points are read
                continue
