"""Problem files: what is read, what is refused and in which words, and texts that are meant to do harm."""

from __future__ import annotations

import io
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import jsonschema
import pytest
import yaml
from helpers.counting import calls
from helpers.paths import PROBLEMS
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli import text_files
from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.problem_files import plain_yaml
from gradcheck_cli.problem_files.load import load_problems
from gradcheck_cli.problem_files.models import json_schema
from gradcheck_cli.problem_files.names import named_in
from gradcheck_cli.problem_files.plain_yaml import YamlError, YamlMapping, YamlText, compose
from gradcheck_cli.problem_files.pyproject import read_pyproject
from gradcheck_cli.records.request import Expectation, ProblemSpec, Request
from gradcheck_cli.records.results import ClaimStatus, Verdict
from gradcheck_cli.text_files import decode, read_source

T = TypeVar("T")
TRICKY = PROBLEMS / "tricky.yaml"


def load(text: str, given: dict[str, object] | None = None, defaults: dict[str, object] | None = None) -> (
    list[ProblemSpec]
):  # fmt: skip
    return load_problems(text, "p.yaml", given or {}, defaults or {}).problems


def request(lines: str) -> Request:
    """The request of a problem that has these lines besides its expression."""
    (spec,) = load(one(lines))
    assert spec.error is None, spec.error
    assert spec.request is not None
    return spec.request


def one(lines: str) -> str:
    indented = "\n    ".join(lines.split("\n"))
    return f"problems:\n  - name: a\n    expression: x\n    {indented}\n"


def error_of(text: str) -> str | None:
    """What is wrong with the file, or with its problems, in one text."""
    try:
        return "\n".join(spec.error for spec in load(text) if spec.error) or None
    except UsageError as error:
        return str(error)


def test_a_whole_problem() -> None:
    (spec,) = load(
        """\
defaults: {dtype: float32}
problems:
  - name: problem-1
    description: Two times the square
    tags: [chain, drill]
    let: {y: x*x}
    expression: 2*y + 3
    at: 3.5
    value: 27.5
    gradient: {x: 14, y: 2}
    claim: {x: 4*x}
    expect: [match, imprecise]
    expect_claim: proven
"""
    )
    assert spec == ProblemSpec(
        name="problem-1",
        file="p.yaml",
        line=3,
        description="Two times the square",
        tags=("chain", "drill"),
        expect=["match", "imprecise"],
        expect_claim="proven",
        request=Request(
            expression="2*y + 3",
            at=("3.5",),
            lets=("y = x*x",),
            claims=("x: 4*x",),
            dtype="float32",
            expectation=Expectation(
                verdicts={"": (Verdict.MATCH, Verdict.IMPRECISE)},
                gradient={"x": ("14",), "y": ("2",)},
                value=("27.5",),
                claims={"": (ClaimStatus.PROVEN,)},
            ),
        ),
    )


def test_nothing_of_the_file_but_plain_texts_leaves_the_loader() -> None:
    """Requests go to other processes: they carry no places."""
    (spec,) = load(one("at: {x: [1, 2]}\ntags: t\nexpect: {x: kink}\nclaim: 1\ngradient: 1"))
    assert type(spec.name) is str
    assert spec.request is not None
    texts = [*spec.request.at, *spec.request.claims, *spec.tags, spec.request.expression, *spec.request.wrt]
    texts += [*spec.request.expectation.verdicts, *spec.request.expectation.gradient[""]]
    assert {type(text) for text in texts} == {str}
    assert spec.expect == {"x": "kink"}
    assert type(spec.expect["x"]) is str  # type: ignore[index]
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_the_corpus_loads() -> None:
    specs = load_problems(TRICKY.read_text("utf-8"), "tricky.yaml", {}, {}).problems
    assert len(specs) == 132
    assert [spec.error for spec in specs if spec.error] == []


FIELDS = [
    ("at: 2", {"at": ("2",)}),
    ("at: -2.50", {"at": ("-2.50",)}),
    ("at: 1e-3", {"at": ("1e-3",)}),
    ("at: 0o17", {"at": ("0o17",)}),
    ("at: pi/4", {"at": ("pi/4",)}),
    ("at: x=-3:3:101", {"at": ("x=-3:3:101",)}),
    ("at: [1, 2]", {"at": ("1", "2")}),
    ("at: [x=1, x=2]", {"at": ("x=1", "x=2")}),
    ("at:\n- 1\n- 2", {"at": ("1", "2")}),
    ("at: {x: 1, y: 2}", {"at": ("x=1,y=2",)}),
    ("at: {x: [1, 2], y: [3, 4]}", {"at": ("x=1,y=3", "x=1,y=4", "x=2,y=3", "x=2,y=4")}),
    ("at: {x: -3:3:101, y: 1}", {"at": ("x=-3:3:101,y=1",)}),
    ("at: {x: 'atan2(1, 2)'}", {"at": ("x=atan2(1, 2)",)}),
    ("at: [{x: 1, y: 2}, 'x=3,y=4']", {"at": ("x=1,y=2", "x=3,y=4")}),
    ("at: {y: 1, n: 2, on: 3, no: 4}", {"at": ("y=1,n=2,on=3,no=4",)}),
    ("let: {y: x*x, z: 2*y}", {"lets": ("y = x*x", "z = 2*y")}),
    ("let: {y: 3}", {"lets": ("y = 3",)}),
    ("let: y = x; z = 2*y", {"lets": ("y = x; z = 2*y",)}),
    ("let: {a(x): -x}", {"lets": ("a(x) = -x",)}),
    ("claim: 2*x", {"claims": ("2*x",)}),
    ("claim: 1", {"claims": ("1",)}),
    ('claim: {x: 2*x, "x, y": 0}', {"claims": ("x: 2*x", "x,y: 0")}),
    ("wrt: x", {"wrt": ("x",)}),
    ("wrt: y", {"wrt": ("y",)}),
    ("wrt: x, y", {"wrt": ("x", "y")}),
    ("wrt: [x, no]", {"wrt": ("x", "no")}),
    ("range: -3:3", {"ranges": ("-3:3",)}),
    ("range: 1:30", {"ranges": ("1:30",)}),
    ("range: [x=0:1, 'y=2:3']", {"ranges": ("x=0:1", "y=2:3")}),
    ("range: {x: 0:1, y: 0:2*pi}", {"ranges": ("x=0:1", "y=0:2*pi")}),
    ("order: 2", {"order": 2}),
    ("mode: both", {"mode": "both"}),
    ("dtype: bfloat16", {"dtype": "bfloat16"}),
    ("device: cuda:1", {"device": "cuda:1"}),
    ("rtol: 1e-3", {"rtol": 1e-3}),
    ("rtol: 0", {"rtol": 0.0}),
    ("atol: 1.0e-12", {"atol": 1e-12}),
    ("claim_rtol: .5", {"claim_rtol": 0.5}),
    ("strict: yes", {"strict": True}),
    ("strict: OFF", {"strict": False}),
    ("strict: True", {"strict": True}),
    ("samples: 7", {"samples": 7}),
    ("seed: -1", {"seed": -1}),
    ("timeout: 2.5", {"timeout": 2.5}),
    ("gradient: 326", {"expectation": Expectation(gradient={"": ("326",)})}),
    ("gradient: [1, -.inf, .INF, inf]", {"expectation": Expectation(gradient={"": ("1", "-inf", "inf", "inf")})}),
    ("gradient: {x: 1/3, y: [pi/4, 2]}", {"expectation": Expectation(gradient={"x": ("1/3",), "y": ("pi/4", "2")})}),
    ('gradient: {"x,y": 6}', {"expectation": Expectation(gradient={"x,y": ("6",)})}),
    ("value: [1, 2]", {"expectation": Expectation(value=("1", "2"))}),
    ("expect: kink", {"expectation": Expectation(verdicts={"": (Verdict.KINK,)})}),
    ("expect: {x: match, forward: [kink, match]}", {
        "expectation": Expectation(verdicts={"x": (Verdict.MATCH,), "forward": (Verdict.KINK, Verdict.MATCH)})}),
    ("expect_claim: {x: [proven, agrees]}", {
        "expectation": Expectation(claims={"x": (ClaimStatus.PROVEN, ClaimStatus.AGREES)})}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "fields"), FIELDS)
def test_fields(lines: str, fields: dict[str, object]) -> None:
    assert request(lines) == Request(expression="x", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "expression"),
    [
        ("3", "3"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("0x1F", "0x1F"),
        ("x**2 # a remark", "x**2"),
        ("'null'", "null"),
        ("'x' ", "x"),
        ("!!str 3", "3"),
        ("|\n      x +\n      y", "x +\ny"),
        (">-\n      x +\n      y", "x + y"),
        ("x\n      + y", "x + y"),
    ],
)
def test_an_expression_is_a_text(written: str, expression: str) -> None:
    (spec,) = load(f"problems:\n  - expression: {written}\n")
    assert spec.request is not None, spec.error
    assert spec.request.expression == expression


KEYS = (
    "name, description, tags, expression, let, at, shape, wrt, order, mode, dtype, device, rtol, atol, claim_rtol, "
    "strict, samples, seed, range, timeout, value, gradient, claim, expect, expect_claim"
)
BAD_FIELDS = [
    ("rtl: 1", "5: a: rtl is not a key of a problem: did you mean rtol?"),
    ("expresion: y", "5: a: expresion is not a key of a problem: did you mean expression?"),
    ("claim-rtol: 1", "5: a: claim-rtol is not a key of a problem: did you mean claim_rtol?"),
    ("--rtol: 1", "5: a: --rtol is not a key of a problem: did you mean rtol?"),
    ("lets: {y: x}", "5: a: lets is not a key of a problem: did you mean let?"),
    ("expr: x", "5: a: expr is not a key of a problem: did you mean expression?"),
    ("points: 1", "5: a: points is not a key of a problem: did you mean at?"),
    ("zzz: 1", f"5: a: zzz is not a key of a problem: the keys are {KEYS}"),
    ("'': 1", f"5: a: '' is not a key of a problem: the keys are {KEYS}"),
    ("rtol: -1", "11: a: rtol -1: it takes a finite number from 0, for example 1e-9"),
    ("rtol: .inf", "11: a: rtol .inf: it takes a finite number from 0, for example 1e-9"),
    ("rtol: [1]", "11: a: rtol is a list: it takes a finite number from 0, for example 1e-9"),
    ("rtol:", "5: a: rtol has no value: it takes a finite number from 0, for example 1e-9"),
    ("rtol: ~", "11: a: rtol has no value: it takes a finite number from 0, for example 1e-9"),
    ("order: 0", "12: a: order 0: it takes a whole number from 1 to 10"),
    ("order: 1.5", "12: a: order 1.5: it takes a whole number from 1 to 10"),
    ("samples: 0", "14: a: samples 0: it takes a whole number from 1"),
    ("seed: x", "11: a: seed x: it takes a whole number"),
    ("timeout: 0", "14: a: timeout 0: it takes a number of seconds above 0, for example 30"),
    ("timeout: soon", "14: a: timeout soon: it takes a number of seconds above 0, for example 30"),
    ("strict: maybe", "13: a: strict maybe: it takes true or false"),
    ("dtype: floot32", "12: a: dtype floot32: did you mean float32? There are float64, float32, float16, bfloat16"),
    ("mode: revers", "11: a: mode revers: did you mean reverse? There are reverse, forward, both"),
    ("mode: {a: b}", "11: a: mode is a mapping: it takes one of reverse, forward, both"),
    ("at: []", "9: a: at is an empty list: it takes 2, [1, 2], {x: 1, y: 2} or a text such as x=-3:3:101"),
    ("at: {}", "9: a: at is an empty mapping: it takes a value for each variable, for example {x: 1, y: 2}"),
    ("at: null", "9: a: at has no value: it takes 2, [1, 2], {x: 1, y: 2} or a text such as x=-3:3:101"),
    ("at: {x: []}", "13: a: at x is an empty list"),
    ("at: {x:1}", "10: a: at x:1: write a space after the colon, x: 1"),
    ("at: {x: '1,y=2'}", "13: a: at x: 1,y=2 is not one number or range: for several write a list, [1, 2]"),
    ("claim: {x: max(x, y)}", "23: a: claim: y) is the rest of a text that has a comma: between braces such a text "
                              "goes in quotes"),
    ("at: {x y: 1}", "10: a: at: x y is not the name of a variable"),
    ("at: [[1, 2]]", "10: a: at has a list inside of a list: for a product write {x: [1, 2], y: [3, 4]}"),
    ("at: {x: {y: 1}}", "13: a: at x is a mapping: it takes a number, a range such as -3:3:101, "
     "a list of those, or {tensor: [[1, 2], [3, 4]]} for an array"),
    ("wrt: x,,y", "10: a: wrt: the name of a variable is missing"),
    ("wrt: []", "10: a: wrt is an empty list"),
    ("wrt: {x: 1}", "10: a: wrt is a mapping: it takes a variable or a list of variables"),
    ("let: x*x", "10: a: let is a text: it takes a mapping from name to expression, for example {y: x*x}"),
    ("let: {1y: x}", "11: a: let: 1y is not the name of a variable"),
    ("let: {y: }", "11: a: let y has no value: it takes an expression"),
    ("claim: []", "12: a: claim is an empty list"),
    ("claim: {x: [1]}", "16: a: claim x is a list: it takes an expression, for example x**2 + sin(x)"),
    ("gradient: {x: {y: 1}}", "19: a: gradient x is a mapping: it takes a number or a list of numbers"),
    ("gradient: .nan", "15: a: gradient .nan: where there is no derivative write expect: undefined"),
    ('gradient: {"x,y": 1, "x, y": 2}', "26: a: gradient has x,y twice"),
    ("value: {x: 1}", "12: a: value is a mapping: it takes a number or a list of numbers"),
    ("expect: mismach", "13: a: expect mismach: did you mean mismatch? There are match, imprecise, kink, unstable, "
                        "mismatch, undefined, error"),
    ("expect: {}", "13: a: expect is an empty mapping"),
    ("expect: {x: kinky}", "17: a: expect x kinky: did you mean kink? There are match, imprecise, kink, unstable, "
                           "mismatch, undefined, error"),
    ("expect_claim: refute", "19: a: expect_claim refute: did you mean refuted? There are proven, agrees, refuted, "
                             "unchecked"),
    ("range: 3", "12: a: range 3: it takes low:high, for example -3:3"),
    ("tags: {a: b}", "11: a: tags is a mapping: it takes a text or a list of texts"),
    ("name: b", "5: a: the key name is here a second time: the first is in line 2"),
    ("at: {x: 1, x: 2}", "16: a: the key x is here a second time: the first is in line 4"),
    ("let: !x", "10: a: there is a tag, !x, but files are plain data: a text that begins with ! goes in quotes"),
    ("rtol: !!float 1", "11: a: there is a tag, !!float, but files are plain data: a text that begins with ! goes in "
                        "quotes"),
    ("rtol: *b", "11: a: there is no &b for this *b: a text that begins with * goes in quotes"),
    ("at: &p [*p]", "13: a: *p stands inside of &p: data cannot hold itself"),
    ("<<: {rtol: 1}", "5: a: keys are not merged with <<: write what problems have in common under defaults:"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "message"), BAD_FIELDS)
def test_a_bad_problem(lines: str, message: str) -> None:
    assert error_of(one(lines)) == f"p.yaml:4:{message}"


BAD_FILES = [
    ("", "1:1: the file is empty: it takes problems: and below it a list of them"),
    ("# nothing", "1:1: the file is empty: it takes problems: and below it a list of them"),
    ("{}", "1:1: there are no problems: write problems: and below it a list of them"),
    ("x", "1:1: the file is a text: it takes problems: and below it a list of them"),
    ("- expression: x", "1:1: the file is a list: write problems: above it"),
    ("defaults: {order: 2}", "1:1: there are no problems: write problems: and below it a list of them"),
    ("problems:", "1:1: problems is empty: it takes a list; each problem begins with - and has an expression"),
    ("problems: []", "1:11: problems is empty: it takes a list; each problem begins with - and has an expression"),
    ("problems: {a: b}", "1:11: problems is a mapping: it takes a list; each problem begins with - and has an "
                         "expression"),
    ("problem: [x]", "1:1: problem is not a key of a problem file: did you mean problems?"),
    ("expression: x", "1:1: expression is a key of a problem: put it into the list under problems:"),
    ("claim-rtol: 1", "1:1: claim-rtol is an option: put it under defaults:, or into a problem"),
    ("defaults: {rtl: 1}\nproblems: [{expression: x}]", "1:12: rtl is not an option: did you mean rtol?"),
    ("defaults: {at: 1}\nproblems: [{expression: x}]", "1:12: at belongs to a problem, not to defaults"),
    ("defaults: {tag: 1}\nproblems: [{expression: x}]", "1:12: tag is not an option: did you mean tags?"),
    ("defaults: {tags: []}\nproblems: [{expression: x}]", "1:18: tags is an empty list"),
    ("tags: week 3\nproblems: [{expression: x}]", "1:1: tags are of problems: put them under defaults:, for all of "
                                                  "them, or into a problem"),
    ("defaults: 3\nproblems: [{expression: x}]", "1:11: defaults is a text: it takes options, for example {dtype: "
                                                 "float32}"),
    ("defaults: {rtol: x}\nproblems: [{expression: x}]", "1:18: rtol x: it takes a finite number from 0, for example "
                                                         "1e-9"),
    ("defaults: {rtol: 1, rtol: 2}\nproblems: [{expression: x}]", "1:21: the key rtol is here a second time: the first "
                                                                  "is in line 1"),
    ("problems: [{expression: x}]\nproblems: []", "2:1: the key problems is here a second time: the first is in line "
                                                  "1"),
    ("problems: [x]", "1:12: problem 1: this is a text: a problem is a mapping that has an expression"),
    ("problems: [{}]", "1:12: problem 1: there is no expression: a problem has at least an expression"),
    ("problems:\n  -", "2:4: problem 1: this is empty: a problem is a mapping that has an expression"),
    ("problems: [{expression: [x, y]}]", "1:25: problem 1: expression is a list: it takes an expression, for example "
                                         "x**2 + sin(x)"),
    ("problems: [{expression: max(x, y)}]", "1:32: problem 1: y) is the rest of a text that has a comma: between "
                                            "braces such a text goes in quotes"),
    ("problems: [{expression: null}]", "1:25: problem 1: expression has no value: it takes an expression, for example "
                                       "x**2 + sin(x)"),
    ('problems: [{expression: "", name: "a\\nb"}]', "1:25: problem 1: expression has no value: it takes an expression, "
     "for example x**2 + sin(x)\np.yaml:1:35: problem 1: name a\\nb: a name is one line of printable text"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_a_bad_file(text: str, message: str) -> None:
    assert error_of(text) == f"p.yaml:{message}"


def soon(text: str) -> int:
    """How many calls reading a text may take: some for each character, and what is done once."""
    return 30 * len(text) + 20_000


BAD_YAML = [
    ("a: b: c", "1:5: a colon is not expected here: a text that has ': ' in it goes in quotes, and the keys of a "
                "mapping stand in one column"),
    ("a: 'x", "1:6: the quote that opens in line 1 is not closed"),
    ("a: [1, 2\nb: 3", "2:2: the list that begins with [ in line 1 goes on without a comma or ]"),
    ("a: {x: 1]", "1:9: the mapping that begins with { in line 1 goes on without a comma or }"),
    ("a:\n\tb: 1", "2:1: there is a tab: lines are indented with spaces"),
    ("a: `x`", "1:4: ` cannot begin a value: put the text in quotes"),
    ("a: %x", "1:4: % cannot begin a value: put the text in quotes"),
    ("a: |x|", "1:5: after | or > the line ends: a text that begins with | or > goes in quotes"),
    ("a: * x", "1:5: a text that begins with * or & goes in quotes"),
    ('a: "\\d"', "1:5: this escape is not known inside double quotes: use single quotes, or write \\\\ for a "
                 "backslash"),
    ('{"a": "x"} trailing', "1:12: the data has ended before this: put all of it into one mapping"),
    ("- a\nb: 1", "2:1: an item that begins with - is expected here, as in the list that begins in line 1: check the "
                  "indentation"),
    ("%YAML 9.9\n---\na: x", "1:1: this is for another version of YAML: delete the line that begins with %YAML"),
    ("---\nx\n---\ny", "3:1: a second document begins here: a file holds one, so delete the ---"),
    ("? [a]\n: x", "1:3: a key is a text, not a list: put a text with brackets in quotes"),
    ("a: &l [1]\n*l : 2", "1:4: a key is a text, not an alias of a list or a mapping"),
    ("a: \x07", "1:4: the character U+0007 is not text: delete it, or write it as an escape in double quotes"),
    ("a:\n  \ud800", "2:3: the character U+D800 is not text: delete it, or write it as an escape in double quotes"),
    ('{"a":' * 5_000, "1:101: lists and mappings are nested more than 20 deep"),
    ("[" * 500, "1:21: lists and mappings are nested more than 20 deep"),
    ("- " * 100_000, "1:41: lists and mappings are nested more than 20 deep"),
]  # fmt: skip


def test_lists_so_deep_that_libyaml_may_refuse_them_first() -> None:
    with pytest.raises(YamlError, match=r"^1:\d+: lists and mappings are nested more than 20 deep$"):
        compose("[" * 100_000)


@pytest.mark.parametrize(("text", "message"), BAD_YAML)
def test_bad_yaml(text: str, message: str) -> None:
    def refused() -> None:
        with pytest.raises(YamlError) as caught:
            compose(text)
        assert str(caught.value) == message

    assert calls(refused) < soon(text)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
def test_places_and_quotes(loader: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader in Python, for an installation without libyaml, finds the same."""
    monkeypatch.setattr(plain_yaml, "_LOADER", loader)
    root = compose("\N{ZERO WIDTH NO-BREAK SPACE}a: 1e-3\r\nb:\r\n  - 'no'\r\n  - ~\r\nü: {c: }\r\n").root
    assert root == {"a": "1e-3", "b": ["no", "~"], "ü": {"c": ""}}
    assert isinstance(root, YamlMapping)
    (a, number), (b, items), (_, inner) = root.entries()
    assert isinstance(number, YamlText)
    assert [(a.line, a.column), (number.line, number.column, number.plain, number.is_null)] == [
        (1, 1),
        (1, 4, True, False),
    ]
    assert (b.line, items.line, items.column) == (2, 3, 3)
    quoted, null = items
    assert isinstance(quoted, YamlText)
    assert isinstance(null, YamlText)
    assert (quoted.plain, quoted.is_null, null.is_null, null.column) == (False, False, True, 5)
    assert isinstance(inner, YamlMapping)
    assert isinstance(inner["c"], YamlText)
    assert (inner["c"].is_null, inner["c"].line, inner["c"].column) == (True, 5, 5)


def test_the_loader_in_python_reads_the_corpus_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    text = TRICKY.read_text("utf-8")
    fast = load(text)
    monkeypatch.setattr(plain_yaml, "_LOADER", yaml.SafeLoader)
    assert load(text) == fast


def test_aliases_share_and_cannot_blow_up() -> None:
    specs = load("problems:\n- {expression: x, at: &p [1, 2]}\n- {expression: 2*x, at: *p}\n")
    assert [spec.request.at for spec in specs if spec.request] == [("1", "2"), ("1", "2")]
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    with pytest.raises(YamlError, match="more than 1,000,000 values"):
        compose(f"a0: &a0 [x, x, x, x, x, x, x, x, x]\n{levels}")


def test_an_alias_may_stand_for_a_whole_problem() -> None:
    first, second = load("problems:\n- &p {expression: x}\n- *p\n")
    assert first.request == second.request
    assert (first.name, second.name) == ("problem 1", "problem 2")


def test_one_bad_problem_does_not_stop_the_others() -> None:
    specs = load("problems:\n  - {name: a, expression: x, rtl: 1, order: 0}\n  - 3\n  - {name: c, expression: x}\n"
                 "  - {name: d, expression: x, at: {x: 1, x: 2}}\n  - {expression: y}\n")  # fmt: skip
    assert [(spec.name, spec.line, spec.request is None) for spec in specs] == [
        ("a", 2, True), ("problem 2", 3, True), ("c", 4, False), ("d", 5, True), ("problem 5", 6, False),
    ]  # fmt: skip
    assert specs[0].error == (
        "p.yaml:2:30: a: rtl is not a key of a problem: did you mean rtol?\n"
        "p.yaml:2:45: a: order 0: it takes a whole number from 1 to 10"
    )


def test_a_name_is_given_once() -> None:
    specs = load("problems:\n- {name: a, expression: x}\n- {name: b, expression: x}\n- {name: a, expression: y}\n")
    assert [spec.error for spec in specs] == [None, None, "p.yaml:4:10: a: the name is taken: a begins in line 2"]


def test_precedence() -> None:
    text = "defaults: {order: 2, rtol: 0.2, dtype: float32}\nproblems:\n- {expression: x, rtol: 0.3, dtype: float16}\n"
    (spec,) = load(text, {"dtype": "bfloat16"}, {"order": 4, "rtol": 0.4, "seed": 4, "derivatives": False})
    assert spec.request == Request("x", order=2, rtol=0.3, dtype="bfloat16", seed=4, derivatives=False)
    (spec,) = load("problems:\n- {expression: x, range: 0:1}\n", {"range": ("2:3",)}, {"ranges": ("4:5",)})
    assert spec.request == Request("x", ranges=("2:3",))


def test_tags_of_the_defaults_are_those_of_every_problem() -> None:
    """Beside its own; also of one that cannot be read, which --tag would pass over otherwise."""
    text = (
        "defaults: {tags: [week 3, lab], rtol: 0.2}\n"
        "problems:\n- {name: a, expression: x, tags: [hard, lab]}\n- {name: b, expression: x}\n"
        "- {name: c, expression: [x]}\n"
    )
    tags = [("week 3", "lab", "hard"), ("week 3", "lab"), ("week 3", "lab")]
    assert [spec.tags for spec in load(text)] == tags
    assert [set(one.tags) for one in named_in(text)] == list(map(set, tags))
    readable = text.replace("[x]", "x")
    assert VALIDATOR.is_valid(yaml.safe_load(readable))
    assert not VALIDATOR.is_valid(yaml.safe_load(readable.replace("[week 3, lab]", "[]")))


def test_an_option_can_be_set_back_to_its_default() -> None:
    (spec,) = load("defaults: {strict: true}\nproblems:\n- {expression: x, strict: false}\n")
    assert spec.request is not None
    assert spec.request.strict is False


MANY = f"[{', '.join(map(str, range(400)))}]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (one(f"at: {{x: {MANY}, y: {MANY}}}"), "p.yaml:4:9: a: at lists more than 100,000 points: write ranges, for "
                                               "example x=-3:3:101,y=0:1:11"),
        (one(f"at: {{x: {MANY[:1200]}], y: {MANY[:1000]}], z: {'1' * 1_000_000}}}"), "p.yaml:4:9: a: at lists more than"
         " 100,000 points: write ranges, for example x=-3:3:101,y=0:1:11"),
        (f"problems:\n- {{expression: x, at: &p {{x: {MANY[:1000]}], y: {MANY}}}}}\n"
         + "- {expression: x, at: *p}\n" * 1_000, "p.yaml:13:3: the problems list more than 1,000,000 points: write "
                                                "ranges, for example x=-3:3:101"),
        (one("order: " + "9" * 1_000_000), f"p.yaml:4:12: a: order {'9' * 59}…: it takes a whole number from 1 to 10"),
        (one("dtype: " + "f" * 1_000_000), f"p.yaml:4:12: a: dtype {'f' * 59}…: there are float64, float32, float16, "
                                           "bfloat16"),
        (one("f" * 500 + ": 1"), f"p.yaml:4:5: a: {'f' * 59}… is not a key of a problem: the keys are {KEYS}"),
    ],
)  # fmt: skip
def test_what_is_too_large_ends_soon(text: str, message: str) -> None:
    messages: list[str | None] = []
    assert calls(lambda: messages.append(error_of(text))) < soon(text)
    assert messages == [message]


HOSTILE = [
    "expr: !!python/object/apply:os.system ['touch GRADCHECK_CANARY']",
    "!!python/object/apply:subprocess.Popen\n- [touch, GRADCHECK_CANARY]",
    "problems: [!!python/object/new:os.system ['touch GRADCHECK_CANARY']]",
    "problems: [{expression: !!python/name:os.system }]",
    "!!python/module:os",
    "problems: [{expression: x, at: !!python/object/apply:builtins.eval [\"__import__('os').system('id')\"]}]",
    "problems: [{expression: x, order: 1_0_0_0}]",
    "<<: *undefined",
    "<<: [1, 2]",
    '{"expr": 1e999}',
    "null",
    '"x"',
    '{"expr": ' + "9" * 100_000 + "}",
    "problems: [" + "a: 1, " * 5_000 + "]",
    "problems: [{" + ", ".join(f"k{n}: 1" for n in range(20_000)) + "}]",
    "problems: [" + "!t x, " * 50_000 + "]",
    "problems: [" + "*t , " * 50_000 + "]",
    "problems: [{" + "a: 1, " * 20_000 + "}]",
    "expr: " + "x" * 1_000_000,
    "? " * 50_000,
    "a: " * 50_000,
    "&a " * 50_000,
    "'" * 100_001,
    "#" * 1_000_000,
    "{" * 50_000,
    "\n" * 500_000,
    "a: |\n" + " \n" * 200_000,
    "- - ? - : -",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_files_are_refused_soon(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    messages: list[str | None] = []
    assert calls(lambda: messages.append(error_of(text))) < soon(text)
    (message,) = messages
    assert message is not None
    assert message.startswith("p.yaml:")
    assert len(message) < 100_000 or "\n" in message
    assert list(tmp_path.iterdir()) == []


YAML_WORDS = [
    *"[]{}:,-?&*!|>'\"%@`#~\n \tx1\\é", ": ", "- ", "\n  ", "\n- ", "<<", "&a", "*a", "!!str ", "null",
    "problems:", "defaults: ", "expression: x", "at: ", "name: a", "rtol: 1", "claim: ",
]  # fmt: skip
YAML_PIECES = st.lists(st.sampled_from(YAML_WORDS)).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), YAML_PIECES, YAML_PIECES.map(lambda text: f"problems:\n- expression: x\n  at: {text}")))
def test_any_text_loads_or_is_refused(text: str) -> None:
    message, specs = _outcome(load, text)
    assert message is None or message.startswith("p.yaml:")
    assert all((spec.request is None) == (spec.error is not None) for spec in specs or [])


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-16", "surrogatepass"))))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    message, _ = _outcome(decode, data, "p.yaml")
    assert message is None or message.startswith("p.yaml:")


def _outcome(action: Callable[..., T], *arguments: object) -> tuple[str | None, T | None]:
    """What a GradcheckError said, or what came out. Any other exception fails the test."""
    try:
        return None, action(*arguments)
    except GradcheckError as error:
        return str(error), None


JSON_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufeff"))


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.one_of(JSON_TEXT, st.integers(), st.booleans(), st.none()),
        lambda inner: st.lists(inner) | st.dictionaries(JSON_TEXT, inner),
        max_leaves=10,
    )
)
def test_json_is_yaml(data: object) -> None:
    assert _plain(compose(json.dumps(data, ensure_ascii=False)).root) == _texts(data)


def _plain(node: object) -> object:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    return [_plain(value) for value in node] if isinstance(node, list) else str(node)


def _texts(data: object) -> object:
    if isinstance(data, dict):
        return {key: _texts(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_texts(value) for value in data]
    return data if isinstance(data, str) else json.dumps(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings(encoding: str, line_end: str, tmp_path: Path) -> None:
    file = tmp_path / "problems.yaml"
    file.write_bytes(f"problems:{line_end}- expression: π*x{line_end}".encode(encoding))
    assert read_source(str(file)) == "problems:\n- expression: π*x\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a\nb é".encode("latin-1"), "p.yaml:2: the byte 0xE9 is not UTF-8: save the file as UTF-8"),
        (b"\xff\xfea\x00\n\x00\x00\xd8", "p.yaml:2: the byte 0x00 is not UTF-16: save the file as UTF-8"),
        ("ab\nc".encode("utf-16-le"), "p.yaml:1: there is a null byte, which text does not have: save the file as "
                                      "UTF-8"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_text(data: bytes, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        decode(data, "p.yaml")
    assert str(caught.value) == message


def refusal(name: str) -> str:
    with pytest.raises(UsageError) as caught:
        read_source(name)
    return str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal("problems.yaml") == (
        "there is no problems.yaml in this folder: name a problem file, or - for standard input"
    )
    (tmp_path / "problems.yml").write_text("")
    (tmp_path / "sub").mkdir()
    assert refusal("problems.yaml") == "there is no file problems.yaml: did you mean problems.yml?"
    assert refusal("nothing") == "there is no file nothing"
    assert refusal("no/where.yaml") == "there is no file no/where.yaml: there is no folder no"
    assert refusal("sub") == "sub is a folder: name a file in it"
    (tmp_path / "sub" / "problems.yaml").write_text("")
    assert refusal("sub") == f"sub is a folder: did you mean {Path('sub', 'problems.yaml')}?"
    assert refusal("") == "the name of a file is empty: name a problem file, for example problems.yaml"
    assert refusal("a\0b").startswith("a\\x00b cannot be read: ")
    assert refusal("a" * 5_000).startswith("a" * 5_000 + " cannot be read: ")
    monkeypatch.setattr(text_files, "MAX_BYTES", 10)
    (tmp_path / "large").write_bytes(b"#" * 11)
    assert refusal("large") == "large is larger than 0 MiB, which is more than is read"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_file_without_end() -> None:
    assert refusal("/dev/zero") == "/dev/zero is larger than 64 MiB, which is more than is read"


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("builtins.open", refuse)
    assert refusal("p.yaml") == "p.yaml cannot be read: permission denied"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\xef\xbb\xbfa: 1\r\n")))
    assert read_source("-") == "a: 1\n"
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal("-") == "standard input is closed: name a problem file"


def test_pyproject(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.gradcheck]\nrtol = 1e-3\nstrict = true\nwrt = ["x", "y"]\norder = 2\nrange = {x = "0:1"}\n')
    options = {"rtol": 1e-3, "strict": True, "wrt": ("x", "y"), "order": 2, "ranges": ("x=0:1",)}
    assert read_pyproject(inner) == options
    (inner / "pyproject.toml").write_text("[project]\nname = 'p'\n")
    assert read_pyproject(inner) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.gradcheck]\nrtl = 1", ": [tool.gradcheck]: rtl is not an option: did you mean rtol?"),
        ("[tool.gradcheck]\nclaim-rtol = 1", ": [tool.gradcheck]: claim-rtol is not an option: did you mean "
                                             "claim_rtol?"),
        ("[tool.gradcheck]\nat = 1", ": [tool.gradcheck]: at belongs to a problem, not to pyproject.toml"),
        ("[tool.gradcheck]\norder = 1.5", ": [tool.gradcheck]: order 1.5: it takes a whole number from 1 to 10"),
        ("[tool.gradcheck]\nrtol = inf", ": [tool.gradcheck]: rtol inf: it takes a finite number from 0, for example "
                                         "1e-9"),
        ("[tool.gradcheck]\nstrict = 1", ": [tool.gradcheck]: strict 1: it takes true or false"),
        ("[tool]\ngradcheck = 1", ": tool.gradcheck is not a table: write [tool.gradcheck] and options below it"),
        ("tool = 1\n[", " is not TOML: invalid"),
        ("a = " + "[" * 10_000, " is nested too deeply"),
    ],
)  # fmt: skip
def test_bad_pyproject(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_pyproject(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'pyproject.toml'}{message}")


SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one_and_describes_every_key() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    definitions = SCHEMA["$defs"]
    assert isinstance(definitions, dict)
    for model in (SCHEMA, *definitions.values()):
        assert model["additionalProperties"] is False
        assert all(entry.get("description") for entry in model["properties"].values())


def test_the_corpus_is_valid() -> None:
    assert list(VALIDATOR.iter_errors(yaml.safe_load(TRICKY.read_text("utf-8")))) == []


@pytest.mark.parametrize("lines", [lines for lines, _ in FIELDS if "OFF" not in lines and "wrt: [x, no]" not in lines])
def test_what_loads_is_valid(lines: str) -> None:
    """As PyYAML reads it, by YAML 1.1; what is a boolean only there is left out."""
    if "on: 3" in lines:
        lines = lines.replace("on: 3, no: 4", "m: 3")
    assert list(VALIDATOR.iter_errors(yaml.safe_load(one(lines)))) == []


NOT_IN_A_SCHEMA = {
    "y)",
    "'1,y=2'",
    "x y",
    "x:1",
    "x,,y",
    "1y",
    "range: 3",
    "nan",
    "x, y",
    "name: b",
    "x: 2}",
    "!",
    "*",
    "<<",
}


@pytest.mark.parametrize("lines", [line for line, _ in BAD_FIELDS if not any(part in line for part in NOT_IN_A_SCHEMA)])
def test_what_does_not_load_is_not_valid(lines: str) -> None:
    assert not VALIDATOR.is_valid(yaml.safe_load(one(lines)))


@pytest.mark.parametrize("text", ["problems: []", "problem: [x]", "problems: [{}]", "problems: [x]", "[]",
                                  "{defaults: {at: 1}, problems: [{expression: x}]}"])  # fmt: skip
def test_bad_files_are_not_valid(text: str) -> None:
    assert not VALIDATOR.is_valid(yaml.safe_load(text))


def test_a_file_loads_in_linear_time() -> None:
    problem = (
        "- name: p{0}\n  expression: x**2 + {0}*x\n  at: {{x: {0}}}\n  gradient: {0}\n  expect: match\n  tags: t\n"
    )

    def work(count: int) -> int:
        text = "problems:\n" + "".join(problem.format(number) for number in range(count))
        return calls(lambda: load(text))

    work(1)  # what is made once
    assert work(1_600) < 9 * work(200)
