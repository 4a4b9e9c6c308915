"""Backwards by hand, right ones and wrong ones: what gradcheck and torch.autograd.gradcheck say of each.

The functions are those of the tests (`tests/helpers`); each backward is an `autograd.Function` of its own.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.report import Options, Section
from gradcheck_cli import GradientMismatch, gradcheck
from gradcheck_cli.records.code import Cause

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.code_functions import CASES
from helpers.hand_written import Case, by_hand, changed
from helpers.more_code_functions import MORE

Ask = Callable[[Callable[..., Any], tuple[Tensor, ...]], bool]
DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}
SLIGHTLY = "slightly"
"""Of a right backward the first gradient times 1.0005."""
QUICK = 3
"""Functions of a quick run."""


def theirs(function: Callable[..., Any], inputs: tuple[Tensor, ...], **options: Any) -> bool:
    return bool(torch.autograd.gradcheck(function, inputs, raise_exception=False, **options))


WAYS: dict[str, Ask] = {
    "gradcheck": partial(gradcheck, raise_exception=False),
    "torch": theirs,
    "torch, fast mode": partial(theirs, fast_mode=True),
    "torch, eps=1e-2, atol=rtol=2e-2": partial(theirs, eps=1e-2, atol=2e-2, rtol=2e-2),
}
"""The last as people set it for float32."""


def measure(options: Options) -> Section:
    cases = (CASES + MORE)[: QUICK if options.quick else None]
    rows, remarks = [], []
    for dtype in DTYPES:
        right = {way: sum(answers(way, case, None, dtype) for case in cases) for way in WAYS}
        wrong = {way: [not answers(way, case, name, dtype) for case, name in _wrong(cases)] for way in WAYS}
        total = len(wrong["gradcheck"])
        rows.append([f"right backwards that pass, {dtype}", *(f"{right[way]} of {len(cases)}" for way in WAYS)])
        rows.append([f"wrong backwards that fail, {dtype}", *(f"{sum(wrong[way])} of {total}" for way in WAYS)])
        if dtype != "bfloat16":  # whose numbers have three digits
            off = {way: sum(not answers(way, case, SLIGHTLY, dtype) for case in cases) for way in WAYS}
            rows.append([f"off by 0.05% that fail, {dtype}", *(f"{off[way]} of {len(cases)}" for way in WAYS)])
        for way in list(WAYS)[:2] if dtype == "float64" else []:
            missed = [f"{c.name} ({n})" for (c, n), found in zip(_wrong(cases), wrong[way], strict=True) if not found]
            remarks.append(f"In {dtype}, {way} passes: {', '.join(missed) or 'none of the wrong ones'}.")
    blamed, named = (sum(column) for column in zip(*(_named(*pair) for pair in _wrong(cases)), strict=True))
    remarks.append(f"gradcheck names the function and the argument of {blamed} mistakes, and the mistake of {named}.")
    return Section(
        "Backwards by hand",
        "Right and wrong ones, one cotangent at a time. A backward that passes although it is wrong is missed; one that"
        " fails although it is right is a false alarm.",
        ["", *WAYS],
        rows,
        remarks,
    )


def _wrong(cases: tuple[Case, ...]) -> Iterator[tuple[Case, str]]:
    for case in cases:
        yield from ((case, name) for name in case.wrong)


def answers(way: str, case: Case, wrong: str | None, dtype: str) -> bool:
    """Whether a backward passes: the right one, or one that is wrong in some way."""
    if wrong == SLIGHTLY:
        backward = changed(case.backward, 0, lambda gradient: 1.0005 * gradient)
    else:
        backward = case.backward if wrong is None else case.wrong[wrong].backward
    inputs = tuple(x.requires_grad_() for x in case.inputs(DTYPES[dtype]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, that float32 is not what its differences are for
        return WAYS[way](by_hand(case.forward, backward), inputs)


def _named(case: Case, wrong: str) -> tuple[bool, bool]:
    """Whether the function is named with the arguments, and whether the mistake is."""
    inputs = tuple(x.requires_grad_() for x in case.inputs(torch.float64))
    try:
        gradcheck(by_hand(case.forward, case.wrong[wrong].backward), inputs)
    except GradientMismatch as mismatch:
        first, *rest = mismatch.result.findings if mismatch.result else (None,)
        return first is not None and first.cause is Cause.FUNCTION and first.argument == case.wrong[wrong].by, bool(
            rest
        )
    return False, False
