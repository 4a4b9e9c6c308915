"""check_code: a function of tensors in, a frozen record of every entry's verdict out."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import GradcheckError, TorchRefusal
from gradcheck_cli.real_code.branches import OtherBranches, tied
from gradcheck_cli.real_code.judge import CODE, VERDICTS, Column, Detail, Judged, Names, Rows
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.real_code.replay import replay
from gradcheck_cli.real_code.side import Forward, Reverse, Side
from gradcheck_cli.real_code.subject import BadInput, GradientSubject, Output, Subject
from gradcheck_cli.records.code import Block, CodeResult, Entry, Held, TensorInput, ValueBlock
from gradcheck_cli.records.results import MOST_ROWS, Verdict
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.gradient import gradient
from gradcheck_cli.tracing.recorder import FLOATS, Guard, Recorder
from gradcheck_cli.tracing.recording import recorded
from gradcheck_cli.tracing.tensors import numbers
from gradcheck_cli.verdict import Tolerance, errors

MODES = {"reverse": ("reverse",), "forward": ("forward",), "both": ("reverse", "forward")}
LISTED = 20
"""Entries of a block that are listed although they match."""
ONE_HOT = 100_000
"""Entries of a Jacobian up to which each is checked by itself."""
COTANGENTS = 3
DIFFERENT = 1e-3
"""How far, of its size, a value may be from what was recorded: torch's own kernels have seven digits at the least."""
CONFIRMED = 8
"""Rows that are run again without batching where something is off."""


class Incomplete(GradcheckError):
    """The record does not hold all that the code computes: no verdict is given."""


@dataclass(frozen=True)
class Options:
    """What is asked for. rtol, atol: None: of the dtype. cotangents: "auto", "one-hot" or "random"."""

    modes: tuple[str, ...] = ("reverse",)
    rtol: float | None = None
    atol: float | None = None
    strict: bool = False
    through_detach: bool = False
    cotangents: str = "auto"
    replay: bool = True
    nondet_tol: float = 0.0


def check_code(
    function: Callable[..., Any], inputs: Any, *, named: Mapping[str, Any] | None = None,
    wrt: Sequence[str] | None = None, everything: bool = True, seed: int = 0, mode: str = "reverse",
    rtol: float | None = None, atol: float | None = None, strict: bool = False, through_detach: bool = False,
    cotangents: str = "auto", reference: Callable[..., Any] | None = None, order: int = 1,
    grad_outputs: Sequence[Any] | None = None, nondet_tol: float = 0.0,
) -> CodeResult:  # fmt: skip
    """Check the gradient of a function of tensors.

    inputs: its positional arguments (one that is no tuple or list is the only one); named: by keyword. everything:
    differentiate by all floating tensors, or only by those that require grad; wrt: only by those named. reference: a
    function of plain torch operations that computes the same, to be recorded instead. order: 2 checks the gradients of
    the gradients, by the inputs and by the cotangents `grad_outputs` (random ones where they are not given).
    nondet_tol: how far two runs may differ without a notice. A result without a verdict has an `error`.
    """
    asked = Asked(function, inputs, named, wrt, everything, seed, reference, order, grad_outputs)
    options = Options(MODES[mode], rtol, atol, strict, through_detach, cotangents, nondet_tol=nondet_tol)
    subject = asked.subject()
    started = time.perf_counter()
    try:
        result, _ = checked(asked, subject, options)
    except GradcheckError as error:
        result = _failed(subject, options, error)
    return replace(result, seconds=time.perf_counter() - started)


@dataclass(frozen=True)
class Asked:
    """The code and what it is given, as for `check_code`."""

    function: Callable[..., Any]
    inputs: Any
    named: Mapping[str, Any] | None = None
    wrt: Sequence[str] | None = None
    everything: bool = True
    seed: int = 0
    reference: Callable[..., Any] | None = None
    order: int = 1
    grad_outputs: Sequence[Any] | None = None

    def subject(self) -> Subject:
        arguments = tuple(self.inputs) if isinstance(self.inputs, (tuple, list)) else (self.inputs,)
        return Subject(self.function, arguments, self.named, wrt=self.wrt, everything=self.everything, seed=self.seed)


def checked(asked: Asked, subject: Subject, options: Options) -> tuple[CodeResult, Reverse]:
    """The result, and the side under test. Raises where no verdict can be given."""
    known = subject if asked.reference is None else subject.with_function(asked.reference)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if asked.order == 1:
            check = _Check(subject, options, record(known, through_detach=options.through_detach))
        else:
            twice = GradientSubject(subject, asked.grad_outputs)
            check = _Check(twice, options, record_gradient(known, twice, options.through_detach))
        return check.result(), check.reverse


@dataclass
class Recorded:
    """A run of the code on the tape. outputs: what it returned; elements: of each. subject: what was run."""

    recorder: Recorder
    outputs: list[Output]
    elements: list[Elements]
    subject: Subject


def record(subject: Subject, *, through_detach: bool = False, given: Sequence[torch.Tensor] | None = None) -> Recorded:
    """Run the code once and record it. given: other tensors for the wanted leaves."""
    recorder = Recorder(through_detach=through_detach)
    given = subject.fresh() if given is None else given
    for leaf, tensor in zip(subject.wanted, given, strict=True):
        recorder.lift(tensor, leaf.name)
    outputs = recorded(recorder, lambda: subject.run(given))
    elements = [recorder.of(output.tensor) for output in outputs]
    return Recorded(recorder, outputs, elements, subject)


def record_gradient(subject: Subject, twice: GradientSubject, through_detach: bool) -> Recorded:
    """The exact gradient of the code, on the tape; the backward of the code has no part in it."""
    first = record(subject, through_detach=through_detach)
    tape = first.recorder.tape
    chosen = [k for k, output in enumerate(first.outputs) if output.tensor.requires_grad]
    if len(chosen) != len(twice.cotangents):
        raise BadInput(f"{len(chosen)} outputs can be differentiated, and there are {len(twice.cotangents)} cotangents")
    variables = tape.variables
    weights = [tape.input(leaf.name, numbers(leaf.tensor), FLOATS[leaf.tensor.dtype]) for leaf in twice.cotangents]
    outputs = np.concatenate([first.elements[k].reshape(-1) for k in chosen])
    by_all = gradient(tape, outputs, np.concatenate([w.reshape(-1) for w in weights]))[: len(variables)]
    elements, start = [], 0
    for leaf in subject.wanted:
        elements.append(by_all[start : start + leaf.tensor.numel()].reshape(tuple(leaf.tensor.shape)))
        start += leaf.tensor.numel()
    return Recorded(first.recorder, twice.run(twice.fresh()), elements, twice)


class _Check:
    def __init__(self, subject: Subject, options: Options, recorded: Recorded) -> None:
        self.subject, self.options, self.recorded = subject, options, recorded
        self.tape = self.recorded.recorder.tape
        self.truths = Truths(self.tape)
        self.reverse = Reverse(subject)
        self.notices: list[str] = []
        self.entries: list[Entry] = []
        self.width = sum(given.elements.size for given in self.tape.inputs)
        self.dtype = min((given.dtype for given in self.tape.inputs), key=lambda d: d.precision)
        self.spread: dict[int, float] = {}

    def result(self) -> CodeResult:
        outputs = self._outputs()
        self._compare_runs()
        if self.options.replay:
            self._replay(outputs)
        self._notice_ties()
        values = self._compared_values()
        blocks = tuple(block for mode in self.options.modes for block in self._blocks(self._side(mode), outputs))
        constant = not blocks and self._is_constant()
        fallback = Verdict.MATCH if constant else Verdict.ERROR
        verdict = Verdict.worst(block.verdict for block in blocks) if blocks else fallback
        return CodeResult(
            **_identity(self.subject, self.options, self.dtype),
            verdict=verdict,
            passed=constant or (bool(blocks) and all(block.passed for block in blocks)),
            blocks=blocks,
            values=values,
            checks=tuple(sorted(self.entries, key=_worst_first)[:MOST_ROWS]),
            held=tuple(Held(h.how, h.place, n) for h, n in self.recorded.recorder.held.items()),
            notices=(*self.notices, *self.reverse.troubles),
            error=None if blocks or constant else "no output can be differentiated",
            order=2 if isinstance(self.subject, GradientSubject) else 1,
            operations=self.tape.operations,
        )

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
        return chosen

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
        recorded = self.recorded
        elements = {k: recorded.elements[k] for k in chosen}
        found = replay(self.subject, recorded.recorder, self.truths.values, self.reverse.outputs, elements)
        if found.missing is not None:
            raise Incomplete(found.missing)
        if found.unknown is not None:
            self.notices.append(found.unknown)

    def _notice_ties(self) -> None:
        exact = tied([guard for guard in self._tied if guard.kind == "branch"], self.truths.values)
        if exact:
            places = ", ".join(dict.fromkeys(guard.origin.place for guard in exact))
            self.notices.append(f"a branch is decided at a tie ({places}): what is said holds on one side only")

    def _is_cut(self, k: int) -> bool:
        """Whether torch drops an output's dependence silently, by an operation that it does not differentiate."""
        recorder, tensor = self.recorded.recorder, self.recorded.outputs[k].tensor
        return recorder.depends(tensor) and recorder.is_undifferentiated(tensor)

    @cached_property
    def _narrowest(self) -> Dtype:
        """The narrowest dtype in which the code rounds anything."""
        rounded = (i.dtype for i in self.tape.instructions if i.function not in ("input", "constant"))
        return min(rounded, key=lambda dtype: dtype.precision, default=self.dtype)

    def _columns(self, k: int, output: Dtype) -> Iterator[Column]:
        first = 0
        for given in self.tape.inputs:
            stop = first + given.elements.size
            dtype = min(given.dtype, output, self._narrowest, key=lambda dtype: dtype.precision)
            rtol = dtype.rtol if self.options.rtol is None else self.options.rtol
            atol = dtype.atol if self.options.atol is None else self.options.atol
            tolerance = Tolerance(rtol, max(atol, self.spread.get(k, 0.0)))
            yield Column(given.name, slice(first, stop), given.dtype, tolerance, Names(given))
            first = stop

    def _blocks(self, side: Side, outputs: Sequence[int]) -> Iterator[Block]:
        width = self.width
        for k in outputs:
            count = self.recorded.elements[k].size
            tallies = [_Tally(column) for column in self._columns(k, FLOATS[self.reverse.outputs[k].tensor.dtype])]
            by_random = self._by_random(count * width)
            if by_random and not self._judge_combined(side, k, tallies):
                by_random = False  # what is left, or wrong, shows its outputs one by one
                tallies = [_Tally(tally.column) for tally in tallies]
            if not by_random:
                step = self.truths.batch
                for first in range(0, count, step):
                    self._judge(side, k, np.arange(first, min(first + step, count)), tallies)
            cotangents = "random" if by_random else "one-hot"
            for tally, given in zip(tallies, self.tape.inputs, strict=True):
                yield tally.block(
                    self.reverse.outputs[k], given.elements.shape, side.mode, self.options.strict, cotangents
                )

    def _by_random(self, entries: int) -> bool:
        chosen = self.options.cotangents
        return chosen == "random" or (chosen == "auto" and entries > ONE_HOT)

    def _judge(self, side: Side, k: int, rows: NDArray[np.int64], tallies: Sequence[_Tally]) -> None:
        """Some rows of one output, by all inputs."""
        elements = self.recorded.elements[k].reshape(-1)[rows]
        autograd, found = side.rows(k, rows), self.truths.rows(elements)
        for tally in tallies:
            names = tally.column.names
            judged = Rows(self.truths, elements, autograd, tally.column, names, side.mode, found).judged()
            if self._other_branches is not None:
                self._forgive(k, rows, autograd, tally.column, judged)
            if side.mode == "reverse" and (judged.codes != CODE[Verdict.MATCH]).any() and self.reverse.batched:
                judged = self._confirmed(k, rows, elements, autograd, found, tally.column, judged)
            tally.add(judged, autograd[:, tally.column.place])
            labels = [self.reverse.outputs[k].label(row) for row in rows.tolist()]
            self.entries += self._listed(labels, tally.column, judged, autograd[:, tally.column.place], side.mode)

    @cached_property
    def _tied(self) -> list[Guard]:
        recorder = self.recorded.recorder
        return tied(recorder.guards, self.truths.rounded) if recorder.guards else []

    @cached_property
    def _other_branches(self) -> OtherBranches | None:
        """Where a decision outside of the expression is within rounding of a tie; None: none is."""
        if not self._tied or isinstance(self.subject, GradientSubject):
            return None
        known = self.recorded.subject

        def again(given: Sequence[torch.Tensor]) -> tuple[Recorder, list[Elements]]:
            found = record(known, through_detach=self.options.through_detach, given=given)
            return found.recorder, found.elements

        return OtherBranches(known, again)

    def _forgive(self, k: int, rows: NDArray[np.int64], autograd: Floats, column: Column, judged: Judged) -> None:
        """An entry that belongs to another branch, which correct code may take as well, is a kink."""
        assert self._other_branches is not None
        wrong = np.isin(judged.codes, [CODE[Verdict.MISMATCH], CODE[Verdict.UNSTABLE]])
        for row in np.flatnonzero(wrong.any(axis=1)).tolist():
            for truth, radius in self._other_branches.rows(k, int(rows[row])):
                here, reach = truth[column.place], radius[column.place]
                limit = column.tolerance.atol + column.tolerance.rtol * np.abs(here).max(initial=0.0)
                close = np.isfinite(reach) & (np.abs(autograd[row, column.place] - here) <= limit + reach)
                for place in np.flatnonzero(wrong[row] & close).tolist():
                    known = [float(x) for x in (judged.truth[row, place], here[place]) if np.isfinite(x)]
                    ends = min(known), max(known)
                    judged.codes[row, place] = CODE[Verdict.KINK]
                    judged.details[row, place] = Detail(*ends, self._tie_note(), has_value=False)

    def _tie_note(self) -> str:
        places = ", ".join(dict.fromkeys(g.origin.place or g.origin.operation for g in self._tied))
        return f"a decision is within rounding of a tie ({places}): this belongs to the other branch"

    def _confirmed(
        self, k: int, rows: NDArray[np.int64], elements: Elements, autograd: Floats, found: tuple[Floats, Floats],
        column: Column, judged: Judged,
    ) -> Judged:  # fmt: skip
        """The rows that did not match, with cotangents one by one: batching must not change a verdict."""
        odd = np.flatnonzero((judged.codes != CODE[Verdict.MATCH]).any(axis=1))[:CONFIRMED]
        single = self.reverse.one_by_one(k, rows[odd])
        if np.array_equal(single[:, column.place], autograd[odd][:, column.place], equal_nan=True):
            return judged
        self.reverse.batched = False
        odd = np.flatnonzero((judged.codes != CODE[Verdict.MATCH]).any(axis=1))
        autograd[odd] = self.reverse.one_by_one(k, rows[odd])
        return Rows(self.truths, elements, autograd, column, column.names, "reverse", found).judged()

    def _judge_combined(self, side: Side, k: int, tallies: Sequence[_Tally]) -> bool:
        """Random sums of the rows of one output, by all inputs; False: not all of them match beyond doubt."""
        elements = self.recorded.elements[k].reshape(-1)
        weights = np.random.default_rng(self.subject.seed).standard_normal((COTANGENTS, len(elements)))
        dtype = FLOATS[self.reverse.outputs[k].tensor.dtype]
        weights = np.round(weights * 2.0**6) / 2.0**6 if dtype.precision > 8 else np.sign(weights)
        autograd, found = side.combined(k, weights), self.truths.rows(elements, weights.T)
        if not self.truths.has_value(elements).all():
            return False
        labels = [f"{self.reverse.outputs[k].name} · cotangent {i + 1}" for i in range(COTANGENTS)]
        entries: list[Entry] = []
        for tally in tallies:
            names = tally.column.names
            rows = Rows(self.truths, elements, autograd, tally.column, names, side.mode, found, weights.T)
            judged = rows.judged()
            if not np.isin(judged.codes, [CODE[Verdict.MATCH], CODE[Verdict.IMPRECISE]]).all():
                return False
            tally.add(judged, autograd[:, tally.column.place])
            entries += self._listed(labels, tally.column, judged, autograd[:, tally.column.place], side.mode)
        self.entries += entries
        return True

    def _listed(
        self, labels: Sequence[str], column: Column, judged: Judged, autograd: Floats, mode: str
    ) -> Iterator[Entry]:
        odd = judged.codes != CODE[Verdict.MATCH]
        chosen = np.argwhere(odd)[:MOST_ROWS]
        if len(chosen) < LISTED:
            worst = np.argsort(-_relative(judged, autograd), axis=None)[:LISTED]
            more = np.stack(np.unravel_index(worst, odd.shape), axis=1)
            chosen = np.concatenate(
                [chosen, [place for place in more if not odd[tuple(place)]] or np.zeros((0, 2), int)]
            )
        names, scale = column.names, judged.scale
        for row, place in chosen.tolist():
            detail = judged.details.get((row, place), Detail())
            verdict = VERDICTS[judged.codes[row, place]]
            truth = float(judged.truth[row, place]) if detail.has_value else None
            truth = None if truth is None else column.dtype.round(truth) if np.isfinite(truth) else truth
            number = float(autograd[row, place])
            off = errors(truth, number, column.dtype)
            yield Entry(
                labels[row], (names[place],), mode, verdict, self._passes(verdict), truth, number,
                detail.left, detail.right, off.absolute, off.relative, off.ulps, float(scale[row]), detail.note,
            )  # fmt: skip

    def _passes(self, verdict: Verdict) -> bool:
        return verdict is Verdict.MATCH if self.options.strict else verdict.passes

    def _compared_values(self) -> tuple[ValueBlock, ...]:
        """Raises Incomplete where the record computes something else than the code."""
        found = []
        for output, elements in zip(self.reverse.outputs, self.recorded.elements, strict=True):
            dtype = min(self._narrowest, FLOATS[output.tensor.dtype], key=lambda dtype: dtype.precision)
            found.append(judge_values(self.truths, elements.reshape(-1), output, dtype))
        for value in found:
            if value.unexplained > DIFFERENT:
                raise Incomplete(
                    f"what was recorded is not what the code returns: {value.output} is off by {value.unexplained:.2g}"
                    " of its size, and no verdict would be about the code"
                )
        return tuple(found)

    def _is_constant(self) -> bool:
        """Whether no output depends on the inputs at all: then there is nothing to compare, and nothing wrong."""
        return all(self.tape.fixed[elements].all() for elements in self.recorded.elements)


def judge_values(truths: Truths, elements: Elements, output: Output, dtype: Dtype) -> ValueBlock:
    """What was recorded, evaluated exactly, against what the function returned. dtype: the narrowest on the way."""
    real, unexplained = numbers(output.tensor).reshape(-1), 0.0
    value, radius = truths.values.value[elements], truths.values.radius[elements]
    with np.errstate(all="ignore"):
        off = np.abs(real - value)
        codes = np.where(off + radius <= dtype.rtol * np.abs(value), CODE[Verdict.MATCH], -1)
        codes = np.where(
            (codes < 0) & ((real == value) | (np.isnan(real) & np.isnan(value))), CODE[Verdict.MATCH], codes
        )
        if (codes < 0).any():
            middle, reach = truths.value_enclosure(elements)
            explained = ~(np.abs(real - middle) > reach + 16 * dtype.unit_roundoff)
            small = off <= dtype.atol + dtype.rtol * np.max(np.abs(value), initial=0.0, where=np.isfinite(value))
            verdict = np.where(
                explained, np.where(small, CODE[Verdict.IMPRECISE], CODE[Verdict.UNSTABLE]), CODE[Verdict.MISMATCH]
            )
            wrong = np.where((codes < 0) & ~explained & np.isfinite(off), off, 0.0).max()
            unexplained = float(wrong / max(np.max(np.abs(value), initial=0.0, where=np.isfinite(value)), 1e-300))
            codes = np.where(codes < 0, verdict, codes)
        relative = np.where(off == 0, 0.0, off / np.abs(value))
    shape, name = tuple(output.tensor.shape), str(output.tensor.dtype).removeprefix("torch.")
    worst = float(np.nanmax(relative)) if relative.size and not np.isnan(relative).all() else None
    return ValueBlock(output.name, shape, name, VERDICTS[codes.max(initial=0)], worst, unexplained)


Floats = NDArray[np.float64]


def _relative(judged: Judged, autograd: Floats) -> Floats:
    with np.errstate(all="ignore"):
        off = np.abs(autograd - judged.truth)
        relative = np.where(off == 0, 0.0, off / np.abs(judged.truth))
    return np.where(np.isnan(relative), 0.0, relative)


class _Tally:
    """The counts of a block, while it comes in rows."""

    def __init__(self, column: Column) -> None:
        self.column, self.counts, self.worst = column, Counter[Verdict](), 0.0

    def add(self, judged: Judged, autograd: Floats) -> None:
        for code, count in zip(*np.unique(judged.codes, return_counts=True), strict=True):
            self.counts[VERDICTS[code]] += int(count)
        comparable = (judged.codes == CODE[Verdict.MATCH]) | (judged.codes == CODE[Verdict.MISMATCH])
        relative = np.where(comparable & (judged.truth != 0), _relative(judged, autograd), 0.0)
        self.worst = max(self.worst, float(relative.max(initial=0.0)))

    def block(self, output: Output, shape: tuple[int, ...], mode: str, strict: bool, cotangents: str) -> Block:
        verdict = Verdict.worst(self.counts) if self.counts else Verdict.MATCH
        return Block(
            output.name, self.column.name, mode, (tuple(output.tensor.shape), shape), verdict,
            verdict is Verdict.MATCH if strict else all(v.passes for v in self.counts), dict(self.counts), self.worst,
            cotangents,
        )  # fmt: skip


def _worst_first(entry: Entry) -> tuple[bool, int, float]:
    relative = entry.rel_error if entry.rel_error is not None else 0.0
    return entry.passed, -entry.verdict.severity, -relative if relative == relative else float("-inf")


def _identity(subject: Subject, options: Options, dtype: Dtype) -> dict[str, Any]:
    return {
        "subject": subject.name, "place": subject.place, "inputs": tuple(_input(leaf) for leaf in subject.leaves),
        "dtype": dtype.name, "device": str(subject.wanted[0].tensor.device), "rtol": options.rtol, "atol": options.atol,
    }  # fmt: skip


def _input(leaf: Any) -> TensorInput:
    tensor: torch.Tensor = leaf.tensor
    name = str(tensor.dtype).removeprefix("torch.")
    return TensorInput(leaf.name, name, tuple(tensor.shape), tensor.requires_grad, leaf.differentiated)


def _failed(subject: Subject, options: Options, error: GradcheckError) -> CodeResult:
    """No verdict at all."""
    dtype = FLOATS[subject.wanted[0].tensor.dtype]
    bad = not isinstance(error, TorchRefusal) and isinstance(error, BadInput)
    return CodeResult(
        **_identity(subject, options, dtype), verdict=Verdict.ERROR, passed=False, error=str(error), bad_input=bad
    )
