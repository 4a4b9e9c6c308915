"""Each `autograd.Function` that ran, checked by itself at the operands it had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.asked import Asked, Options
from gradcheck_cli.real_code.causes.samples import in_double
from gradcheck_cli.real_code.checked import Check, checked
from gradcheck_cli.real_code.side import WRITES, Reverse
from gradcheck_cli.real_code.subject import Subject
from gradcheck_cli.records.code import Block, Cause, CodeFinding, CodeResult
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tracing.places import FunctionCall, is_once_differentiable, place_of
from gradcheck_cli.tracing.recorder import Recorder
from gradcheck_cli.tracing.recording import recorded
from gradcheck_cli.tracing.surrogates import Surrogates

ONE_HOT = 2**12
"""Entries of a call's Jacobian up to which each is checked by itself; of a larger one, random sums are."""
CALLS = 8
"""Calls of one function that are checked."""


@dataclass(frozen=True)
class Blamed:
    """What is wrong by itself. asked: the call, as a question of its own; mode: in which it is wrong."""

    asked: Asked
    result: CodeResult
    finding: CodeFinding
    mode: str


class Functions:
    """The functions of a run, and which are wrong. calls: of `autograd.Function`s, in the order in which they began."""

    def __init__(self, calls: Sequence[FunctionCall], check: Check, asked: Asked, options: Options, mode: str) -> None:
        self.calls, self.check, self.asked, self.options, self.mode = calls, check, asked, options, mode
        self.checked = 0

    def wrong(self, result: CodeResult) -> list[Blamed]:
        """result: of the whole. What is inside the forward of a wrong one is left out, and one of torch around it."""
        found: list[Blamed] = []
        guilty: set[int] = set()
        for function in sorted(dict.fromkeys(call.function for call in self.calls), key=_is_torchs):
            places = [k for k, call in enumerate(self.calls) if call.function is function]
            places = [k for k in places if not self._is_inside(k, guilty) and self._is_differentiated(self.calls[k])]
            if _is_torchs(function):  # as that of torch.utils.checkpoint
                places = [k for k in places if not any(self._is_inside(one, {k}) for one in guilty)]
            if not places:
                continue
            chosen = [places[i] for i in np.unique(np.linspace(0, len(places) - 1, CALLS).astype(int)).tolist()]
            blamed = list(self._checked([self.calls[k] for k in chosen], result))
            if blamed:
                guilty.update(places)
            elif len(places) > 1 and self._is_stale([self.calls[places[0]], self.calls[places[-1]]]):
                blamed = [self._around(Cause.STALE, self.calls[places[0]], result)]
            elif self.mode == "reverse" and _writes_into_its_cotangent(self._question(self.calls[places[0]], 1)):
                blamed = [self._around(Cause.COTANGENT_CHANGED, self.calls[places[0]], result)]
            self.checked += 1
            found += blamed
        return found

    def _is_inside(self, k: int, guilty: set[int]) -> bool:
        outer = self.calls[k].outer
        return outer >= 0 and (outer in guilty or self._is_inside(outer, guilty))

    def _is_differentiated(self, call: FunctionCall) -> bool:
        """And not torch's own, made for a custom operation: that is checked as such."""
        if call.function.__module__.startswith("torch._library"):
            return False
        return any(isinstance(x, Tensor) and x.requires_grad for x in call.operands)

    def _checked(self, calls: Sequence[FunctionCall], result: CodeResult) -> Iterator[Blamed]:
        """What is wrong with one function, at some of its calls."""
        orders = (1,) if self.asked.order == 1 else (1, 2)
        for order in orders:
            mode = self.mode if self.asked.order == order else "reverse"
            options = replace(
                self.options, modes=(mode,), through_detach=False, replay=False, one_hot=ONE_HOT, pinpoint=False
            )
            known = [answer for call in calls if (answer := self._answer(call, order, options, result)) is not None]
            wrong = [answer for answer in known if mismatches(answer[1])]
            if not wrong:
                continue
            question, found, doubled = wrong[0]
            bad = list(dict.fromkeys(_said(block, order) for block in mismatches(found)))
            good = [name for name in dict.fromkeys(b.input for b in found.blocks) if name not in bad]
            texts = {"right": _and(good)} if good and order == 1 else {}
            if order > 1 and is_once_differentiable(calls[0].function):
                texts["once"] = "@once_differentiable"
            if doubled:
                texts["dtype"] = found.dtype
            name, place = _method(calls[0].function, mode)
            cause = Cause.FUNCTION if order == 1 else Cause.DOUBLE_BACKWARD
            numbers = {"calls": float(len(known)), "wrong calls": float(len(wrong))}
            yield Blamed(question, found, CodeFinding(cause, name, place, _and(bad), numbers, texts), mode)
            return

    def _question(self, call: FunctionCall, order: int) -> Asked:
        """A call as a question; the whole where it is nothing else."""
        if order == self.asked.order and self._is_the_whole(call):
            return self.asked
        return Asked(
            call.function.apply,
            call.operands,
            everything=False,
            order=order,
            seed=self.asked.seed,
            surrogate=self._surrogate_of(call),
        )

    def _surrogate_of(self, call: FunctionCall) -> Surrogates:
        known = self.asked.surrogate or {}
        return {call.function: known[call.function]} if call.function in known else {}

    def _is_the_whole(self, call: FunctionCall) -> bool:
        owner = getattr(self.asked.function, "__self__", None)
        return owner is call.function and getattr(self.asked.function, "__name__", "") == "apply"

    def _answer(
        self, call: FunctionCall, order: int, options: Options, whole: CodeResult
    ) -> tuple[Asked, CodeResult, bool] | None:
        """A call checked by itself; in float64 (then True) where rounding might be what is wrong in its own dtype."""
        question = self._question(call, order)
        found = self._result(question, options, whole)
        if found is None or mismatches(found) or found.passed or found.dtype == "float64":
            return None if found is None else (question, found, False)
        doubled = in_double(question)
        clear = self._result(doubled, replace(options, rtol=None, atol=None), whole)
        return (question, found, False) if clear is None or not mismatches(clear) else (doubled, clear, True)

    def _result(self, question: Asked, options: Options, whole: CodeResult) -> CodeResult | None:
        if question is self.asked:
            return whole
        try:
            return checked(question, question.subject(), options)[0]
        except (GradcheckError, RuntimeError, TypeError):
            return None

    def _is_stale(self, calls: Sequence[FunctionCall]) -> bool:
        """Whether the backward of an earlier call gives something else after a later one."""
        subjects = [self._question(call, 1).subject() for call in calls]
        try:
            side = Reverse(subjects[0])
            outputs = [k for k, output in enumerate(side.outputs) if output.tensor.requires_grad]
            weights = [np.random.default_rng(0).standard_normal((1, side.outputs[k].tensor.numel())) for k in outputs]
            before = [side.combined(k, weight) for k, weight in zip(outputs, weights, strict=True)]
            subjects[1].run(subjects[1].fresh())
            after = [side.combined(k, weight) for k, weight in zip(outputs, weights, strict=True)]
        except GradcheckError:
            return False
        return not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True))

    def _around(self, cause: Cause, call: FunctionCall, result: CodeResult) -> Blamed:
        name, place = _method(call.function, self.mode)
        return Blamed(self._question(call, 1), result, CodeFinding(cause, name, place), self.mode)


def _writes_into_its_cotangent(asked: Asked) -> bool:
    """Whether the backward of a call changes the gradient that it is given."""
    try:
        side = Reverse(asked.subject())
        for k, output in enumerate(side.outputs):
            side.combined(k, np.full((1, output.tensor.numel()), 0.75))
    except (GradcheckError, RuntimeError):
        return False
    return WRITES in side.troubles


def calls_of(subject: Subject) -> list[FunctionCall]:
    """The calls of `autograd.Function`s in a run of the code itself."""
    recorder = Recorder()
    given = subject.fresh()
    try:
        for leaf, tensor in zip(subject.wanted, given, strict=True):
            recorder.lift(tensor, leaf.name)
        recorded(recorder, lambda: subject.run(given))
    except GradcheckError:
        pass  # what ran before the operation that cannot be recorded is known
    return recorder.places.calls


def mismatches(result: CodeResult) -> list[Block]:
    return [block for block in result.blocks if block.counts.get(Verdict.MISMATCH)]


def failures(result: CodeResult) -> list[Block]:
    """What does not match, and may be a mistake: in a narrow dtype rounding can explain nearly everything."""
    return mismatches(result) or [block for block in result.blocks if block.counts.get(Verdict.UNSTABLE)]


def _said(block: Block, order: int) -> str:
    return block.input if order == 1 else f"∂{block.output}/∂{block.input}"


def _method(function: type[torch.autograd.Function], mode: str) -> tuple[str, str]:
    """(FocalLoss.backward, where it is written)."""
    name = "jvp" if mode == "forward" else "backward"
    method: Any = getattr(function, name, None)
    if name == "backward" and getattr(function, "vjp", None) is not torch.autograd.Function.vjp:
        name, method = "vjp", function.vjp
    return f"{function.__name__}.{name}", place_of(method)


def _is_torchs(function: type[Any]) -> bool:
    return function.__module__.startswith("torch.")


def _and(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
