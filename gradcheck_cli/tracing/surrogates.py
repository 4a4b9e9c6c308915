"""Functions that are meant to have the derivative of another one: straight-through estimators, gradient reversal.

On the tape such a function has its own value and the other's derivative: f(x) + (s(x) - s(x)), all held constant but
for the first s(x).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.tracing.recorder import Recorder
from gradcheck_cli.tracing.tensors import memory

Surrogates = Mapping[type[torch.autograd.Function], Callable[..., Any]]


class BadSurrogate(GradcheckError):
    """What was given as a surrogate does not fit its function."""


@contextmanager
def in_force(surrogates: Surrogates, recorder: Recorder) -> Iterator[set[type[Any]]]:
    """While the code is recorded. Gives the set of those that ran, which grows."""
    ran: set[type[Any]] = set()
    before = {function: inspect.getattr_static(function, "forward") for function in surrogates}
    own = {function for function in surrogates if "forward" in vars(function)}
    try:
        for function, surrogate in surrogates.items():
            wrapped = _with(function, surrogate, recorder, ran)
            function.forward = staticmethod(wrapped)  # type: ignore[method-assign]
        yield ran
    finally:
        for function, forward in before.items():
            if function in own:
                function.forward = forward  # type: ignore[method-assign]
            else:
                del function.forward


def _with(
    function: type[torch.autograd.Function], surrogate: Callable[..., Any], recorder: Recorder, ran: set[type[Any]]
) -> Callable[..., Any]:
    original = function.forward
    has_context = function.setup_context is torch.autograd.function._SingleLevelFunction.setup_context

    @functools.wraps(original)
    def forward(*args: Any, **kwargs: Any) -> Any:
        ran.add(function)
        given = args[1:] if has_context else args
        seen = [x.view_as(x) if isinstance(x, Tensor) else x for x in given]  # which tells the recorder where it is
        meant = _meant(function, surrogate, seen)
        slopes = [recorder.of(x) for x in meant]
        result = original(*args, **kwargs)
        dirty = getattr(args[0], "dirty_tensors", None) or () if has_context else ()
        several = isinstance(result, (tuple, list))
        outputs = [_apart(x, given, dirty) for x in (result if several else [result])]
        _replace(function, recorder, outputs, slopes)
        return tuple(outputs) if several else outputs[0]

    return forward


def _meant(function: type[Any], surrogate: Callable[..., Any], given: list[Any]) -> list[Tensor]:
    try:
        found = surrogate(*given)
    except GradcheckError:
        raise
    except Exception as error:
        raise BadSurrogate(
            f"the surrogate of {function.__name__} raises {type(error).__name__}: {error}; it gets what forward gets"
        ) from error
    outputs = list(found) if isinstance(found, (tuple, list)) else [found]
    if not all(isinstance(x, Tensor) for x in outputs):
        raise BadSurrogate(f"the surrogate of {function.__name__} must return a tensor, or a tuple of tensors")
    return outputs


def _apart(output: Any, given: tuple[Any, ...], dirty: Any) -> Any:
    """An output in memory of its own, where it is an argument as it came."""
    if not isinstance(output, Tensor) or any(output is x for x in dirty):
        return output
    if not any(isinstance(x, Tensor) and memory(x) == memory(output) for x in given):
        return output
    return output.clone()


def _replace(function: type[Any], recorder: Recorder, outputs: list[Any], slopes: list[Any]) -> None:
    tensors = [x for x in outputs if isinstance(x, Tensor) and x.is_floating_point()]
    if [tuple(x.shape) for x in tensors] != [x.shape for x in slopes]:
        mine, theirs = ([tuple(x.shape) for x in them] for them in (slopes, tensors))
        raise BadSurrogate(f"the surrogate of {function.__name__} gives the shapes {mine}, and its forward {theirs}")
    tape = recorder.tape
    for tensor, slope in zip(tensors, slopes, strict=True):
        value = tape.held(recorder.of(tensor))
        rest = tape.call("sub", slope, tape.held(slope))
        recorder.put(tensor, tape.call("add", value, rest))
