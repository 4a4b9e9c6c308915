"""Where NaN enters a backward whose functions and operations are right by themselves: 0 times infinity between them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.asked import Asked
from gradcheck_cli.real_code.causes.nan import element_of
from gradcheck_cli.real_code.checked import Check
from gradcheck_cli.real_code.subject import Leaf, Subject
from gradcheck_cli.records.code import Cause, CodeFinding, CodeResult, Entry
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tracing.places import Places
from gradcheck_cli.tracing.tensors import tensors_in

Gradients = Sequence[Tensor | None]


def is_nan(entry: Entry) -> bool:
    return entry.verdict is Verdict.MISMATCH and entry.autograd is not None and math.isnan(entry.autograd)


def nan_enters(result: CodeResult, asked: Asked, check: Check) -> CodeFinding | None:
    """Where the NaN of the first entry that is one is made; None where none is, or it is not seen."""
    wrong = next((one for one in result.checks if one.mode == "reverse" and is_nan(one)), None)
    if wrong is None or len(wrong.wrt) != 1:
        return None
    place = element_of(wrong.output, check)
    if place is None:
        return None
    sweep = _Sweep(asked.subject() if asked.order == 1 else check.subject)
    try:
        found = sweep.finding(*place)
    except (GradcheckError, RuntimeError):
        return None
    return found if found is None or asked.order == 1 else replace(found, texts={**found.texts, "order": "second"})


class _Sweep:
    """One backward, with a look at what each node of the graph gets and gives."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.given = self.subject.fresh()
        self.graph = _Graph()
        with self.graph:
            self.graph.places.start()
            try:
                self.outputs = self.subject.run(self.given)
            finally:
                self.graph.places.finish()
        self.infinite: Any = None
        self.seen = False  # a NaN
        self.found: CodeFinding | None = None

    def finding(self, output: int, row: int) -> CodeFinding | None:
        tensor = self.outputs[output].tensor
        cotangent = torch.zeros_like(tensor).reshape(-1)
        cotangent[row] = 1
        handles = [node.register_hook(self._hook(node)) for node in _reached(tensor.grad_fn)]
        try:
            gradients = torch.autograd.grad(tensor, self.given, cotangent.reshape(tensor.shape), allow_unused=True)
        finally:
            for handle in handles:
                handle.remove()
        return self.found if self.seen else self._summed_into(gradients, self.subject.wanted)

    def _summed_into(self, gradients: Gradients, wanted: Sequence[Leaf]) -> CodeFinding | None:
        """What is NaN though nothing that was added up is."""
        names = (leaf.name for leaf, x in zip(wanted, gradients, strict=True) if x is not None and x.isnan().any())
        name = next(names, None)
        return None if name is None or self.infinite is None else CodeFinding(Cause.NAN, texts={"added to": name})

    def _hook(self, node: Any) -> Callable[[Gradients, Gradients], None]:
        def hook(passed_on: Gradients, incoming: Gradients) -> None:
            if not self.seen:
                self._look(node, passed_on, incoming)

        return hook

    def _look(self, node: Any, passed_on: Gradients, incoming: Gradients) -> None:
        name, place = self.graph.called(node)
        made = [x for x in passed_on if x is not None and not bool(x.isfinite().all())]
        odd = next((x for x in made if x.isnan().any()), None)
        if any(x.isnan().any() for x in incoming if x is not None):
            self.seen = True
            if self.infinite is not None:
                self.found = CodeFinding(Cause.NAN, name, place, texts={"added to": "its result"})
        elif odd is not None:
            self.seen = True
            if texts := self._factors(odd, incoming):  # else the operation itself is to be asked
                self.found = CodeFinding(Cause.NAN, name, place, texts=texts)
        elif made and self.infinite is None:
            self.infinite = node

    def _factors(self, made: Tensor, incoming: Gradients) -> dict[str, str]:
        """What was multiplied, where the operation works element by element."""
        came = [x for x in incoming if x is not None]
        each = came[0][made.isnan()] if len(came) == 1 and came[0].shape == made.shape else None
        if any(x.isinf().any() for x in came):
            texts = {"incoming": "inf"}
            if self.infinite is not None:
                name, place = self.graph.called(self.infinite)
                texts["source"] = f"{name} ({place})" if place else name
            if each is not None and each.isinf().all():
                texts["local"] = "0"
            return texts
        return {"incoming": "0"} if each is not None and not each.any() else {}


class _Graph(TorchFunctionMode):
    """What made each node of a graph: (the function that was called, where)."""

    def __init__(self) -> None:
        super().__init__()
        self.places = Places()
        self.made: dict[Any, tuple[str, str]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for tensor in tensors_in([found]):
            if tensor.grad_fn is not None and tensor.grad_fn not in self.made:
                place, _ = self.places.here()
                self.made.update((node, (_named(node), place)) for node in _reached(tensor.grad_fn, self.made))
        return found

    def called(self, node: Any) -> tuple[str, str]:
        return self.made.get(node, (_named(node), ""))


def _named(node: Any) -> str:
    """`PowBackward0` as pow, `LinalgVectorNormBackward0` as linalg_vector_norm; of a function by hand, its own name."""
    name: str = node.name()
    if isinstance(node, torch.autograd.function.BackwardCFunction):
        return name.removesuffix("Backward")
    name = re.sub(r"Backward\d*$", "", name)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _reached(root: Any, known: Any = ()) -> list[Any]:
    """The nodes of a graph that lead to a result, but for those that are known and what leads to these."""
    found: dict[Any, None] = {}
    stack = [root] if root is not None else []
    while stack:
        node = stack.pop()
        if node is None or node in found or node in known:
            continue
        found[node] = None
        stack.extend(following for following, _ in node.next_functions)
    return list(found)
