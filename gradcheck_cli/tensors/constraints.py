"""Where a claim about arrays holds that is wrong in general, and right at the numbers that were given: on what these
have in common with others, such as sum(y) = 1, or A = A.T."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli import number_text
from gradcheck_cli.certified.equality import Together, midpoint
from gradcheck_cli.expression.nodes import Expr

Floats = NDArray[np.float64]
POINTS = 4
"""Drawn points at which it must hold, of at most three times as many at which both have values."""
RANGE = 0.2, 1.7
MIDDLE = 0.95
RELATIVE = 1e-9
SAME = 1e-12
"""As far as sums and lengths of doubles tell."""


class Constraint(NamedTuple):
    """text: `sum(y) = 1`. moved: an array to one that has it."""

    array: str
    text: str
    moved: Callable[[Floats], Floats]


def sufficient(
    pairs: Sequence[tuple[Expr, Expr]], arrays: Mapping[str, Floats], labels: Mapping[str, Sequence[str]]
) -> str | None:
    """What the numbers given fulfil, and where the two of each pair are the same; None where nothing of the kind is.

    labels: of the elements of each array, as the expressions call them.
    """
    together = Together(*(side for pair in pairs for side in pair))
    return next((one.text for one in _constraints(arrays) if _suffices(one, together, arrays, labels)), None)


def _constraints(arrays: Mapping[str, Floats]) -> Iterator[Constraint]:
    for name, array in arrays.items():
        total = float(array.sum())
        if array.ndim == 0:
            yield Constraint(name, f"{name} = {number_text.exact(total)}", partial(np.full_like, fill_value=total))
        if array.ndim == 2 and array.shape[0] == array.shape[1] > 1 and _same(array, array.T):
            yield Constraint(name, f"{name} = {name}.T", lambda x: (x + x.T) / 2)
        if array.ndim == 1 and array.size > 1:
            if abs(total - round(total)) <= SAME:
                yield Constraint(name, f"sum({name}) = {round(total)}", partial(_with_sum, total=round(total)))
            if abs(float(np.linalg.norm(array)) - 1) <= SAME:
                yield Constraint(name, f"norm({name}) = 1", lambda x: x / np.linalg.norm(x))
        if array.ndim and np.isin(array, (0, 1)).all():
            yield Constraint(name, f"each element of {name} is 0 or 1", lambda x: (x > MIDDLE).astype(np.float64))


def _with_sum(x: Floats, total: int) -> Floats:
    moved: Floats = x + (total - x.sum()) / x.size
    return moved


def _same(a: Floats, b: Floats) -> bool:
    return bool(np.allclose(a, b, rtol=SAME, atol=0))


def _suffices(
    one: Constraint, together: Together, arrays: Mapping[str, Floats], labels: Mapping[str, Sequence[str]]
) -> bool:
    """Whether all pairs are the same at drawn points, at which nothing else holds."""
    generator = np.random.default_rng(0)
    agreed = 0
    for _ in range(3 * POINTS):
        drawn = {name: generator.uniform(*RANGE, array.shape) for name, array in arrays.items()}
        drawn[one.array] = one.moved(drawn[one.array])
        point = {
            label: float(x) for name, array in drawn.items() for label, x in zip(labels[name], array.flat, strict=True)
        }
        values = [midpoint(value) for value in together.at(point)]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            continue
        if any(abs(a - b) > RELATIVE * (1 + abs(b)) for a, b in zip(known[::2], known[1::2], strict=True)):
            return False
        agreed += 1
    return agreed >= POINTS
