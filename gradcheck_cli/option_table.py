"""The options of a check, each declared once: what command line, problem files, their schema and docs say of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.option_values import choice, dtype, seconds, tolerance, whole

MODES = ("reverse", "forward", "both")
MAX_ORDER = 10


@dataclass(frozen=True)
class Declared:
    """An option.

    metavar, help: on the command line; metavar is None for a flag. description: in files and docs, with the default.
    read: from its name and a text to its value; raises UsageError. None where its texts are read with the expression.
    takes: what such a text is, for files, where it may be something else.
    """

    name: str
    metavar: str | None
    help: str
    description: str
    read: Callable[[str, str], Any] | None = None
    takes: str = "a text"

    @property
    def flag(self) -> str:
        return f"--{self.name.replace('_', '-')}"


def _same(_: str, text: str) -> str:
    return text


_TOLERANCE = "a finite number from 0, for example 1e-9"

OPTIONS = {
    option.name: option
    for option in (
        Declared(
            "at", "POINT", "Where: 2, x=1,y=-2, x=pi/4, or a range x=-3:3:101. Repeatable.",
            "The points: 2, [1, 2], {x: 1, y: 2}, a list of those, or a text as for --at: x=-3:3:101. "
            "Lists in a mapping are a product.",
        ),
        Declared(
            "wrt", "VAR", "Differentiate by this variable only. Repeatable.",
            "The variables to differentiate by: x, or [x, y]. Default: all of them.",
        ),
        Declared(
            "let", "'y = x*x'", "Name an intermediate result. Repeatable.",
            "Intermediate results in order, {y: x*x} or a text, y = x*x; z = 2*y; the expression may use them.",
        ),
        Declared(
            "claim", "D", "Your own derivative, to be judged: 2*x, or 'w: x*y'. Repeatable.",
            "A derivative worked out by hand, to be proven or refuted: 2*x, {x: 2*x}, or [y, x] for all of them.",
        ),
        Declared(
            "order", "N", f"The order of the derivatives: 1, at most {MAX_ORDER}.",
            "The order of the derivative. Default: 1.",
            partial(whole, low=1, high=MAX_ORDER), f"a whole number from 1 to {MAX_ORDER}",
        ),
        Declared(
            "mode", "|".join(MODES), "How torch differentiates: reverse.",
            "How torch differentiates. Default: reverse.",
            partial(choice, known=MODES), f"one of {', '.join(MODES)}",
        ),
        Declared(
            "dtype", "|".join(DTYPES), "What torch computes in: float64.",
            "The working precision. Default: float64.",
            partial(dtype, known=tuple(DTYPES)), f"one of {', '.join(DTYPES)}",
        ),
        Declared(
            "device", "DEVICE", "Where torch computes: cpu, cuda, cuda:N or auto.",
            "Where torch computes: cpu, cuda, cuda:N or auto. Default: cpu.",
            _same,
        ),
        Declared(
            "rtol", "R", "Relative tolerance; 1e-9 for float64, wider for the others.",
            "Relative tolerance. Default: by dtype, 1e-9 for float64.",
            tolerance, _TOLERANCE,
        ),
        Declared(
            "atol", "A", "Absolute tolerance; 1e-12 for float64, wider for the others.",
            "Absolute tolerance, for derivatives that are 0. Default: by dtype, 1e-12 for float64.",
            tolerance, _TOLERANCE,
        ),
        Declared(
            "claim_rtol", "R", "How far a claim may be off, relatively, and not be refuted: 1e-9.",
            "Relative tolerance for the claim at points. Default: 1e-9.",
            tolerance, _TOLERANCE,
        ),
        Declared("strict", None, "Let only `match` pass.", "Whether only the verdict match passes. Default: false."),
        Declared(
            "samples", "N", "Draw N points; 5 where none is given.",
            "How many random points to add. Default: 5 where there is no at.",
            partial(whole, low=1), "a whole number from 1",
        ),
        Declared(
            "seed", "S", "Where the drawing starts: 0.", "The seed of the random points. Default: 0.",
            whole, "a whole number",
        ),
        Declared(
            "range", "LO:HI", "Where to draw: -3:3 if not given, or x=0:1. Repeatable.",
            "Where random points are taken: -3:3, or {x: 0:1}. Default: -3:3.",
        ),
        Declared(
            "shape", "'W: 3x4'", "Draw an array of this shape, for a formula of arrays. Repeatable.",
            "Arrays that are drawn, by variable: {W: 3x4}, or a text, W: 3x4. Their variables need no value.",
        ),
        Declared(
            "timeout", "SECONDS", "Give up after that; never.",
            "Seconds after which the problem is given up. Default: none.",
            seconds,
        ),
    )
}  # fmt: skip
"""Of formulas; code has most of them as well."""

COTANGENTS = ("auto", "one-hot", "random")

CODE_OPTIONS = {
    **{
        name: OPTIONS[name]
        for name in ("wrt", "order", "mode", "dtype", "device", "rtol", "atol", "strict", "timeout")
    },
    **{
        option.name: option
        for option in (
            Declared(
                "input", "'x=randn(4, 3)'", "An argument of the function, by name or by position. Repeatable.",
                "What the function is called with: [[1, 2], [3, 4]], randn(4, 3), 0.5, true, none, 'sum', @file.npy.",
            ),
            Declared(
                "init", "ARGUMENTS", "What a class is made with: '8, eps=1e-5'.",
                "What a class of modules is made with, as in a call: 8, eps=1e-5.",
                _same,
            ),
            Declared(
                "samples", "N", "Draw the inputs N times.", "How many times the inputs are drawn. Default: 1.",
                partial(whole, low=1, high=1_000), "a whole number from 1 to 1000",
            ),
            Declared(
                "stress", None, "Add inputs at which backwards tend to be wrong.",
                "Whether to add zeros, ties, one hot, large and tiny numbers, saturation and -0. Default: false.",
            ),
            Declared(
                "seed", "S", "Where the drawing starts: 0.", "The seed of drawn inputs and of the code. Default: 0.",
                whole, "a whole number",
            ),
            Declared(
                "through_detach", None, "Differentiate through detach(), no_grad() and .data.",
                "Whether to differentiate through detach(), no_grad() and .data. Default: false.",
            ),
            Declared(
                "cotangents", "|".join(COTANGENTS), "Each entry by itself, or sums of them; by size.",
                "Whether each entry is compared (one-hot) or random sums of them, which is faster. Default: by size.",
                partial(choice, known=COTANGENTS), f"one of {', '.join(COTANGENTS)}",
            ),
        )
    },
}  # fmt: skip
"""Of code."""
