"""An option is declared once, and every surface has it."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest
import typer
from helpers.paths import ROOT

from gradcheck_cli import check
from gradcheck_cli.cli.app import app
from gradcheck_cli.option_table import CODE_OPTIONS, OPTIONS, Declared
from gradcheck_cli.problem_files.models import CodeProblem, Options, Problem
from gradcheck_cli.records.request import CodeRequest, Request, options_of

OF_A_PROBLEM = {"at", "let", "claim", "shape"}
"""Not under `defaults:`, nor for a whole run."""


def flags(command: str) -> set[str]:
    root: Any = typer.main.get_command(app)
    return {flag for parameter in root.commands[command].params for flag in parameter.opts}


def test_every_surface_has_every_option() -> None:
    assert set(Options.model_fields) == set(OPTIONS) - OF_A_PROBLEM
    assert set(OPTIONS) <= set(Problem.model_fields)
    assert set(OPTIONS) <= set(inspect.signature(check).parameters)
    assert {option.flag for option in OPTIONS.values()} <= flags("check")
    assert {option.flag for name, option in OPTIONS.items() if name not in {*OF_A_PROBLEM, "wrt"}} <= flags("run")
    assert set(options_of({})) == set(OPTIONS)
    renamed = {"let": "lets", "claim": "claims", "range": "ranges", "shape": "shapes"}
    assert {renamed.get(name, name) for name in OPTIONS} <= {field.name for field in fields(Request)}


def line(option: Declared) -> str:
    typed = option.flag if option.metavar is None else f"{option.flag} {option.metavar}"
    return f"| `{typed.replace('|', chr(92) + '|')}` | `{option.name}` | {option.description} |"


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_the_page_of_formulas_has_the_options(option: Declared) -> None:
    assert line(option) in (ROOT / "docs" / "formulas.md").read_text(encoding="utf-8").splitlines()


def line_of_code(option: Declared) -> str:
    typed = option.flag if option.metavar is None else f"{option.flag} {option.metavar}"
    return f"| `{typed.replace('|', chr(92) + '|')}` | {option.description} |"


def test_code_has_its_options_on_every_surface() -> None:
    page = (ROOT / "docs" / "code.md").read_text(encoding="utf-8").splitlines()
    assert not [name for name, option in CODE_OPTIONS.items() if line_of_code(option) not in page]
    assert {option.flag for option in CODE_OPTIONS.values()} <= flags("code")
    assert set(CODE_OPTIONS) - {"input"} <= set(CodeProblem.model_fields)
    assert set(CODE_OPTIONS) - {"input", "init"} <= set(inspect.signature(check).parameters)
    assert set(CODE_OPTIONS) - {"input"} <= {field.name for field in fields(CodeRequest)}
