"""Each operation that autograd differentiated, checked by itself at the operands it had: torch's own, custom ones."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.asked import Asked, Options
from gradcheck_cli.real_code.checked import checked
from gradcheck_cli.real_code.subject import Subject
from gradcheck_cli.records.code import Cause, CodeFinding
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tracing.places import Places

MOST = 64
"""Different operations that are checked."""
NUMBERS = 4096
"""Of the operands of one that is."""
TORCHS = frozenset({"aten", "prims", "torch"})


@dataclass(frozen=True)
class Ran:
    """An operation with copies of its operands as they were."""

    operation: Any
    args: tuple[Any, ...]
    named: Mapping[str, Any]
    place: str


def operations(subject: Subject) -> list[Ran]:
    """Those that autograd differentiated in a run, each place and shape once."""
    spy = _Spy()
    spy.places.start()
    try:
        with spy:
            subject.run(subject.fresh())
    except GradcheckError:
        pass
    finally:
        spy.places.finish()
    return list(spy.found.values())


def wrong_operations(ran: Sequence[Ran], mode: str) -> tuple[list[CodeFinding], int]:
    """(those whose derivative is wrong, how many were checked)."""
    found, count = [], 0
    for one in ran:
        asked = Asked(_callable(one.operation), one.args, one.named, everything=False)
        try:
            result, _ = checked(asked, asked.subject(), Options((mode,), replay=False))
        except (GradcheckError, RuntimeError, TypeError, ValueError):
            continue
        count += 1
        by = dict.fromkeys(block.input for block in result.blocks if block.counts.get(Verdict.MISMATCH))
        if by:
            namespace, name = one.operation._schema.name.split("::")
            own = namespace in TORCHS
            shown = name if own else f"{namespace}::{name}"
            texts = {"own": "torch"} if own else {}
            wrong = [entry.autograd for entry in result.checks if entry.verdict is Verdict.MISMATCH]
            if all(number is not None and math.isnan(number) for number in wrong):
                texts["nan"] = "all"
            found.append(CodeFinding(Cause.OPERATION, shown, one.place, " and ".join(by), texts=texts))
    return found, count


class _Spy(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.places = Places()
        self.found: dict[Any, Ran] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        tensors = [x for x in tree_leaves((args, named)) if isinstance(x, Tensor)]
        if any(x.requires_grad for x in tensors) and _is_differentiated(func) and not _only_moves(func):
            place, _ = self.places.here()
            key = func, place, tuple(tuple(x.shape) for x in tensors)
            if key not in self.found and len(self.found) < MOST and sum(x.numel() for x in tensors) <= NUMBERS:
                with _disable_current_modes():
                    copied_args, copied = tree_map(_copied, (tuple(args), named))
                self.found[key] = Ran(func, copied_args, copied, place)
        return func(*args, **named)


def _is_differentiated(func: Any) -> bool:
    """torch runs a custom operation in the forward of a function that it makes for it."""
    return torch.is_grad_enabled() or func.namespace not in TORCHS


def _copied(x: Any) -> Any:
    return x.detach().clone().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x


def _only_moves(func: Any) -> bool:
    returns = func._schema.returns
    return bool(returns) and all(r.alias_info is not None and not r.alias_info.is_write for r in returns)


def _callable(operation: Any) -> Any:
    """The operation with the names of its arguments, on copies, since it may write into them."""

    def run(*args: Any, **named: Any) -> Any:
        args, named = tree_map(lambda x: x.clone() if isinstance(x, Tensor) else x, (args, named))
        return operation(*args, **named)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [argument.name for argument in operation._schema.arguments]
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name if name != "from" else "from_", kind) for name in names]
    )
    return run
