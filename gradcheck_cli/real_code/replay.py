"""Does the record say all? The code is run again at inputs moved a little, and compared with the record there.

What left torch (a NumPy round trip, a kernel that was not seen) is a constant on the tape, and not in the code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.branches import tied
from gradcheck_cli.real_code.subject import Output, Subject, twin
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.values import Values
from gradcheck_cli.tracing.compiled import eagerly
from gradcheck_cli.tracing.recorder import Recorder
from gradcheck_cli.tracing.repeating import Repeating
from gradcheck_cli.tracing.tensors import FLOATS, numbers

Floats = NDArray[np.float64]
STEPS = (1.0, 2.0**-6)
"""Of the largest move: a decision may change at a large one, and what is missing shows at a small one as well."""
SHARE = 0.02
"""How much of a change may differ, beyond rounding."""


@dataclass(frozen=True)
class Replay:
    """missing: what is not in the record, a sentence. unknown: why it could not be found out."""

    missing: str | None = None
    unknown: str | None = None


def replay(
    subject: Subject, recorder: Recorder, here: Values, outputs: Sequence[Output], elements: Mapping[int, Elements]
) -> Replay:
    """outputs: of the code where it was recorded; elements: of those that are compared."""
    differs = ""
    for step in STEPS:
        found = _at(subject, recorder, here, outputs, elements, step)
        if found is None:
            return Replay(
                unknown="it could not be run at moved inputs, so what is missing from the record would not show"
            )
        if not found:
            return Replay()
        differs = found
    if tied(recorder.guards, here):
        return Replay(unknown="moved inputs may take another branch, so what is missing from the record would not show")
    return Replay(missing=differs)


def _at(
    subject: Subject, recorder: Recorder, here: Values, outputs: Sequence[Output],
    elements: Mapping[int, Elements], step: float,
) -> str | None:  # fmt: skip
    """What differs at moved inputs ("": nothing does); None: the code cannot be run there."""
    for sign in (1.0, -1.0):
        given = [_moved(leaf.tensor, sign * step, k) for k, leaf in enumerate(subject.wanted)]
        try:
            there = _run(subject, recorder, given)
        except GradcheckError:
            continue
        if [o.tensor.shape for o in there] != [o.tensor.shape for o in outputs]:
            continue
        moved = {leaf.name: numbers(x) for leaf, x in zip(subject.wanted, given, strict=True)}
        values = Values(recorder.tape, moved, rounding=True)
        for k, which in elements.items():
            differs = _difference(outputs[k], there[k], which.reshape(-1), here, values)
            if differs is None:
                break
            if differs:
                return differs
        else:
            return ""
    return None


def _run(subject: Subject, recorder: Recorder, given: Sequence[Tensor]) -> list[Output]:
    if any(item is not None for item in recorder.items):
        with eagerly(), Repeating(recorder.items):
            return subject.run(given)
    return subject.run(given)


def _difference(before: Output, after: Output, which: NDArray[np.int64], here: Values, there: Values) -> str | None:
    """None: there are numbers at the moved inputs that do not exist."""
    dtype = FLOATS[before.tensor.dtype]
    real = numbers(after.tensor).reshape(-1), numbers(before.tensor).reshape(-1)
    with np.errstate(all="ignore"):
        change = real[0] - real[1]
        expected = there.value[which] - here.value[which]
        comparable = np.isfinite(here.value[which]) & np.isfinite(real[1])
        lost = comparable & ~(np.isfinite(there.value[which]) & np.isfinite(real[0]))
        if lost.any():
            return None
        largest = np.max(np.abs(real), initial=1.0, where=np.isfinite(real))
        noise = 2 * there.radius[which] + 32 * dtype.unit_roundoff * largest
        off = np.abs(change - expected)
        bad = comparable & (off > noise + SHARE * np.maximum(np.abs(change), np.abs(expected)))
    if not bad.any():
        return ""
    k = int(np.argmax(np.where(bad, off, 0.0)))
    return (
        f"the record is not all that the code computes: with the inputs moved a little, {before.label(k)} changes by"
        f" {change[k]:.3g}, and by {expected[k]:.3g} in the record; is NumPy, a Python number, a kernel of"
        " your own or another library between? Give reference=, a function of plain torch operations that computes the"
        " same"
    )


def _moved(tensor: Tensor, step: float, seed: int) -> Tensor:
    """Each element by a random part of the step, relative to its size; zeros by as much as a typical one."""
    dtype = FLOATS[tensor.dtype]
    x = numbers(tensor)
    size = np.abs(x)
    typical = float(size[size > 0].mean()) if (size > 0).any() else 1.0
    share = np.random.default_rng(seed + 1).uniform(0.25, 1.0, x.shape)
    y = x + np.where(size > 0, size, min(typical, 1.0)) * share * (step * _largest_move(dtype))
    moved = twin(tensor)
    return moved.copy_(torch.from_numpy(np.asarray(y))).requires_grad_()


def _largest_move(dtype: Dtype) -> float:
    return float(dtype.unit_roundoff**0.375)
