"""Products of Householder reflections, as LAPACK keeps them: 1 - tau v v.T, v with a 1 and below it a column of a
matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.rules.linear_algebra import identity, transposed
from gradcheck_cli.tracing.table import rule

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder


def reflected(r: Recorder, columns: Elements, tau: Elements, x: Elements, order: Iterable[int]) -> Elements:
    """The reflections applied to a matrix, one after the other in that order."""
    found = np.array(x)
    for k in order:
        below = found[..., k:, :]
        one = np.full((*columns.shape[:-2], 1), r.tape.constant(1.0))
        v = np.concatenate([one, columns[..., k + 1 :, k]], axis=-1)
        share = r.tape.dot(v[..., None, :], transposed(below))  # (..., 1, columns)
        share = r.call("mul", tau[..., k, None, None], share)
        found[..., k:, :] = r.call("sub", below, r.call("mul", v[..., None], share))
    return found


@rule("linalg_householder_product")
def householder_product(r: Recorder, out: Tensor, a: Any, tau: Any) -> Elements:
    columns, scales = r.of(a), r.of(tau)
    start = identity(r, columns.shape)
    return reflected(r, columns, scales, start, reversed(range(scales.shape[-1])))


@rule("ormqr")
def ormqr(r: Recorder, out: Tensor, a: Any, tau: Any, x: Any, left: bool = True, transpose: bool = False) -> Elements:
    columns, scales, given = r.of(a), r.of(tau), r.of(x)
    order = range(scales.shape[-1])
    if left:
        return reflected(r, columns, scales, given, order if transpose else reversed(order))
    return transposed(reflected(r, columns, scales, transposed(given), reversed(order) if transpose else order))
