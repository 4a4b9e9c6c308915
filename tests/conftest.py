"""What is global is for each test as it was before it: precision, default dtype, the terminal's width, the folder."""

import os
import sys
from collections.abc import Iterator

import pytest

from gradcheck_cli.batch import run

run.PRELOAD += ("helpers.warm",)


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
