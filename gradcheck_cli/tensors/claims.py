"""Claims about formulas of arrays: an array that is said to be the derivative, judged entry by entry.

The claim is a formula of the same arrays. Both are recorded on one tape, so that an entry of the claim and of the
derivative are expressions of the same variables: numbers refute at the point that was given, algebra proves, for the
shapes that were given.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gradcheck_cli.certified.float_filter.kernels import WIDER
from gradcheck_cli.claims.claim_text import split_claim
from gradcheck_cli.claims.claimed import ClaimedDerivative
from gradcheck_cli.claims.judge import judge
from gradcheck_cli.claims.reading import ReadClaim
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import ExpressionError, GradcheckError, UsageError
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.real_code.recorded import Recorded, record
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.real_code.subject import Subject
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.results import Claim, ClaimStatus, Counterexample
from gradcheck_cli.surfaces import Option
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.expressions import Expressions
from gradcheck_cli.tape.gradient import gradient
from gradcheck_cli.tensors.constraints import sufficient
from gradcheck_cli.tensors.cursor import Term
from gradcheck_cli.tensors.program import Program, Ref, Step
from gradcheck_cli.tensors.question import Question, are
from gradcheck_cli.tensors.reader import read
from gradcheck_cli.tensors.running import Formula, arguments
from gradcheck_cli.tensors.slips import slip
from gradcheck_cli.verdict import Tolerance

MOST_ENTRIES = 100
"""Entries up to which each is compared at other points and proven; more are compared at the point alone."""
MOST_OPERATIONS = 600
"""Of an entry, for the same."""
SHORT = 12
"""Operations of an entry whose slip is told as that of a formula of numbers."""
PROOF_SECONDS = 4.0
VALUES = ("f", "s", "y")
Floats = NDArray[np.float64]


def judged_claims(question: Question, order: int) -> tuple[Claim, ...]:
    """What became of each claim of the request."""
    return tuple(claim for text in question.request.claims for claim in _of_text(question, text, order))


def _of_text(question: Question, text: str, order: int) -> Iterator[Claim]:
    names: tuple[str, ...] = ()
    try:
        said = split_claim(text)
        names = said.wrt([w.name for w in question.wanted])
        formulas, whole = said.formulas, _formula(text, said.left)
        if len(formulas) > 1 and (names or len(question.wanted) != len(formulas)):
            formulas = (whole,)  # a list is an array
        for k, formula in enumerate(formulas):
            by = _wanted(question, names, order, k if len(formulas) > 1 else None)
            try:
                yield _Claimed(question, by, formula if len(formulas) > 1 else whole).judged()
            except GradcheckError as error:
                yield Claim(Derivative(by), formula, ClaimStatus.UNREADABLE, False, 0, note=_words(question, error))
    except GradcheckError as error:
        yield Claim(Derivative(names), text.strip(), ClaimStatus.UNREADABLE, False, 0, note=_words(question, error))


def _words(question: Question, error: GradcheckError) -> str:
    return error.worded(question.request.words)


def _formula(text: str, left: str) -> str:
    """What stands behind the left side."""
    rest = text.strip()
    return rest[len(left) :].lstrip()[1:].strip() if left else rest


def _wanted(question: Question, names: Sequence[str], order: int, row: int | None) -> tuple[str, ...]:
    """The variables of the derivative that a claim is for."""
    known = [w.name for w in question.wanted]
    if row is not None:
        return (known[row],) * order
    if not names and len(known) == 1:
        return (known[0],) * order
    if len(names) == 1 and order == 2:
        names = (names[0], names[0])
    if len(names) != order:
        example = f"{', '.join(known[:1] * order)}: ..."
        message = f": there are several derivatives ({', '.join(known)}), so say which it is: "
        raise UsageError(Option("claim"), message, Option("claim", example))
    for name in names:
        if name not in known:
            raise UsageError(f"nothing is derived by {name}: there {are(known)}")
    return tuple(names)


class _Claimed:
    """One claim. by: the variables of the derivative. text: the formula."""

    def __init__(self, question: Question, by: tuple[str, ...], text: str) -> None:
        self.question, self.by, self.text = question, by, text
        self.remarks: list[str] = []
        self.program = question.program.copy()
        self.names: dict[str, Term | Ref] = {**dict.fromkeys(VALUES, question.result), **question.names}
        self.term = _as_floats(
            read(text, self.program, self.names, question.dtype, what="claim"), self.program, question
        )
        shapes = {
            w.name: () if w.place is not None else tuple(question.inputs[w.variable].shape) for w in question.wanted
        }
        self.of = tuple(question.value.shape) if len(by) == 1 and question.value.numel() != 1 else ()
        self.shape = self.of + tuple(n for name in by for n in shapes[name])
        self.inner = shapes[by[-1]]

    def judged(self) -> Claim:
        value = self.term.value
        shape = tuple(value.shape) if isinstance(value, Tensor) else ()
        if not _broadcasts(shape, self.shape):
            turned = shape == tuple(reversed(self.shape)) and shape != self.shape
            hint = ": is it transposed?" if turned else ""
            raise UsageError(f"it is {_sized(shape)}, and the derivative is {_sized(self.shape)}{hint}")
        self.claimed = np.broadcast_to(self._recorded.elements[1], self.shape).reshape(-1)
        truths, of, columns = self._truths
        truth, radius = (np.concatenate([x[:, columns] for x in part]).reshape(-1) for part in _in_batches(truths, of))
        claim, claim_radius = truths.values.value[self.claimed], truths.values.radius[self.claimed]
        if self._is_large and len(self.by) == 1:
            self._probe(truth, radius)
        refuting = _refuting(claim, truth, radius + claim_radius, self.question.request.claim_rtol)
        if refuting is not None:
            return self._refuted(refuting, claim, truth)
        return self._entry_by_entry(truth, radius, claim, claim_radius)

    def _probe(self, truth: Floats, radius: Floats) -> None:
        """The entries that float64 leaves open, as at norm(x) = 0, by expressions and balls."""
        truths, of, _ = self._truths
        given = next(one for one in self._recorded.recorder.tape.inputs if one.name == self.by[0])
        open_ = ~np.isfinite(truth + radius).reshape(len(of), -1)
        for row in np.flatnonzero(open_.any(axis=1)).tolist():
            names = {given.label(k): row * open_.shape[1] + k for k in np.flatnonzero(open_[row]).tolist()}
            for name, reference in truths.exact(int(of[row])).references(list(names), DTYPES["float64"]).items():
                if reference.value is not None and math.isfinite(reference.value):
                    truth[names[name]], radius[names[name]] = reference.value, abs(reference.value) * 2.0**-52

    @cached_property
    def _recorded(self) -> Recorded:
        """The formula and the claim on one tape."""
        formula = Formula(self.question, self.program, [self.question.result.arg, self.term.arg])
        # Also what --wrt leaves out varies: at the numbers given alone, 2*A @ x is right of every symmetric A.
        wrt = list(dict.fromkeys([*(w.name for w in self.question.wanted), *self.question.varying]))
        # A condition holds nothing constant: a claim is mathematics.
        return record(Subject(formula, (), arguments(self.question), wrt=wrt), through_detach=True)

    @cached_property
    def _truths(self) -> tuple[Truths, Elements, slice]:
        """What is true of the tape; the elements whose derivatives are claimed; the columns of the last variable."""
        tape = self._recorded.recorder.tape
        columns, start = {}, 0
        for given in tape.inputs:
            columns[given.name] = slice(start, start + given.elements.size)
            start += given.elements.size
        of = self._recorded.elements[0].reshape(-1)
        if len(self.by) == 2:
            of = gradient(tape, of, np.full(1, tape.constant(1.0)))[columns[self.by[0]]]
        return Truths(tape), of, columns[self.by[1 if len(self.by) == 2 else 0]]

    @cached_property
    def _is_large(self) -> bool:
        """Whether it is compared at the point alone."""
        if len(self.claimed) > MOST_ENTRIES:
            return True
        expressions = Expressions(self._truths[0].values, everywhere=True)
        elements = dict.fromkeys([*self.claimed.tolist(), *self._first_elements.tolist()])
        return max((expressions.size(element, MOST_OPERATIONS) for element in elements), default=0) > MOST_OPERATIONS

    # What the numbers say

    def _refuted(self, place: int, claim: Floats, truth: Floats) -> Claim:
        found = Counterexample({}, float(claim[place]), float(truth[place]), entry=self._label(place))
        arrays = truth.reshape(self.shape), claim.reshape(self.shape)
        note = slip(self.question, self.text, *arrays, self._again, self._label, len(self.of))
        note = note or (self._slip_of(place) if claim[place] else None)  # 0 may be by chance
        return Claim(Derivative(self.by), self.text, ClaimStatus.REFUTED, False, 1, found, note)

    def _slip_of(self, place: int) -> str | None:
        """What was done wrong in one entry, as a function of numbers."""
        expressions = Expressions(self._truths[0].values, everywhere=True)
        function = self._first_elements[place // max(1, len(self.claimed) // len(self._first_elements))]
        elements = int(self.claimed[place]), int(function)
        if max(expressions.size(element, SHORT) for element in elements) > SHORT:
            return None
        entry, names = next(itertools.islice(self._functions(expressions), place, None))
        found = self._judged_entry(expressions, place, entry, names, time.monotonic())
        return found.note if found.status is ClaimStatus.REFUTED else None

    def _again(self, text: str) -> Floats | None:
        """The numbers of another text in its place; None where it has none."""
        program = self.question.program.copy()
        try:
            value = read(text, program, self.names, self.question.dtype).value
            numbers = value.detach().double().cpu().numpy() if isinstance(value, Tensor) else np.asarray(float(value))
            return np.broadcast_to(numbers, self.shape)
        except (ExpressionError, ValueError):
            return None

    def _label(self, place: int) -> str:
        """`W[0,1]`, or for a Jacobian `∂f[2]/∂x[0]`."""
        index = tuple(int(i) for i in np.unravel_index(place, self.shape)) if self.shape else ()
        outer, inner = index[: len(self.shape) - len(self.inner)], index[len(self.shape) - len(self.inner) :]
        last = _indexed(self.by[-1], inner)
        if len(self.by) == 2:
            return f"∂{_indexed(self.by[0], outer)}∂{last}"
        return f"∂{_indexed(self.question.name, outer)}/∂{last}" if self.of else last

    # What algebra says

    def _entry_by_entry(self, truth: Floats, radius: Floats, claim: Floats, claim_radius: Floats) -> Claim:
        """No entry is refuted at the point: is each equal everywhere?"""
        unknown = ~np.isfinite(truth + radius + claim + claim_radius)
        if (without := np.flatnonzero(~np.isfinite(claim) & np.isfinite(truth + radius))).size:
            where = self._label(int(without[0]))
            self.remarks.append(f"the claim is undefined at {where}, where the derivative exists")
        shapes = "for these shapes"
        if self._is_large:
            if unknown.all():
                return self._claim(ClaimStatus.UNCHECKED, 0, "no entry of both has a value at this point")
            return self._claim(ClaimStatus.AGREES, 1, f"{shapes}; too large for a proof: compared at the point alone")
        expressions = Expressions(self._truths[0].values, everywhere=True)
        statuses, points = [], 1
        deadline = time.monotonic() + PROOF_SECONDS
        for place, (function, names) in enumerate(self._functions(expressions)):
            found = self._judged_entry(expressions, place, function, names, deadline)
            if found.status is ClaimStatus.REFUTED:
                assert found.counterexample is not None
                example = replace(found.counterexample, entry=self._label(place))
                note = "; ".join(filter(None, [self._where_it_holds(expressions, unknown), found.note])) or None
                return replace(self._claim(ClaimStatus.REFUTED, 1, note), counterexample=example)
            statuses.append(found.status)
            if found.status is ClaimStatus.AGREES and found.note and not self.remarks:
                self.remarks.append(f"{self._label(place)}: {found.note}")
            points = max(points, found.points)
        if all(status is ClaimStatus.UNCHECKED for status in statuses):
            return self._claim(ClaimStatus.UNCHECKED, 0, "no entry of both has a value at the points tried")
        if self._recorded.recorder.guards:  # an order, or an index, that depends on the numbers
            return self._claim(ClaimStatus.AGREES, points, f"{shapes}, and as long as the same elements are chosen")
        if all(status is ClaimStatus.PROVEN for status in statuses):
            return self._claim(ClaimStatus.PROVEN, points, f"entry by entry, {shapes}")
        proven = sum(status is ClaimStatus.PROVEN for status in statuses)
        return self._claim(ClaimStatus.AGREES, points, f"{shapes}; {proven} of {len(statuses)} entries are proven")

    def _where_it_holds(self, expressions: Expressions, unknown: NDArray[np.bool_]) -> str | None:
        """What to say of a claim that is right at the numbers given, and refuted at others."""
        if unknown.any():
            return None
        pairs = []
        for place, (function, names) in enumerate(self._functions(expressions)):
            claimed = ClaimedDerivative(
                ReadClaim(Derivative(names), self.text, expressions.of(int(self.claimed[place]))), function
            )
            pairs.append((claimed.claim, claimed.right))
        given = {one.name: one for one in self._recorded.recorder.tape.inputs}
        arrays = {name: one.elements for name, one in given.items()}
        numbers = {name: self._recorded.recorder.tape.numbers[elements] for name, elements in arrays.items()}
        labels = {name: [one.label(k) for k in range(one.elements.size)] for name, one in given.items()}
        where = sufficient(pairs, numbers, labels)
        if where is not None:
            return f"it holds where {where}, as at the numbers given, and not in general"
        return "every entry is right at the numbers given, and not in general"

    @property
    def _first_elements(self) -> Elements:
        return self._recorded.elements[0].reshape(-1)

    def _functions(self, expressions: Expressions) -> Iterator[tuple[Expr, tuple[str, ...]]]:
        """For each entry, the element of the result that it is a derivative of, and the names of the variables."""
        labels = {given.name: [given.label(i) for i in range(given.elements.size)]
                  for given in self._recorded.recorder.tape.inputs}  # fmt: skip
        for element in self._first_elements.tolist():
            function = expressions.of(element)
            for names in itertools.product(*(labels[name] for name in self.by)):
                yield function, names

    def _judged_entry(
        self, expressions: Expressions, place: int, function: Expr, names: tuple[str, ...], deadline: float
    ) -> Claim:
        claim = expressions.of(int(self.claimed[place]))
        claimed = ClaimedDerivative(ReadClaim(Derivative(names), self.text, claim), function, is_entry=True)
        point = {name: expressions.point[name] for name in claimed.names}
        seconds = max(0.0, min(PROOF_SECONDS / 2, deadline - time.monotonic()))
        tolerance = Tolerance(self.question.request.claim_rtol, DTYPES["float64"].atol)
        return judge(claimed, [point], True, tolerance, seconds)

    def _claim(self, status: ClaimStatus, points: int, note: str | None) -> Claim:
        note = "; ".join(filter(None, [note, *self.remarks])) or None
        return Claim(Derivative(self.by), self.text, status, status.passes, points, None, note)


def _as_floats(term: Term, program: Program, question: Question) -> Term:
    """A condition as 0 and 1; what has numbers already, as it is."""
    value, dtype = term.value, question.dtype
    if not isinstance(value, Tensor) or value.is_floating_point():
        return term

    def run(x: Tensor) -> Tensor:
        return x.to(dtype)

    ref = program.add(Step(run, (term.arg,)), run(value))
    return term._replace(arg=ref, value=run(value))


def _in_batches(truths: Truths, elements: Elements) -> tuple[list[Floats], list[Floats]]:
    """(derivatives, radii) of elements by all inputs."""
    parts = [truths.rows(elements[i : i + truths.batch]) for i in range(0, len(elements), truths.batch)]
    return [part[0] for part in parts], [part[1] for part in parts]


def _refuting(claim: Floats, truth: Floats, radius: Floats, rtol: float) -> int | None:
    """The entry that is wrong by most, proven; None where there is none."""
    with np.errstate(all="ignore"):
        off = np.abs(claim - truth) - radius * WIDER
        wrong = np.isfinite(off) & (off > rtol * np.abs(truth) + DTYPES["float64"].atol)
    return int(np.where(wrong, off, -1.0).argmax()) if wrong.any() else None


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    return len(shape) <= len(to) and all(m in (1, n) for m, n in zip(reversed(shape), reversed(to), strict=False))


def _indexed(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{','.join(map(str, index))}]" if index else name


def _sized(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) if len(shape) > 1 else f"{shape[0]} numbers" if shape else "one number"
