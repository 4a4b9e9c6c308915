"""What infinite constants make of the numbers beside them: a mask of -inf has no place in an expression.

The other operands count as finite numbers. What cannot be said without knowing them is NaN: it has no value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.tape.elements import Elements

INF = np.inf


class Constants(Protocol):
    """What a tape knows of its constants. fixed, numbers: by element."""

    @property
    def fixed(self) -> NDArray[np.bool_]: ...

    @property
    def numbers(self) -> NDArray[np.float64]: ...

    def constants(self, values: NDArray[Any]) -> Elements: ...


# function: (its limit at -inf, at +inf)
LIMITS: dict[str, tuple[float, float]] = {
    "neg": (INF, -INF), "positive": (-INF, INF), "abs": (INF, INF), "square": (INF, INF), "sign": (-1, 1),
    "exp": (0, INF), "exp2": (0, INF), "expm1": (-1, INF), "reciprocal": (0, 0), "relu": (0, INF), "erf": (-1, 1),
    "erfc": (2, 0), "tanh": (-1, 1), "sigmoid": (0, 1), "logsigmoid": (-INF, 0), "softplus": (0, INF),
    "sqrt": (np.nan, INF), "log": (np.nan, INF), "log1p": (np.nan, INF), "rsqrt": (np.nan, 0), "floor": (-INF, INF),
    "silu": (0, INF), "gelu": (0, INF), "ceil": (-INF, INF), "round": (-INF, INF), "trunc": (-INF, INF),
}  # fmt: skip

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add, "sub": np.subtract, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
"""Of these, every finite number gives the same result beside an infinity."""


def is_foldable(tape: Constants, elements: Elements) -> bool:
    """Whether an infinite or NaN constant is among them."""
    return bool((tape.fixed[elements] & ~np.isfinite(tape.numbers[elements])).any())


def folded(tape: Constants, function: str, args: Sequence[Elements]) -> Elements:
    """The results of a function where at least one operand of each is an infinite or NaN constant."""
    fixed = [tape.fixed[arg] for arg in args]
    numbers = [np.where(f, tape.numbers[arg], 0.0) for f, arg in zip(fixed, args, strict=True)]
    with np.errstate(all="ignore"):
        if function in ("maximum", "minimum", "fmax", "fmin"):
            return _larger(tape, args, fixed, numbers, INF if function in ("maximum", "fmax") else -INF)
        if function in BINARY:
            return tape.constants(BINARY[function](*numbers).astype(np.float64))
        if function in LIMITS:
            low, high = LIMITS[function]
            at = numbers[0]
            return tape.constants(np.where(np.isnan(at), np.nan, np.where(at < 0, low, high)))
        if function in ("mul", "div") and all(f.all() for f in fixed):
            return tape.constants(numbers[0] * numbers[1] if function == "mul" else numbers[0] / numbers[1])
        if function == "div":
            return tape.constants(np.where(fixed[1] & np.isinf(numbers[1]) & np.isfinite(numbers[0]), 0.0, np.nan))
    return tape.constants(np.full(len(args[0]), np.nan))


def _larger(
    tape: Constants,
    args: Sequence[Elements],
    fixed: Sequence[NDArray[Any]],
    numbers: Sequence[NDArray[Any]],
    top: float,
) -> Elements:
    """The larger one where `top` is inf, the smaller one where it is -inf."""
    result = np.full(len(args[0]), -1, np.int64)
    for this, other in ((0, 1), (1, 0)):
        result = np.where(fixed[this] & (numbers[this] == top), args[this], result)
        result = np.where((result < 0) & fixed[this] & (numbers[this] == -top), args[other], result)
    undecided = result < 0
    if undecided.any():
        result[undecided] = tape.constants(np.full(int(undecided.sum()), np.nan))
    return result


def folded_reduction(
    tape: Constants, function: str, rows: Elements, reduced: Callable[[str, Elements], Elements]
) -> Elements:
    """The reduction of rows among whose elements are infinite or NaN constants. reduced: that of finite ones."""
    infinite = tape.fixed[rows] & ~np.isfinite(tape.numbers[rows])
    if function in ("max", "min"):
        neutral = tape.fixed[rows] & (tape.numbers[rows] == (-INF if function == "max" else INF))
        # What never wins is replaced by an element that may: a repeated one changes nothing.
        some = np.take_along_axis(rows, np.argmin(neutral, axis=1)[:, None], axis=1)
        rows = np.where(neutral, some, rows)
        infinite = tape.fixed[rows] & ~np.isfinite(tape.numbers[rows])
    odd = infinite.any(axis=1)
    result = np.zeros(len(rows), np.int64)
    if not odd.all():
        result[~odd] = reduced(function, rows[~odd])
    if odd.any():
        with np.errstate(all="ignore"):
            numbers = np.where(infinite[odd], tape.numbers[rows[odd]], 1.0)
            total = getattr(np, function)(numbers, axis=1)
            if function == "prod":
                total = np.full(len(total), np.nan)
        result[odd] = tape.constants(total)
    return result
