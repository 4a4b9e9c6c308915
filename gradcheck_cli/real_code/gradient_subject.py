"""The gradient of the user's code as code of its own, for second derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.errors import TorchRefusal
from gradcheck_cli.real_code.subject import BadInput, Leaf, Output, Subject, doubled, twin
from gradcheck_cli.real_code.user_frames import raised


class GradientSubject(Subject):
    """The gradient of a subject as a subject of its own: of its inputs and of the cotangents of its outputs.

    grad_outputs: the cotangents of the outputs that require grad; random ones where they are not given. by_cotangents:
    whether it is differentiated by them as well, or they are constant, which makes it the Hessian.
    """

    def __init__(
        self, subject: Subject, grad_outputs: Sequence[Any] | None = None, *, by_cotangents: bool = True
    ) -> None:
        self.__dict__.update(subject.__dict__)
        self.first, self.by_cotangents = subject, by_cotangents
        outputs = [o for o in subject.run(subject.fresh()) if o.tensor.requires_grad]
        if not outputs:
            raise BadInput("no output requires grad")
        given = [None] * len(outputs) if grad_outputs is None else list(grad_outputs)
        generator = np.random.default_rng(subject.seed)
        self.cotangents = [
            Leaf(f"grad_{output.name}", _like(output.tensor, generator) if g is None else g.detach(), -1, True)
            for output, g in zip(outputs, given, strict=True)
        ]
        if by_cotangents:
            self.leaves = [*subject.leaves, *self.cotangents]
            self.wanted = [*subject.wanted, *self.cotangents]

    def in_double(self) -> Subject:
        other = super().in_double()
        assert isinstance(other, GradientSubject)
        other.first = self.first.in_double()
        other.cotangents = [replace(leaf, tensor=doubled(leaf.tensor)) for leaf in self.cotangents]
        return other

    def run(self, given: Sequence[Tensor]) -> list[Output]:
        """The gradients by the inputs, each as large as its input."""
        count = len(self.first.wanted)
        inputs, cotangents = list(given[:count]), list(given[count:])
        if not self.by_cotangents:
            cotangents = [twin(leaf.tensor) for leaf in self.cotangents]
        outputs = [o.tensor for o in self.first.run(inputs) if o.tensor.requires_grad]
        try:
            gradients = torch.autograd.grad(outputs, inputs, cotangents, create_graph=True, allow_unused=True)
        except Exception as error:
            raise TorchRefusal(raised("the backward", error)) from error
        found = zip(self.first.wanted, inputs, gradients, strict=True)
        return [Output(f"grad_{leaf.name}", torch.zeros_like(x) if g is None else g) for leaf, x, g in found]


def _like(tensor: Tensor, generator: np.random.Generator) -> Tensor:
    numbers = torch.from_numpy(generator.standard_normal(tensor.numel()))
    return numbers.to(tensor.device, tensor.dtype).reshape(tensor.shape)
