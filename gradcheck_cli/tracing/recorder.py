"""Recording what torch runs, below autograd, as a tape.

Each storage that holds something that depends on the inputs has a shadow: the element number of each of its slots. A
view is then no operation at all (the same storage), and an in-place operation writes into the shadow, so that aliasing
is right by construction. Only torch's decompositions are looked into, never a kernel: what has neither a rule nor a
decomposition is opaque.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.tape import Origin, Tape
from gradcheck_cli.tracing.errors import Opaque
from gradcheck_cli.tracing.places import Places
from gradcheck_cli.tracing.table import MOVES, RULES, UNDIFFERENTIATED, NotHere, Rule, words
from gradcheck_cli.tracing.tensors import numbers

FLOATS = {getattr(torch, name): dtype for name, dtype in DTYPES.items()}
DEPTH = 30
"""Decompositions within decompositions; deeper ones do not end."""


class Kind(Enum):
    """What an operation does to the shadows."""

    VIEW = "view"  # the same memory
    PLAIN = "plain"  # nothing: only the shape of its operand matters, or the operation names a tensor anew
    FORGET = "forget"  # overwrites with numbers that do not depend on the inputs
    DECIDE = "decide"  # integers or booleans that the numbers decide: taken as they came out
    ITEM = "item"  # a number goes to Python
    WRITE = "write"  # in place, or out=
    COPY = "copy"
    RULE = "rule"
    MOVE = "move"
    DECOMPOSE = "decompose"


SHAPE_ONLY = frozenset(
    words(
        """empty_like zeros_like ones_like full_like rand_like randn_like randint_like new_empty new_zeros new_ones
    new_full new_empty_strided size stride numel dim is_same_size sym_size sym_stride sym_numel sym_storage_offset
    _has_compatible_shallow_copy_type squeeze_ unsqueeze_ transpose_ t_ swapdims_ swapaxes_ as_strided_ detach_
    bernoulli requires_grad_ _has_same_storage_numel result_type is_pinned _assert_async empty_permuted
    record_stream"""
    )
)
OVERWRITE = frozenset(
    words("""normal_ uniform_ bernoulli_ exponential_ random_ cauchy_ log_normal_ geometric_ zero_""")
)
DECISIONS = frozenset(
    words(
        """argmax argmin argsort nonzero searchsorted bucketize isnan isinf isfinite signbit isposinf isneginf allclose
    isclose is_nonzero equal any all count_nonzero histc bincount nonzero_static multinomial unique_dim _unique2
    unique_consecutive isin lstsq_rank linalg_matrix_rank"""
    )
)


class Plan(NamedTuple):
    """may_copy: what is a view where it can be, and a copy elsewhere."""

    kind: Kind
    name: str
    rule: Rule | None = None
    may_copy: bool = False


class Guard(NamedTuple):
    """A decision outside of the tape. kind: "branch" (a condition in Python), "item" (a number went to Python),
    "order" (pairs that were compared: elements of the shape (2, n)), "integer" (numbers that were rounded off),
    "symmetric" (a matrix that is taken for symmetric), "decision" (any other). number: what
    Python got."""

    kind: str
    elements: Elements
    origin: Origin
    number: float | None = None


@dataclass(frozen=True)
class HeldConstant:
    """Where something was held constant: "detach", "no_grad", ".item()"."""

    how: str
    place: str


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """through_detach: nothing is held constant. items: of each number that went to Python, what it was; None where it
    does not depend on the inputs, or where it counts (in the forward of an `autograd.Function`)."""

    def __init__(self, *, through_detach: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tape = Tape()
        self.through_detach = through_detach
        self.guards: list[Guard] = []
        self.items: list[Any] = []
        self.held: dict[HeldConstant, int] = {}
        self.places = Places()
        self._shadows: dict[int, Elements] = {}
        self._alive: list[Any] = []  # a storage that is freed may come again under the same address
        self._constants: dict[tuple[Any, ...], Elements] = {}
        self._cut_places: dict[int, HeldConstant] = {}
        self._undifferentiated: set[int] = set()
        self._origins: dict[tuple[str, str, int], Origin] = {}
        self._depth = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # otherwise torch._dynamo is imported, which takes two seconds

    # -- shadows

    def lift(self, tensor: Tensor, name: str) -> Elements:
        """Make a tensor an input of the tape."""
        elements = self.tape.input(name, numbers(tensor), FLOATS[tensor.dtype])
        self._view(self._shadow(tensor), tensor)[...] = elements
        return elements

    def depends(self, tensor: Tensor) -> bool:
        """Whether the memory of a tensor holds something that depends on the inputs."""
        return _key(tensor) in self._shadows

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
            raise Opaque(self.tape.origin, "complex numbers are not supported")
        if x.layout is not torch.strided:
            raise Opaque(self.tape.origin, "only dense tensors are supported")
        shadow = self._shadows.get(_key(x))
        if shadow is None:
            return self._constant_elements(x)
        if not x.numel():
            return np.zeros(tuple(x.shape), np.int64)
        elements = np.array(self._view(shadow, x))
        if (missing := elements < 0).any():
            elements[missing] = self.tape.constants(numbers(x)[missing])
        return self._hold(x, elements) if self._is_held(x) else elements

    def call(self, function: str, *args: Any) -> Elements:
        """A function of the table at tensors, numbers or elements."""
        return self.tape.call(function, *map(self.of, args))

    def scaled(self, x: Any, factor: float) -> Elements:
        return self.of(x) if factor == 1 else self.call("mul", x, factor)

    def guard(self, kind: str, elements: Elements, number: float | None = None) -> None:
        self.guards.append(Guard(kind, np.array(elements), self.tape.origin, number))

    def put(self, tensor: Tensor, elements: Elements) -> None:
        """From now on the tensor holds these elements."""
        if tensor.is_complex():
            raise Opaque(self.tape.origin, "complex numbers are not supported")
        if not tensor.numel():
            return
        known = _key(tensor) in self._shadows
        if not known and self.tape.fixed[elements].all():
            return
        shape = tuple(tensor.shape)
        elements = elements.reshape(shape) if elements.size == tensor.numel() else np.broadcast_to(elements, shape)
        self._view(self._shadow(tensor), tensor)[...] = elements

    def _shadow(self, tensor: Tensor) -> Elements:
        key = _key(tensor)
        if key not in self._shadows:
            storage = tensor.untyped_storage()
            self._shadows[key] = np.full(storage.nbytes() // tensor.element_size(), -1, np.int64)
            self._alive.append(storage)
        return self._shadows[key]

    def _view(self, shadow: Elements, tensor: Tensor) -> Elements:
        strides = [stride * shadow.itemsize for stride in tensor.stride()]
        offset = tensor.storage_offset()
        if tensor.numel() and len(shadow) * tensor.element_size() < tensor.untyped_storage().nbytes():
            raise Opaque(self.tape.origin, "memory that is resized or read as another dtype is not followed")
        return np.lib.stride_tricks.as_strided(shadow[offset:], tuple(tensor.shape), strides)

    def _constant_elements(self, x: Tensor) -> Elements:
        version = -1 if x.is_inference() else x._version
        key = _key(x), x.storage_offset(), tuple(x.shape), x.stride(), version, x.dtype
        if key not in self._constants:
            narrow = x
            for dim in range(x.dim()):
                if x.stride(dim) == 0 and x.size(dim) > 1:  # expanded: the same numbers
                    with _disable_current_modes():
                        narrow = narrow.narrow(dim, 0, 1)
            self._constants[key] = np.broadcast_to(self.tape.constants(numbers(narrow)), tuple(x.shape))
            self._alive.append(x.untyped_storage())
        return self._constants[key]

    # -- what is held constant

    def _is_held(self, x: Tensor) -> bool:
        """Whether torch takes an operand for a constant, outside of the forward of an `autograd.Function`."""
        if self.through_detach or self._depth > 1 or x.requires_grad or not x.is_floating_point():
            return False
        call = self.tape.origin.function
        if call >= 0:  # in a forward everything counts but what was already held when it was given
            given = [a for a in self.places.calls[call].args if isinstance(a, Tensor) and _key(a) == _key(x)]
            return bool(given) and not any(a.requires_grad or not a.is_floating_point() for a in given)
        return _key(x) not in self._undifferentiated

    def _hold(self, x: Tensor, elements: Elements) -> Elements:
        held = self.tape.held(elements)
        if held is not elements and not np.array_equal(held, elements):
            how = self._cut_places.get(_key(x), HeldConstant(".data", self.tape.origin.place))
            self.held[how] = max(self.held.get(how, 0), int((held != elements).sum()))
        return held

    def _notice_cut(self, plan: Plan, tensors: Sequence[Tensor]) -> None:
        if plan.name in ("aten::detach", "aten::detach_"):
            self._cut_places[_key(tensors[0])] = HeldConstant("detach", self.tape.origin.place)

    # -- dispatch

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = [*_tensors(args), *_tensors(kwargs.values())]
        if func is torch.ops.aten._local_scalar_dense.default:
            self.items.append(None)
        if not any(_key(x) in self._shadows for x in tensors if x.layout is torch.strided):
            return func(*args, **kwargs)
        plan = plan_of(func)
        if self._depth == 0:
            self._set_origin(plan, tensors)
        self._depth += 1
        try:
            return self._run(func, plan, args, kwargs, tensors)
        finally:
            self._depth -= 1

    def _set_origin(self, plan: Plan, tensors: Sequence[Tensor]) -> None:
        place, call = self.places.here()
        key = plan.name, place, call
        if key not in self._origins:
            self._origins[key] = Origin(*key)
        self.tape.origin = self._origins[key]
        dtypes = [x.dtype for x in tensors if x.dtype in FLOATS]
        if dtypes:
            self.tape.dtype = FLOATS[dtypes[0]]

    def _run(
        self, func: Any, plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any], tensors: Sequence[Tensor]
    ) -> Any:
        match plan.kind:
            case Kind.VIEW:
                self._notice_cut(plan, tensors)
                out = func(*args, **kwargs)
                if plan.may_copy and _key(out) != _key(tensors[0]):
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
            if view.is_complex() != of.is_complex() or view.element_size() != of.element_size():
                raise Opaque(self.tape.origin, "memory that is read as another dtype is not followed")
        return out

    def _item(self, number: Any, tensor: Tensor) -> Any:
        kind = "branch" if tensor.dtype is torch.bool else "item"
        self.guard(kind, self.raw(tensor).reshape(-1), float(number))
        if self.tape.origin.function < 0:
            self.items[-1] = number
        if kind == "item" and tensor.is_floating_point() and self.tape.origin.function < 0:
            held = HeldConstant(".item()", self.tape.origin.place)
            self.held[held] = self.held.get(held, 0) + 1
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
        if plan.rule is not None:
            self._set_dtype(out)
            self._put_all(out, plan.rule(self, out, *args, **kwargs))
        else:
            self._put_all(out, self._moved(func, args, kwargs, out))

    def _set_dtype(self, out: Any) -> None:
        for x in _tensors(out if isinstance(out, (list, tuple)) else [out]):
            if x.dtype in FLOATS:
                self.tape.dtype = FLOATS[x.dtype]
                return

    def _put_all(self, out: Any, result: Any) -> None:
        several = isinstance(out, (list, tuple))
        for tensor, elements in zip(out if several else [out], result if several else [result], strict=False):
            if isinstance(tensor, Tensor) and elements is not None:
                self.put(tensor, elements)
                self._notice_output(tensor)

    def _notice_output(self, tensor: Tensor) -> None:
        if self.through_detach or self._depth > 1 or self.tape.origin.function >= 0:
            return
        if not torch.is_grad_enabled():
            self._cut_places[_key(tensor)] = HeldConstant("no_grad", self.tape.origin.place)
        elif self.tape.origin.operation in UNDIFFERENTIATED:
            self._undifferentiated.add(_key(tensor))

    def from_decisions(self, tensor: Tensor) -> None:
        """A float made of booleans or integers: torch does not differentiate it, and nor is it held."""
        self._undifferentiated.add(_key(tensor))

    def is_undifferentiated(self, tensor: Tensor) -> bool:
        """Whether torch drops the dependence of a tensor silently."""
        return _key(tensor) in self._undifferentiated

    def converted(self, source: Tensor, dtype: torch.dtype, elements: Elements) -> Elements:
        """Elements of a tensor in another dtype. Only rounding may tell a floating one from it."""
        if dtype is torch.bool:
            return elements if source.dtype is torch.bool else self.call("ne", elements, 0.0)
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

    def _copy(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        target, source = args[0], args[1] if len(args) > 1 else kwargs["src"]
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
        written = [argument for argument in schema.arguments if _is_written(argument)]
        targets = [x for argument in written for x in _tensors([bound.get(argument.name)])]
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
        values = [self.raw(x) if x.dtype is torch.bool else self.of(x) for x in results]
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
        elements = self.raw(x)
        with _disable_current_modes():
            twin = x.detach().clone()
        if not self.tape.fixed[elements].all():
            self._view(self._shadow(twin), twin)[...] = elements
            self._undifferentiated.add(_key(twin))  # what is held in it is held already
        return twin

    def _moved(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], out: Any) -> Any:
        """What only moves numbers is run on the element numbers: as float64, which every kernel takes."""
        outs = out if isinstance(out, (list, tuple)) else [out]
        as_conditions = any(x.dtype is torch.bool for x in outs)
        schema = func._schema.arguments
        values = dict(zip((argument.name for argument in schema), args, strict=False)) | dict(kwargs)
        for argument in schema:
            if argument.name in ("value", "fill_value") and argument.name not in values and argument.default_value:
                values[argument.name] = argument.default_value
        moved = func(**{k: self._numbered(k, v, as_conditions) for k, v in values.items() if k not in _PLACEMENT})
        found = [np.rint(x.numpy()).astype(np.int64) for x in (moved if isinstance(out, (list, tuple)) else [moved])]
        return found if isinstance(out, (list, tuple)) else found[0]

    def _numbered(self, name: str, value: Any, as_conditions: bool) -> Any:
        if name in _INDICES:
            return value
        if isinstance(value, Tensor):
            elements = self.raw(value) if as_conditions else self.of(value)
            return torch.from_numpy(np.array(elements, np.float64, order="C", ndmin=0))
        if isinstance(value, (list, tuple)) and any(isinstance(x, Tensor) for x in value):
            return [self._numbered(name, x, as_conditions) for x in value]
        if name in ("value", "fill_value"):
            return float(self.tape.constant(float(value)))
        return value

    def _decompose(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        decomposition = decomposition_of(func)
        if decomposition is None:
            raise Opaque(self.tape.origin)
        if self._depth > DEPTH:
            raise Opaque(self.tape.origin, "its decomposition does not end")
        with self:
            return decomposition(*args, **kwargs)


_INDICES = frozenset({"index", "indices", "mask", "repeats", "offsets", "lengths"})
_PLACEMENT = frozenset({"dtype", "device", "layout", "pin_memory", "memory_format"})


@cache
def plan_of(func: Any) -> Plan:
    """What an operation (an OpOverload) does, found once."""
    schema = func._schema
    short = schema.name.split("::")[1]
    name = schema.name
    full = f"{name}.{func._overloadname}"
    written = [argument for argument in schema.arguments if _is_written(argument)]
    views = schema.returns and all(r.alias_info is not None for r in schema.returns)
    if short == "_local_scalar_dense":
        return Plan(Kind.ITEM, name)
    if short in SHAPE_ONLY:
        return Plan(Kind.PLAIN, name)
    if views and not written:
        found = RULES.get(full) or RULES.get(name)
        return Plan(Kind.VIEW, name, found, may_copy=found is not None or name in MOVES)
    if short in OVERWRITE:
        return Plan(Kind.FORGET, name)
    if short in ("copy_", "set_data"):
        return Plan(Kind.COPY, name)
    by_out = any(argument.kwarg_only for argument in written)
    if written and (by_out or (full not in RULES and name not in RULES)):
        return Plan(Kind.WRITE, name)
    if (found := RULES.get(full) or RULES.get(name)) is not None:
        return Plan(Kind.RULE, name, found)
    if full in MOVES or name in MOVES:
        return Plan(Kind.MOVE, name)
    if short in DECISIONS:
        return Plan(Kind.DECIDE, name)
    return Plan(Kind.DECOMPOSE, name)


@cache
def functional_of(func: Any) -> Any:
    """The operation without writing, of one in place or with out=; None: there is none."""
    schema = func._schema
    namespace, short = schema.name.split("::")
    outs = [a for a in schema.arguments if a.kwarg_only and _is_written(a)]
    base = short if outs else short[:-1] if short.endswith("_") else ""
    packet = getattr(getattr(torch.ops, namespace), base, None) if base else None
    if packet is None:
        return None
    want = [(a.name, str(a.type)) for a in schema.arguments if a not in outs]
    for overload in packet.overloads():
        candidate = getattr(packet, overload)
        arguments = candidate._schema.arguments
        if [(a.name, str(a.type)) for a in arguments] == want and not any(map(_is_written, arguments)):
            return candidate
    return None


@cache
def decomposition_of(func: Any) -> Any:
    """torch's own definition of an operation in terms of others, or the Python body of a custom operation."""
    table = torch._decomp.decomposition_table
    if func in table:
        return table[func]
    if func._can_decompose():
        return func.decompose
    custom = sys.modules.get("torch._library.custom_ops")
    known = custom.OPDEFS.get(func._schema.name) if custom is not None else None
    if known is not None:
        return known._backend_fns.get("cpu") or known._backend_fns.get(None) or known._init_fn
    return None


def _is_written(argument: Any) -> bool:
    return argument.alias_info is not None and argument.alias_info.is_write


def _is_one_of(x: Any, tensors: Sequence[Tensor]) -> bool:
    return any(x is tensor for tensor in tensors)


def _tensors(values: Any) -> Iterator[Tensor]:
    for x in values:
        if isinstance(x, Tensor):
            yield x
        elif isinstance(x, (list, tuple)):
            yield from _tensors(x)


def _key(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


class Repeating(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Gives Python the numbers that it got while the code was recorded: they are held constant."""

    def __init__(self, items: Sequence[Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._items = list(items)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._local_scalar_dense.default and self._items:
            recorded = self._items.pop(0)
            return out if recorded is None else recorded
        return out
