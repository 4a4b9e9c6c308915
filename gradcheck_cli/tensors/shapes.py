"""Whether torch can do it with these shapes, told before it is asked: messages name the shapes and what would fit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gradcheck_cli.arrays.makers import MAX_ELEMENTS


class Misfit(Exception):
    """Why these arrays do not fit."""


def sized(name: str, value: Any) -> str:
    """`W is 2x2`, `x has 3 elements`, `a is a number`."""
    if not isinstance(value, Tensor) or value.ndim == 0:
        return f"{name} is a number"
    if value.ndim == 1:
        return f"{name} has {len(value)} element{'' if len(value) == 1 else 's'}"
    return f"{name} is {'x'.join(map(str, value.shape))}"


def require_product(left: tuple[str, Any], right: tuple[str, Any]) -> None:
    """That `left @ right` has a meaning. Raises Misfit."""
    a, b = left[1], right[1]
    shapes = f"{sized(*left)} and {sized(*right)}"
    if not (isinstance(a, Tensor) and a.ndim and isinstance(b, Tensor) and b.ndim):
        raise Misfit(f"{shapes}: @ is the product of arrays, write * for numbers")
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        raise Misfit(f"{shapes}: @ needs {a.shape[-1]}{_hint(a, b)}")
    _require_broadcast(a.shape[:-2], b.shape[:-2], shapes)


def _hint(a: Tensor, b: Tensor) -> str:
    if b.ndim > 1 and b.shape[-1] == a.shape[-1]:
        return ", which the transpose of the second has (.T)"
    if a.ndim > 1 and a.shape[-2] == (b.shape[-2] if b.ndim > 1 else b.shape[0]):
        return ", and the transpose of the first fits (.T)"
    return ""


def require_same(operands: Sequence[tuple[str, Any]]) -> None:
    """That arrays can be combined element by element. Raises Misfit."""
    tensors = [(name, x) for name, x in operands if isinstance(x, Tensor)]
    for left, right in itertools.pairwise(tensors):
        _require_broadcast(left[1].shape, right[1].shape, f"{sized(*left)} and {sized(*right)}")


def _require_broadcast(a: Sequence[int], b: Sequence[int], shapes: str) -> None:
    for m, n in zip(reversed(a), reversed(b), strict=False):
        if m != n and 1 not in (m, n):
            raise Misfit(f"{shapes}: element by element they do not fit")
    pairs = itertools.zip_longest(reversed(a), reversed(b), fillvalue=1)
    _require_room([max(m, n) if m and n else 0 for m, n in pairs])


def require_dim(name: str, value: Any, dim: object, more: int = 0) -> int:
    """The dimension, where there is one. more: how many beyond those of the array are allowed. Raises Misfit."""
    if isinstance(dim, bool) or not isinstance(dim, int):
        raise Misfit(f"dim is a whole number, not {dim}")
    count = (value.ndim if isinstance(value, Tensor) else 0) + more
    if not count and dim in (0, -1):
        return dim
    if not -count <= dim < count:
        which = "no dimension" if not count else "dim 0 (or -1)" if count == 1 else f"dims 0 to {count - 1}"
        raise Misfit(f"{sized(name, value)}: it has {which}, and dim is {dim}")
    return dim


def require_index(name: str, value: Any, items: Sequence[Any]) -> None:
    """That there is such an element or part. Raises Misfit."""
    if not isinstance(value, Tensor) or not value.ndim:
        raise Misfit(f"{name} is a number, and has no elements")
    count = sum(item is not Ellipsis and item is not None for item in items)
    if count > value.ndim:
        raise Misfit(
            f"{sized(name, value)}: it takes {value.ndim} ind{'ex' if value.ndim == 1 else 'ices'}, not {count}"
        )
    places = [item for item in items if item is not None]
    if Ellipsis in places:
        at = places.index(Ellipsis)
        places[at : at + 1] = [slice(None)] * (value.ndim - count)
    for dim, item in enumerate(places):
        size = value.shape[dim]
        if isinstance(item, int) and not -size <= item < size:
            which = f"0 to {size - 1}" if size else "none"
            along = "" if value.ndim == 1 else f" along dim {dim}"
            raise Misfit(f"{sized(name, value)}: there is no index {item}{along}, only {which}")


def require_classes(index: Tensor, count: int) -> None:
    """That indices are of `count` classes. Raises Misfit."""
    if index.numel() and (int(index.min()) < 0 or int(index.max()) >= count):
        wrong = next(int(i) for i in index.reshape(-1).tolist() if not 0 <= i < count)
        raise Misfit(f"there is no class {wrong}: the classes are 0 to {count - 1}")


def _require_room(shape: Sequence[int]) -> None:
    if math.prod(shape) > MAX_ELEMENTS:
        raise Misfit(f"the result would have more than {MAX_ELEMENTS:,} elements")


def require_room(run: Any, args: Any, keywords: Any) -> None:
    """That what torch would make is not too large: it is asked with arrays that have shapes and no numbers."""
    from torch.utils._pytree import tree_leaves, tree_map

    def empty(x: Any) -> Any:
        return x.to("meta") if isinstance(x, Tensor) else x

    try:
        made = run(*tree_map(empty, args), **tree_map(empty, keywords))
    except Exception:  # noqa: BLE001  it has no meta kernel, or it does not fit: running it tells
        return
    for one in tree_leaves(made):
        if isinstance(one, Tensor):
            _require_room(one.shape)
