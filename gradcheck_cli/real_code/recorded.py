"""A run of the code on the tape: of the code itself, or of its exact gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gradcheck_cli.real_code.gradient_subject import GradientSubject
from gradcheck_cli.real_code.subject import BadInput, Leaf, Output, Subject
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.gradient import gradient
from gradcheck_cli.tape.tape import Tape
from gradcheck_cli.tracing.recorder import Recorder
from gradcheck_cli.tracing.recording import recorded
from gradcheck_cli.tracing.surrogates import in_force
from gradcheck_cli.tracing.tensors import FLOATS, numbers


@dataclass
class GradientOf:
    """Of what the elements of a gradient are derivatives, and by which: of sum(weights*outputs), by a variable."""

    outputs: Elements
    weights: Elements
    variables: Mapping[int, int]


@dataclass
class Recorded:
    """A run of the code on the tape. outputs: what it returned; elements: of each. subject: what was run. first: of a
    gradient, the run of the code that it is of; gradient_of: what its elements are. unused: surrogates for functions
    that did not run."""

    recorder: Recorder
    outputs: list[Output]
    elements: list[Elements]
    subject: Subject
    first: Recorded | None = None
    gradient_of: GradientOf | None = None
    unused: Sequence[str] = ()


def record(subject: Subject, *, through_detach: bool = False, given: Sequence[torch.Tensor] | None = None) -> Recorded:
    """Run the code once and record it. given: other tensors for the wanted leaves."""
    recorder = Recorder(through_detach=through_detach)
    given = subject.fresh() if given is None else given
    for leaf, tensor in zip(subject.wanted, given, strict=True):
        recorder.lift(tensor, leaf.name)
    with in_force(subject.surrogates, recorder) as ran:
        outputs = recorded(recorder, lambda: subject.run(given))
    unused = [function.__name__ for function in subject.surrogates if function not in ran]
    elements = [recorder.of(output.tensor) for output in outputs]
    recorder.require_known(elements)
    return Recorded(recorder, outputs, elements, subject, unused=unused)


def record_gradient(subject: Subject, twice: GradientSubject, through_detach: bool) -> Recorded:
    """The exact gradient of the code, on the tape; the backward of the code has no part in it."""
    first = record(subject, through_detach=through_detach)
    tape = first.recorder.tape
    chosen = [k for k, output in enumerate(first.outputs) if output.tensor.requires_grad]
    if len(chosen) != len(twice.cotangents):
        raise BadInput(f"{len(chosen)} outputs can be differentiated, and there are {len(twice.cotangents)} cotangents")
    variables = tape.variables
    weights = [_cotangents(tape, leaf, twice) for leaf in twice.cotangents]
    outputs = np.concatenate([first.elements[k].reshape(-1) for k in chosen])
    cotangents = np.concatenate([w.reshape(-1) for w in weights])
    by_all = gradient(tape, outputs, cotangents)[: len(variables)]
    known = GradientOf(outputs, cotangents, dict(zip(by_all.tolist(), variables.tolist(), strict=True)))
    elements, start = [], 0
    for leaf in subject.wanted:
        elements.append(by_all[start : start + leaf.tensor.numel()].reshape(tuple(leaf.tensor.shape)))
        start += leaf.tensor.numel()
    return Recorded(first.recorder, twice.run(twice.fresh()), elements, twice, first, known, first.unused)


def _cotangents(tape: Tape, leaf: Leaf, twice: GradientSubject) -> Elements:
    """Those of one output on the tape: inputs as well, or constants."""
    given = numbers(leaf.tensor)
    if twice.by_cotangents:
        return tape.input(leaf.name, given, FLOATS[leaf.tensor.dtype])
    return tape.constants(given)
