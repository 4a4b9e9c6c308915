"""A backward that gives something else when it runs again: it changes what it has saved, or is not deterministic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.real_code.causes.samples import Code
from gradcheck_cli.real_code.side import Reverse
from gradcheck_cli.records.code import Cause, CodeFinding
from gradcheck_cli.tracing.tensors import are_same

TIMES = 3


def changed(code: Code) -> Iterator[CodeFinding]:
    """At the first output of which that is so. The same incoming gradient each time, from one run of the forward."""
    if code.mode != "reverse":
        return
    side = Reverse(code.subject)
    for k, output in enumerate(side.outputs):
        if not output.tensor.requires_grad:
            continue
        kept = _kept(output.tensor)
        before = {name: tensor.clone() for name, tensor in kept.items()}
        weights = np.random.default_rng(0).uniform(0.5, 2, (1, output.tensor.numel()))
        first, *others = (side.combined(k, weights)[0] for _ in range(TIMES))
        arguments = list(_different(side, first, others))
        if not arguments:
            continue
        names = [name for name, tensor in kept.items() if not are_same(tensor, before[name])]
        texts = {"what": ", ".join(names)} if names else {}
        yield CodeFinding(Cause.SAVED_CHANGED, argument=" and ".join(arguments), texts=texts)
        return


def _different(side: Reverse, first: Any, others: list[Any]) -> Iterator[str]:
    """The inputs by which it is another one."""
    start = 0
    for leaf in side.subject.wanted:
        place = slice(start, start := start + leaf.tensor.numel())
        if not all(np.array_equal(first[place], other[place], equal_nan=True) for other in others):
            yield leaf.name


def _kept(output: Tensor) -> Mapping[str, Tensor]:
    """What the functions by hand before an output keep, the same memory, by what their backwards call it."""
    found: dict[str, Tensor] = {}
    left, seen = [output.grad_fn], set()
    while left:
        node: Any = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        left += [below for below, _ in node.next_functions]
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            known = {f"ctx.{name}": value for name, value in vars(node).items()}
            known |= {f"ctx.saved_tensors[{i}]": value for i, value in enumerate(node.saved_tensors)}
            found |= {name: value.detach() for name, value in known.items() if isinstance(value, Tensor)}
    return found
