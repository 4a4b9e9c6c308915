"""Runs of pytest in the test's process, with gradcheck's plugin.

A run forgets the modules that it was the first to import, and torch cannot be imported twice.
"""

from __future__ import annotations

import contextlib

import pytest

import gradcheck_cli.api
import gradcheck_cli.pytest_plugin.asserted
import gradcheck_cli.pytest_plugin.collection
import gradcheck_cli.tensors.check
import gradcheck_cli.torch_api
import gradcheck_cli.user_code.callables
import gradcheck_cli.user_code.check  # noqa: F401
import helpers.warm  # noqa: F401
from gradcheck_cli import check, gradcheck
from gradcheck_cli.pytest_plugin.reports import report_of


def warm_up() -> None:
    """Imports what failing checks import late."""
    import torch

    wrong = check("where(x > 0, sqrt(x), 0)", at=-1, claim="x")
    report_of(wrong, 80)
    with contextlib.suppress(AssertionError):
        gradcheck(lambda x: x.sum(), (torch.ones(2, requires_grad=True),))
    check("sum(x**2)", arrays={"x": [1, 2]})


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Without what takes the time of such a run."""
    quick = [f"-pno:{plugin}" for plugin in ("cacheprovider", "unraisableexception", "threadexception")]
    return pytester.runpytest_inprocess("-p", "gradcheck", *quick, *arguments)
