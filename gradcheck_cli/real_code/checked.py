"""One check: the record against the code, every entry judged; without an explanation of what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import GradcheckError, TorchRefusal
from gradcheck_cli.pytorch.devices import device_name
from gradcheck_cli.real_code.asked import Asked, Options
from gradcheck_cli.real_code.branches import tied
from gradcheck_cli.real_code.generators import generators_kept
from gradcheck_cli.real_code.gradient_subject import GradientSubject
from gradcheck_cli.real_code.jacobian import Jacobian
from gradcheck_cli.real_code.output_values import judge_values
from gradcheck_cli.real_code.recorded import Recorded, record, record_gradient
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.real_code.replay import replay
from gradcheck_cli.real_code.side import Forward, Reverse, Side
from gradcheck_cli.real_code.subject import BadInput, Leaf, Subject
from gradcheck_cli.real_code.tally import passes
from gradcheck_cli.records.code import Block, CodeResult, Held, TensorInput, ValueBlock
from gradcheck_cli.records.results import MOST_ROWS, Verdict, worst_first
from gradcheck_cli.tracing.tensors import FLOATS, numbers

DIFFERENT = 1e-3
"""How far, of its size, a value may be from what was recorded: torch's own kernels have seven digits at the least."""


class Incomplete(GradcheckError):
    """The record does not hold all that the code computes: no verdict is given."""


def checked(asked: Asked, subject: Subject, options: Options) -> tuple[CodeResult, Check]:
    """The result without an explanation, and what it rests on. Raises where no verdict can be given."""
    known = subject if asked.reference is None else subject.with_function(asked.reference)
    with generators_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if asked.order == 1:
            check = Check(subject, options, record(known, through_detach=options.through_detach))
        else:
            twice = GradientSubject(subject, asked.grad_outputs, by_cotangents=asked.by_cotangents)
            check = Check(twice, options, record_gradient(known, twice, options.through_detach))
        return check.result(), check


class Check:
    """recorded: what is true; reverse: the side under test, which ran once."""

    def __init__(self, subject: Subject, options: Options, recorded: Recorded) -> None:
        self.subject, self.options, self.recorded = subject, options, recorded
        self.tape = self.recorded.recorder.tape
        self.truths = Truths(self.tape, recorded.gradient_of)
        self.reverse = Reverse(subject)
        self.notices = [f"surrogate: {name} did not run" for name in recorded.unused]
        self.spread: dict[int, float] = {}
        self.first_is_wrong = False
        self.jacobian = Jacobian(recorded, self.truths, self.reverse, options, self.spread)

    def result(self) -> CodeResult:
        outputs = self._outputs()
        self._compare_runs()
        if self.options.replay:
            self._replay(outputs)
        self._notice_ties()
        self._notice_tf32()
        values = self._compared_values()
        blocks, refused = self._blocks(outputs)
        constant = not blocks and self._is_constant()
        strict = self.options.strict
        fallback = Verdict.MATCH if constant else Verdict.ERROR
        verdict = Verdict.worst(block.verdict for block in blocks) if blocks else fallback
        verdict = Verdict.worst([verdict, Verdict.MISMATCH]) if self.first_is_wrong else verdict
        error = refused if blocks or constant else "no output can be differentiated"
        all_pass = constant or (bool(blocks) and all(block.passed for block in blocks))
        return CodeResult(
            **identity(self.subject, self.options, self.jacobian.dtype),
            verdict=verdict if refused is None else Verdict.ERROR,
            passed=all_pass and refused is None and not self.first_is_wrong,
            blocks=blocks,
            values=values,
            checks=tuple(sorted(self.jacobian.entries, key=worst_first)[:MOST_ROWS]),
            checks_failed=sum(n for b in blocks for v, n in b.counts.items() if not passes(v, strict=strict)),
            held=tuple(Held(h.how, h.place, n) for h, n in self.recorded.recorder.held.found.items()),
            notices=(*self.notices, *self.reverse.troubles),
            error=error,
            order=2 if isinstance(self.subject, GradientSubject) else 1,
            operations=self.tape.operations,
        )

    def _blocks(self, outputs: Sequence[int]) -> tuple[tuple[Block, ...], str | None]:
        """The blocks of all modes, and what torch refuses; where there is one mode only, that is raised."""
        blocks: list[Block] = []
        refused = None
        for mode in self.options.modes:
            try:
                blocks += self.jacobian.blocks(self._side(mode), outputs)
            except TorchRefusal as error:
                if len(self.options.modes) == 1:
                    raise
                refused = str(error)
        return tuple(blocks), refused

    def _side(self, mode: str) -> Side:
        return self.reverse if mode == "reverse" else Forward(self.subject, self.reverse.outputs)

    def _outputs(self) -> list[int]:
        """Which outputs are differentiated."""
        mine, theirs = self.recorded.outputs, self.reverse.outputs
        if [o.tensor.shape for o in mine] != [o.tensor.shape for o in theirs]:
            raise BadInput("it returns tensors of other shapes when it runs again")
        chosen = []
        for k, output in enumerate(theirs):
            # A gradient without a graph is constant: its derivative is 0, if that is so on the tape as well.
            if output.tensor.requires_grad or isinstance(self.subject, GradientSubject) or self._is_cut(k):
                chosen.append(k)
            else:
                self.notices.append(f"{output.name} does not require grad: it is not differentiated")
        return list(range(len(theirs))) if self.options.constant and not chosen else chosen

    def _compare_runs(self) -> None:
        """Two runs that differ from the same state: compared within that."""
        if self.recorded.subject is not self.subject:
            return
        first, second = ([numbers(o.tensor) for o in run] for run in (self.recorded.outputs, self.reverse.outputs))
        if all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True)):
            return
        again = self.subject.run(self.subject.fresh())  # what is recorded may run in other steps, and round otherwise
        for k, (output, before) in enumerate(zip(again, second, strict=True)):
            after = numbers(output.tensor)
            if not np.array_equal(after, before, equal_nan=True):
                self.spread[k] = float(np.nanmax(np.abs(after - before)))
                if self.spread[k] > self.options.nondet_tol:
                    self.notices.append(
                        f"{output.name} is not deterministic: two runs differ by up to {self.spread[k]:.3g}"
                    )

    def _replay(self, chosen: Sequence[int]) -> None:
        """Raises Incomplete where something is missing from the record."""
        if self.spread:
            return
        recorded, subject, outputs = self.recorded, self.subject, self.reverse.outputs
        if isinstance(subject, GradientSubject):  # a gradient that is not that of the record is wrong, not incomplete
            assert recorded.first is not None
            recorded, subject = recorded.first, subject.first
            outputs = subject.run(subject.fresh())
            chosen = [k for k, output in enumerate(outputs) if output.tensor.requires_grad]
        elements = {k: recorded.elements[k] for k in chosen}
        found = replay(subject, recorded.recorder, self.truths.values, outputs, elements)
        if found.missing is not None:
            raise Incomplete(found.missing)
        if found.unknown is not None:
            self.notices.append(found.unknown)

    def _notice_ties(self) -> None:
        exact = tied([guard for guard in self.jacobian.tied if guard.kind == "branch"], self.truths.values)
        if exact:
            places = ", ".join(dict.fromkeys(guard.origin.place for guard in exact))
            self.notices.append(f"a branch is decided at a tie ({places}): what is said holds on one side only")

    def _notice_tf32(self) -> None:
        for setting in self.recorded.recorder.in_tf32:
            self.notices.append(
                f'products of float32 are computed in TF32, with 11 bits instead of 24: set {setting} = "ieee" to check'
                " the code in float32"
            )

    def _is_cut(self, k: int) -> bool:
        """Whether torch drops an output's dependence silently, by an operation that it does not differentiate."""
        recorder, tensor = self.recorded.recorder, self.recorded.outputs[k].tensor
        return recorder.depends(tensor) and recorder.is_undifferentiated(tensor)

    def _compared_values(self) -> tuple[ValueBlock, ...]:
        """Raises Incomplete where the record computes something else than the code."""
        found = []
        for output, elements in zip(self.reverse.outputs, self.recorded.elements, strict=True):
            dtype = min(self.jacobian.narrowest, FLOATS[output.tensor.dtype], key=lambda dtype: dtype.precision)
            found.append(judge_values(self.truths, elements.reshape(-1), output, dtype, self.options.arrays))
        for value in found:
            if value.unexplained > DIFFERENT and self.recorded.first is not None:
                self.first_is_wrong = True
                self.notices.append(f"{value.output} is wrong itself, by {value.unexplained:.2g} of its size")
            elif value.unexplained > DIFFERENT:
                raise Incomplete(
                    f"what was recorded is not what the code returns: {value.output} is off by {value.unexplained:.2g}"
                    " of its size, and no verdict would be about the code"
                )
        return tuple(found)

    def _is_constant(self) -> bool:
        """Whether no output depends on the inputs at all: then there is nothing to compare, and nothing wrong."""
        return all(self.tape.fixed[elements].all() for elements in self.recorded.elements)


def identity(subject: Subject, options: Options, dtype: Dtype) -> dict[str, Any]:
    """What a result says of the question."""
    return {
        "subject": subject.name, "place": subject.place, "source": subject.source,
        "inputs": tuple(_input(leaf, subject) for leaf in subject.leaves),
        "dtype": dtype.name, "device": device_name(subject.wanted[0].tensor.device),
        "rtol": options.rtol, "atol": options.atol,
    }  # fmt: skip


def _input(leaf: Leaf, subject: Subject) -> TensorInput:
    tensor = leaf.tensor
    name = str(tensor.dtype).removeprefix("torch.")
    is_cotangent = isinstance(subject, GradientSubject) and any(leaf is one for one in subject.cotangents)
    role = "cotangent" if is_cotangent else "parameter" if leaf.place < 0 else "argument"
    return TensorInput(leaf.name, name, tuple(tensor.shape), tensor.requires_grad, leaf.differentiated, role)
