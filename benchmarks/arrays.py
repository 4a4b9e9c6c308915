"""Formulas of vectors and matrices, from text to verdict, beside torch.autograd.gradcheck of the same function."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from benchmarks.report import Options, Section
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tensors.check import check_arrays
from gradcheck_cli.tensors.question import read_question
from gradcheck_cli.tensors.running import Formula

FORMULAS = [
    # (formula, arrays, claim)
    ("x**2", {"x": (3,)}, "diag(2*x)"),
    ("softmax(x)", {"x": (10,)}, "diag(softmax(x)) - outer(softmax(x), softmax(x))"),
    ("mean((X @ w - y)**2)", {"X": (100, 10), "w": (10,), "y": (100,)}, "w: X.T @ (X @ w - y)/50"),
    ("sum(logsumexp(Z, dim=1) - Z[:, 0])", {"Z": (32, 10)}, "softmax(Z) - onehot(0, 10)"),
    ("sum(A @ B)", {"A": (64, 64), "B": (64, 64)}, "A: outer(ones(64), sum(B, dim=1))"),
]
RUNS = 3


def measure(options: Options) -> Section:
    rows = []
    for formula, shapes, claim in FORMULAS[: 3 if options.quick else None]:
        sizes = [f"{name}: {'x'.join(map(str, shape))}" for name, shape in shapes.items()]
        request = Request(formula, shapes=tuple(sizes))
        mine, theirs = best(partial(ours, request)), best(partial(torchs, request))
        claimed = best(partial(ours, replace(request, claims=(claim,))))
        times = f"{1e3 * mine:,.0f}", f"{1e3 * theirs:,.0f}", f"{mine / theirs:.2f}", f"{1e3 * claimed:,.0f}"
        rows.append([formula, ", ".join(sizes), *times])
    return Section(
        "Formulas of arrays",
        "Milliseconds from the text to the verdict on each entry of the gradient or Jacobian, beside those that "
        f"torch.autograd.gradcheck (slow mode) takes for the same function; the best of {RUNS} runs in turns. The last "
        "column has a claim judged as well, entry by entry where there are at most 100.",
        ["formula", "arrays", "gradcheck, ms", "torch's, ms", "ratio", "with a claim, ms"],
        rows,
    )


def best(run: Callable[[], None]) -> float:
    run()
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)


def ours(request: Request) -> None:
    assert check_arrays(request).verdict in (Verdict.MATCH, Verdict.IMPRECISE)


def torchs(request: Request) -> None:
    question = read_question(request)
    formula, names = Formula(question), list(question.inputs)

    def function(*tensors: Tensor) -> Tensor:
        found: Tensor = formula(**dict(zip(names, tensors, strict=True)))
        return found

    tensors = [value.clone().requires_grad_() for value in question.inputs.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert torch.autograd.gradcheck(function, tensors)
