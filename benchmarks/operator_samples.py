"""torch's own database of operators, as functions of tensors: every differentiable operator in float64, with the inputs
that torch tests it at. Needs `expecttest`, which that module of torch imports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

LARGEST = 400
"""Elements of a sample that is taken, all its inputs together."""


def operators() -> list[Any]:
    """All that torch differentiates in float64."""
    from torch.testing._internal.common_methods_invocations import op_db

    return [op for op in op_db if op.supports_autograd and torch.float64 in op.dtypes]


def samples(operator: Any) -> Iterator[tuple[Callable[..., Any], list[Tensor]]]:
    """(a function of the tensors that require grad, those)."""
    torch.manual_seed(0)
    for sample in operator.sample_inputs("cpu", torch.float64, requires_grad=True):
        flat, spec = tree_flatten((sample.input, sample.args, sample.kwargs))
        places = [i for i, x in enumerate(flat) if isinstance(x, Tensor) and x.requires_grad]
        inputs = [flat[i] for i in places]
        if not inputs or any(x.layout is not torch.strided for x in inputs) or sum(x.numel() for x in inputs) > LARGEST:
            continue
        yield _function(operator, sample, flat, spec, places), inputs


def _function(operator: Any, sample: Any, flat: list[Any], spec: Any, places: list[int]) -> Callable[..., Any]:
    def function(*tensors: Tensor) -> Any:
        now = list(flat)
        for place, tensor in zip(places, tensors, strict=True):
            now[place] = tensor
        given, args, kwargs = tree_unflatten(now, spec)
        out = operator.gradcheck_wrapper(operator.get_op(), given, *args, **kwargs)
        return sample.output_process_fn_grad(out) if sample.output_process_fn_grad is not None else out

    return function
