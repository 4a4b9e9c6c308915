"""Deep expressions: a nest and a chain of n intermediate results, from text to verdict; SymPy's diff beside them."""

from __future__ import annotations

import time

import sympy
from sympy.core.cache import clear_cache

from benchmarks.report import Options, Section
from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Verdict

SHAPES = {"s = sin(s)*s": "sin({0})*{0}", "s = sin(s) + 1": "sin({0}) + 1"}


def measure(options: Options) -> Section:
    lengths = (10, 100, 1_000, 10_000)
    most = 12 if options.quick else 14
    rows = []
    for shape, step in SHAPES.items():
        ours(step, 100)
        for length in lengths:
            took = ours(step, length)
            rows.append([shape, f"{length:,}", f"{1e3 * took:,.0f}", f"{1e6 * took / length:,.0f}", ""])
    for length in range(10, most + 1, 2):
        rows.append(["s = sin(s)*s", f"{length}", "", "", f"{1e3 * sympys(length):,.0f}"])
    return Section(
        "Depth",
        "An expression of n nested steps, each a --let of its own, checked at 0.9: milliseconds from text to verdict, "
        "microseconds a step, and the milliseconds that sympy.diff takes for the derivative of the same expression.",
        ["step", "n", "gradcheck, ms", "a step, µs", "sympy.diff, ms"],
        rows,
        remarks=[
            "sympy.diff doubles with each step of the nest: it differentiates a tree, in which x occurs 2^n times."
        ],
    )


def ours(step: str, length: int) -> float:
    lets = ["s0 = " + step.format("x"), *(f"s{i} = " + step.format(f"s{i - 1}") for i in range(1, length))]
    request = Request(f"s{length - 1}", at=("0.9",), lets=tuple(lets), wrt=("x",), derivatives=False)
    started = time.perf_counter()
    assert check_expression(request).verdict is Verdict.MATCH
    return time.perf_counter() - started


def sympys(length: int) -> float:
    clear_cache()
    x = s = sympy.Symbol("x", real=True)
    for _ in range(length):
        s = sympy.sin(s) * s
    started = time.perf_counter()
    sympy.diff(s, x)
    return time.perf_counter() - started
