"""Every entry of the Jacobian judged, block by block: by one-hot cotangents, or by random sums of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import TorchRefusal
from gradcheck_cli.real_code.alone import Alone, alone
from gradcheck_cli.real_code.asked import Options
from gradcheck_cli.real_code.branches import OtherBranches, tied
from gradcheck_cli.real_code.gradient_subject import GradientSubject
from gradcheck_cli.real_code.in_double import InDouble
from gradcheck_cli.real_code.judge import CODE, OPEN, Column, Detail, Judged, Names, Rows
from gradcheck_cli.real_code.recorded import Recorded, record
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.real_code.side import Reverse, Side
from gradcheck_cli.real_code.tally import Tally, listed
from gradcheck_cli.records.code import Block, Entry
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tape.doubt import BLURRED, CLEAR, TIED
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.guard import Guard
from gradcheck_cli.tracing.recorder import Recorder
from gradcheck_cli.tracing.tensors import FLOATS
from gradcheck_cli.verdict import Tolerance

Floats = NDArray[np.float64]
COTANGENTS = 3
OTHERS = (-3.0, -2.0, -0.5, 0.5, 2.0, 3.0)
"""Cotangents that are not 1."""
MANY = 64
"""Rows at a tie from which on they are not taken one by one."""
PRECISE = 200_000
"""Elements of a tape up to which 30 digits are tried on all of an output at once."""
CONFIRMED = 8
"""Rows that are run again without batching where something is off."""


class Jacobian:
    """recorded: what is true; reverse: what torch says. spread: by how much two runs differ, by output.."""

    def __init__(
        self, recorded: Recorded, truths: Truths, reverse: Reverse, options: Options, spread: Mapping[int, float]
    ) -> None:
        self.recorded, self.truths, self.reverse, self.options = recorded, truths, reverse, options
        self.spread = spread
        self.tape = recorded.recorder.tape
        self.entries: list[Entry] = []
        self.in_double = InDouble(recorded, truths, reverse.subject)
        self.width = sum(given.elements.size for given in self.tape.inputs)

    @cached_property
    def dtype(self) -> Dtype:
        """The narrowest of the inputs."""
        return min((given.dtype for given in self.tape.inputs), key=lambda dtype: dtype.precision)

    @cached_property
    def narrowest(self) -> Dtype:
        """The narrowest dtype in which the code rounds anything."""
        rounded = (i.dtype for i in self.tape.instructions if i.function not in ("input", "constant"))
        return min(rounded, key=lambda dtype: dtype.precision, default=self.dtype)

    def _columns(self, k: int, output: Dtype) -> Iterator[Column]:
        first = 0
        for given in self.tape.inputs:
            stop = first + given.elements.size
            dtype = min(given.dtype, output, self.narrowest, key=lambda dtype: dtype.precision)
            rtol = dtype.rtol if self.options.rtol is None else self.options.rtol
            atol = dtype.atol if self.options.atol is None else self.options.atol
            tolerance = Tolerance(rtol, max(atol, self.spread.get(k, 0.0)))
            yield Column(given.name, slice(first, stop), given.dtype, tolerance, Names(given), dtype)
            first = stop

    def blocks(self, side: Side, outputs: Sequence[int]) -> Iterator[Block]:
        """The blocks of some outputs by all inputs, in the mode of the side."""
        for k in outputs:
            count = self.recorded.elements[k].size
            dtype = FLOATS[self.reverse.outputs[k].tensor.dtype]
            tallies = [Tally(column, keeps=self._keeps(column, count)) for column in self._columns(k, dtype)]
            rows, cotangents = np.arange(count), "one-hot"
            if self._by_random(count):
                for clear in self._clear(k):
                    if self._judge_combined(side, k, clear, tallies):
                        rows, cotangents = np.flatnonzero(~clear), "random"
                        break
                    # what is left, or wrong, shows its outputs one by one
                    tallies = [Tally(tally.column, keeps=self._keeps(tally.column, count)) for tally in tallies]
            for first in range(0, len(rows), self.truths.batch):
                self._judge(side, k, rows[first : first + self.truths.batch], tallies)
            if side.mode == "reverse" and self.truths.has_functions:
                if cotangents == "one-hot":
                    self._judge_other_cotangents(k, tallies)
                self._judge_alone(k, tallies)
            for tally, given in zip(tallies, self.tape.inputs, strict=True):
                yield tally.block(
                    self.reverse.outputs[k], given.elements.shape, side.mode, self.options.strict, cotangents
                )

    def _keeps(self, column: Column, rows: int) -> bool:
        return rows * len(column.names) <= self.options.arrays

    def _by_random(self, rows: int) -> bool:
        """Fewer rows than random sums would be are taken by themselves."""
        chosen = self.options.cotangents
        large = rows * self.width > self.options.one_hot
        return rows > COTANGENTS and (chosen == "random" or (chosen == "auto" and large))

    def _judge(self, side: Side, k: int, rows: NDArray[np.int64], tallies: Sequence[Tally]) -> None:
        """Some rows of one output, by all inputs."""
        elements = self.recorded.elements[k].reshape(-1)[rows]
        autograd, found = side.rows(k, rows), self.truths.rows(elements)
        for tally in tallies:
            names = tally.column.names
            judged = Rows(self.truths, elements, autograd, tally.column, names, side.mode, found).judged()
            self._forgive(k, rows, autograd, tally.column, judged)
            if side.batched and (judged.codes != CODE[Verdict.MATCH]).any():
                judged = self._confirmed(side, k, rows, elements, autograd, found, tally.column, judged)
            self.in_double.settle(
                judged, autograd, tally.column, side.mode, lambda double, of: double.rows(k, rows[of])
            )
            tally.add(judged, autograd[:, tally.column.place])
            labels = [self.reverse.outputs[k].label(row) for row in rows.tolist()]
            self.entries += self._listed(labels, tally.column, judged, autograd, side)

    def _clear(self, k: int) -> Iterator[NDArray[np.bool_]]:
        """Which elements of an output to add up: all of them, where too many are at a tie to be taken one by one; all
        but those, where more digits may tell of the others; those that are beyond doubt."""
        elements = self.recorded.elements[k].reshape(-1)
        level, has_value = self.truths.doubts[elements], self.truths.has_value(elements)
        clear = (level == CLEAR) & has_value
        if (level == TIED).sum() > MANY:
            yield has_value
        if (level == BLURRED).any() and self.tape.size <= PRECISE:
            yield (level == BLURRED) | clear
        yield clear

    def _judge_combined(self, side: Side, k: int, clear: NDArray[np.bool_], tallies: Sequence[Tally]) -> bool:
        """Random sums of the clear rows of one output, by all inputs; False: not all of them match, and the entries
        are to be found."""
        elements = self.recorded.elements[k].reshape(-1)
        weights = np.random.default_rng(self.reverse.subject.seed).standard_normal((COTANGENTS, len(elements)))
        dtype = FLOATS[self.reverse.outputs[k].tensor.dtype]
        weights = np.round(weights * 2.0**6) / 2.0**6 if dtype.precision > 8 else np.sign(weights)
        weights = np.where(clear, weights, 0.0)
        if not clear.any():
            return True
        autograd, found = side.combined(k, weights), self.truths.rows(elements, weights.T)
        labels = [f"{self.reverse.outputs[k].name} · cotangent {i + 1}" for i in range(COTANGENTS)]
        entries: list[Entry] = []
        for tally in tallies:
            names = tally.column.names
            rows = Rows(self.truths, elements, autograd, tally.column, names, side.mode, found, weights.T)
            judged = rows.judged()
            self.in_double.settle(
                judged, autograd, tally.column, side.mode, lambda double, of: double.combined(k, weights[of])
            )
            right = np.isin(judged.codes, [CODE[v] for v in (Verdict.MATCH, Verdict.IMPRECISE, Verdict.KINK)]).all()
            wrong = (judged.codes == CODE[Verdict.MISMATCH]).any()
            if not right and (self.options.pinpoint or not wrong):
                return False
            judged.codes[judged.codes == OPEN] = CODE[Verdict.MATCH]  # beside what is wrong, and not looked into
            tally.add(judged, autograd[:, tally.column.place])
            entries += self._listed(labels, tally.column, judged, autograd, side)
        self.entries += entries
        return True

    def _judge_other_cotangents(self, k: int, tallies: Sequence[Tally]) -> None:
        """Where nothing is wrong: a backward by hand may be right for a cotangent of 1 only, as one is that forgets it;
        or once, as one is that multiplies what it has saved by it in place; or for one that is contiguous."""
        if any(set(tally.counts) - {Verdict.MATCH, Verdict.IMPRECISE} for tally in tallies):
            return
        elements = self.recorded.elements[k].reshape(-1)
        numbers = self._other_cotangent(len(elements))
        found = self.truths.rows(elements, numbers.T)
        twice = self.reverse.combined(k, np.tile(numbers, (2, 1)))[1:]
        if self._judge_sum(k, "another cotangent", twice, numbers, found, tallies) or len(elements) < 2:
            return
        try:
            apart = self.reverse.with_gaps(k, numbers)
        except TorchRefusal as error:
            self.reverse.troubles.append(f"where the gradient that comes in is not contiguous, {error}")
            return
        if not np.array_equal(apart, twice):
            self._judge_sum(k, "a cotangent that is not contiguous", apart, numbers, found, tallies)

    def _other_cotangent(self, count: int) -> Floats:
        """Of both signs; of a single element, negative."""
        numbers = np.random.default_rng(self.reverse.subject.seed).choice(OTHERS, (1, count))
        numbers[0, 0] = -abs(numbers[0, 0])
        return numbers

    def _judge_sum(
        self, k: int, label: str, autograd: Floats, numbers: Floats, found: tuple[Floats, Floats],
        tallies: Sequence[Tally], *, in_double: bool = True,
    ) -> bool:  # fmt: skip
        """Whether a sum of the rows of an output is wrong by one of the inputs that the tallies are of. in_double: the
        code in float64, where all inputs need a gradient, may say so."""
        elements = self.recorded.elements[k].reshape(-1)
        wrong = False
        for tally in tallies:
            column = tally.column
            rows = Rows(self.truths, elements, autograd, column, column.names, "reverse", found, numbers.T)
            judged = rows.judged()
            if in_double:
                self.in_double.settle(
                    judged, autograd, column, "reverse", lambda double, of: double.combined(k, numbers[of])
                )
            if (judged.codes == CODE[Verdict.MISMATCH]).any():
                wrong = True
                tally.add(judged, autograd[:, column.place])
                whole = f"{self.reverse.outputs[k].name} · {label}"
                self.entries += self._listed([whole], column, judged, autograd, self.reverse)
        return wrong

    def _judge_alone(self, k: int, tallies: Sequence[Tally]) -> None:
        """By inputs of which all is right so far: also where they alone need a gradient, if a backward asks that."""
        if self._alone is None:
            return
        elements = self.recorded.elements[k].reshape(-1)
        numbers = self._other_cotangent(len(elements))
        right = [not set(tally.counts) - {Verdict.MATCH, Verdict.IMPRECISE} for tally in tallies]
        whole, found = self.reverse.combined(k, numbers), self.truths.rows(elements, numbers.T)
        for case in self._alone.cases:
            autograd = self._alone.combined(case, k, numbers)
            if autograd is None:
                continue
            for place in case.needed:
                where = tallies[place].column.place
                if right[place] and not np.array_equal(autograd[:, where], whole[:, where]):
                    one = [tallies[place]]
                    right[place] = not self._judge_sum(k, case.text, autograd, numbers, found, one, in_double=False)

    @cached_property
    def _alone(self) -> Alone | None:
        if isinstance(self.reverse.subject, GradientSubject) or self.spread:
            return None
        return alone(self.recorded.recorder, self.reverse)

    def _confirmed(
        self, side: Side, k: int, rows: NDArray[np.int64], elements: Elements, autograd: Floats,
        found: tuple[Floats, Floats], column: Column, judged: Judged,
    ) -> Judged:  # fmt: skip
        """The rows that did not match, without batching: it must not change a verdict."""
        odd = np.flatnonzero((judged.codes != CODE[Verdict.MATCH]).any(axis=1))[:CONFIRMED]
        single = side.one_by_one(k, rows[odd])
        if np.array_equal(single[:, column.place], autograd[odd][:, column.place], equal_nan=True):
            return judged
        side.batched = False
        odd = np.flatnonzero((judged.codes != CODE[Verdict.MATCH]).any(axis=1))
        autograd[odd] = side.one_by_one(k, rows[odd])
        return Rows(self.truths, elements, autograd, column, column.names, side.mode, found).judged()

    @cached_property
    def tied(self) -> list[Guard]:
        recorder = self.recorded.recorder
        return tied(recorder.guards, self.truths.rounded) if recorder.guards else []

    @cached_property
    def _other_branches(self) -> OtherBranches | None:
        """Where a decision outside of the expression is within rounding of a tie; None: none is."""
        if not self.tied or isinstance(self.reverse.subject, GradientSubject):
            return None
        known = self.recorded.subject

        def again(given: Sequence[torch.Tensor]) -> tuple[Recorder, list[Elements]]:
            found = record(known, through_detach=self.options.through_detach, given=given)
            return found.recorder, found.elements

        return OtherBranches(known, again)

    def _forgive(self, k: int, rows: NDArray[np.int64], autograd: Floats, column: Column, judged: Judged) -> None:
        """An entry that belongs to another branch, which correct code may take as well, is a kink."""
        wrong = np.isin(judged.codes, [CODE[Verdict.MISMATCH], CODE[Verdict.UNSTABLE]])
        if not wrong.any() or self._other_branches is None:
            return
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
        places = ", ".join(dict.fromkeys(g.origin.place or g.origin.operation for g in self.tied))
        return f"a decision is within rounding of a tie ({places}): this belongs to the other branch"

    def _listed(
        self, labels: Sequence[str], column: Column, judged: Judged, autograd: Floats, side: Side
    ) -> Iterator[Entry]:
        return listed(labels, column, judged, autograd[:, column.place], side.mode, strict=self.options.strict)
