"""Recording what torch runs, below autograd, as a tape.

Only torch's decompositions are looked into, never a kernel: what has neither a rule nor a decomposition is opaque.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from gradcheck_cli.dtypes import TF32
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.tape import Origin, Tape
from gradcheck_cli.tracing.errors import Opaque
from gradcheck_cli.tracing.fewer_bits import tf32_setting
from gradcheck_cli.tracing.guard import Guard
from gradcheck_cli.tracing.held import HeldConstants
from gradcheck_cli.tracing.moving import moved
from gradcheck_cli.tracing.places import Places
from gradcheck_cli.tracing.plans import Kind, Plan, decomposition_of, functional_of, is_written, plan_of
from gradcheck_cli.tracing.shadows import Shadows
from gradcheck_cli.tracing.table import NotHere
from gradcheck_cli.tracing.tensors import COMPLEX, FLOATS, memory, numbers, precision, tensors_in

DEPTH = 30
"""Decompositions within decompositions; deeper ones do not end."""


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """through_detach: nothing is held constant. items: of each number that went to Python, what it was; None where it
    does not depend on the inputs, or where it counts (in the forward of an `autograd.Function`). in_tf32: the settings
    of torch by which products were computed in TF32."""

    def __init__(self, *, through_detach: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tape = Tape()
        self.through_detach = through_detach
        self.guards: list[Guard] = []
        self.items: list[Any] = []
        self.in_tf32: dict[str, None] = {}
        self.places = Places()
        self.held = HeldConstants(self.tape, self.places)
        self._shadows = Shadows(self.tape)
        self._origins: dict[tuple[str, str, int], Origin] = {}
        self._unknown: dict[Origin, str] = {}
        self._depth = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # otherwise torch._dynamo is imported, which takes two seconds

    # -- elements of tensors

    def lift(self, tensor: Tensor, name: str) -> Elements:
        """Make a tensor an input of the tape."""
        elements = self.tape.input(name, numbers(tensor), FLOATS[tensor.dtype])
        self._shadows.write(tensor, elements)
        self.held.lifted(tensor)
        return elements

    def depends(self, tensor: Tensor) -> bool:
        """Whether the memory of a tensor holds something that depends on the inputs."""
        return tensor in self._shadows

    def of(self, x: Any) -> Elements:
        """The elements of a tensor or a number, or the elements themselves. Booleans count 1 and 0."""
        if isinstance(x, (np.ndarray, np.integer)):
            return np.asarray(x)
        if not isinstance(x, Tensor):
            return np.asarray(self.tape.constant(float(x)), np.int64)
        elements = self.raw(x)
        if x.dtype is torch.bool and not self.tape.fixed[elements].all():
            one, zero = self.tape.constant(1.0), self.tape.constant(0.0)
            return self.tape.call("where", elements, np.int64(one), np.int64(zero))
        return elements

    def raw(self, x: Any) -> Elements:
        """The same where booleans are conditions."""
        if not isinstance(x, Tensor):
            return self.of(x)
        if x.is_complex():
            raise Opaque(self.tape.origin, "it has no rule for complex numbers")
        return self._read(x)

    def parts(self, x: Any) -> Elements:
        """The elements of complex numbers, or of real ones, as pairs along a last axis."""
        if isinstance(x, Tensor) and x.is_complex():
            return self._read(x)
        if isinstance(x, complex):
            return self.tape.constants(np.array([x.real, x.imag]))
        real = self.of(x)
        return np.stack([real, np.full(real.shape, self.tape.constant(0.0))], axis=-1)

    def _read(self, x: Tensor) -> Elements:
        if x.layout is not torch.strided:
            raise Opaque(self.tape.origin, "only dense tensors are supported")
        elements = self._shadows.read(x)
        return self.held.hold(x, elements) if self._is_held(x) else elements

    def _is_held(self, x: Tensor) -> bool:
        return not self.through_detach and self._depth <= 1 and x in self._shadows and self.held.is_held(x)

    def call(self, function: str, *args: Any) -> Elements:
        """A function of the table at tensors, numbers or elements."""
        return self.tape.call(function, *map(self.of, args))

    def scaled(self, x: Any, factor: float) -> Elements:
        return self.of(x) if factor == 1 else self.call("mul", x, factor)

    def unknown(self, shape: tuple[int, ...], why: str) -> Elements:
        """Elements that depend on the inputs in a way that is not known: an output that rests on them is opaque."""
        elements = self.tape.unknown(shape)
        self._unknown[self.tape.origin] = why
        return elements

    def require_known(self, outputs: Sequence[Elements]) -> None:
        """Raises Opaque where an output rests on elements that are not known."""
        for elements in outputs:
            found = self.tape.first_unknown(elements.reshape(-1))
            if found is not None:
                raise Opaque(found.origin, self._unknown[found.origin])

    def guard(self, kind: str, elements: Elements, number: float | None = None) -> None:
        self.guards.append(Guard(kind, np.array(elements), self.tape.origin, number))

    def put(self, tensor: Tensor, elements: Elements) -> None:
        """From now on the tensor holds these elements."""
        if not _has_numbers(tensor):
            return
        if tensor not in self._shadows and self.tape.fixed[elements].all():
            return
        shape = (*tensor.shape, 2) if tensor.is_complex() else tuple(tensor.shape)
        elements = elements.reshape(shape) if elements.size == math.prod(shape) else np.broadcast_to(elements, shape)
        self._shadows.write(tensor, elements)

    def held_by(self, how: str, elements: Elements) -> Elements:
        """Elements that torch holds constant on purpose, by a rule of its own."""
        counts = self.through_detach or self.tape.origin.function >= 0
        return elements if counts else self.held.hold_by(how, elements)

    def from_decisions(self, tensor: Tensor) -> None:
        """A float made of booleans or integers: torch does not differentiate it, and nor is it held."""
        self.held.drop(tensor)

    def is_undifferentiated(self, tensor: Tensor) -> bool:
        """Whether torch drops the dependence of a tensor silently."""
        return self.held.is_dropped(tensor)

    def converted(self, source: Tensor, dtype: torch.dtype, elements: Elements) -> Elements:
        """Elements of a tensor in another dtype. Only rounding may tell a floating one from it."""
        if dtype is torch.bool:
            return elements if source.dtype is torch.bool else self.call("ne", elements, 0.0)
        if dtype.is_complex:  # rounded where the operation has a rule
            return elements
        if dtype in FLOATS:
            if source.dtype not in FLOATS or FLOATS[dtype].precision >= FLOATS[source.dtype].precision:
                return elements
            self.tape.dtype = FLOATS[dtype]
            return self.call("positive", elements) if self.tape.depends[elements].any() else elements
        if not source.is_floating_point():
            return elements
        whole = elements if self.tape.are_whole(elements) else self.call("trunc", elements)
        self.guard("integer", whole.reshape(-1))
        return whole

    # -- dispatch

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = [*tensors_in(args), *tensors_in(kwargs.values())]
        if func is torch.ops.aten._local_scalar_dense.default:
            self.items.append(None)
        if not any(_has_numbers(x) and x in self._shadows for x in tensors):
            return func(*args, **kwargs)
        plan = plan_of(func)
        if self._depth == 0:
            self._set_origin(plan, tensors)
        self._depth += 1
        try:
            out = self._run(func, plan, args, kwargs, tensors)
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._follow(plan, tensors, out)
        return out

    def _follow(self, plan: Plan, tensors: Sequence[Tensor], out: Any) -> None:
        if plan.name == "aten::detach_":
            self.held.detached_in_place(tensors[0])
        elif plan.name != "aten::detach" and self.tape.origin.function < 0:
            self.held.follow(tensors, tensors_in(out if isinstance(out, (list, tuple)) else [out]))

    def _set_origin(self, plan: Plan, tensors: Sequence[Tensor]) -> None:
        place, call = self.places.here()
        key = plan.name, place, call
        if key not in self._origins:
            self._origins[key] = Origin(*key)
        self.tape.origin = self._origins[key]
        self._set_dtype(tensors)

    def _run(
        self, func: Any, plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any], tensors: Sequence[Tensor]
    ) -> Any:
        match plan.kind:
            case Kind.VIEW:
                if plan.name == "aten::detach":
                    self.held.detached(tensors[0])
                out = func(*args, **kwargs)
                if plan.may_copy and memory(out) != memory(tensors[0]):
                    self._record(func, plan, args, kwargs, out)
                    return out
                return self._viewed(out, tensors[0])
            case Kind.PLAIN:
                return func(*args, **kwargs)
            case Kind.FORGET:
                out = func(*args, **kwargs)
                self.put(tensors[0], self.tape.constants(numbers(tensors[0])))
                return out
            case Kind.ITEM:
                return self._item(func(*args, **kwargs), tensors[0])
            case Kind.DECIDE:
                self.guard("decision", self.raw(tensors[0]).reshape(-1))
                return func(*args, **kwargs)
            case Kind.COPY:
                return self._copy(func, args, kwargs)
            case Kind.WRITE:
                return self._write(func, args, kwargs)
        return self._functional(func, plan, args, kwargs)

    def _viewed(self, out: Any, of: Tensor) -> Any:
        for view in out if isinstance(out, (list, tuple)) else [out]:
            if COMPLEX.get(view.dtype, view.dtype) is not COMPLEX.get(of.dtype, of.dtype):
                raise Opaque(self.tape.origin, "memory that is read as another dtype is not followed")
        return out

    def _item(self, number: Any, tensor: Tensor) -> Any:
        kind = "branch" if tensor.dtype is torch.bool else "item"
        self.guard(kind, self.raw(tensor).reshape(-1), float(number))
        if self.tape.origin.function < 0:
            self.items[-1] = number
        if kind == "item" and tensor.is_floating_point() and self.tape.origin.function < 0:
            self.held.item()
        return number

    def _functional(self, func: Any, plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if plan.kind is not Kind.DECOMPOSE:
            out = func(*args, **kwargs)
            try:
                self._record(func, plan, args, kwargs, out)
            except NotHere:
                pass
            else:
                return out
        return self._decompose(func, args, kwargs)

    def _record(self, func: Any, plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any], out: Any) -> None:
        """Put the elements of what an operation gave into the shadows."""
        several = isinstance(out, (list, tuple))
        outs = list(tensors_in(out if several else [out]))
        of_complex = any(x.is_complex() for x in (*outs, *tensors_in([*args, *kwargs.values()])))
        rule = plan.of_complex if of_complex else plan.rule
        if rule is not None:
            self._set_dtype(outs)
            if outs and (setting := tf32_setting(plan.name, outs[0])):
                self.tape.dtype = TF32
                self.in_tf32.setdefault(setting)
            self._put_all(out, rule(self, out, *args, **kwargs))
        elif plan.rule is not None or plan.of_complex is not None:
            raise NotHere
        else:
            conditions = any(x.dtype is torch.bool for x in outs)
            found = moved(func, args, kwargs, self.parts if of_complex else self.raw if conditions else self.of)
            self._put_all(out, found if several else found[0])

    def _set_dtype(self, tensors: Sequence[Tensor]) -> None:
        for x in tensors:
            dtype = precision(x.dtype)
            if dtype is not None:
                self.tape.dtype = dtype
                return

    def _put_all(self, out: Any, result: Any) -> None:
        several = isinstance(out, (list, tuple))
        for tensor, elements in zip(out if several else [out], result if several else [result], strict=False):
            if isinstance(tensor, Tensor) and elements is not None:
                self.put(tensor, elements)
                self._notice_output(tensor)

    def _notice_output(self, tensor: Tensor) -> None:
        if not self.through_detach and self._depth <= 1 and self.tape.origin.function < 0:
            self.held.made(tensor)

    def _copy(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        target, source = args[0], args[1] if len(args) > 1 else kwargs["src"]
        if target.is_complex():
            elements = self.parts(source)
        else:
            elements = self.raw(source) if target.dtype is torch.bool else self.of(source)
        out = func(*args, **kwargs)
        converted = self.converted(source, target.dtype, elements) if isinstance(source, Tensor) else elements
        self.put(target, converted)
        self._notice_output(target)
        return out

    def _write(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """In place or out=: the functional operation on copies, and then what it gives is written."""
        schema = func._schema
        bound = dict(zip((argument.name for argument in schema.arguments), args, strict=False)) | dict(kwargs)
        written = [argument for argument in schema.arguments if is_written(argument)]
        targets = [x for argument in written for x in tensors_in([bound.get(argument.name)])]
        functional = functional_of(func)
        if functional is None:
            raise Opaque(self.tape.origin)
        by_out = {argument.name for argument in written if argument.kwarg_only}
        if any(isinstance(bound.get(a.name), (list, tuple)) for a in written):
            raise Opaque(self.tape.origin, "it writes into a list of tensors")
        given = [x if by_out or not _is_one_of(x, targets) else self._twin(x) for x in args]
        named = {k: x for k, x in kwargs.items() if k not in by_out}
        result = self._functional(functional, plan_of(functional), given, named)
        results = result if isinstance(result, (list, tuple)) else [result]
        self._depth += 1  # what was computed here is not held
        values = [self.parts(x) if x.is_complex() else self.raw(x) for x in results]
        self._depth -= 1
        for target, value, elements in zip(targets, results, values, strict=False):
            elements = (
                elements
                if isinstance(value, Tensor) and value.dtype is target.dtype
                else self.converted(value, target.dtype, elements)
            )
            with _disable_current_modes():
                torch.ops.aten.copy_.default(target, value)
            self.put(target, elements)
            self._notice_output(target)
        return targets[0] if len(targets) == 1 else tuple(targets)

    def _twin(self, x: Tensor) -> Tensor:
        """A copy with the same elements, as another tensor."""
        elements = self.parts(x) if x.is_complex() else self.raw(x)
        with _disable_current_modes():
            twin = x.detach().clone()
        if not self.tape.fixed[elements].all():
            self._shadows.write(twin, elements)
            self.held.drop(twin)  # what is held in it is held already
        return twin

    def _decompose(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        device = next((x.device.type for x in tensors_in([*args, *kwargs.values()])), "cpu")
        decomposition = decomposition_of(func, device)
        if decomposition is None:
            raise Opaque(self.tape.origin)
        if self._depth > DEPTH:
            raise Opaque(self.tape.origin, "its decomposition does not end")
        with self:
            return decomposition(*args, **kwargs)


def _has_numbers(x: Tensor) -> bool:
    """Not so where it is empty, or on the device that has shapes only."""
    return bool(x.layout is torch.strided and x.numel() and not x.is_meta)


def _is_one_of(x: Any, tensors: Sequence[Tensor]) -> bool:
    return any(x is tensor for tensor in tensors)
