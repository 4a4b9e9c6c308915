"""What only moves numbers is run on the element numbers themselves: as float64, which every kernel takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.tensors import on_host

_INDICES = frozenset({"index", "indices", "mask", "repeats", "offsets", "lengths"})
_PLACEMENT = frozenset({"dtype", "device", "layout", "pin_memory", "memory_format"})
_FILLS = ("value", "fill_value")


def moved(
    func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], elements_of: Callable[[Any], Elements]
) -> list[Elements]:
    """The elements of each tensor that an operation gives. elements_of: those of a tensor or of a number."""
    schema = func._schema.arguments
    values = dict(zip((argument.name for argument in schema), args, strict=False)) | dict(kwargs)
    for argument in schema:
        if argument.name in _FILLS and argument.name not in values and argument.default_value:
            values[argument.name] = argument.default_value
    found = func(**{k: _numbered(k, v, elements_of) for k, v in values.items() if k not in _PLACEMENT})
    several = found if isinstance(found, (list, tuple)) else [found]
    plain = [torch.view_as_real(x.resolve_conj()) if x.is_complex() else x for x in several]
    return [np.rint(x.numpy()).astype(np.int64) for x in plain]


def _numbered(name: str, value: Any, elements_of: Callable[[Any], Elements]) -> Any:
    if name in _INDICES:
        return _on_host(value)
    if isinstance(value, Tensor):
        return _as_numbers(elements_of(value), value.dim())
    if isinstance(value, (list, tuple)) and any(isinstance(x, Tensor) for x in value):
        return [_numbered(name, x, elements_of) for x in value]
    return _as_numbers(elements_of(value), 0).item() if name in _FILLS else value


def _as_numbers(elements: Elements, dim: int) -> Tensor:
    """Element numbers as float64, and pairs of them as complex numbers."""
    found = torch.from_numpy(np.array(elements, np.float64, order="C", ndmin=0))
    return torch.view_as_complex(found) if found.dim() > dim else found


def _on_host(value: Any) -> Any:
    """Indices, which may be a list with gaps."""
    if isinstance(value, (list, tuple)):
        return [_on_host(x) for x in value]
    return on_host(value, value.dtype) if isinstance(value, Tensor) else value
