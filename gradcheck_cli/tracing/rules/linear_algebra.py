"""Small dense linear algebra, as the scalar algorithms that define it. The pivots that ran are followed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.table import NotHere, rule
from gradcheck_cli.tracing.tensors import integers, numbers, on_host

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder


def transposed(x: Elements) -> Elements:
    return np.swapaxes(x, -1, -2)


def triangle(r: Recorder, x: Elements, upper: bool) -> Elements:
    kept = np.ones(x.shape[-2:], bool)
    return np.where(np.triu(kept) if upper else np.tril(kept), x, r.tape.constant(0.0))


def _dot(r: Recorder, a: Elements, b: Elements) -> Elements:
    """Products of rows, over the last axis."""
    a, b = np.broadcast_arrays(a, b)
    return r.tape.dot(a[..., None, :], b[..., None, :])[..., 0, 0]


def cholesky(r: Recorder, a: Elements) -> Elements:
    """The lower factor, column by column."""
    n = a.shape[-1]
    factor = np.full(a.shape, r.tape.constant(0.0))
    for j in range(n):
        column = a[..., j:, j]
        if j:
            column = r.call("sub", column, _dot(r, factor[..., j:, :j], factor[..., j, None, :j]))
        pivot = r.call("sqrt", column[..., 0])
        factor[..., j, j] = pivot
        if j + 1 < n:
            factor[..., j + 1 :, j] = r.call("div", column[..., 1:], pivot[..., None])
    return factor


@rule("linalg_cholesky_ex")
def linalg_cholesky(r: Recorder, out: Any, a: Any, *, upper: bool = False, check_errors: bool = False) -> Any:
    return _cholesky_of(r, a, upper), None


@rule("cholesky")
def plain_cholesky(r: Recorder, out: Tensor, a: Any, upper: bool = False) -> Elements:
    return _cholesky_of(r, a, upper)


def _cholesky_of(r: Recorder, a: Any, upper: bool) -> Elements:
    """As torch reads it: the matrix is taken for symmetric, and its gradient as that of (A + A.T)/2."""
    factor = cholesky(r, symmetric(r, r.of(a)))
    return transposed(factor) if upper else factor


def symmetric(r: Recorder, a: Elements) -> Elements:
    """(A + A.T)/2 of a matrix that torch takes for symmetric. Moved inputs may be no longer."""
    half = r.scaled(r.call("add", a, transposed(a)), 0.5)
    r.guard("symmetric", a.reshape(-1))
    return np.where(np.broadcast_to(np.eye(a.shape[-1], dtype=bool), a.shape), a, half)


def solve_triangular(r: Recorder, a: Elements, b: Elements, *, upper: bool, unit: bool = False) -> Elements:
    """X with A X = B, A triangular."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = np.broadcast_to(a, batch + a.shape[-2:])
    b = np.broadcast_to(b, batch + b.shape[-2:])
    n, found = a.shape[-1], np.array(b)
    for i in range(n - 1, -1, -1) if upper else range(n):
        row, done = b[..., i, :], slice(i + 1, n) if upper else slice(0, i)
        if len(range(n)[done]):
            row = r.call("sub", row, _dot(r, a[..., i, None, done], transposed(found[..., done, :])))
        found[..., i, :] = row if unit else r.call("div", row, a[..., i, i][..., None])
    return found


@rule("linalg_solve_triangular")
def linalg_solve_triangular(
    r: Recorder, out: Tensor, a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Elements:
    x, y = r.of(a), r.of(b)
    if left:
        return solve_triangular(r, x, y, upper=upper, unit=unitriangular)
    return transposed(solve_triangular(r, transposed(x), transposed(y), upper=not upper, unit=unitriangular))


@rule("triangular_solve")
def triangular_solve(
    r: Recorder, out: Any, b: Any, a: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    x = transposed(r.of(a)) if transpose else r.of(a)
    found = solve_triangular(r, x, r.of(b), upper=upper != transpose, unit=unitriangular)
    return found, np.array(r.of(a))


@rule("cholesky_solve")
def cholesky_solve(r: Recorder, out: Tensor, b: Any, factor: Any, upper: bool = False) -> Elements:
    lower = triangle(r, transposed(r.of(factor)) if upper else r.of(factor), upper=False)
    half = solve_triangular(r, lower, r.of(b), upper=False)
    return solve_triangular(r, transposed(lower), half, upper=True)


@rule("cholesky_inverse")
def cholesky_inverse(r: Recorder, out: Tensor, factor: Any, upper: bool = False) -> Elements:
    inverse: Elements = cholesky_solve(r, out, identity(r, r.of(factor).shape), factor, upper)
    return inverse


def identity(r: Recorder, shape: tuple[int, ...]) -> Elements:
    eye: NDArray[np.bool_] = np.eye(shape[-2], shape[-1], dtype=bool)
    return np.broadcast_to(np.where(eye, r.tape.constant(1.0), r.tape.constant(0.0)), shape)


# -- LU


def order_of(pivots: Tensor, rows: int) -> NDArray[Any]:
    """The permutation of rows that LAPACK's pivots (exchanges, from 1) stand for."""
    exchanges = integers(pivots) - 1
    order = np.broadcast_to(np.arange(rows), (*exchanges.shape[:-1], rows)).copy()
    for batch in np.ndindex(*exchanges.shape[:-1]):
        for i, j in enumerate(exchanges[batch].tolist()):
            order[(*batch, i)], order[(*batch, j)] = order[(*batch, j)], order[(*batch, i)]
    return order


def lu(r: Recorder, a: Elements, order: NDArray[Any]) -> Elements:
    """Both factors in one matrix, the rows in that order."""
    order = np.broadcast_to(order, a.shape[:-1])
    packed = np.array(np.take_along_axis(a, order[..., None], -2))
    for j in range(min(packed.shape[-2:])):
        if j + 1 == packed.shape[-2]:
            break
        factors = r.call("div", packed[..., j + 1 :, j], packed[..., j, j][..., None])
        packed[..., j + 1 :, j] = factors
        if j + 1 < packed.shape[-1]:
            product = r.call("mul", factors[..., None], packed[..., None, j, j + 1 :])
            packed[..., j + 1 :, j + 1 :] = r.call("sub", packed[..., j + 1 :, j + 1 :], product)
    return packed


def split(r: Recorder, packed: Elements) -> tuple[Elements, Elements]:
    """(L with ones on its diagonal, U)."""
    m, n = packed.shape[-2:]
    k = min(m, n)
    below = np.tril(np.ones((m, k), bool), -1)
    lower = np.where(below, packed[..., :, :k], identity(r, (*packed.shape[:-2], m, k)))
    return lower, triangle(r, packed[..., :k, :], upper=True)


def pivots_of(a: Tensor) -> Tensor:
    with _disable_current_modes():
        pivots: Tensor = torch.linalg.lu_factor_ex(a.detach())[1]
        return pivots


def _sign(pivots: Tensor) -> NDArray[Any]:
    exchanges = integers(pivots) - 1
    odd = (exchanges != np.arange(exchanges.shape[-1])).sum(axis=-1) % 2
    return np.where(odd, -1.0, 1.0)


def solved(r: Recorder, packed: Elements, order: NDArray[Any], b: Elements) -> Elements:
    lower, upper = split(r, packed)
    batch = np.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
    b, order = np.broadcast_to(b, batch + b.shape[-2:]), np.broadcast_to(order, batch + order.shape[-1:])
    sorted_ = np.take_along_axis(b, order[..., None], -2)
    return solve_triangular(r, upper, solve_triangular(r, lower, sorted_, upper=False, unit=True), upper=True)


def solve(r: Recorder, a: Tensor | Elements, real: Tensor, b: Elements) -> Elements:
    """X with A X = B. real: the numbers of A, whose pivots are followed."""
    order = order_of(pivots_of(real), real.shape[-2])
    return solved(r, lu(r, r.of(a), order), order, b)


@rule("linalg_lu_factor_ex")
def lu_factor(r: Recorder, out: Any, a: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    rows = a.shape[-2]
    order = order_of(out[1], rows) if pivot else np.broadcast_to(np.arange(rows), a.shape[:-1])
    return lu(r, r.of(a), order), None, None


@rule("linalg_lu")
def linalg_lu(r: Recorder, out: Any, a: Tensor, *, pivot: bool = True) -> Any:
    rows = a.shape[-2]
    order = integers(out[0]).argmax(axis=-2) if pivot else np.broadcast_to(np.arange(rows), a.shape[:-1])
    return (None, *split(r, lu(r, r.of(a), order)))


@rule("lu_unpack")
def lu_unpack(
    r: Recorder, out: Any, packed: Any, pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    return (None, *split(r, r.of(packed))) if unpack_data else (None, None, None)


@rule("linalg_lu_solve")
def lu_solve(
    r: Recorder, out: Tensor, packed: Any, pivots: Tensor, b: Any, *, left: bool = True, adjoint: bool = False
) -> Elements:
    lower, upper = split(r, r.of(packed))
    order, right = order_of(pivots, lower.shape[-2]), r.of(b)
    right = right if left else transposed(right)
    if left != adjoint:
        found = solved(r, r.of(packed), order, right)
    else:  # A.T X = B
        half = solve_triangular(r, transposed(upper), right, upper=False)
        half = solve_triangular(r, transposed(lower), half, upper=True, unit=True)
        batch = half.shape[:-2]
        back = np.argsort(np.broadcast_to(order, batch + order.shape[-1:]), axis=-1)
        found = np.take_along_axis(half, back[..., None], -2)
    return found if left else transposed(found)


@rule("_linalg_solve_ex")
def linalg_solve(r: Recorder, out: Any, a: Tensor, b: Any, *, left: bool = True, check_errors: bool = False) -> Any:
    right = r.of(b)
    vector = right.ndim == a.dim() - 1 and right.shape == tuple(a.shape[:-1])
    right = right[..., None] if vector else right
    if left:
        found = solve(r, a, a, right)
    else:
        with _disable_current_modes():
            real = on_host(a).mT
        found = transposed(solve(r, transposed(r.of(a)), real, transposed(right)))
    return (found[..., 0] if vector else found), None, None, None


@rule("linalg_inv_ex")
def linalg_inv(r: Recorder, out: Any, a: Tensor, *, check_errors: bool = False) -> Any:
    return solve(r, a, a, identity(r, tuple(a.shape))), None


@rule("_linalg_det")
def linalg_det(r: Recorder, out: Any, a: Tensor) -> Any:
    return _determinant(r, a, "det"), None, None


@rule("_linalg_slogdet")
def linalg_slogdet(r: Recorder, out: Any, a: Tensor) -> Any:
    return None, _determinant(r, a, "log"), None, None


def _determinant(r: Recorder, a: Tensor, what: str) -> Elements:
    if not a.shape[-1]:
        return np.full(tuple(a.shape[:-2]), r.tape.constant(1.0 if what == "det" else 0.0))
    pivots = pivots_of(a)
    packed = lu(r, r.of(a), order_of(pivots, a.shape[-1]))
    diagonal = np.diagonal(packed, axis1=-2, axis2=-1)
    if what == "log":
        return r.tape.reduce("sum", r.call("log", r.call("abs", diagonal)))
    return r.call("mul", r.tape.reduce("prod", diagonal), r.tape.constants(_sign(pivots)))


# -- QR, least squares


def qr(r: Recorder, a: Elements, signs: NDArray[Any]) -> tuple[Elements, Elements]:
    """The reduced factors by Gram and Schmidt, R's diagonal with those signs."""
    m, n = a.shape[-2:]
    k = min(m, n)
    columns: list[Elements] = []
    upper = np.full((*a.shape[:-2], k, n), r.tape.constant(0.0))
    for j in range(n):
        left = a[..., :, j]
        for i, column in enumerate(columns[: min(j, k)]):
            upper[..., i, j] = _dot(r, column, a[..., :, j])
            left = r.call("sub", left, r.call("mul", upper[..., i, j][..., None], column))
        if j < k:
            length = r.call("mul", r.call("sqrt", _dot(r, left, left)), r.tape.constants(signs[..., j]))
            upper[..., j, j] = length
            columns.append(r.call("div", left, length[..., None]))
    return np.stack(columns, axis=-1), upper


@rule("linalg_qr")
def linalg_qr(r: Recorder, out: Any, a: Tensor, mode: str = "reduced") -> Any:
    m, n = a.shape[-2:]
    if not min(m, n) or (mode == "complete" and m > n):
        raise NotHere
    signs = np.sign(np.diagonal(numbers(out[1]), axis1=-2, axis2=-1))
    q, upper = qr(r, r.of(a), signs)
    return (None if mode == "r" else q), upper


@rule("linalg_lstsq")
def lstsq(r: Recorder, out: Any, a: Tensor, b: Any, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """Of full rank: by the normal equations, which have the same solution."""
    x, right = r.of(a), r.of(b)
    vector = right.ndim == x.ndim - 1 and right.shape[-1] == x.shape[-2] and right.ndim >= 1 and x.ndim > right.ndim
    right = right[..., None] if vector else right
    m, n = x.shape[-2:]
    with _disable_current_modes():
        real = on_host(a)
        gram = real.mT @ real if m >= n else real @ real.mT
        if int(torch.linalg.matrix_rank(real).min() if real.numel() else 0) < min(m, n):
            raise NotHere
    if m >= n:
        found = solve(r, r.tape.dot(transposed(x), transposed(x)), gram, r.tape.dot(transposed(x), transposed(right)))
    else:
        found = r.tape.dot(transposed(x), transposed(solve(r, r.tape.dot(x, x), gram, right)))
    residuals = None
    if isinstance(out[1], Tensor) and out[1].numel():
        off = r.call("sub", r.tape.dot(x, transposed(found)), right)
        residuals = _dot(r, transposed(off), transposed(off))
    return (found[..., 0] if vector else found), residuals, None, None


@rule("linalg_pinv.atol_rtol_tensor")
def pinv(
    r: Recorder, out: Tensor, a: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False
) -> Elements:
    """Of full rank; or of rank 0, where all that the matrix has counts as nothing."""
    x = symmetric(r, r.of(a)) if hermitian else r.of(a)
    m, n = x.shape[-2:]
    if not x.size:
        return np.zeros(tuple(out.shape), np.int64)
    with _disable_current_modes():
        real = on_host(a)
        gram = real.mT @ real if m >= n else real @ real.mT
        atol, rtol = (x if x is None else on_host(torch.as_tensor(x)) for x in (atol, rtol))
        rank = torch.linalg.matrix_rank(real, atol=atol, rtol=rtol)
        nothing = rtol is not None and bool((rtol >= 1).all())  # whatever the matrix is
        if nothing and not rank.any():
            return np.full(tuple(out.shape), r.tape.constant(0.0))
        if int(rank.min()) < min(m, n):
            raise NotHere
    if m >= n:
        return solve(r, r.tape.dot(transposed(x), transposed(x)), gram, transposed(x))
    # X.T (X X.T)^-1, and the inverse is symmetric
    return transposed(solve(r, r.tape.dot(x, x), gram, x))


# -- the exponential

TERMS = 18
"""Of the exponential series, for a matrix of a norm of at most 1/4: right to some 27 digits, derivatives too."""


@rule("linalg_matrix_exp")
def matrix_exp(r: Recorder, out: Tensor, a: Tensor) -> Elements:
    """The series of a fraction of the matrix, squared again and again."""
    x = r.of(a)
    if not x.size:
        return x
    norm = float(np.abs(numbers(a)).sum(axis=-1).max())
    if not math.isfinite(norm):
        raise NotHere
    halvings = max(0, math.ceil(math.log2(max(norm, 1e-300))) + 2)
    x, eye = r.scaled(x, 2.0**-halvings), identity(r, x.shape)
    found = eye
    for k in range(TERMS, 0, -1):  # 1 + x/1 (1 + x/2 (1 + ...))
        found = r.call("add", eye, r.call("div", r.tape.dot(x, transposed(found)), float(k)))
    for _ in range(halvings):
        found = r.tape.dot(found, transposed(found))
    return found
