"""The user's code, run again and again from the same state: the same seeds, the same buffers, fresh inputs."""

from __future__ import annotations

import copy
import inspect
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_flatten, tree_flatten_with_path, tree_unflatten

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.generators import same_state
from gradcheck_cli.real_code.user_frames import described, raised
from gradcheck_cli.surfaces import Option
from gradcheck_cli.tape.tape import element_label
from gradcheck_cli.tracing.compiled import MODULE, as_written
from gradcheck_cli.tracing.places import defined_at, defined_in
from gradcheck_cli.tracing.surrogates import Surrogates
from gradcheck_cli.tracing.tensors import FLOATS


class BadInput(GradcheckError):
    """What was given cannot be checked."""


class NoCheckOfThis(BadInput):
    """It may be right, and is of a kind that no check is made of."""


class UserError(GradcheckError):
    """The user's code raised. `__cause__` is what it raised."""


@dataclass(frozen=True)
class Leaf:
    """A tensor that the code gets. place: in the flat list of arguments; -1: a parameter of a module."""

    name: str
    tensor: Tensor
    place: int
    differentiated: bool


@dataclass(frozen=True)
class Output:
    """A floating-point tensor that the code returned."""

    name: str
    tensor: Tensor

    def label(self, index: int) -> str:
        return element_label(self.name, tuple(self.tensor.shape), index)


class Subject:
    """A callable with its arguments.

    function: an `nn.Module`, whose parameters are differentiated as well, or any callable. arguments, named: with
    tensors anywhere in them. wrt: names of inputs (as they start: "x" for "x[0]" as well); None: as `everything` says:
    all floating tensors, or those that require grad. surrogates: for the record, whose derivative each function is
    meant to have. names: of the positional arguments, where the function's own will not do.
    """

    def __init__(
        self, function: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any] | None = None, *,
        wrt: Sequence[str] | None = None, everything: bool = True, seed: int = 0, surrogates: Surrogates | None = None,
        names: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        self.surrogates = _checked_surrogates(surrogates or {})
        _initialize(function, arguments, named or {}, seed)
        self.function, self.seed = function, seed
        self._names = list(names or ())
        self.written = as_written(function)
        self.module = function if isinstance(function, nn.Module) else None
        self._flat, self._spec = tree_flatten((tuple(arguments), dict(named or {})))
        self.leaves = [*self._arguments(arguments, named or {}, wrt, everything), *self._parameters(wrt)]
        self.wanted = [leaf for leaf in self.leaves if leaf.differentiated]
        self._require_known(wrt or ())
        self._frozen: list[Leaf] = []
        self._buffers = dict(self.module.named_buffers()) if self.module is not None else {}
        if not self.wanted:
            raise BadInput(
                "there is nothing to differentiate by: no input is a floating-point tensor that requires grad (whole"
                " numbers make integers: 2.0 is floating-point)"
            )
        for leaf in self.wanted:
            if leaf.tensor.is_complex() or leaf.tensor.dtype not in FLOATS:
                kind = str(leaf.tensor.dtype).removeprefix("torch.")
                raise NoCheckOfThis(f"{leaf.name} is {kind}: only float64, float32, float16 and bfloat16 are checked")
            if leaf.tensor.layout is not torch.strided:
                raise NoCheckOfThis(f"{leaf.name} is sparse: only dense tensors are checked")

    def _arguments(
        self, arguments: Sequence[Any], named: Mapping[str, Any], wrt: Sequence[str] | None, everything: bool
    ) -> Iterator[Leaf]:
        names = [*self._names, *_parameter_names(self.written, len(arguments))[len(self._names) :]]
        paths, _ = tree_flatten_with_path((tuple(arguments), dict(named)))
        for place, (keys, value) in enumerate(paths):
            if isinstance(value, Tensor):
                path: tuple[Any, ...] = keys
                top = names[path[1].idx] if path[0].idx == 0 else str(path[1].key)
                name = top + "".join(map(str, path[2:]))
                wanted = value.requires_grad if wrt is None and not everything else _is_wanted(name, top, wrt)
                yield Leaf(name, value, place, bool(wanted and (value.is_floating_point() or value.is_complex())))

    def plain_numbers(self) -> Iterator[tuple[str, float]]:
        """The numbers among the arguments that are no tensors, by name."""
        arguments, named = tree_unflatten(self._flat, self._spec)
        names = _parameter_names(self.written, len(arguments))
        for name, value in (*zip(names, arguments, strict=True), *named.items()):
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                yield name, float(value)

    def _require_known(self, wrt: Sequence[str]) -> None:
        """Each name of `wrt` is that of something that can be differentiated by."""
        for name in wrt:
            found = [leaf for leaf in self.leaves if _is_wanted(leaf.name, leaf.name.partition("[")[0], [name])]
            if not found:
                known = ", ".join(dict.fromkeys(leaf.name.partition("[")[0] for leaf in self.leaves))
                raise BadInput(Option("wrt", name), f": there is no such input; there are {known}")
            if not any(leaf.differentiated for leaf in found):
                kind = str(found[0].tensor.dtype).removeprefix("torch.")
                why = "a parameter that does not require grad" if found[0].place < 0 else f"{kind}"
                raise BadInput(Option("wrt", name), f": it is {why}, and is not differentiated")

    def _parameters(self, wrt: Sequence[str] | None) -> Iterator[Leaf]:
        if isinstance(self.written, nn.Module):
            for name, value in self.written.named_parameters():
                yield Leaf(name, value, -1, value.requires_grad and _is_wanted(name, name, wrt))

    def with_function(self, function: Callable[..., Any]) -> Subject:
        """The same inputs, given to another function."""
        other = Subject.__new__(Subject)
        other.__dict__.update(self.__dict__)
        other.function, other.written, other.module = function, as_written(function), None
        return other

    def in_double(self) -> Subject:
        """The same code with its floating tensors, and those of a module, in float64. Raises what keeps it from it."""
        other = Subject.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._flat = [doubled(x) for x in self._flat]
        other.leaves = [replace(leaf, tensor=doubled(leaf.tensor)) for leaf in self.leaves]
        other.wanted = [leaf for leaf in other.leaves if leaf.differentiated]
        if isinstance(self.function, nn.Module):
            other.function = other.module = copy.deepcopy(self.function).double()
            other.written = as_written(other.function)
            other._buffers = dict(other.module.named_buffers())
        return other

    def at(self, tensors: Sequence[Tensor]) -> Subject:
        """The same code at other wanted leaves."""
        other = Subject.__new__(Subject)
        other.__dict__.update(self.__dict__)
        moved = {id(leaf): replace(leaf, tensor=x) for leaf, x in zip(self.wanted, tensors, strict=True)}
        other.leaves = [moved.get(id(leaf), leaf) for leaf in self.leaves]
        other.wanted = list(moved.values())
        return other

    def with_arguments(self, tensors: Mapping[str, Tensor]) -> Subject:
        """The same code with other tensors, by name, for some of its arguments."""
        other = Subject.__new__(Subject)
        other.__dict__.update(self.__dict__)
        moved = {id(leaf): replace(leaf, tensor=tensors.get(leaf.name, leaf.tensor)) for leaf in self.leaves}
        other.leaves = list(moved.values())
        other.wanted = [moved[id(leaf)] for leaf in self.wanted]
        other._flat = list(self._flat)
        for leaf in other.leaves:
            if leaf.place >= 0:
                other._flat[leaf.place] = leaf.tensor
        return other

    def by(self, leaves: Sequence[Leaf]) -> Subject:
        """The same code where some of the wanted leaves alone require grad."""
        other = Subject.__new__(Subject)
        other.__dict__.update(self.__dict__)
        other.wanted = list(leaves)
        other._frozen = [leaf for leaf in self.wanted if leaf.place < 0 and leaf not in other.wanted]
        return other

    def _in_module(self, replaced: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Parameters by the names that the module has for them: a compiled one has another one inside."""
        compiled = self.module is not self.written
        return {f"{MODULE}.{name}" if compiled else name: tensor for name, tensor in replaced.items()}

    @property
    def name(self) -> str:
        if isinstance(self.written, nn.Module):
            return type(self.written).__name__
        owner = getattr(self.written, "__self__", None)
        if isinstance(owner, type) and issubclass(owner, torch.autograd.Function):
            return owner.__name__
        return str(getattr(self.written, "__name__", type(self.written).__name__))

    @property
    def place(self) -> str:
        """file:line of its definition, where it is known."""
        return defined_at(self._defined)

    @property
    def source(self) -> str:
        """The file of its definition, where there is one."""
        return defined_in(self._defined)

    @property
    def _defined(self) -> Any:
        owner = getattr(self.written, "__self__", None)
        if isinstance(self.written, nn.Module):
            return type(self.written)
        return owner if isinstance(owner, type) else self.written

    def fresh(self) -> list[Tensor]:
        """Copies of the wanted leaves that require grad, with the hooks that the user has registered on them."""
        return [_with_hooks_of(leaf.tensor, twin(leaf.tensor).requires_grad_()) for leaf in self.wanted]

    def run(self, given: Sequence[Tensor]) -> list[Output]:
        """Run the code with these tensors in place of the wanted leaves."""
        flat = [twin(value) if isinstance(value, Tensor) else value for value in self._flat]
        replaced = {leaf.name: twin(leaf.tensor) for leaf in self._frozen}
        for leaf, tensor in zip(self.wanted, given, strict=True):
            if leaf.place < 0:
                replaced[leaf.name] = tensor
            else:
                flat[leaf.place] = tensor
        arguments, named = tree_unflatten(flat, self._spec)
        process = os.getpid()
        with same_state(self.seed):
            try:
                if self.module is None:
                    result = self.function(*arguments, **named)
                else:
                    state = self._in_module(replaced)
                    state |= {name: value.detach().clone() for name, value in self._buffers.items()}
                    result = torch.func.functional_call(self.module, state, arguments, named)
            except GradcheckError:
                raise
            except (Exception, SystemExit) as error:
                raise UserError(described(error)) from error
            finally:
                if os.getpid() != process:  # the code forked: this copy of the process is not to go on with the check
                    os.kill(os.getpid(), signal.SIGKILL)
        return outputs_of(result)


def _initialize(function: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any], seed: int) -> None:
    """A module that makes its parameters of the first inputs it sees gets to see them."""
    if isinstance(function, nn.Module) and any(map(is_lazy, function.parameters())):
        try:
            with same_state(seed), torch.no_grad():
                function(*arguments, **named)
        except Exception as error:
            raise UserError(raised(type(function).__name__, error)) from error


def _with_hooks_of(source: Tensor, copy: Tensor) -> Tensor:
    for hook in (source._backward_hooks or {}).values():
        copy.register_hook(hook)  # type: ignore[no-untyped-call]
    return copy


def doubled(x: Any) -> Any:
    if not isinstance(x, Tensor) or not x.is_floating_point():
        return x
    copy = x.detach().double()
    return _with_hooks_of(x, copy.requires_grad_()) if x._backward_hooks else copy


def twin(tensor: Tensor) -> Tensor:
    """A copy in the same layout, with the memory around it where it is a part of some."""
    source = tensor.detach()
    whole = (
        source.layout is torch.strided and source.untyped_storage().nbytes() == source.numel() * source.element_size()
    )
    if whole or source.layout is not torch.strided or any(s == 0 for s in source.stride()):
        return source.clone()
    memory = torch.empty(0, dtype=source.dtype, device=source.device)
    return memory.set_(
        source.untyped_storage().clone(),  # type: ignore[no-untyped-call]
        source.storage_offset(),
        source.shape,
        source.stride(),
    )


def outputs_of(result: Any) -> list[Output]:
    """The floating-point tensors of what was returned, with names: out; out0, out1; out.loss. A complex number is two,
    along a last axis."""
    if isinstance(result, Tensor):
        found = [("out", result)]
    else:
        leaves, _ = tree_flatten_with_path(result)
        found = [("out" + "".join(_part(key, len(path)) for key in path), value) for path, value in leaves]
    tensors = [(name, value) for name, value in found if isinstance(value, Tensor)]
    if not tensors:
        if inspect.iscoroutine(result):
            result.close()
        what = "nothing" if result is None else type(result).__name__
        raise BadInput(f"it returned {what}, and no tensor, or tuple, list or dict of tensors")
    real = [(n, torch.view_as_real(v.resolve_conj()) if v.is_complex() else v) for n, v in tensors]
    return [Output(n, v) for n, v in real if v.is_floating_point()]


def _part(key: Any, depth: int) -> str:
    index = getattr(key, "idx", None)
    if index is None:
        return f".{getattr(key, 'key', getattr(key, 'name', key))}"
    return str(index) if depth == 1 else f".{index}"


def _parameter_names(function: Callable[..., Any], count: int) -> list[str]:
    """What the code calls its positional arguments; x0, x1 ... where that is not known."""
    owner = getattr(function, "__self__", None)
    target: Any = function
    skipped = 0
    if isinstance(function, nn.Module):
        target = function.forward
    elif isinstance(owner, type) and issubclass(owner, torch.autograd.Function):
        target = owner.forward
        setup = owner.setup_context is torch.autograd.function._SingleLevelFunction.setup_context
        skipped = 1 if setup else 0
    try:
        parameters = list(inspect.signature(target).parameters.values())[skipped:]
    except (TypeError, ValueError):
        parameters = []
    usable = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [usable[i] if i < len(usable) else f"x{i}" for i in range(count)]


def _checked_surrogates(surrogates: Surrogates) -> Surrogates:
    if not isinstance(surrogates, Mapping):
        raise BadInput(
            f"surrogate: {surrogates!r} is no mapping: it says of which autograd.Function it is, as in "
            "surrogate={Round: lambda x: x}"
        )
    for function, meant in surrogates.items():
        if not (isinstance(function, type) and issubclass(function, torch.autograd.Function)):
            raise BadInput(f"surrogate: {function!r} is no autograd.Function: give the class itself, not its apply")
        if not callable(meant):
            raise BadInput(f"surrogate: {meant!r} for {function.__name__} is no function")
    return dict(surrogates)


def _is_wanted(name: str, top: str, wrt: Sequence[str] | None) -> bool:
    return wrt is None or name in wrt or top in wrt
