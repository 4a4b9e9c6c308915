"""The inputs of a call: from texts to the tensors and values that the function takes."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from gradcheck_cli.arrays.nodes import ArrayText
from gradcheck_cli.arrays.values import array_value, plain_value
from gradcheck_cli.errors import UsageError
from gradcheck_cli.user_code.inputs import Inputs, read_init

Parameter = inspect.Parameter
_PLAIN = re.compile(r"\b(int|float|bool|str|complex)\b")


@dataclass(frozen=True)
class Call:
    """What a function is called with."""

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


def made(target: type, init: str | None, what: str, folder: str = "", seed: int = 0) -> Any:
    """An instance of a class. init: its arguments, as in a call; they are values of Python, and arrays are tensors."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for place, (name, text) in enumerate(read_init(init or "")):
        value = _tensors(plain_value(text, f"init {name or place}", seed, folder), None)
        if name is None:
            positional.append(value)
        else:
            named[name] = value
    signature = _signature(target)
    if signature is not None:
        _bind(signature, positional, named, f"{what} is made with --init, and", "--init")
    return target(*positional, **named)


def call_of(function: Callable[..., Any], inputs: Inputs, dtype: torch.dtype, device: torch.device, seed: int) -> Call:
    """The inputs as the function takes them. Floating-point ones are of the dtype."""
    signature = _signature(function)
    parameters = list(signature.parameters.values()) if signature is not None else []
    own = [p for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]

    def value(text: ArrayText, key: str, parameter: Parameter | None) -> Any:
        if parameter is not None and _takes_python(parameter):
            plain = plain_value(text, key, seed, inputs.folder)
            if not isinstance(plain, np.ndarray):
                return plain
        return _tensors(array_value(text, key, seed, inputs.folder), dtype, device)

    positional = []
    for place, text in enumerate(inputs.by_position):
        parameter = own[place] if place < len(own) else None
        positional.append(value(text, parameter.name if parameter else f"x{place}", parameter))
    by_name = {parameter.name: parameter for parameter in parameters}
    named = {key: value(text, key, by_name.get(key)) for key, text in inputs.by_name.items()}
    return fitted(function, positional, named, "--input")


def fitted(function: Callable[..., Any], positional: Sequence[Any], named: Mapping[str, Any], option: str) -> Call:
    """The call, as the function takes its arguments. Raises UsageError for one that is missing, unknown or too much.

    option: what the arguments are called where they are given.
    """
    signature = _signature(function)
    if signature is None:
        return Call(tuple(positional), dict(named))
    bound = _bind(signature, positional, named, name_of(function), option)
    if _owner(function) is None:
        return Call(bound.args, bound.kwargs)
    # apply() takes arguments by position only: those up to the last one that was given.
    own = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    last = max((place for place, parameter in enumerate(own) if parameter.name in bound.arguments), default=-1)
    bound.apply_defaults()
    return Call(bound.args[: max(last + 1, len(positional))])


def name_of(function: Any) -> str:
    owner = _owner(function)
    if owner is not None:
        return owner.__name__
    return type(function).__name__ if isinstance(function, nn.Module) else getattr(function, "__name__", "it")


def _owner(function: Any) -> type | None:
    """The autograd.Function whose `apply` it is."""
    owner = getattr(function, "__self__", None)
    return owner if isinstance(owner, type) and issubclass(owner, torch.autograd.Function) else None


def _signature(function: Any) -> inspect.Signature | None:
    """Of what the user wrote; None where it is not known."""
    owner = _owner(function)
    target: Any = owner.forward if owner is not None else function  # type: ignore[attr-defined]
    if isinstance(function, nn.Module):
        target = function.forward
    try:
        signature = inspect.signature(target)
    except Exception:  # noqa: BLE001  of what is no Python, or of a class that says it wrongly
        return None
    if owner is not None and owner.setup_context is torch.autograd.Function.setup_context:  # type: ignore[attr-defined]
        return signature.replace(parameters=list(signature.parameters.values())[1:])  # without ctx
    return signature


def _takes_python(parameter: Parameter) -> bool:
    """Whether it says, by its default or annotation, that it takes a number, a text or a tuple of Python."""
    if isinstance(parameter.default, bool | int | float | str | tuple | list):
        return True
    if parameter.annotation is Parameter.empty:
        return False
    annotation = parameter.annotation
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return "Tensor" not in text and _PLAIN.search(text) is not None


def _bind(
    signature: inspect.Signature, positional: Sequence[Any], named: Mapping[str, Any], what: str, option: str
) -> inspect.BoundArguments:
    """Raises UsageError that says which argument is missing, unknown or too much."""
    parameters = signature.parameters
    bare = [_without_annotation(parameter) for parameter in parameters.values()]
    takes = f"{what} takes {signature.replace(parameters=bare, return_annotation=Parameter.empty)}"
    flexible = any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())
    for name in named:
        if name not in parameters and not flexible:
            near = difflib.get_close_matches(name, parameters, n=1)
            advice = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"{option} {name}: there is no such argument: {advice}{takes}")
    try:
        return signature.bind(*positional, **named)
    except TypeError as error:
        reason = str(error)
        missing = re.search(r"missing a required (?:keyword-only )?argument: '(\w+)'", reason)
        if missing and option != "--init":
            how = f'give it a value, such as "{missing[1]}=randn(3)"' if option == "--input" else f"{option} needs it"
            reason = f"the argument {missing[1]} is missing: {how}"
        raise UsageError(f"{reason}; {takes}") from None


def _without_annotation(parameter: Parameter) -> Parameter:
    return parameter.replace(annotation=Parameter.empty)


def _tensors(value: Any, dtype: torch.dtype | None, device: torch.device | None = None) -> Any:
    """Arrays as tensors, in lists as well; floating-point ones of the dtype."""
    if isinstance(value, list | tuple):
        return type(value)(_tensors(item, dtype, device) for item in value)
    if isinstance(value, np.ndarray):
        try:
            value = torch.from_numpy(np.array(value))
        except TypeError:
            raise UsageError(f"torch has no tensors of {value.dtype}") from None
    if isinstance(value, torch.Tensor):
        return value.to(device, dtype if value.is_floating_point() else None)
    return value
