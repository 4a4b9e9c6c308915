"""What is wrong although each function is right by itself: a hook, or a graph that is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.asked import Asked, Options
from gradcheck_cli.real_code.causes.functions import mismatches
from gradcheck_cli.real_code.checked import Check, checked
from gradcheck_cli.real_code.recorded import record
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.records.code import Cause, CodeFinding
from gradcheck_cli.tracing.places import place_of

ENTRIES = 2**22
"""Of a Jacobian that is looked at once more."""
DIGITS = 1e-4


def cut(options: Options, check: Check) -> Iterator[CodeFinding]:
    """With through_detach: where autograd has what is right if nothing flows through a detach() or no_grad()."""
    if not options.through_detach or check.recorded.first is not None:
        return
    known = record(check.recorded.subject)
    held = known.recorder.held.found
    truths = Truths(known.recorder.tape)
    for output, elements in enumerate(known.elements):
        count = elements.size
        if not held or count * check.reverse.width > ENTRIES:
            return
        truth, _ = truths.rows(elements.reshape(-1))
        autograd = check.reverse.rows(output, np.arange(count))
        scale = np.max(np.abs(truth), initial=0.0, where=np.isfinite(truth))
        if not np.allclose(autograd, truth, rtol=DIGITS, atol=DIGITS * scale, equal_nan=True):
            return
    for one in held:
        yield CodeFinding(Cause.CUT, place=one.place, texts={"how": one.how})


def hook(asked: Asked, options: Options) -> Iterator[CodeFinding]:
    """A hook without which nothing is wrong."""
    module = asked.function if isinstance(asked.function, nn.Module) else None
    with _no_hooks(module) as seen:
        try:
            result, _ = checked(asked, asked.subject(), options)
        except GradcheckError:
            return
    if seen and not mismatches(result):
        places = [place for place in dict.fromkeys(map(place_of, seen)) if place]
        yield CodeFinding(Cause.HOOK, place=", ".join(places))


@contextmanager
def _no_hooks(module: nn.Module | None) -> Iterator[list[Any]]:
    """Hooks do nothing. Gives the list of those that there would be, which grows."""
    seen: list[Any] = []
    register: Callable[..., Any] = Tensor.register_hook

    def pretend(self: Tensor, hook: Any) -> Any:
        seen.append(hook)
        with torch._C.DisableTorchFunction():  # by which torch would come here once more
            return register(self, lambda gradient: None)

    parts = list(module.modules()) if module is not None else []
    kept = [(part, name, getattr(part, name)) for part in parts for name in ("_backward_hooks", "_backward_pre_hooks")]
    Tensor.register_hook = pretend  # type: ignore[method-assign]
    try:
        for part, name, hooks in kept:
            seen.extend(hooks.values())
            setattr(part, name, type(hooks)())
        yield seen
    finally:
        Tensor.register_hook = register  # type: ignore[method-assign]
        for part, name, hooks in kept:
            setattr(part, name, hooks)
