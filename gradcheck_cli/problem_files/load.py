"""From the text of a problem file to problems.

What is wrong with a file as a whole raises FileError; what is wrong with one problem becomes the error of that one,
and the others go on. Every message names file, line and column.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from pydantic import ValidationError

from gradcheck_cli.errors import FileError
from gradcheck_cli.option_table import OPTIONS
from gradcheck_cli.problem_files.fields import COMMA, Misread, advice, kind, short
from gradcheck_cli.problem_files.fields import text as text_of
from gradcheck_cli.problem_files.models import CodeProblem, Defaults, Options, Problem, ProblemFile
from gradcheck_cli.problem_files.names import name_of
from gradcheck_cli.problem_files.plain_yaml import Node, YamlError, YamlList, YamlMapping, YamlText, compose
from gradcheck_cli.records.report import Heading
from gradcheck_cli.records.request import AnyRequest, CodeRequest, Expectation, ProblemSpec, Request
from gradcheck_cli.surfaces import in_file

MAX_POINTS = 1_000_000
"""How many points a file may list one by one."""
MAX_MISTAKES = 10
"""How many are named for one problem."""

_OPTIONS = tuple(sorted(Options.model_fields, key=list(OPTIONS).index))
_KEYS = ("name", "description", "tags", "expression", "let", "at", "shape", *_OPTIONS, "value", "gradient", "claim",
         "expect", "expect_claim")  # fmt: skip
_CODE_KEYS = ("code", "inputs", *(key for key in CodeProblem.model_fields if key not in ("code", "inputs")))
_GIVE_WAY = ("samples", "ranges")
"""Fields of a request that exclude others: as defaults, they are for the problems that they suit."""
_OF_CODE = frozenset(field.name for field in dataclass_fields(CodeRequest))
ALLOW = "--allow-code only (from Python: allow_code=True)"
_OTHER_NAMES = {
    "expr": "expression", "formula": "expression", "function": "expression", "f": "expression",
    "point": "at", "points": "at", "x": "at", "where": "at", "derivative": "gradient", "derivatives": "gradient",
    "grad": "gradient", "expected": "expect", "verdict": "expect", "variable": "wrt", "variables": "wrt",
    "tolerance": "rtol", "tol": "rtol", "precision": "dtype", "id": "name", "title": "name", "ranges": "range",
    "comment": "description", "skip": "tags",
}  # fmt: skip
"""What the keys are called elsewhere."""


class Loaded(NamedTuple):
    """A file that was read. heading: None where it has neither title nor description."""

    problems: list[ProblemSpec]
    heading: Heading | None


def load_problems(
    text: str, file: str, given: dict[str, object], defaults: dict[str, object], *, folder: str = "",
    allow_code: bool = False, allow: str = ALLOW,
) -> Loaded:  # fmt: skip
    """The problems of a file, in order, and its heading.

    file: what messages call it. given, defaults: values of fields of Request; the first (the command line) prevail over
    the problem, which prevails over the `defaults:` of the file, and these over the second (pyproject.toml). folder:
    that of the file, where the files that it names begin. allow_code: code that it names may be imported; allow: how a
    user allows it. Raises FileError for a file that has no problems which could be told apart.
    """
    try:
        document = compose(text)
    except YamlError as error:
        raise _file_error(file, error) from None
    root, mistakes = document.root, sorted(document.mistakes, key=_place)
    problems = _problems_of(root, file, mistakes)
    own = _file_defaults(root, file)
    base = {**_renamed(defaults), **fields_of_request(own)}
    forbidden = None if allow_code else allow
    loader = _Loader(file, base, _renamed(given), mistakes, os.path.abspath(folder), forbidden, own.tags)
    return Loaded([loader.load(place, node) for place, node in enumerate(problems, 1)], _heading(root, file))


def _heading(root: Node, file: str) -> Heading | None:
    if not isinstance(root, YamlMapping):
        return None
    try:
        title, description = (text_of(key, root[key]) if key in root else None for key in ("title", "description"))
    except Misread as wrong:
        raise _file_error(file, _at(wrong.node, wrong.sentence)) from None
    return None if title is None and description is None else Heading(file, title, description)


def _problems_of(root: Node, file: str, mistakes: list[YamlError]) -> YamlList:
    """The list of problems, or FileError for what is wrong outside of it."""
    problems = root.get("problems") if isinstance(root, YamlMapping) else None
    listed = problems if isinstance(problems, YamlList) and mistakes else YamlList()
    inside = set(chain(*(_within(node, mistakes) for node in listed)))
    for mistake in mistakes:
        if mistake not in inside:
            raise _file_error(file, mistake)
    if not isinstance(root, YamlMapping):
        raise _file_error(file, _not_a_file(root))
    for key in root:
        if key not in ProblemFile.model_fields:
            raise _file_error(file, _at(root.key(key), _unknown_in_file(key)))
    if problems is None:
        raise _file_error(file, _at(root, "there are no problems: write problems: and below it a list of them"))
    if not isinstance(problems, YamlList) or not problems:
        message = f"problems is {_kind(problems)}: it takes a list; each problem begins with - and has an expression"
        raise _file_error(file, _at(problems, message))
    return problems


def _not_a_file(root: Node) -> YamlError:
    if isinstance(root, YamlList):
        return _at(root, "the file is a list: write problems: above it")
    return _at(root, f"the file is {_kind(root)}: it takes problems: and below it a list of them")


def _unknown_in_file(key: str) -> str:
    plain = _normal(key)
    shown = short(key)
    if plain in _OPTIONS:
        return f"{shown} is an option: put it under defaults:, or into a problem"
    if plain == "tags":
        return f"{shown} are of problems: put them under defaults:, for all of them, or into a problem"
    if plain in (*_KEYS, *_CODE_KEYS):
        return f"{shown} is a key of a problem: put it into the list under problems:"
    return f"{shown} is not a key of a problem file: {advice(plain, tuple(ProblemFile.model_fields), 'the keys are')}"


def _file_defaults(root: Node, file: str) -> Defaults:
    node = root.get("defaults") if isinstance(root, YamlMapping) else None
    if node is None or (isinstance(node, YamlText) and node.is_null):
        return Defaults()
    if not isinstance(node, YamlMapping):
        raise _file_error(
            file, _at(node, f"defaults is {kind(node)}: it takes options, for example {{dtype: float32}}")
        )
    try:
        return Defaults.model_validate(node)
    except ValidationError as error:
        mistakes = mistakes_of(error, node, "defaults")
        told = "\n".join(f"{file}:{mistake}" for mistake in mistakes)
        raise FileError(told, file, min(mistake.line for mistake in mistakes)) from None


class _Loader:
    """Loads one problem after the other, and remembers their names and how many points they list.

    forbidden: how a user allows the code that problems name; None: it is allowed. tags: of every problem.
    """

    def __init__(
        self,
        file: str,
        base: dict[str, object],
        given: dict[str, object],
        mistakes: list[YamlError],
        folder: str,
        forbidden: str | None,
        tags: tuple[str, ...],
    ) -> None:
        self.file, self.base, self.given = file, base, given
        self.folder, self.forbidden, self.tags = folder, forbidden, tags
        self.mistakes = mistakes
        self.lines: dict[str, int] = {}
        self.points = 0

    def load(self, place: int, node: Node) -> ProblemSpec:
        """place: of the problem in the list, from 1."""
        name = name_of(node, place)
        first = self.lines.get(name)
        self.lines.setdefault(name, node.line)
        mistakes = _within(node, self.mistakes)
        problem: Problem | CodeProblem | None = None
        if not isinstance(node, YamlMapping):
            mistakes.append(_at(node, f"this is {_kind(node)}: a problem is a mapping that has an expression"))
        elif not mistakes:
            is_code = "code" in node
            try:
                problem = (CodeProblem if is_code else Problem).model_validate(node)
            except ValidationError as error:
                mistakes = mistakes_of(error, node, "code" if is_code else "problem")
        if isinstance(problem, CodeProblem) and isinstance(node, YamlMapping) and self.forbidden is not None:
            message = f"{short(problem.code)} is code, which is imported and run with {self.forbidden}"
            mistakes.append(_at(node["code"], message))
        if isinstance(node, YamlMapping) and first is not None:
            mistakes.append(_at(node.get("name", node), f"the name is taken: {short(name)} begins in line {first}"))
        if problem is None or not isinstance(node, YamlMapping) or mistakes:
            error_text = "\n".join(_sentence(self.file, name, mistake) for mistake in sorted(mistakes, key=_place))
            return ProblemSpec(name, self.file, node.line, error=error_text, tags=self.tags)
        self.points += len(problem.at) if isinstance(problem, Problem) else 0
        if self.points > MAX_POINTS:
            message = f"the problems list more than {MAX_POINTS:,} points: write ranges, for example x=-3:3:101"
            raise _file_error(self.file, _at(node, message))
        return ProblemSpec(
            name, self.file, node.line, self._request(problem), description=problem.description,
            tags=tuple(dict.fromkeys((*self.tags, *problem.tags))),
            expect=_written(node.get("expect")), expect_claim=_written(node.get("expect_claim")),
        )  # fmt: skip

    def _request(self, problem: Problem | CodeProblem) -> AnyRequest:
        if isinstance(problem, CodeProblem):
            return self._code_request(problem)
        expectation = Expectation(problem.expect, problem.gradient, problem.value, problem.expect_claim)
        values: dict[str, Any] = {
            **self.base, "words": in_file, "expression": problem.expression, "at": problem.at, "lets": problem.let,
            "claims": problem.claim, "shapes": problem.shape, "expectation": expectation,
            **(own := {**fields_of_request(problem), **self.given}),
        }  # fmt: skip
        values["defaulted"] = tuple(name for name in _GIVE_WAY if name in self.base and name not in own)
        return Request(**values)

    def _code_request(self, problem: CodeProblem) -> CodeRequest:
        """Of the options for all problems, those that code has."""
        base, given = ({k: v for k, v in one.items() if k in _OF_CODE} for one in (self.base, self.given))
        written = {key: getattr(problem, key) for key in problem.model_fields_set if key in _OF_CODE}
        values: dict[str, Any] = {**base, **written, **given}
        return CodeRequest(
            **values, expectation=Expectation(problem.expect), folder=self.folder, words=in_file,
        )  # fmt: skip


def fields_of_request(options: Options) -> dict[str, object]:
    """The options that are written, as fields of Request."""
    return _renamed({key: getattr(options, key) for key in _OPTIONS if key in options.model_fields_set})


def _renamed(values: dict[str, object]) -> dict[str, object]:
    plural = {"range": "ranges", "shape": "shapes"}
    return {plural.get(key, key): value for key, value in values.items()}


def mistakes_of(error: ValidationError, node: YamlMapping, owner: str) -> list[YamlError]:
    """What pydantic found, with places and in our words. owner: whose keys they are."""
    found: list[YamlError] = []
    for entry in error.errors(include_url=False, include_input=False)[:MAX_MISTAKES]:
        key = str(entry["loc"][0]) if entry["loc"] else ""
        cause = entry.get("ctx", {}).get("error")
        if isinstance(cause, Misread):
            found.append(_at(cause.node, cause.sentence))
        elif entry["type"] == "extra_forbidden":
            found.append(_at(node.key(key), _unknown(key, owner)))
        elif entry["type"] == "missing":
            found.append(_at(node, f"there is no {key}: a problem has at least an expression"))
        else:
            found.append(_at(node, f"{key}: {entry['msg']}"))
    return found


@lru_cache
def _unknown(key: str, owner: str) -> str:
    """Cached, since who misspells a key does so in every problem, and to seek similar ones takes time."""
    known = {"problem": _KEYS, "code": _CODE_KEYS, "defaults": (*_OPTIONS, "tags")}.get(owner, _OPTIONS)
    if key.endswith(")"):
        return f"{short(key)} {COMMA}"
    plain = _normal(key)
    if owner == "code" and plain in _KEYS and plain not in _CODE_KEYS:
        return f"{short(key)} is for an expression, and this problem has code: the keys are {', '.join(_CODE_KEYS)}"
    if owner == "problem" and plain in _CODE_KEYS and plain not in _KEYS:
        return f"{short(key)} is for code, and this problem has an expression: the keys are {', '.join(_KEYS)}"
    if owner not in ("problem", "code") and plain in (*_KEYS, *_CODE_KEYS) and plain not in known:
        return f"{short(key)} belongs to a problem, not to {owner}"
    what = "a key of a problem" if owner in ("problem", "code") else "an option"
    return f"{short(key)} is not {what}: {advice(_OTHER_NAMES.get(plain, plain), known, 'the keys are')}"


def _normal(key: str) -> str:
    return key.strip().lower().lstrip("-").replace("-", "_").replace(" ", "_")[:60]


def _kind(node: Node) -> str:
    empty = node.is_null if isinstance(node, YamlText) else not node
    return "empty" if empty else kind(node)


def _written(node: Node | None) -> object:
    """A value as plain data, for reports."""
    if isinstance(node, YamlMapping):
        return {str(key): _written(value) for key, value in node.items()}
    if isinstance(node, YamlList):
        return [_written(value) for value in node]
    return None if node is None else str(node)


def _at(node: Node, message: str) -> YamlError:
    return YamlError(message, node.line, node.column)


def _place(mistake: YamlError) -> tuple[int, int]:
    return mistake.place


def _within(node: Node, mistakes: list[YamlError]) -> list[YamlError]:
    """Those of the mistakes, which are in order, that stand in the text of a node."""
    start = bisect_left(mistakes, (node.line, node.column), key=_place)
    return mistakes[start : bisect_left(mistakes, node.end, key=_place)]


def _sentence(file: str, name: str, mistake: YamlError) -> str:
    return f"{file}:{mistake.line}:{mistake.column}: {short(name)}: {mistake.message}"


def _file_error(file: str, error: YamlError) -> FileError:
    return FileError(f"{file}:{error}", file, error.line)
