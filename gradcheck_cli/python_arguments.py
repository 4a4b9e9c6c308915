"""What callers from Python give, as texts and plain numbers; what is neither, is a sentence in Python's terms.

Numbers may be of any library: an array, a tensor or a scalar says itself what it is as a list or a number of Python.
"""

from __future__ import annotations

import difflib
import inspect
import itertools
import math
import os
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from gradcheck_cli import option_values
from gradcheck_cli.checking.points.texts import MAX_POINTS, text_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import ForUsers, UsageError, WrongArguments
from gradcheck_cli.language.lines import is_left_side
from gradcheck_cli.option_table import COTANGENTS, MODES
from gradcheck_cli.records.request import PointNumbers
from gradcheck_cli.surfaces import Option, in_python

P = ParamSpec("P")
T = TypeVar("T")
Texts = list[tuple[str, object]]
"""The texts of an option, each with what the caller gave for it."""
Points = list[tuple[str | PointNumbers, object]]
"""The same of points, which are texts or numbers."""

_AT = 'at takes 2, [1, 2], {"x": 1, "y": 2}, an array, or a text such as "x=-3:3:101"'


def shown(value: object) -> str:
    """A value as Python writes it, cut to a length that a message has room for."""
    return reprlib.repr(value)


def with_its_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """A public function that says in a sentence which arguments it has not. What it raises for users shows no frame of
    ours."""
    signature = inspect.signature(function)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise WrongArguments(_call_error(function.__name__, signature, args, kwargs, str(error))) from None
        try:
            return function(*args, **kwargs)
        except ForUsers as error:
            raise error.with_traceback(None) from error.__cause__

    return called


def _call_error(
    name: str, signature: inspect.Signature, args: Sequence[object], kwargs: Mapping[str, object], said: str
) -> str:
    known = [one.name for one in signature.parameters.values()]
    of_code = f"{name}(function, (a, b))"
    is_code = name in ("gradcheck", "gradgradcheck") or bool(args and callable(args[0]))
    example = of_code if is_code else f'{name}("x*y", at={{"x": 1, "y": 2}})'
    for keyword in kwargs:
        if keyword not in known:
            close = difflib.get_close_matches(keyword, known, n=1)
            if close:
                return f"{name}() has no argument {keyword}: did you mean {close[0]}?"
            if len(keyword) == 1 or (is_code and not args[2:]):
                where = "inputs are given together" if is_code else "values are given by at"
                return f"{name}() has no argument {keyword}: {where}, as in {example}"
            return f"{name}() has no argument {keyword}: help(gradcheck_cli.{name}) says which there are"
    if not args and known[0] not in kwargs:
        also = "" if is_code or name == "explain" else f", or a function with its inputs: {of_code}"
        return f"{name}() needs what is to be checked: {example}{also}"
    if is_code and len(args) == 1:
        return f"{name}() needs the inputs of the function: {example}"
    most = sum(one.kind is not one.KEYWORD_ONLY for one in signature.parameters.values())
    if len(args) > most:
        what = "the inputs of a function are given together" if is_code else "what follows the points has a name"
        return f"{name}() takes {most} arguments without a name, and {len(args)} were given: {what}, as in {example}"
    return f"{name}(): {said}"


def plain(name: str, value: object) -> Any:
    """An array, a tensor or a scalar as lists and numbers of Python; all else as it is."""
    convert = getattr(value, "tolist", None)
    if convert is None or isinstance(value, type):
        return value
    try:
        return convert()
    except Exception as error:  # a library may refuse for any reason (no data, a sparse layout)
        raise UsageError(f"{name}={shown(value)} cannot be read: {error}") from error


def number(name: str, value: object) -> float:
    """A finite number. name: of the argument."""
    value = plain(name, value)
    if isinstance(value, bool):
        raise UsageError(f"{name}={value!r} is a truth value, and no number")
    try:
        found = float(value) if not isinstance(value, str | bytes) else None  # type: ignore[arg-type]
    except OverflowError:
        raise UsageError(f"{name}={shown(value)} is larger than any double") from None
    except (TypeError, ValueError, ArithmeticError, RuntimeError):
        found = None
    if found is None:
        raise UsageError(f"{name}={shown(value)} is no number")
    if not math.isfinite(found):
        raise UsageError(f"{name}={found!r} is not finite")
    return found


def points(at: object) -> Points:
    """Points: a number, a mapping, a text, or any number of those; an empty tuple is none."""
    given = plain("at", at)
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        return list(_one_point(given))
    items = list(given)
    if not items and not isinstance(at, tuple):
        raise UsageError(f"at={shown(at)} is empty: {_AT}")
    found: Points = []
    for item in items:
        one = plain("at", item)
        if isinstance(one, Iterable) and not isinstance(one, str | bytes | Mapping):
            raise UsageError(
                f"at has a list inside of a list, {shown(one)}: points of several variables are written "
                '{"x": 1, "y": 2}, and a grid of them {"x": [1, 2], "y": [3, 4]}'
            )
        found.extend(_one_point(one, MAX_POINTS - len(found)))
    return found


def _one_point(point: object, room: int = MAX_POINTS) -> Iterator[tuple[str | PointNumbers, object]]:
    """A number, a text or a mapping; where its values are lists, their product."""
    if isinstance(point, str):
        yield point, point
        return
    if not isinstance(point, Mapping):
        if not hasattr(point, "__float__") and not hasattr(point, "__index__"):
            raise UsageError(f"at={shown(point)} is no point: {_AT}")
        yield ((None, number("at", point)),), point
        return
    if not point:
        raise UsageError(f"at={{}} has no value for any variable: {_AT}")
    axes = [[(_name("at", name), one) for one in _coordinates(name, value)] for name, value in point.items()]
    count = math.prod(map(len, axes))
    if count > room:
        raise UsageError(f'at asks for more than {MAX_POINTS:,} points: write ranges, for example at="x=-3:3:101"')
    for parts in itertools.product(*axes):
        numbers = tuple((name, one) for name, one in parts if isinstance(one, float))
        found = numbers if len(numbers) == len(parts) else ",".join(f"{name}={_text(one)}" for name, one in parts)
        yield found, point if count == 1 else text_of(found)


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else repr(value)


def _coordinates(name: str, value: object) -> list[str | float]:
    """The values of one variable."""
    where = f"at[{name!r}]"
    given = plain(where, value)
    several = isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)
    items = list(given) if several else [given]
    if not items:
        raise UsageError(f"{where}={shown(value)} is empty: it takes a number, or a list of those")
    return [item.strip() if isinstance(item, str) else number(where, item) for item in items]


def _name(option: str, name: object) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise UsageError(f"{option}: {shown(name)} is no name of a variable")
    return name


def text(name: str, value: object) -> str:
    """A text, or a number, which is one too."""
    if isinstance(value, str):
        return value
    if hasattr(value, "__float__") and not callable(value):
        return repr(number(name, value))
    raise UsageError(f"{name}={shown(value)} is no text: write, for example, {name}={_EXAMPLES[name]}")


_EXAMPLES = {"expression": '"x**2"', "claim": '"2*x"', "let": '{"y": "x*x"}', "wrt": '"x"', "range": '"-3:3"'}


def expression(value: object) -> str:
    if isinstance(value, str):
        return value
    what = "a function of Python" if callable(value) else type(value).__name__
    example = f'expression={shown(value)} is {what}: an expression is a text, for example check("x**2", at=2)'
    code = "; code is checked by check(function, inputs)" if callable(value) else ""
    raise UsageError(f"{example}{code}")


def names(wrt: object) -> Texts:
    """The variables to differentiate by."""
    items = [wrt] if isinstance(wrt, str) else list(wrt) if isinstance(wrt, Iterable) else [None]
    if not all(isinstance(item, str) for item in items):
        raise UsageError(f'wrt={shown(wrt)} is no name of a variable: write wrt="x", or wrt=["x", "y"]')
    return [(str(item), item) for item in items]


def definitions(let: object) -> Texts:
    """Intermediate results, as texts of --let: a mapping, or such a text."""
    if let is None:
        return []
    if isinstance(let, str):
        return [(let, let)]
    if not isinstance(let, Mapping):
        raise UsageError(f'let={shown(let)} is no mapping: write let={{"y": "x*x"}}')
    return [(f"{_defined(name)} = {text('let', value)}", {name: value}) for name, value in let.items()]


def _defined(name: object) -> str:
    """What stands on the left side of a definition: a name, or a function as in a(x)."""
    return name if isinstance(name, str) and is_left_side(name) else _name("let", name)


def claims(claim: object) -> Texts:
    """Claims, as texts of --claim: a text, several of them, or a mapping from variable to derivative."""
    if claim is None:
        return []
    if isinstance(claim, list | tuple):
        return [(text("claim", one), one) for one in claim]
    if not isinstance(claim, Mapping):
        return [(text("claim", claim), claim)]
    texts: Texts = []
    for name, value in claim.items():
        if not isinstance(name, str):
            raise UsageError(f'claim: {shown(name)} is no name of a variable: write claim={{"x": "2*x"}}')
        texts.append((f"{name}: {text('claim', value)}", {name: value}))
    return texts


def ranges(given: object) -> Texts:
    """Where to sample: a text, two numbers, a mapping from variable to those, or several texts."""
    if isinstance(given, str):
        return [(given, given)]
    if isinstance(given, Mapping):
        return [(f"{_name('range', name)}={_bounds(bounds)}", {name: bounds}) for name, bounds in given.items()]
    given = plain("range", given)
    if isinstance(given, Sequence) and all(isinstance(item, str) for item in given):
        return [(item, item) for item in given]
    return [(_bounds(given), given)]


def arrays(given: object) -> list[tuple[str | PointNumbers, object]]:
    """Arrays by variable, as one text of --at."""
    if not isinstance(given, Mapping):
        raise UsageError(f'arrays={shown(given)} is no mapping: write arrays={{"x": [1, 2]}}')
    texts = [f"{_name('arrays', name)}={array(f'arrays[{name!r}]', value)}" for name, value in given.items()]
    return [(",".join(texts), given)] if texts else []


def array(name: str, value: object) -> str:
    """An array or a number as a text: nested lists of numbers. name: of the argument."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return f"[{','.join(array(name, one) for one in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else repr(number(name, value))


def shapes(given: object) -> Texts:
    """Shapes by variable, as texts of --shape."""
    if not given:
        return []
    if isinstance(given, str):
        return [(given, given)]
    if not isinstance(given, Mapping):
        raise UsageError(f'shape={shown(given)} is no mapping: write shape={{"W": (3, 4)}}')
    found: Texts = []
    for name, sizes in given.items():
        numbers = [sizes] if not isinstance(sizes, list | tuple) else list(sizes)
        written = "x".join(str(size) if isinstance(size, str) else str(whole("shape", size)) for size in numbers)
        found.append((f"{_name('shape', name)}: {written}", {name: sizes}))
    return found


def _bounds(given: object) -> str:
    if isinstance(given, str):
        return given
    items = plain("range", given)
    if not isinstance(items, Sequence) or len(items) != 2:
        raise UsageError(f'range={shown(given)} is no range: write range=(-3, 3), or range={{"x": (0, 1)}}')
    return ":".join(repr(number("range", item)) for item in items)


def whole(name: str, value: object) -> int:
    value = plain(name, value)
    if isinstance(value, bool | type) or not hasattr(value, "__index__"):
        raise UsageError(f"{name}={shown(value)} is no whole number")
    return int(value)


def tolerance(name: str, value: object) -> float:
    found = number(name, value)
    if found < 0:
        raise UsageError(f"{name} is a number from 0, not {found!r}")
    return found


def seconds(name: str, value: object) -> float:
    found = number(name, value)
    if found <= 0:
        raise UsageError(f"{name} is a number of seconds above 0, not {found!r}")
    return found


def truth(name: str, value: object) -> bool:
    value = plain(name, value)
    if not isinstance(value, bool):
        raise UsageError(f"{name} is True or False, not {shown(value)}")
    return value


def choice(name: str, value: object) -> str:
    """A name, or what bears it: torch.float32, numpy.float32 and torch.device("cpu") are "float32" and "cpu"."""
    if isinstance(value, str):
        return value
    found = value.__name__ if isinstance(value, type) else str(value).removeprefix("torch.")
    if not re.fullmatch(r"[a-z]+\d*(:\d+)?", found):
        raise UsageError(f"{name}={shown(value)} is no text")
    return found


def dtype(name: str, value: object) -> str:
    """The name of a working dtype: of torch.float32, numpy.float32, "double"."""
    try:
        return option_values.dtype(name, choice(name, value), tuple(DTYPES))
    except UsageError as error:
        raise error.in_words(in_python) from None


READERS: Mapping[str, Callable[[str, object], object]] = {
    "order": whole, "mode": choice, "dtype": dtype, "device": choice, "rtol": tolerance, "atol": tolerance,
    "claim_rtol": tolerance, "strict": truth, "samples": whole, "seed": whole, "timeout": seconds, "derivatives": truth,
}  # fmt: skip


def _one_of(known: Sequence[str]) -> Callable[[str, object], object]:
    return lambda name, value: option_values.choice(name, choice(name, value), known)


def _first_or_second(name: str, value: object) -> int:
    found = whole(name, value)
    if found not in (1, 2):
        raise UsageError(f"{name}={found}: of a function, first and second derivatives are checked")
    return found


CODE_READERS: Mapping[str, tuple[Callable[[str, object], object], object]] = {
    "order": (_first_or_second, 1), "mode": (_one_of(MODES), "reverse"), "dtype": (dtype, None),
    "device": (choice, None), "rtol": (tolerance, None), "atol": (tolerance, None), "strict": (truth, False),
    "seed": (whole, 0), "timeout": (seconds, None), "stress": (truth, False), "through_detach": (truth, False),
    "only_requires_grad": (truth, False),
    "cotangents": (_one_of(COTANGENTS), "auto"),
}  # fmt: skip
"""Of code: how each is read, and its default."""


def options(given: Mapping[str, object]) -> dict[str, Any]:
    """Fields of a Request; those that are None are left out, and have their defaults."""
    return {name: READERS[name](name, value) for name, value in given.items() if value is not None}


def code_options(given: Mapping[str, object]) -> dict[str, Any]:
    """The options of code, those that are None with their defaults."""
    found: dict[str, Any] = {}
    for name, (reader, default) in CODE_READERS.items():
        value = given[name]
        found[name] = default if value is None else reader(name, value)
    return found


def require_none(given: Mapping[str, object], of: str, here: str) -> None:
    """Options that are of something else are not given."""
    for name, value in given.items():
        if value is not None and value != ():
            raise UsageError(f"{name} is for {of}, and what is checked is {here}")


def require_no_points(at: object) -> None:
    """Beside arrays there is no at."""
    if at is not None and at != ():
        raise UsageError(
            'beside arrays, numbers are given by arrays as well: arrays={"x": [1, 2], "a": 2}, and not by at'
        )


def file(name: object) -> str:
    """The name of a file."""
    if not isinstance(name, str | os.PathLike):
        raise UsageError(f'run() takes the names of files, for example run("problems.yaml"), and not {shown(name)}')
    return os.fsdecode(name)


class Words:
    """How messages call the options: what was given for one stands as it was given.

    given: by option, what was made of what the caller gave.
    """

    def __init__(self, **given: Texts | Points) -> None:
        self.given = given

    def __call__(self, option: Option) -> str:
        for one, value in self.given.get(option.name, ()):
            if option.value == text_of(one):
                return f"{option.name}={shown(value)}"
        return in_python(option)


class ArrayWords(Words):
    """The same where values are given by `arrays`."""

    def __call__(self, option: Option) -> str:
        written = super().__call__(option)
        if option.name != "at":
            return written
        if option.value is None or not written.startswith('at="'):
            return "arrays" if option.value is None else f"arrays{written.removeprefix('at')}"
        name, _, value = option.value.partition("=")
        shown = value if value.startswith("[") else f'"{value}"'
        return f'arrays={{"{name}": {shown}}}'
