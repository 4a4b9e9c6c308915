"""One mistake on the command line, in a file and from Python: each is told in the words of those who made it."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from helpers.paths import PACKAGE

from gradcheck_cli import GradcheckError, check, run
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.errors import ExpressionError, UsageError
from gradcheck_cli.surfaces import Option, in_file

MISTAKES: list[tuple[str, list[str], str, Mapping[str, Any], tuple[str, str, str]]] = [
    # (expression, command line, keys of a file, arguments of Python; what each of the three is told)
    ("x*y", ["--at", "x=1"], "at: x=1", {"at": {"x": 1}}, (
        "--at x=1 gives no value to y: write, for example, --at x=1,y=1",
        "at: x=1 gives no value to y: write, for example, at: x=1,y=1",
        "at={'x': 1} gives no value to y: write, for example, at=\"x=1.0,y=1\"")),
    ("x", ["--at", "1,5"], "at: '1,5'", {"at": "1,5"}, (
        "--at 1,5 can be read in two ways: write --at 1.5 for the decimal number, and for two "
        "points put brackets around them, or repeat --at",
        "at: 1,5 can be read in two ways: write at: 1.5 for the decimal number, and for two "
        "points put brackets around them, or write a list",
        "at='1,5' can be read in two ways: write at=\"1.5\" for the decimal number, and for two "
        "points put brackets around them, or give a list")),
    ("x*y", ["--at", "x=1", "--at", "y=2"], "at: [x=1, y=2]", {"at": ["x=1", "y=2"]}, (
        "each --at is a whole point, and --at x=1 gives no value to y: write --at x=1,y=2",
        "each at is a whole point, and at: x=1 gives no value to y: write at: x=1,y=2",
        "each at is a whole point, and at='x=1' gives no value to y: write at=\"x=1,y=2\"")),
    ("x", ["--at", "2", "--range", "0:1"], "at: 2, range: 0:1", {"at": 2, "range": (0, 1)}, (
        "--range is where to sample: give --samples N as well, or leave out --at",
        "range is where to sample: give samples: N as well, or leave out at",
        "range is where to sample: give samples=N as well, or leave out at")),
    ("log(-1-x*x)", [], "tags: a", {}, (
        "give points by --at, or where to sample by --range",
        "give points by at, or where to sample by range",
        "give points by at, or where to sample by range")),
    ("x", ["--at", "pi/0"], "at: pi/0", {"at": "pi/0"}, (
        "--at pi/0: this has no real finite value",
        "at: pi/0: this has no real finite value",
        "at='pi/0': this has no real finite value")),
    ("x", ["--at", "2*"], "at: 2*", {"at": "2*"}, (
        "--at 2*: Something is missing: the expression ends too early.\n  2*\n    ^",
        "at: 2*: Something is missing: the expression ends too early.\n  2*\n    ^",
        "at='2*': Something is missing: the expression ends too early.\n  2*\n    ^")),
    ("y*x = 3", [], "tags: a", {}, (
        '= has no meaning here: --let "y = x*x" names an intermediate result',
        "= has no meaning here: let: {y: x*x} names an intermediate result",
        '= has no meaning here: let={"y": "x*x"} names an intermediate result')),
    ("y", ["--at", "y=1", "--let", "y = x"], "at: {y: 1}, let: {y: x}", {"at": {"y": 1}, "let": {"y": "x"}}, (
        "y is given a value and defined by --let: leave one of them out.",
        "y is given a value and defined by let: leave one of them out.",
        "y is given a value and defined by let: leave one of them out.")),
    ("x", ["--at", "2", "--device", "cuda:77"], "at: 2, device: cuda:77", {"at": 2, "device": "cuda:77"}, (
        "use --device auto to take the best one there is",
        "use device: auto to take the best one there is",
        'use device="auto" to take the best one there is')),
    ("sum(q*x)", ["--at", "x=[1, 2]"], "at: {x: {tensor: [1, 2]}}", {"arrays": {"x": [1, 2]}}, (
        'q has no value: give it one by --at, or a shape by --shape "q: 3".',
        "q has no value: give it one by at, or a shape by shape: {q: 3}.",
        'q has no value: give it one by arrays, or a shape by shape={"q": 3}.')),
    ("randn(2) + x", ["--at", "x=[1, 2]"], "at: {x: {tensor: [1, 2]}}", {"arrays": {"x": [1, 2]}}, (
        'randn draws numbers: give them to a variable, by --at "x=randn(3)".',
        "randn draws numbers: give them to a variable, by at: x=randn(3).",
        'randn draws numbers: give them to a variable, by arrays={"x": "randn(3)"}.')),
    ("x*2 = 3", ["--at", "x=[1, 2]"], "at: {x: {tensor: [1, 2]}}", {"arrays": {"x": [1, 2]}}, (
        "intermediate results have names by --let.",
        "intermediate results have names by let.",
        "intermediate results have names by let.")),
    ("sum(W)", ["--shape", "W"], "shape: W", {"shape": "W"}, (
        '--shape "W": a shape is written --shape "W: 3x4"',
        "shape: W: a shape is written shape: {W: 3x4}",
        "shape='W': a shape is written shape={\"W\": (3, 4)}")),
    ("sum(W)", ["--shape", "W: 0"], "shape: {W: 0}", {"shape": {"W": 0}}, (
        '--shape "W: 0": an array has from 1 to',
        "shape: {W: 0}: an array has from 1 to",
        "shape={'W': 0}: an array has from 1 to")),
    ("sum(x)", ["--at", "x=[1, q]"], "at: 'x=[1, q]'", {"arrays": {"x": "[1, q]"}}, (
        "--at x=[1, q]: q is not known here",
        "at: x=[1, q]: q is not known here",
        "arrays={'x': '[1, q]'}: q is not known here")),
    ("x = torch.tensor([1., 2.], requires_grad=True); y = x.sum(); g = torch.autograd.grad(y, x); "
     "torch.autograd.grad(g.sum(), x)", [], "tags: a", {"arrays": {}}, (
        "ask for that by --order 2.", "ask for that by order: 2.", "ask for that by order=2.")),
    ("x = torch.tensor([1., 2.], requires_grad=True); x.requires_grad_(False); y = x.sum()", [], "tags: a",
     {"arrays": {}}, ("variables by --wrt.", "variables by wrt.", "variables by wrt.")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "command", "keys", "arguments", "told"), MISTAKES, ids=[told[0][:50] for *_, told in MISTAKES]
)
def test_a_mistake_is_told_in_the_words_of_its_surface(
    expression: str,
    command: list[str],
    keys: str,
    arguments: Mapping[str, Any],
    told: tuple[str, str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command([expression, *command]) == 2
    assert told[0] in capsys.readouterr().err
    file = tmp_path / "problems.yaml"
    file.write_text(f"problems: [{{expression: '{expression}', {keys}}}]", encoding="utf-8")
    (problem,) = run(file).problems
    assert told[1] in (problem.error or "")
    assert "--" not in (problem.error or "")
    with pytest.raises(GradcheckError) as caught:
        check(expression, **arguments)
    assert told[2] in str(caught.value)
    assert "--" not in str(caught.value)


def test_notices_and_notes_are_in_the_words_of_their_surface(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["x", "--seed", "7"]) == 0
    assert "5 points sampled with --seed 7" in capsys.readouterr().out
    assert check("x", seed=7).notices == ("5 points sampled with seed=7",)
    file = tmp_path / "problems.yaml"
    file.write_text("problems: [{expression: x, seed: 7}]", encoding="utf-8")
    assert run(file).problems[0].notices == ("5 points sampled with seed: 7",)
    (claim,) = check("x", at=1, claim="y = 1").claims
    assert (claim.note or "").endswith('write claim="x: 1"')


def test_no_text_about_arrays_has_an_option_of_the_command_line() -> None:
    """Options are parts of a message, so that each surface says its own words."""
    for file in [*PACKAGE.glob("tensors/*.py"), *PACKAGE.glob("arrays/*.py")]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
        told = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in told:
                assert not re.search(r"--[a-z]", node.value), f"{file.name}:{node.lineno}: {node.value}"


def test_an_error_keeps_its_options_on_its_way_from_another_process() -> None:
    for error in (
        UsageError(Option("at", "1"), ": no"),
        ExpressionError(("by ", Option("let"), ", no"), "x", 0, 1),
        ExpressionError(("by ", Option("let"), ", ", Option("at"), ", no"), "x"),
    ):
        arrived = pickle.loads(pickle.dumps(error))
        assert str(arrived) == str(error)
        assert arrived.worded(in_file) == error.worded(in_file) != str(error)
