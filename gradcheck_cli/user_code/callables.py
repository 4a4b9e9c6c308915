"""A callable with its inputs, as Python has them: cast, called and checked."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.pytorch.devices import resolve_device
from gradcheck_cli.real_code.user_frames import raised
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit
from gradcheck_cli.user_code.arguments import Call, fitted, name_of
from gradcheck_cli.user_code.cases import joined
from gradcheck_cli.user_code.check import cases_of


def check_callable(
    function: Callable[..., Any], inputs: Any, settings: Mapping[str, Any], *, dtype: str | None = None,
    device: str | None = None, stress: bool = False, timeout: float | None = None,
) -> CodeResult:  # fmt: skip
    """inputs: by name in a mapping, by position in a tuple or list; anything else is the only one. settings: of
    `check_code`. dtype: what floating-point inputs, and a module, are cast to. Raises GradcheckError for bad input.
    """
    if isinstance(function, type) and issubclass(function, torch.autograd.Function):
        function = function.apply
    if isinstance(function, type):
        raise UsageError(f"{function.__name__} is a class: give an instance of it")
    kind = None if dtype is None else getattr(torch, dtype)
    place = None if device is None else resolve_device(device)

    def cast(value: Any) -> Any:
        return value.to(place, kind if value.is_floating_point() else None) if isinstance(value, Tensor) else value

    if isinstance(function, nn.Module) and (kind is not None or place is not None):
        try:
            function = copy.deepcopy(function).to(place, kind)
        except Exception as error:
            raise UsageError(raised(f"{type(function).__name__} as {dtype or device}", error)) from error
    by_name = dict(inputs) if isinstance(inputs, Mapping) else {}
    by_position = () if by_name or isinstance(inputs, Mapping) else _tuple(inputs)
    fit = fitted(function, by_position, by_name, "inputs")
    call = Call(tree_map(cast, fit.positional), tree_map(cast, dict(fit.named)))
    started = time.perf_counter()
    try:
        with time_limit(timeout):
            result = joined(list(cases_of(function, call, settings, stress=stress)), strict=settings["strict"])
    except OutOfTime:
        return CodeResult(
            name_of(function), "", (), dtype=dtype or "float64", device=device or "cpu", rtol=settings["rtol"],
            atol=settings["atol"], verdict=Verdict.ERROR, passed=False,
            error=f"no verdict within the time limit of {timeout:g} s: timeout= allows more",
        )  # fmt: skip
    if result.bad_input and not result.checks_total:
        raise GradcheckError(result.error or "it cannot be checked")
    return replace(result, seconds=time.perf_counter() - started)


def some_require_grad(inputs: Any) -> bool:
    """Whether there is a tensor among the inputs that requires grad."""
    return any(isinstance(one, Tensor) and one.requires_grad for one in tree_leaves(inputs))


def _tuple(inputs: Any) -> Sequence[Any]:
    return tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
