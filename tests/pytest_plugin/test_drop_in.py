"""The public functions in a test, without the fixture: a failure shows the user's lines, and none of ours."""

from __future__ import annotations

import re

import pytest
from helpers.plugin_runs import run

pytest_plugins = ["pytester"]

TESTS = """
import torch
from gradcheck_cli import GradientMismatch, check, explain, gradcheck, gradgradcheck

class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return 2 * g

def refuses(x):
    raise ValueError("no")

X = torch.ones(2, dtype=torch.float64, requires_grad=True)
"""
FAILING = (
    "gradcheck(Doubled.apply, (X,))",
    "gradgradcheck(lambda x: Doubled.apply(x) * x, (X,))",
    "gradcheck(refuses, (X,))",
    "gradgradcheck(refuses, (X,))",
    "gradcheck(lambda x: x, (X.detach(),))",
    "gradcheck(lambda x: x, (torch.ones(2, dtype=torch.complex128, requires_grad=True),))",
    "gradcheck(lambda x: x, X, atoll=1)",
    'check("x**", at=2)',
    "check(refuses, (X,))",
    "check(Doubled.apply, (X,), wrt='y')",
    'explain("x*y", at=2)',
)


def test_no_frame_of_ours_is_shown(pytester: pytest.Pytester) -> None:
    tests = [f"def test_{number}():\n    {body}\n" for number, body in enumerate(FAILING)]
    pytester.makepyfile(test_failures=TESTS + "\n".join(tests))
    done = run(pytester)
    done.assert_outcomes(failed=len(tests))
    _, *sections = re.split(r"^_+ test_\d+ _+$", done.stdout.str(), flags=re.MULTILINE)
    for body, section in zip(FAILING, sections, strict=True):
        section = section.split("short test summary")[0]
        assert f">       {body}" in section
        assert set(re.findall(r"^(\S+):\d+: ", section, re.MULTILINE)) == {"test_failures.py"}, section
        assert "During handling" not in section


def test_an_assertion_shows_a_record_in_a_few_words(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_failures=TESTS + "def test_it():\n    assert check(Doubled.apply, (X,)).passed\n")
    done = run(pytester)
    done.stdout.fnmatch_lines(
        ["*where False = <CodeResult of Doubled(x): mismatch, failed (2 match, 2 mismatch)>.passed"]
    )
