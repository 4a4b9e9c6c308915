"""One request of code, from its texts to its record."""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.picturing.matrix import KEPT, with_matrices
from gradcheck_cli.pytorch.devices import resolve_device
from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.real_code.generators import same_state
from gradcheck_cli.real_code.subject import BadInput
from gradcheck_cli.real_code.user_frames import raised
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.request import CodeRequest
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.runtime.one_at_a_time import one_at_a_time
from gradcheck_cli.surfaces import Option
from gradcheck_cli.user_code.arguments import Call, call_of, made
from gradcheck_cli.user_code.cases import Case, joined
from gradcheck_cli.user_code.expected import with_expectations
from gradcheck_cli.user_code.imports import found, importable
from gradcheck_cli.user_code.inputs import Inputs, is_tensor_of_a_number, read_inputs
from gradcheck_cli.user_code.sources import sources_of
from gradcheck_cli.user_code.stress import stressed
from gradcheck_cli.user_code.target import read_target


@one_at_a_time
def check_request(request: CodeRequest) -> CodeResult:
    """Import what is named, call it with its inputs, and check it. Raises GradcheckError for what cannot be."""
    started, modules = time.perf_counter(), set(sys.modules)
    target = read_target(request.code, request.folder)
    inputs = read_inputs(request.inputs, request.folder)
    if request.order > 2:
        raise UsageError(Option("order", str(request.order)), ": of code, first and second derivatives are checked")
    with importable(target):
        named = found(target, request.seed)
        cases = list(_cases(request, _Named(named, target.text, request), inputs))
    result = joined(cases, strict=request.strict)
    if (request.samples or 1) > 1 and not any(case.at.startswith("draw") for case in cases):
        said = f"{request.words(Option('samples', str(request.samples)))}: no input is drawn, so there is one draw"
        result = replace(result, notices=(*result.notices, said))
    if request.picture:
        result = with_matrices(result)
    result = with_expectations(result, request.expectation.verdicts, strict=request.strict)
    return replace(result, seconds=time.perf_counter() - started, sources=sources_of(named, modules))


class _Named:
    """What the target names. `function` makes what is called of it."""

    def __init__(self, named: Any, text: str, request: CodeRequest) -> None:
        self.named, self.text, self.request = named, text, request
        self.is_class = isinstance(named, type) and not issubclass(named, torch.autograd.Function)
        if not callable(named):
            raise UsageError(
                f"{text} is {type(named).__name__}: a function, an autograd.Function or a module is checked"
            )
        if request.init is not None and not self.is_class:
            raise UsageError(Option("init", request.init), f": {text} is no class that would be made with it")

    def function(self, dtype: torch.dtype, device: torch.device, seed: int) -> Callable[..., Any]:
        """A module is of that dtype and on that device; a class is made anew, its random numbers by the seed."""
        made_of: Any = self.named
        if self.is_class:
            try:
                with same_state(seed):
                    made_of = made(self.named, self.request.init, self.text, self.request.folder, seed)
            except GradcheckError:
                raise
            except (Exception, SystemExit) as error:
                raise UsageError(raised(f"{self.text}({self.request.init or ''})", error)) from error
        elif isinstance(made_of, type):
            return made_of.apply  # type: ignore[attr-defined, no-any-return]
        if isinstance(made_of, nn.Module):
            try:
                made_of = made_of if self.is_class else copy.deepcopy(made_of)
                return made_of.to(device, dtype)  # type: ignore[no-any-return]
            except Exception as error:
                raise UsageError(raised(f"{self.text} as {str(dtype).removeprefix('torch.')}", error)) from error
        if not callable(made_of):
            raise UsageError(f"{self.text} makes a {type(made_of).__name__}, which cannot be called")
        return made_of  # type: ignore[no-any-return]


def _cases(request: CodeRequest, named: _Named, inputs: Inputs) -> Iterator[Case]:
    """The draws, then what is made of the first of them."""
    dtype, device = getattr(torch, request.dtype), resolve_device(request.device)
    draws = request.samples or 1
    if draws > 1 and not inputs.are_drawn and not named.is_class:
        draws = 1
    settings: dict[str, Any] = {
        "wrt": request.wrt or None, "mode": request.mode, "rtol": request.rtol, "atol": request.atol,
        "strict": request.strict, "through_detach": request.through_detach, "cotangents": request.cotangents,
        "order": request.order, "arrays": KEPT if request.picture else 0,
    }  # fmt: skip
    explain = True  # what is wrong at one draw is wrong at the others
    for number in range(draws):
        seed = request.seed + number
        function = named.function(dtype, device, seed)
        call = call_of(function, inputs, dtype, device, seed)
        at = f"draw {number + 1}" if draws > 1 else ""
        here = {**settings, "seed": seed, "explain": explain}
        for case in cases_of(function, call, here, at=at, stress=request.stress and not number):
            explain = explain and not case.result.findings
            yield replace(case, result=_with_advice(case.result, inputs))


def _with_advice(result: CodeResult, inputs: Inputs) -> CodeResult:
    """Where the code raises something about tensors: how a number that was given is given as one of Python."""
    numbers = [text.source for text in (*inputs.by_position, *inputs.by_name.values()) if is_tensor_of_a_number(text)]
    if not (numbers and result.bad_input and result.error is not None and "Tensor" in result.error):
        return result
    written = " and ".join(f"{'int' if number.lstrip('-').isdigit() else 'float'}({number})" for number in numbers)
    return replace(
        result, error=f"{result.error}\na number is given as a tensor: if Python's is wanted, write {written}"
    )


def cases_of(
    function: Callable[..., Any], call: Call, settings: Mapping[str, Any], *, at: str = "", stress: bool = False
) -> Iterator[Case]:
    """A call checked, and what is made of its inputs. settings: of `check_code`.

    Why entries are wrong is found out where the first of them are.
    """
    first = Case(at, _checked(function, call, settings))
    yield first
    explained = bool(first.result.findings)
    for kind, other in stressed(call) if stress else ():
        try:
            found = _checked(function, other, {**settings, "explain": not explained and settings.get("explain", True)})
        except BadInput:
            continue
        explained = explained or bool(found.findings)
        yield Case(kind, found, may_be_skipped=True)


def _checked(function: Callable[..., Any], call: Call, settings: Mapping[str, Any]) -> CodeResult:
    """That nothing depends on the inputs is right, and nothing that anybody wants to check."""
    result = check_code(function, call.positional, named=call.named, **settings)
    if result.checks_total or result.error is not None:
        return result
    what = "an input or output is empty" if result.blocks else "no output depends on the inputs"
    why = "; ".join((f"{what}: there is no gradient to check", *result.notices))
    return replace(result, verdict=Verdict.ERROR, passed=False, error=why, notices=())
