"""What is global is for each test as it was before it: precision, default dtype, the terminal's width, the folder."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from gradcheck_cli.batch import run
from gradcheck_cli.cli import problem_run
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.request import ProblemSpec

run.PRELOAD += ("helpers.warm",)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """`gradcheck run` checks in the test's process, which is faster: for tests of what a report says."""

    def run_batch(specs: Sequence[ProblemSpec], *, where: object, **options: Any) -> Iterator[AnyResult]:
        return run.run_batch(specs, where=None, **options)

    monkeypatch.setattr(problem_run, "run_batch", run_batch)


@pytest.fixture(autouse=True)
def _globals_are_restored() -> Iterator[None]:
    folder, columns = os.getcwd(), os.environ.get("COLUMNS")
    flint, torch = sys.modules.get("flint"), sys.modules.get("torch")
    precision = flint.ctx.prec if flint else 53
    dtype = torch.get_default_dtype() if torch else None
    yield
    os.chdir(folder)
    if columns is None:
        os.environ.pop("COLUMNS", None)
    else:
        os.environ["COLUMNS"] = columns
    if flint := sys.modules.get("flint"):
        flint.ctx.prec = precision
    if torch := sys.modules.get("torch"):
        torch.set_default_dtype(dtype or torch.float32)
