"""Eigenvalues and singular values: functions that their equations define, where these have one solution nearby.

From the numbers that ran, two steps of Newton's method are recorded. Each squares the error of the value and doubles
the order to which the derivatives are right, so the numbers and first derivatives are right to some 30 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.rules.linear_algebra import solve, symmetric, transposed
from gradcheck_cli.tracing.table import rule
from gradcheck_cli.tracing.tensors import numbers, on_host

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

STEPS = 2
Equations = Callable[[Elements], tuple[Elements, Elements]]
"""A state (..., k) -> (what is to be 0 (..., k), its derivative (..., k, k))."""


COMPLETES = "the vectors that only complete a basis are not unique"
WORST = 1e12
"""The largest condition of a system of equations with one solution nearby."""


def newton(r: Recorder, equations: Equations, start: NDArray[Any], slopes: NDArray[Any]) -> Elements:
    """The solution near `start`; where there is more than one, it is unknown. slopes: the derivative there, whose
    pivots are followed."""
    state = r.tape.constants(start)
    alone: NDArray[np.bool_] = np.linalg.cond(slopes) < WORST
    slopes = np.where(alone[..., None, None], slopes, np.eye(slopes.shape[-1]))
    for _ in range(STEPS):
        residual, derivative = equations(state)
        step = solve(r, derivative, torch.from_numpy(np.ascontiguousarray(slopes)), residual[..., None])[..., 0]
        state = r.call("sub", state, step)
    if not alone.all():
        several = "the matrix has values that are equal, or zero, and they or their vectors are used one by one"
        state = np.array(state)
        state[~alone] = r.unknown((int((~alone).sum()), state.shape[-1]), several)
    return state


def _times(r: Recorder, matrix: Elements, vectors: Elements) -> Elements:
    """matrix @ vector for each of (..., pairs, n) vectors."""
    return r.tape.dot(vectors, matrix)


def _dot(r: Recorder, a: Elements) -> Elements:
    return r.tape.dot(a[..., None, :], a[..., None, :])[..., 0, 0]


def _bordered(r: Recorder, inner: Elements, right: Elements, below: Elements) -> Elements:
    """((inner, right), (below, 0)) as one matrix."""
    top = np.concatenate([inner, right[..., None]], axis=-1)
    corner = np.full((*below.shape[:-1], 1), r.tape.constant(0.0))
    return np.concatenate([top, np.concatenate([below, corner], axis=-1)[..., None, :]], axis=-2)


def _diagonal(r: Recorder, value: Elements, size: int) -> Elements:
    """value times the identity."""
    return np.where(np.eye(size, dtype=bool), value[..., None, None], r.tape.constant(0.0))


@rule("_linalg_eigh")
def eigh(r: Recorder, out: Any, a: Tensor, UPLO: str = "L", compute_v: bool = True) -> tuple[Elements, Elements | None]:
    """(values, vectors) of length 1. The matrix is taken for symmetric, and its gradient as that of (A + A.T)/2."""
    elements = r.of(a)
    n = elements.shape[-1]
    if not elements.size:
        return np.zeros(tuple(out[0].shape), np.int64), None
    matrix = symmetric(r, elements)
    with _disable_current_modes():
        real = on_host(a)
        real = (real + real.mT) / 2
        values, vectors = (on_host(out[0]), on_host(out[1])) if compute_v else torch.linalg.eigh(real)
    columns = vectors.mT.numpy()  # (..., pair, n)
    start = np.concatenate([columns, values.numpy()[..., None]], axis=-1)
    slopes = np.zeros((*start.shape, n + 1))
    slopes[..., :n, :n] = real.numpy()[..., None, :, :] - values.numpy()[..., None, None] * np.eye(n)
    slopes[..., :n, n], slopes[..., n, :n] = -columns, columns
    repeated = np.broadcast_to(matrix[..., None, :, :], (*start.shape[:-1], n, n))

    def equations(state: Elements) -> tuple[Elements, Elements]:
        v, value = state[..., :n], state[..., n]
        off = r.call("sub", _times(r, matrix, v), r.call("mul", value[..., None], v))
        length = r.scaled(r.call("sub", _dot(r, v), 1.0), 0.5)
        inner = r.call("sub", repeated, _diagonal(r, value, n))
        return np.concatenate([off, length[..., None]], axis=-1), _bordered(r, inner, r.call("neg", v), v)

    found = newton(r, equations, start, slopes)
    return np.array(found[..., n]), transposed(found[..., :n]) if compute_v else None


@rule("_linalg_svd")
def svd(
    r: Recorder, out: Any, a: Tensor, full_matrices: bool = False, compute_uv: bool = True, *, driver: Any = None
) -> tuple[Elements | None, Elements, Elements | None]:
    """(U, S, Vh). The vectors that only complete a basis are unknown."""
    elements = r.of(a)
    m, n = elements.shape[-2:]
    if not elements.size:
        return None, np.zeros(tuple(out[1].shape), np.int64), None
    with _disable_current_modes():
        real = on_host(a)
        u, s, vh = map(numbers, out) if compute_uv else (x.numpy() for x in torch.linalg.svd(real, full_matrices=False))
    k = min(m, n)
    u, vh = u[..., :k], vh[..., :k, :]
    left, right = np.swapaxes(u, -1, -2), vh  # (..., triple, m), (..., triple, n)
    start = np.concatenate([left, right, s[..., None]], axis=-1)
    slopes = np.zeros((*start.shape, m + n + 1))
    matrix = real.numpy()[..., None, :, :]
    slopes[..., :m, :m], slopes[..., m : m + n, m : m + n] = (
        -s[..., None, None] * np.eye(m),
        -s[..., None, None] * np.eye(n),
    )
    slopes[..., :m, m : m + n], slopes[..., m : m + n, :m] = matrix, np.swapaxes(matrix, -1, -2)
    slopes[..., :m, -1], slopes[..., m : m + n, -1], slopes[..., -1, :m] = -left, -right, left
    whole = np.broadcast_to(elements[..., None, :, :], (*start.shape[:-1], m, n))
    nothing = np.full((*start.shape[:-1], n), r.tape.constant(0.0))

    def equations(state: Elements) -> tuple[Elements, Elements]:
        x, y, value = state[..., :m], state[..., m : m + n], state[..., -1]
        first = r.call("sub", _times(r, elements, y), r.call("mul", value[..., None], x))
        second = r.call("sub", _times(r, transposed(elements), x), r.call("mul", value[..., None], y))
        length = r.scaled(r.call("sub", _dot(r, x), 1.0), 0.5)
        minus = r.call("neg", value)
        top = np.concatenate([_diagonal(r, minus, m), whole], axis=-1)
        bottom = np.concatenate([transposed(whole), _diagonal(r, minus, n)], axis=-1)
        inner = np.concatenate([top, bottom], axis=-2)
        border = r.call("neg", np.concatenate([x, y], axis=-1))
        residual = np.concatenate([first, second, length[..., None]], axis=-1)
        return residual, _bordered(r, inner, border, np.concatenate([x, nothing], axis=-1))

    found = newton(r, equations, start, slopes)
    values = np.array(found[..., -1])
    if not compute_uv:
        return None, values, None
    columns, rows = transposed(found[..., :m]), np.array(found[..., m : m + n])
    if full_matrices and m > n:
        columns = np.concatenate([columns, r.unknown((*columns.shape[:-1], m - n), COMPLETES)], axis=-1)
    elif full_matrices and n > m:
        rows = np.concatenate([rows, r.unknown((*rows.shape[:-2], n - m, n), COMPLETES)], axis=-2)
    return columns, values, rows
