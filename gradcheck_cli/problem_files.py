"""Problem files: text in, specs out (DESIGN section 8). What a key may hold is a row of a table, which
pydantic turns into the models that validate, and into the JSON Schema for editors.

Each problem is validated by itself, so that a bad one does not stop the others. Messages say file, line, column, the
problem's name, what was found and what was expected.
"""

from __future__ import annotations

import difflib
import itertools
import math
import tomllib
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, create_model

from gradcheck_cli.arguments import choice, seconds, tolerance, whole
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.options import MAX_ORDER, MODES
from gradcheck_cli.plain_yaml import Data, Items, Place, Table, Text, YamlError, read_yaml
from gradcheck_cli.records import ClaimStatus, Verdict
from gradcheck_cli.request import Expectation, ProblemSpec, Request

MAX_PRODUCT = 100_000
TOML_TABLE = "[tool.gradcheck]"
OTHER_KEYS = {
    "expr": "expression", "function": "expression", "formula": "expression", "f": "expression", "lets": "let",
    "claims": "claim", "derivative": "claim", "grad": "gradient", "gradients": "gradient", "expected": "expect",
    "verdict": "expect", "point": "at", "points": "at", "tag": "tags", "ranges": "range", "id": "name",
    "title": "name", "tol": "rtol", "problem": "problems", "default": "defaults",
}  # fmt: skip
"""What keys are called elsewhere."""

E = TypeVar("E", bound=Enum)
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SCALAR = {"type": ["string", "number"]}


class ProblemFileError(GradcheckError):
    """A problem file that cannot be read at all."""


def _describe(value: Any) -> str:
    match value:
        case Items() | list():
            return "a list"
        case Table() | dict():
            return "a mapping"
        case Text() if value.is_null:
            return "nothing"
    return repr(str(value)) if len(str(value)) <= 60 else f"{str(value)[:60]!r} …"


def _text(value: Any, wanted: str = "a text") -> str:
    """A scalar as its text: 3 is "3". ValueError for anything else."""
    if isinstance(value, Table | Items | dict | list | tuple) or (isinstance(value, Text) and value.is_null):
        raise ValueError(f"expected {wanted}, not {_describe(value)}")
    return str(value).strip()


def _by(read: Callable[[str, str], Any]) -> Callable[[Any], Any]:
    """A reader of options (see arguments.py) as a validator."""

    def validate(value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"expected a number or a name, not {str(value).lower()}")
        try:
            return read("", _text(value, "one value"))
        except UsageError as error:
            raise ValueError(str(error).strip()) from None

    return validate


def _boolean(value: Any) -> bool:
    found = value if isinstance(value, bool) else _BOOLEANS.get(_text(value, "true or false").lower())
    if found is None:
        raise ValueError(f"expected true or false, not {_describe(value)}")
    return found


def _texts(value: Any) -> tuple[str, ...]:
    """A text, or a list of texts."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(_text(item) for item in values)


def _names(value: Any) -> tuple[str, ...]:
    return tuple(name.strip() for text in _texts(value) for name in text.split(","))


def _ranges(value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):
        return tuple(f"{name}={_text(text, 'a range such as 0:1')}" for name, text in value.items())
    return _texts(value)


def _let(value: Any) -> tuple[str, ...]:
    if not isinstance(value, dict):
        raise ValueError(f"expected a mapping from name to expression, such as {{y: x*x}}, not {_describe(value)}")
    return tuple(f"{name} = {_text(text, 'an expression')}" for name, text in value.items())


def _points(value: Any) -> tuple[str, ...]:
    """The texts of --at that points stand for."""
    points = value if isinstance(value, list) else [value]
    if not points:
        raise ValueError("expected a point, such as 2 or {x: 1, y: 2}, or a list of points, not an empty list")
    texts: list[str] = []
    for point in points:
        if isinstance(point, dict):
            texts.extend(_product(point))
        else:
            texts.append(_text(point, "a point, such as 2 or {x: 1, y: 2}"))
        if len(texts) > MAX_PRODUCT:
            raise ValueError(f"these are more than {MAX_PRODUCT:,} points; write ranges, such as x=-3:3:101")
    return tuple(texts)


def _product(point: Mapping[str, Any]) -> list[str]:
    """{x: [1, 2], y: 3} -> ["x=1,y=3", "x=2,y=3"]."""
    if not point:
        raise ValueError("expected a point, such as {x: 1, y: 2}, not an empty mapping")
    axes = [[f"{name}={text}" for text in _texts(values)] for name, values in point.items()]
    if math.prod(map(len, axes)) > MAX_PRODUCT:
        raise ValueError(f"these are more than {MAX_PRODUCT:,} points; write ranges, such as x=-3:3:101")
    return [",".join(parts) for parts in itertools.product(*axes)]


def _claims(value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):
        return tuple(f"{name}: {_text(text, 'an expression')}" for name, text in value.items())
    return (_text(value, "an expression, or a mapping from variable to expression"),)


def _numbers(value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):
        raise ValueError("expected a number, or a list of numbers, not a mapping")
    return _texts(value)


def _gradient(value: Any) -> dict[str, tuple[str, ...]]:
    if isinstance(value, dict):
        return {str(name): _numbers(numbers) for name, numbers in value.items()}
    return {"": _numbers(value)}


def _members(kind: type[E], what: str) -> Callable[[Any], dict[str, tuple[E, ...]]]:
    known = [str(member.value) for member in kind]

    def one(value: Any) -> E:
        text = _text(value, what)
        if text not in known:
            near = difflib.get_close_matches(text.lower(), known, n=1)
            advice = f"did you mean {near[0]}? There are" if near else "there are"
            raise ValueError(f"{text} is not {what}: {advice} {', '.join(known)}")
        return kind(text)

    def several(value: Any) -> tuple[E, ...]:
        values = value if isinstance(value, list) else [value]
        if not values:
            raise ValueError(f"expected {what}, not an empty list")
        return tuple(one(item) for item in values)

    def validate(value: Any) -> dict[str, tuple[E, ...]]:
        if isinstance(value, dict):
            return {str(key): several(item) for key, item in value.items()}
        return {"": several(value)}

    return validate


def _listed(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(schema), {"type": "array", "items": dict(schema), "minItems": 1}]}


def _mapped(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(schema), {"type": "object", "additionalProperties": dict(schema)}]}


_NUMBERS = _listed(_SCALAR)
_POINT = {"anyOf": [_SCALAR, {"type": "object", "additionalProperties": _NUMBERS, "minProperties": 1}]}
_VERDICTS = _listed({"enum": [verdict.value for verdict in Verdict]})
_STATUSES = _listed({"enum": [status.value for status in ClaimStatus]})


class Key(NamedTuple):
    """A key of a problem file. read: from what the file holds (ValueError, with a sentence, for what it cannot be)."""

    read: Callable[[Any], Any]
    schema: Mapping[str, Any]
    description: str
    default: Any = None

    @property
    def field(self) -> Any:
        """As pydantic has it."""
        kind = Annotated[Any, BeforeValidator(self.read), WithJsonSchema(dict(self.schema))]
        return kind, Field(self.default, description=self.description)


_TOLERANCE = {"type": ["number", "string"], "minimum": 0}
_STRINGS = _listed({"type": "string"})

OPTION_KEYS = {
    "wrt": Key(_names, _STRINGS, "The variables to differentiate by; all if left out."),
    "order": Key(
        _by(lambda option, text: whole(option, text, 1, MAX_ORDER)),
        {"type": "integer", "minimum": 1, "maximum": MAX_ORDER},
        "The order of the derivatives: 1.",
    ),
    "mode": Key(
        _by(lambda option, text: choice(option, text, MODES)),
        {"enum": list(MODES)},
        "How torch differentiates: reverse.",
    ),
    "dtype": Key(
        _by(lambda option, text: choice(option, text, tuple(DTYPES))),
        {"enum": list(DTYPES)},
        "What torch computes in: float64.",
    ),
    "device": Key(_text, {"type": "string"}, "Where torch computes: cpu, cuda, cuda:N or auto."),
    "rtol": Key(_by(tolerance), _TOLERANCE, "Relative tolerance; the default depends on the dtype."),
    "atol": Key(_by(tolerance), _TOLERANCE, "Absolute tolerance; the default depends on the dtype."),
    "claim_rtol": Key(_by(tolerance), _TOLERANCE, "How far a claim may be off, relatively: 1e-9."),
    "strict": Key(_boolean, {"type": "boolean"}, "Let only `match` pass."),
    "samples": Key(
        _by(lambda option, text: whole(option, text, 1)),
        {"type": "integer", "minimum": 1},
        "How many points to draw; 5 where there is no `at`.",
    ),
    "range": Key(_ranges, _mapped(_STRINGS), "Where to draw: -3:3, or by variable: {x: 0:1}."),
    "seed": Key(_by(whole), {"type": "integer"}, "Where the drawing starts: 0."),
    "timeout": Key(
        _by(seconds), {"type": ["number", "string"], "exclusiveMinimum": 0}, "Seconds until it is given up: 30."
    ),
}
PROBLEM_KEYS = {
    "name": Key(lambda value: _text(value, "a name"), _SCALAR, "Unique in the file."),
    "description": Key(_text, _SCALAR, "A sentence for people."),
    "tags": Key(_texts, _listed(_SCALAR), "For `gradcheck run --tag`.", ()),
    "expression": Key(lambda value: _text(value, "an expression"), _SCALAR, "The function, in Python syntax.", ...),
    "let": Key(
        _let,
        {"type": "object", "additionalProperties": _SCALAR},
        "Intermediate results by name, in order: {y: x*x}.",
        (),
    ),
    "at": Key(
        _points,
        _listed(_POINT),
        "Where: 2, {x: 1, y: 2}, a range x=-3:3:101, or a list of those; 5 samples if none.",
        (),
    ),
    "value": Key(_numbers, _NUMBERS, "The expected value of the function, or one a point.", ()),
    "gradient": Key(_gradient, _mapped(_NUMBERS), "The expected derivative: 326, {x: 326}, or one a point.", {}),
    "claim": Key(_claims, _mapped(_SCALAR), "A derivative worked out by hand: 2*x, or by variable: {x: 2*x}.", ()),
    "expect": Key(
        _members(Verdict, "a verdict"),
        _mapped(_VERDICTS),
        "The verdict that must come, and only it passes: one, a list, or those by variable or mode.",
        {},
    ),
    "expect_claim": Key(
        _members(ClaimStatus, "what a claim can come to"), _mapped(_STATUSES), "What the claims must come to.", {}
    ),
}

_CONFIG = ConfigDict(extra="forbid")
Options: type[BaseModel] = create_model(
    "Options", __config__=_CONFIG, __doc__="Options of a check.", **{n: key.field for n, key in OPTION_KEYS.items()}
)
Problem: type[BaseModel] = create_model(
    "Problem",
    __config__=_CONFIG,
    __doc__="One problem.",
    **{n: key.field for n, key in (PROBLEM_KEYS | OPTION_KEYS).items()},
)
ProblemFile: type[BaseModel] = create_model(
    "ProblemFile",
    __config__=ConfigDict(extra="forbid", title="gradcheck problem file"),
    __doc__="Problems for `gradcheck run`.",
    defaults=(Options, Field(None, description="Options of all problems that do not give their own.")),
    problems=(list[Problem], Field(..., description="What to check.")),  # type: ignore[valid-type]
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a problem file."""
    schema = ProblemFile.model_json_schema()
    _drop_nulls(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _drop_nulls(schema: Any) -> None:
    """Defaults that say nothing are not for editors."""
    if isinstance(schema, dict):
        if "default" in schema and not schema["default"]:
            del schema["default"]
        for value in schema.values():
            _drop_nulls(value)
    elif isinstance(schema, list):
        for value in schema:
            _drop_nulls(value)


def load_problems(
    text: str, file: str, given: Mapping[str, Any] | None = None, defaults: Mapping[str, Any] | None = None
) -> list[ProblemSpec]:
    """The problems of a file; those that cannot be read carry their error.

    file: its name, for messages. given: options that hold whatever the file says (the command line); defaults: options
    where it says nothing (pyproject.toml). Raises ProblemFileError where no problem can be made out.
    """
    try:
        root = read_yaml(text)
    except YamlError as error:
        raise ProblemFileError(_placed(file, error.place, error.message)) from None
    if root is None or (isinstance(root, Text) and root.is_null):
        return []
    if not isinstance(root, Table):
        message = f"expected a mapping with the key problems, not {_describe(root)}"
        raise ProblemFileError(_placed(file, root.place, message))
    for key in root:
        if key not in ProblemFile.model_fields:
            known = "a problem belongs into the list problems:" if key in Problem.model_fields else None
            message = f"{key} is not a key of a problem file: {known or _advice(key, ProblemFile)}"
            raise ProblemFileError(_placed(file, root.place_of(key), message))
    if "problems" not in root:
        raise ProblemFileError(_placed(file, root.place, "there is no key problems, with the list of problems"))
    problems = root["problems"]
    if isinstance(problems, Text) and problems.is_null:
        return []
    if not isinstance(problems, Items):
        message = f"problems: expected a list of problems, not {_describe(problems)}"
        raise ProblemFileError(_placed(file, problems.place, message))
    shared = {**(defaults or {}), **_file_defaults(root.get("defaults"), file)}
    seen: dict[str, int] = {}
    return [_spec(item, number, file, shared, given or {}, seen) for number, item in enumerate(problems, 1)]


def _file_defaults(data: Data | None, file: str) -> dict[str, Any]:
    if data is None or (isinstance(data, Text) and data.is_null):
        return {}
    if not isinstance(data, Table):
        message = f"defaults: expected a mapping of options, not {_describe(data)}"
        raise ProblemFileError(_placed(file, data.place, message))
    try:
        return Options.model_validate(data).model_dump(exclude_unset=True)
    except ValidationError as error:
        place, message = _first(error, data, Options)
        raise ProblemFileError(_placed(file, place, f"defaults: {message}")) from None


def _spec(
    item: Data, number: int, file: str, shared: Mapping[str, Any], given: Mapping[str, Any], seen: dict[str, int]
) -> ProblemSpec:
    name = _name(item, number)
    line = item.place.line

    def bad(place: Place, message: str) -> ProblemSpec:
        return ProblemSpec(name, file, line, error=_placed(file, place, f"{name}: {message}"))

    if not isinstance(item, Table):
        return bad(item.place, f"expected a mapping with the key expression, not {_describe(item)}")
    if name in seen:
        return bad(item.place, f"the name is taken by the problem in line {seen[name]}: names are unique in a file")
    seen[name] = line
    try:
        problem = Problem.model_validate(item)
    except ValidationError as error:
        return bad(*_first(error, item, Problem))
    fields = vars(problem)
    own = {key: fields[key] for key in problem.model_fields_set if key in OPTION_KEYS}
    options = {**shared, **own, **given}
    options["ranges"] = options.pop("range", ())
    request = Request(
        expression=fields["expression"],
        at=fields["at"],
        lets=fields["let"],
        claims=fields["claim"],
        expectation=Expectation(fields["expect"], fields["gradient"], fields["value"], fields["expect_claim"]),
        **options,
    )
    return ProblemSpec(
        name,
        file,
        line,
        request,
        description=fields["description"],
        tags=fields["tags"],
        expect=_plain(item.get("expect")),
        expect_claim=_plain(item.get("expect_claim")),
    )


def _name(item: Data, number: int) -> str:
    name = item.get("name") if isinstance(item, Table) else None
    return str(name).strip() if isinstance(name, Text) and not name.is_null else f"problem {number}"


def _first(error: ValidationError, data: Table, model: type[BaseModel]) -> tuple[Place, str]:
    """(where, what) of the first thing that is wrong, in the order of the text. What is missing comes last: it may
    only be misspelt."""
    found = [dict(one) for one in error.errors(include_url=False)]
    wrong = [one for one in found if one["type"] != "missing"] or found
    return min(_one(one, data, model) for one in wrong)


def _one(error: dict[str, Any], data: Table, model: type[BaseModel]) -> tuple[Place, str]:
    key = str(error["loc"][0])
    if error["type"] == "missing":
        return data.place, f"there is no {key}"
    if error["type"] == "extra_forbidden":
        return data.place_of(key), f"{key} is not a key here: {_advice(key, model)}"
    reason = error.get("ctx", {}).get("error", error["msg"])
    return data[key].place, f"{key}: {reason}"


def _advice(key: str, model: type[BaseModel]) -> str:
    known = list(model.model_fields)
    meant = key.replace("-", "_").lower()
    near = difflib.get_close_matches(OTHER_KEYS.get(meant, meant), known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"


def _placed(file: str, place: Place, message: str) -> str:
    return f"{file}:{place.line}:{place.column}: {message}"


def _plain(value: Data | None) -> object:
    match value:
        case Table():
            return {key: _plain(item) for key, item in value.items()}
        case Items():
            return [_plain(item) for item in value]
        case Text():
            return str(value)
    return None


def read_pyproject(start: Path) -> dict[str, Any]:
    """The options of [tool.gradcheck] in the nearest pyproject.toml, in `start` or above. Raises UsageError."""
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            break
    else:
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("gradcheck", {})
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    if not isinstance(table, dict):
        raise UsageError(f"{path}: tool.gradcheck is no table")
    return read_options(table, f"{path}: {TOML_TABLE}")


def read_options(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Options that do not come from YAML, read. where: for messages. Raises UsageError."""
    try:
        return Options.model_validate(table).model_dump(exclude_unset=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    key = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        raise UsageError(f"{where} {key} is not a key here: {_advice(key, Options)}")
    raise UsageError(f"{where} {key}: {first.get('ctx', {}).get('error', first['msg'])}")
