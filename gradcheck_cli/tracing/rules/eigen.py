"""Eigenvalues and singular values: functions that their equations define, where these have one solution nearby.

From the numbers that ran, steps of the simplified Newton method are recorded, x - C f(x), where C is the inverse of the
derivative of f there, as constant numbers. Each step makes the error of the value smaller by the same factor, and that
of the derivatives too. There are as many as 25 digits take, two at the least for second derivatives, and no more, since
each adds to the bounds on rounding. Where they do not converge (equal eigenvalues) nothing is determined, and what
rests on it has no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.rules.linear_algebra import symmetric, transposed
from gradcheck_cli.tracing.table import rule
from gradcheck_cli.tracing.tensors import on_host

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

COMPLETES = "the vectors that only complete a basis are not unique"
SEVERAL = "the matrix has values that are equal, or zero, and they or their vectors are used one by one"
DIGITS = 25
SLOWEST = 2.0**-6
"""The factor by which a step is to make the error smaller at the least."""
Floats = NDArray[np.float64]
Residual = Callable[["Recorder", Elements, Elements], Elements]
Slopes = Callable[[Floats, Floats], Floats]


def solution(
    r: Recorder, residual: Residual, slopes: Slopes, matrices: Elements, real: Floats, start: Floats
) -> tuple[Elements, NDArray[np.bool_]]:
    """(states (count, k) near `start` at which the residual is 0, which of them are determined). matrices: (count, m,
    n); real: their numbers; slopes: the derivative of the residual by the state."""
    found = np.zeros(start.shape, np.int64)
    derivative = slopes(real, start)
    inverse, rates = _inverse(derivative)
    known = rates < SLOWEST
    if known.any():
        steps = max(2, math.ceil(DIGITS / -math.log10(float(rates[known].max()))))
        state, chosen = r.tape.constants(start[known]), matrices[known]
        constants = r.tape.constants(inverse[known])
        for _ in range(steps):
            step = r.tape.dot(residual(r, chosen, state)[:, None], constants)[:, 0]
            state = r.call("sub", state, step)
        found[known] = state
    if not known.all():
        found[~known] = r.unknown(found[~known].shape, SEVERAL)
    return found, known


def _inverse(derivative: Floats) -> tuple[Floats, Floats]:
    """(inverses, the factor by which a step with them makes an error smaller)."""
    size = derivative.shape[-1]
    try:
        inverse = np.linalg.inv(derivative)
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(derivative)
    rounding = 4 * 2.0**-52 * (np.abs(inverse) @ np.abs(derivative)).sum(axis=-1)
    rates = (
        np.abs(np.eye(size) - inverse @ derivative).sum(axis=-1) + rounding + 2.0**-50 * np.abs(inverse).sum(axis=-1)
    )
    worst = rates.max(axis=-1, initial=2.0**-50)
    return np.nan_to_num(inverse), np.where(np.isfinite(worst), worst, np.inf)


def _times(r: Recorder, matrices: Elements, vectors: Elements) -> Elements:
    """(count, m, n) by (count, n)."""
    return r.tape.dot(vectors[:, None], matrices)[:, 0]


def _length(r: Recorder, vectors: Elements) -> Elements:
    """(v.v - 1)/2 of each of (count, n)."""
    square = r.tape.dot(vectors[:, None], vectors[:, None])[:, 0]
    return r.scaled(r.call("sub", square, 1.0), 0.5)


def _pair(r: Recorder, matrices: Elements, state: Elements) -> Elements:
    """A v - w v, and the length of v."""
    v, value = state[:, :-1], state[:, -1:]
    off = r.call("sub", _times(r, matrices, v), r.call("mul", value, v))
    return np.concatenate([off, _length(r, v)], axis=1)


def _pair_slopes(real: Floats, state: Floats) -> Floats:
    n = real.shape[-1]
    v, value = state[:, :-1], state[:, -1]
    found = np.zeros((len(state), n + 1, n + 1))
    found[:, :n, :n] = real - value[:, None, None] * np.eye(n)
    found[:, :n, n], found[:, n, :n] = -v, v
    return found


def _square_pair(r: Recorder, matrices: Elements, state: Elements) -> Elements:
    """A.T A v - w v, and the length of v."""
    v, value = state[:, :-1], state[:, -1:]
    product = _times(r, transposed(matrices), _times(r, matrices, v))
    return np.concatenate([r.call("sub", product, r.call("mul", value, v)), _length(r, v)], axis=1)


def _square_slopes(real: Floats, state: Floats) -> Floats:
    return _pair_slopes(np.swapaxes(real, -1, -2) @ real, state)


def _triple(r: Recorder, matrices: Elements, state: Elements) -> Elements:
    """A v - s u, A.T u - s v, and the length of u."""
    m = matrices.shape[1]
    u, v, value = state[:, :m], state[:, m:-1], state[:, -1:]
    first = r.call("sub", _times(r, matrices, v), r.call("mul", value, u))
    second = r.call("sub", _times(r, transposed(matrices), u), r.call("mul", value, v))
    return np.concatenate([first, second, _length(r, u)], axis=1)


def _triple_slopes(real: Floats, state: Floats) -> Floats:
    m, n = real.shape[-2:]
    u, v, value = state[:, :m], state[:, m:-1], state[:, -1][:, None, None]
    found = np.zeros((len(state), m + n + 1, m + n + 1))
    found[:, :m, :m], found[:, m:-1, m:-1] = -value * np.eye(m), -value * np.eye(n)
    found[:, :m, m:-1], found[:, m:-1, :m] = real, np.swapaxes(real, -1, -2)
    found[:, :m, -1], found[:, m:-1, -1], found[:, -1, :m] = -u, -v, u
    return found


@rule("_linalg_eigh")
def eigh(r: Recorder, out: Any, a: Tensor, UPLO: str = "L", compute_v: bool = True) -> tuple[Elements, Elements | None]:
    """(values, vectors) of length 1. The matrix is taken for symmetric, and its gradient as that of (A + A.T)/2."""
    elements = r.of(a)
    n, batch = elements.shape[-1], elements.shape[:-2]
    if not elements.size:
        return np.zeros(tuple(out[0].shape), np.int64), None
    matrix = symmetric(r, elements)
    with _disable_current_modes():
        real = on_host(a)
        real = (real + real.mT) / 2
        values, vectors = (x.numpy() for x in torch.linalg.eigh(real))
        if compute_v:
            values, vectors = (on_host(x).numpy() for x in out)
    start = np.concatenate([np.swapaxes(vectors, -1, -2), values[..., None]], axis=-1).reshape(-1, n + 1)
    found, _ = solution(r, _pair, _pair_slopes, _each(matrix, n), _each(real.numpy(), n), start)
    found = found.reshape(*batch, n, n + 1)
    return np.array(found[..., n]), transposed(found[..., :n]) if compute_v else None


def _each(matrices: Any, times: int) -> Any:
    """(count*times, m, n): each matrix as often as it has pairs."""
    return np.repeat(matrices.reshape(-1, *matrices.shape[-2:]), times, axis=0)


@rule("_linalg_svd")
def svd(
    r: Recorder, out: Any, a: Tensor, full_matrices: bool = False, compute_uv: bool = True, *, driver: Any = None
) -> tuple[Elements | None, Elements, Elements | None]:
    """(U, S, Vh), of distinct singular values. One that is 0 is not determined, nor are the vectors of the longer side
    that belong to it, or (`full_matrices`) to none."""
    elements = r.of(a)
    (m, n), batch = elements.shape[-2:], elements.shape[:-2]
    if not elements.size:
        return None, np.zeros(tuple(out[1].shape), np.int64), None
    with _disable_current_modes():
        real = on_host(a)
        given = out if compute_uv else torch.linalg.svd(real, full_matrices=False)
        u, s, vh = (on_host(x).numpy() for x in given)
    count = min(m, n)
    start = np.concatenate([np.swapaxes(u, -1, -2)[..., :count, :], vh[..., :count, :], s[..., None]], axis=-1)
    start = start.reshape(-1, m + n + 1)
    matrices, numbers = _each(elements, count), _each(real.numpy(), count)
    found, known = solution(r, _triple, _triple_slopes, matrices, numbers, start)
    if compute_uv and not known.all():  # beside one that is 0 the vectors of the shorter side are determined
        rest = np.flatnonzero(~known)
        for side, turned in ((slice(m, m + n), False), (slice(0, m), True)):
            if (m < n) if not turned else (m > n):
                continue
            squares = np.concatenate([start[rest, side], start[rest, -1:] ** 2], axis=1)
            each, real_each = matrices[rest], numbers[rest]
            if turned:
                each, real_each = transposed(each), np.swapaxes(real_each, -1, -2)
            found[rest, side] = solution(r, _square_pair, _square_slopes, each, real_each, squares)[0][:, :-1]
    found = found.reshape(*batch, count, m + n + 1)
    values = np.array(found[..., -1])
    if not compute_uv:
        return None, values, None
    left, right = found[..., :m], np.array(found[..., m:-1])
    if full_matrices and m > n:
        left = np.concatenate([left, r.unknown((*batch, m - n, m), COMPLETES)], axis=-2)
    elif full_matrices and n > m:
        right = np.concatenate([right, r.unknown((*batch, n - m, n), COMPLETES)], axis=-2)
    return transposed(left), values, right
