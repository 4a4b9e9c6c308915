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
from gradcheck_cli.option_table import OPTIONS, Declared
from gradcheck_cli.problem_files.models import Options, Problem
from gradcheck_cli.records.request import Request, options_of

OF_A_PROBLEM = {"at", "let", "claim"}
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
    renamed = {"let": "lets", "claim": "claims", "range": "ranges"}
    assert {renamed.get(name, name) for name in OPTIONS} <= {field.name for field in fields(Request)}


def line(option: Declared) -> str:
    typed = option.flag if option.metavar is None else f"{option.flag} {option.metavar}"
    return f"| `{typed.replace('|', chr(92) + '|')}` | `{option.name}` | {option.description} |"


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_readme_has_the_options(option: Declared) -> None:
    assert line(option) in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
