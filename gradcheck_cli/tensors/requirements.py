"""What the shapes of arguments have to be, by the word for it in the table of functions.

Told before torch is asked, in words that name what was typed. Each raises Misfit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.arrays.makers import MAX_ELEMENTS
from gradcheck_cli.tensors import shapes
from gradcheck_cli.tensors.calls import Given
from gradcheck_cli.tensors.functions import TensorFunction
from gradcheck_cli.tensors.shapes import Misfit, sized


def require_shapes(row: TensorFunction, found: Sequence[Given]) -> None:
    """That the arguments of a call, one for each parameter, have the shapes that its row wants."""
    if row.shapes:
        _REQUIRED[row.shapes](row.name, found)


def _product(name: str, found: Sequence[Given]) -> None:
    shapes.require_product(*((given.text, given.value) for given in found[:2]))


def _dot(name: str, found: Sequence[Given]) -> None:
    if all(_ndim(given.value) for given in found):
        _product(name, found)


def _same(name: str, found: Sequence[Given]) -> None:
    shapes.require_same([(given.text, given.value) for given in found])


def _vectors(name: str, found: Sequence[Given]) -> None:
    if not all(_ndim(given.value) == 1 for given in found):
        raise Misfit(f"{name} takes two vectors: {' and '.join(sized(given.text, given.value) for given in found)}")


def _square(name: str, found: Sequence[Given]) -> None:
    first = found[0]
    if _ndim(first.value) < 2 or first.value.shape[-1] != first.value.shape[-2]:
        raise Misfit(f"{name} takes a square matrix: {sized(first.text, first.value)}")


def _matrix(name: str, found: Sequence[Given]) -> None:
    first = found[0]
    if _ndim(first.value) != 2:
        raise Misfit(f"{name} takes a matrix: {sized(first.text, first.value)}")


def _transposable(name: str, found: Sequence[Given]) -> None:
    if _ndim(found[0].value) > 2:
        _matrix(name, found)


def _classes(name: str, found: Sequence[Given]) -> None:
    logits, target = found[0], found[1].value
    given = sized(logits.text, logits.value)
    if not _ndim(logits.value):
        raise Misfit(f"{given}: it has no classes")
    count = logits.value.shape[1 if _ndim(logits.value) > 1 else 0]
    rows = logits.value.shape[0] if _ndim(logits.value) > 1 else None
    if isinstance(target, Tensor) and target.shape == logits.value.shape and target.is_floating_point():
        return
    if isinstance(target, bool) or not isinstance(target, Tensor | int):
        raise Misfit(f"the target is a class (a whole number), not {target}")
    index = target if isinstance(target, Tensor) else torch.tensor(target)
    if rows is not None and tuple(index.shape) != (rows, *logits.value.shape[2:]):
        raise Misfit(f"{given}: it needs {rows} classes, one for each row")
    if rows is None and index.ndim:
        raise Misfit(f"{given}: it needs one class, such as 0")
    shapes.require_classes(index, count)


def _onehot(name: str, found: Sequence[Given]) -> None:
    index, count = found[0].value, found[1].value
    if count < 1 or count > MAX_ELEMENTS:
        raise Misfit(f"{name} has from 1 to {MAX_ELEMENTS:,} elements, not {count}")
    shapes.require_classes(index if isinstance(index, Tensor) else torch.tensor(index), count)


def _elements(name: str, found: Sequence[Given]) -> None:
    first, shape = found[0], found[1].value
    if not isinstance(first.value, Tensor):
        return
    count, known, unknown = first.value.numel(), math.prod(size for size in shape if size != -1), shape.count(-1)
    fits = known == count if not unknown else known and not count % known
    if min(shape, default=0) < -1 or unknown > 1 or not fits:
        raise Misfit(f"{sized(first.text, first.value)} ({count} elements), which do not make the shape {shape}")


def _ndim(value: Any) -> int:
    return value.ndim if isinstance(value, Tensor) else 0


_REQUIRED: dict[str, Callable[[str, Sequence[Given]], None]] = {
    "product": _product, "dot": _dot, "same": _same, "vectors": _vectors, "square": _square, "matrix": _matrix,
    "transposable": _transposable,
    "classes": _classes, "onehot": _onehot, "elements": _elements,
}  # fmt: skip
