"""The keys of a problem file: one model for its options, one for a problem, one for the file; and its JSON Schema."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.option_table import CODE_OPTIONS, COTANGENTS, MAX_ORDER, MODES, OPTIONS
from gradcheck_cli.problem_files import fields
from gradcheck_cli.problem_files.plain_yaml import Node
from gradcheck_cli.records.request import CodeInput
from gradcheck_cli.records.results import ClaimStatus, Verdict

Schema = dict[str, Any]


def _list_or(one: Schema) -> Schema:
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _mapping_of(one: Schema) -> Schema:
    return {"type": "object", "additionalProperties": one, "minProperties": 1}


def _or_mapping_of(one: Schema) -> Schema:
    return {"anyOf": [one, _mapping_of(one)]}


def _enum(values: list[str]) -> Schema:
    return {"type": "string", "enum": values}


_SCALAR: Schema = {"type": ["string", "number"]}
_ARRAY = {"type": "object", "properties": {"tensor": {}}, "required": ["tensor"], "additionalProperties": False}
_POINT = {"anyOf": [_SCALAR, _mapping_of({"anyOf": [*_list_or(_SCALAR)["anyOf"], _ARRAY]})]}
_TRUTH = {"anyOf": [{"type": "boolean"}, _enum(["true", "false", "yes", "no", "on", "off"])]}
_INPUT: Schema = {"type": ["string", "number", "boolean", "null", "array"]}
# In YAML 1.1, as many editors read it, 1e-9 is a string.
_FINITE: Schema = {
    "type": ["number", "string"],
    "maximum": sys.float_info.max,
    "pattern": r"^\+?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$",
}


def _described(name: str) -> Any:
    return Field(description=OPTIONS[name].description)


def _described_for_code(name: str) -> Any:
    return Field(description=CODE_OPTIONS[name].description)


def _read(reader: Callable[[str, Node], object]) -> PlainValidator:
    """A reader of problem_fields as what pydantic calls for the field of that name."""

    def read(node: Any, info: ValidationInfo) -> object:
        return reader(str(info.field_name), node)

    return PlainValidator(read)


class Shared(BaseModel):
    """How to check, be it a formula or code: named as the options of the command line, with underscores."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wrt: Annotated[
        tuple[str, ...], _read(fields.names), WithJsonSchema(_list_or({"type": "string"})),
        _described("wrt"),
    ] = ()  # fmt: skip
    order: Annotated[
        int, _read(fields.option), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_ORDER}),
        _described("order"),
    ] = 1  # fmt: skip
    mode: Annotated[
        str, _read(fields.option), WithJsonSchema(_enum(list(MODES))),
        _described("mode"),
    ] = "reverse"  # fmt: skip
    dtype: Annotated[
        str, _read(fields.option), WithJsonSchema(_enum(list(DTYPES))),
        _described("dtype"),
    ] = "float64"  # fmt: skip
    device: Annotated[
        str, _read(fields.option), WithJsonSchema({"type": "string"}),
        _described("device"),
    ] = "cpu"  # fmt: skip
    rtol: Annotated[
        float | None, _read(fields.option), WithJsonSchema({**_FINITE, "minimum": 0}),
        _described("rtol"),
    ] = None  # fmt: skip
    atol: Annotated[
        float | None, _read(fields.option), WithJsonSchema({**_FINITE, "minimum": 0}),
        _described("atol"),
    ] = None  # fmt: skip
    strict: Annotated[
        bool, _read(fields.truth), WithJsonSchema(_TRUTH),
        _described("strict"),
    ] = False  # fmt: skip
    timeout: Annotated[
        float | None, _read(fields.seconds), WithJsonSchema({**_FINITE, "exclusiveMinimum": 0}),
        _described("timeout"),
    ] = None  # fmt: skip


class Options(Shared):
    """How to check: named as the options of the command line, with underscores."""

    claim_rtol: Annotated[
        float, _read(fields.option), WithJsonSchema({**_FINITE, "minimum": 0}),
        _described("claim_rtol"),
    ] = 1e-9  # fmt: skip
    samples: Annotated[
        int | None, _read(fields.option), WithJsonSchema({"type": "integer", "minimum": 1}),
        _described("samples"),
    ] = None  # fmt: skip
    range: Annotated[
        tuple[str, ...], _read(fields.ranges),
        WithJsonSchema({"anyOf": [*_list_or(_SCALAR)["anyOf"], _mapping_of(_SCALAR)]}),
        _described("range"),
    ] = ()  # fmt: skip
    seed: Annotated[
        int, _read(fields.option), WithJsonSchema({"type": "integer"}),
        _described("seed"),
    ] = 0  # fmt: skip


class Defaults(Options):
    """What holds for all problems of a file."""

    tags: Annotated[
        tuple[str, ...], _read(fields.texts), WithJsonSchema(_list_or(_SCALAR)),
        Field(description="Tags that every problem has, beside its own."),
    ] = ()  # fmt: skip


class Named(BaseModel):
    """What is said of a problem."""

    name: Annotated[
        str | None, _read(fields.name), WithJsonSchema(_SCALAR),
        Field(description="What reports call it; unique in the file. Default: its place, as in problem 3."),
    ] = None  # fmt: skip
    description: Annotated[
        str | None, _read(fields.text), WithJsonSchema(_SCALAR),
        Field(description="A sentence for reports."),
    ] = None  # fmt: skip
    tags: Annotated[
        tuple[str, ...], _read(fields.texts), WithJsonSchema(_list_or(_SCALAR)),
        Field(description="Words by which problems are selected."),
    ] = ()  # fmt: skip


class Problem(Options, Named):
    """One expression, where to check it, and what must come out."""

    expression: Annotated[
        str, _read(fields.expression), WithJsonSchema(_SCALAR),
        Field(description="The function, for example x**2 + sin(x)."),
    ]  # fmt: skip
    let: Annotated[
        tuple[str, ...], _read(fields.lets),
        WithJsonSchema({"anyOf": [{"type": "string", "pattern": "="}, _mapping_of(_SCALAR)]}),
        _described("let"),
    ] = ()  # fmt: skip
    at: Annotated[
        tuple[str, ...], _read(fields.points),
        WithJsonSchema({"anyOf": [*_POINT["anyOf"], {"type": "array", "items": _POINT, "minItems": 1}]}),
        _described("at"),
    ] = ()  # fmt: skip
    shape: Annotated[
        tuple[str, ...], _read(fields.shapes),
        WithJsonSchema({"anyOf": [*_list_or(_SCALAR)["anyOf"], _mapping_of(_list_or(_SCALAR))]}),
        _described("shape"),
    ] = ()  # fmt: skip
    value: Annotated[
        tuple[str, ...], _read(fields.numbers), WithJsonSchema(_list_or(_SCALAR)),
        Field(description="The expected value of the function; a list has one for each point."),
    ] = ()  # fmt: skip
    gradient: Annotated[
        dict[str, tuple[str, ...]], _read(fields.gradients), WithJsonSchema(_or_mapping_of(_list_or(_SCALAR))),
        Field(default_factory=dict,
              description='The expected derivative: a number, a list with one for each point, or those by variable '
                          '({x: 14, y: 2}; for order 2 the keys are "x,y").'),
    ]  # fmt: skip
    claim: Annotated[
        tuple[str, ...], _read(fields.claims),
        WithJsonSchema({"anyOf": [*_list_or(_SCALAR)["anyOf"], _mapping_of(_SCALAR)]}),
        _described("claim"),
    ] = ()  # fmt: skip
    expect: Annotated[
        dict[str, tuple[Verdict, ...]], _read(fields.verdicts),
        WithJsonSchema(_or_mapping_of(_list_or(_enum([verdict.value for verdict in Verdict])))),
        Field(default_factory=dict,
              description="The verdict that must come, a list of those that may, or one of these by variable or mode."),
    ]  # fmt: skip
    expect_claim: Annotated[
        dict[str, tuple[ClaimStatus, ...]], _read(fields.claim_statuses),
        WithJsonSchema(_or_mapping_of(_list_or(_enum(list(fields.STATUSES))))),
        Field(default_factory=dict, description="What must become of the claim, likewise."),
    ]  # fmt: skip


class CodeProblem(Shared, Named):
    """A function, an autograd.Function or a module of Python, what it is called with, and what must come out."""

    code: Annotated[
        str, _read(fields.code), WithJsonSchema({"type": "string"}),
        Field(description="What to check: FILE.py::NAME (the file beside this one), or package.module:NAME."),
    ]  # fmt: skip
    inputs: Annotated[
        tuple[CodeInput, ...], _read(fields.inputs),
        WithJsonSchema({"anyOf": [_mapping_of(_INPUT), {"type": "array", "items": _INPUT}]}),
        _described_for_code("input"),
    ] = ()  # fmt: skip
    init: Annotated[
        str | None, _read(fields.init),
        WithJsonSchema({"anyOf": [_SCALAR, {"type": "array"}, {"type": "object"}]}),
        _described_for_code("init"),
    ] = None  # fmt: skip
    wrt: Annotated[
        tuple[str, ...], _read(fields.code_names), WithJsonSchema(_list_or({"type": "string"})),
        Field(description="The inputs and parameters to differentiate by. Default: all of them."),
    ] = ()  # fmt: skip
    order: Annotated[
        int, _read(fields.code_option), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 2}),
        Field(description="The order of the derivative, 1 or 2. Default: 1."),
    ] = 1  # fmt: skip
    samples: Annotated[
        int | None, _read(fields.code_option), WithJsonSchema({"type": "integer", "minimum": 1}),
        _described_for_code("samples"),
    ] = None  # fmt: skip
    stress: Annotated[
        bool, _read(fields.truth), WithJsonSchema(_TRUTH),
        _described_for_code("stress"),
    ] = False  # fmt: skip
    seed: Annotated[
        int, _read(fields.code_option), WithJsonSchema({"type": "integer"}),
        _described_for_code("seed"),
    ] = 0  # fmt: skip
    through_detach: Annotated[
        bool, _read(fields.truth), WithJsonSchema(_TRUTH),
        _described_for_code("through_detach"),
    ] = False  # fmt: skip
    cotangents: Annotated[
        str, _read(fields.code_option), WithJsonSchema(_enum(list(COTANGENTS))),
        _described_for_code("cotangents"),
    ] = "auto"  # fmt: skip
    expect: Annotated[
        dict[str, tuple[Verdict, ...]], _read(fields.code_verdicts),
        WithJsonSchema(_or_mapping_of(_list_or(_enum([verdict.value for verdict in Verdict])))),
        Field(default_factory=dict,
              description="The verdict that must come (the worst of all entries), a list of those that may, or one of "
                          "these by input or mode."),
    ]  # fmt: skip


class ProblemFile(BaseModel):
    """Gradient problems for gradcheck run."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="gradcheck problem file")

    title: Annotated[
        str | None, _read(fields.text), WithJsonSchema(_SCALAR),
        Field(description="What the file is about, for people."),
    ] = None  # fmt: skip
    description: Annotated[
        str | None, _read(fields.text), WithJsonSchema(_SCALAR),
        Field(description="More about it."),
    ] = None  # fmt: skip
    defaults: Defaults = Field(
        default_factory=Defaults, description="Options for all problems of the file, and their tags."
    )
    problems: list[Problem | CodeProblem] = Field(description="What to check.", min_length=1)


def json_schema() -> dict[str, object]:
    """The JSON Schema of a problem file, for editors."""
    schema = ProblemFile.model_json_schema()
    models: list[Schema] = [schema, *schema["$defs"].values()]
    for model in models:
        for entry in model["properties"].values():
            # Pydantic's titles repeat the keys; the defaults are in the descriptions, for people.
            entry.pop("title", None)
            entry.pop("default", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
