"""One problem, read and made ready: joins the parser, the two sides and the verdict."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property, partial
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, TypeVar

from gradcheck_cli.certified.ball import Numbers, certified_constant
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.references import References, references_at
from gradcheck_cli.certified.row_rounding import PointRounding, RowRounding, ValueRounding
from gradcheck_cli.checking.expectations import Expected
from gradcheck_cli.checking.kept_rows import Rows
from gradcheck_cli.checking.points import Points, read_points, read_ranges, sample_points
from gradcheck_cli.checking.reading import Reading, read
from gradcheck_cli.checking.sampling import Sampling
from gradcheck_cli.claims.judge import ClaimedDerivative, unreadable
from gradcheck_cli.diagnosis import wording
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import ExpressionError, NoReference, UsageError
from gradcheck_cli.expression.literals import rounded_constant
from gradcheck_cli.expression.nodes import Constant, Expr, intermediates, topological
from gradcheck_cli.language.printer import to_text
from gradcheck_cli.number_text import exact
from gradcheck_cli.pytorch.gradients import Autograd, AutogradResult, device_name, resolve_device
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.reference import Kind, Reference
from gradcheck_cli.records.request import MAX_ORDER, Request
from gradcheck_cli.records.results import Blame, Check, Claim, ClaimStatus, ProblemResult, Verdict
from gradcheck_cli.runtime.stopwatch import phase
from gradcheck_cli.verdict import Tolerance, compare, errors, judge, with_value

if TYPE_CHECKING:
    from gradcheck_cli.checking.closed_forms import ClosedForms
    from gradcheck_cli.diagnosis import blame
    from gradcheck_cli.diagnosis.diagnosis import Diagnosed, Diagnosis

DEFAULT_SAMPLES = 5
MANY = 1_000  # points from which on blocks of them pay

T = TypeVar("T")


class Problem:
    """A request, read and made ready: the expression, its rows, both sides."""

    def __init__(self, request: Request, reading: Reading | None = None) -> None:
        self.request = request
        self.dtype = _choice(DTYPES, request.dtype, "dtype")
        modes = {"reverse": ["reverse"], "forward": ["forward"], "both": ["reverse", "forward"]}
        self.modes = _choice(modes, request.mode, "mode")
        self.tolerance = self._tolerance()
        self.device = resolve_device(request.device)
        self.notices: list[str] = []
        if reading is None:
            with phase("parsing"):
                reading = read(request)
        self.expression, self.lets, self.variables = reading.expression, reading.lets, reading.variables
        self.rows = self._rows()
        self.claims = self._claims()
        self.expected = Expected(request.expectation, self.rows, self.modes, self.tolerance, self.dtype, self._constant)
        self.expected.require_claims([claim.derivative for claim in self.claims])
        self.own: list[dict[str, float]] = []
        self._check_constants()
        self.numbers = Numbers(self.dtype)
        with phase("derivative"):
            self.derivatives = Derivatives(self.expression, self.rows, self.numbers, self.dtype)
        with phase("autograd"):
            make = partial(Autograd, self.expression, self.rows, dtype=self.dtype, device=self.device)
            self.sides = {mode: make(mode=mode) for mode in self.modes}
        with phase("closed forms"):
            self.forms = self._closed_forms() if request.derivatives else None

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Why rows do not pass. Loaded and made when the first one does not."""
        from gradcheck_cli.diagnosis.diagnosis import Diagnosis

        return Diagnosis(self.expression, self.numbers, self.dtype, self.device, self.tolerance)

    def _closed_forms(self) -> ClosedForms:
        with phase("imports"):
            from gradcheck_cli.checking.closed_forms import (
                ClosedForms,  # with SymPy, half a second that not every run needs
            )

        return ClosedForms(self.expression, self.rows, self.derivatives)

    def _tolerance(self) -> Tolerance:
        rtol = self.dtype.rtol if self.request.rtol is None else self.request.rtol
        atol = self.dtype.atol if self.request.atol is None else self.request.atol
        for name, value in (("rtol", rtol), ("atol", atol)):
            if not 0 <= value < float("inf"):
                raise UsageError(f"--{name} is a number from 0, not {value}")
        return Tolerance(rtol, atol)

    def _rows(self) -> tuple[Derivative, ...]:
        known = (*self.variables, *intermediates(self.expression))
        for name in self.request.wrt:
            if name not in known:
                raise UsageError(f"--wrt {name}: the expression has no {name}; it has {', '.join(known)}")
        if not 1 <= self.request.order <= MAX_ORDER:
            raise UsageError(f"--order is a whole number from 1 to {MAX_ORDER}, not {self.request.order}")
        names = tuple(dict.fromkeys(self.request.wrt)) or self.variables
        return tuple(map(Derivative, combinations_with_replacement(names, self.request.order)))

    def _claims(self) -> list[ClaimedDerivative | Claim]:
        """The claims, read: at most one for each derivative. One that cannot be read costs the problem nothing else."""
        claims: list[ClaimedDerivative | Claim] = []
        for text in self.request.claims:
            try:
                claim = ClaimedDerivative(text, self.expression, self.rows, self.lets)
                if claim.derivative in [other.derivative for other in claims]:
                    raise UsageError(f"there are two claims for {claim.derivative.label}")
                claims.append(claim)
            except (ExpressionError, UsageError) as error:
                claims.append(unreadable(text, self.rows, str(error)))
        return claims

    def judge_claims(self) -> tuple[Claim, ...]:
        """What became of the claims, at the points of the rows and others."""
        tolerance = Tolerance(self.request.claim_rtol, self.tolerance.atol)
        asked = bool(self.request.at)
        if not self.claims:
            return ()
        with phase("claims"):
            return tuple(
                claim
                if isinstance(claim, Claim)
                else self.expected.apply_to_claim(claim.judge(self.own, asked, tolerance))
                for claim in self.claims
            )

    def _check_constants(self) -> None:
        for node in topological(self.expression):
            if isinstance(node, Constant):
                rounded = rounded_constant(node, self.dtype)
                if rounded in (float("inf"), float("-inf")):
                    raise UsageError(
                        f"{_number(node)} overflows {self.dtype.name}, whose largest number is "
                        f"{exact(self.dtype.max, self.dtype)}"
                    )
                if not rounded and node.value:
                    self.notices.append(f"{_number(node)} underflows to 0 in {self.dtype.name}")

    @cached_property
    def given(self) -> Points:
        """The points asked for."""
        points = read_points(self.request.at, self.variables, self._constant)
        self.notices.extend(points.notices)
        return points

    @property
    def has_many_points(self) -> bool:
        """Whether there are so many that blocks of them pay, and more rows than are reported one by one."""
        count = self.given.count + self._wanted
        numbers = bool(self.expected.gradient or self.expected.value)
        return count >= MANY and count * len(self.rows) * len(self.modes) > self.request.keep and not numbers

    @property
    def _wanted(self) -> int:
        """How many points are to be sampled."""
        request = self.request
        return request.samples if request.samples is not None else 0 if request.at else DEFAULT_SAMPLES

    def points(self) -> Iterator[tuple[dict[str, float], References]]:
        """The points asked for, then the samples, as numbers of the working dtype; and what is true there."""
        for point in self.given:
            rounded = self.round_point(point)
            with phase("balls"):
                references = references_at(self.derivatives, rounded)
            yield rounded, references
        sampling = self.sampling()
        if sampling is None:
            return
        for index, point in enumerate(sampling.candidates):
            rounded = self.round_point(point)
            with phase("balls"):
                references = references_at(self.derivatives, rounded)
            if sampling.take(references, index):
                yield rounded, references
            if not sampling.missing:
                break
        self.notice_samples(sampling)

    def sampling(self) -> Sampling | None:
        """The samples asked for, to be taken; None where there are none."""
        if self.request.samples is None and not self._wanted:
            if self.request.ranges:
                raise UsageError("--range is where to sample: give --samples N as well, or leave out --at")
            return None
        ranges = read_ranges(self.request.ranges)
        return Sampling(sample_points(self.variables, self._wanted, self.request.seed, ranges), self._wanted)

    def notice_samples(self, sampling: Sampling) -> None:
        """Say how many points were sampled, and how to get the same ones."""
        outside = f", {sampling.skipped} outside the domain skipped" if sampling.skipped else ""
        points = "point" if sampling.found == 1 else "points"
        self._notice(f"{sampling.found} {points} sampled with --seed {self.request.seed}{outside}")

    def _constant(self, node: Expr) -> Fraction:
        """The double nearest to an expression in a point, such as pi/4. Raises NoReference where there is none."""
        value = certified_constant(node, DTYPES["float64"])
        if math.isinf(value):
            raise NoReference("it is larger than any double")
        return Fraction(value)

    def round_point(self, point: Mapping[str, Fraction]) -> dict[str, float]:
        """A point in the working dtype. Raises UsageError where it overflows."""
        rounded = {name: self.dtype.round(float(value)) for name, value in point.items()}
        for name, value in rounded.items():
            if abs(value) == float("inf"):
                raise UsageError(
                    f"--at {name}={exact(float(point[name]))} overflows {self.dtype.name}, whose largest number is "
                    f"{exact(self.dtype.max, self.dtype)}"
                )
            if not value and point[name]:
                self._notice(f"{name}={exact(float(point[name]))} underflows to 0 in {self.dtype.name}")
        return rounded

    def _notice(self, text: str) -> None:
        if text not in self.notices and len(self.notices) < 20:
            self.notices.append(text)

    def check(
        self,
        point: Mapping[str, float],
        *,
        references: References | None = None,
        results: Mapping[str, AutogradResult] | None = None,
        only: tuple[str, Derivative] | None = None,
        brief: bool = False,
    ) -> Iterator[Check]:
        """The rows of one point.

        references, results: what is true there and what torch says, by mode, where that is known already. only: this
        mode and row. brief: no more than the verdict and the numbers it rests on; no note.
        """
        if references is None:
            with phase("balls"):
                references = references_at(self.derivatives, point)
        if self.forms is not None and not brief:
            with phase("closed forms"):
                self.forms.must_agree(point, references)
        sweeps = PointRounding(point, self.numbers, self.dtype)
        for mode in self.modes:
            if only is not None and mode != only[0]:
                continue
            result = results[mode] if results and mode in results else self._autograd(point, mode)
            with phase("balls"):  # where the two differ, they say whether rounding explains it
                value = _Value(self, references, result, sweeps)
            for row in self.rows if only is None else [only[1]]:
                with phase("balls"):
                    check = self._row(point, row, mode, references.rows[row], result, value, sweeps, brief)
                yield check

    def autograd(self, point: Mapping[str, float]) -> dict[str, AutogradResult]:
        """What torch says at a point, by mode."""
        return {mode: self._autograd(point, mode) for mode in self.modes}

    def _autograd(self, point: Mapping[str, float], mode: str) -> AutogradResult:
        with phase("autograd"):
            return self.sides[mode].at(point)

    def _row(
        self,
        point: Mapping[str, float],
        row: Derivative,
        mode: str,
        truth: Reference,
        result: AutogradResult,
        value: _Value,
        sweeps: PointRounding,
        brief: bool,
    ) -> Check:
        record = partial(
            Check, point, row, mode, value=value.analytical, value_autograd=result.value, value_verdict=value.verdict,
            analytical=truth.value, left=truth.left, right=truth.right,
        )  # fmt: skip
        if row in result.errors and truth.kind is not Kind.UNDEFINED:
            return record(Verdict.ERROR, passed=False, note=result.errors[row])
        autograd = result.derivatives.get(row, float("nan"))
        root = self.derivatives.expressions.get(row.before, self.expression)
        rounding = RowRounding(sweeps, root, row.last, mode, truth, self.expression)
        judged = judge(truth, autograd, self.tolerance, rounding)
        verdict = with_value(judged, value.analytical, result.value)
        found: Diagnosed | None = None
        if verdict in (Verdict.UNSTABLE, Verdict.MISMATCH, Verdict.UNDEFINED) and not brief:
            given = result.derivatives.get(row)
            with phase("diagnosis"):
                if verdict is judged:
                    found = self.diagnosis.row(verdict, point, row, mode, truth, value.analytical, given, rounding)
                else:
                    found = self.diagnosis.of_value(point)
        note = None if brief else wording.row_note(judged, truth, autograd, self.dtype, rounding, found)
        of_value = value.note
        if verdict is not judged and found is not None:
            of_value = wording.only_the_value(value.analytical, result.value, self.dtype, found.blame)
        error = errors(truth.value, autograd, self.dtype)
        passes = verdict.passes
        if self.request.strict:
            passes = verdict is Verdict.MATCH and value.verdict is Verdict.MATCH
        return record(
            verdict, passes, autograd=None if row in result.errors else autograd, abs_error=error.absolute,
            rel_error=error.relative, ulps=error.ulps, note="; ".join(filter(None, (note, of_value))) or None,
            blame=_blame_record(found.blame) if found else None, remedy=found.remedy if found else None,
        )  # fmt: skip

    def result(self, rows: Rows, claims: tuple[Claim, ...], started: float) -> ProblemResult:
        """The finished record. started: when, by time.perf_counter."""
        if not rows.total:
            raise UsageError("there is no point to check at")
        self.expected.require_all_used()
        passed = rows.failed == 0 and all(claim.passed for claim in claims)
        return ProblemResult(
            expression=self.request.expression.strip(),
            variables=self.variables,
            dtype=self.dtype.name,
            device=device_name(self.device),
            rtol=self.tolerance.rtol,
            atol=self.tolerance.atol,
            verdict=Verdict.worst(rows.counts),
            passed=passed,
            bad_input=any(claim.status is ClaimStatus.UNREADABLE for claim in claims),
            derivatives=self.forms.texts if self.forms is not None else None,
            lets={name.strip(): text.strip() for name, _, text in (let.partition("=") for let in self.request.lets)},
            order=self.request.order,
            checks=tuple(rows.kept()),
            checks_total=rows.total,
            counts=rows.counts,
            claims=claims,
            notices=tuple(self.notices),
            seconds=time.perf_counter() - started,
            formula=self._formula() if self.request.formula or not passed else None,
        )

    def _formula(self) -> str:
        """The expression as read, evenly spaced; as typed where that is too long to be of use."""
        try:
            return to_text(self.expression, limit=2_000)
        except ValueError:
            return self.request.expression.strip()


class _Value:
    """The function's own value at a point: certified, torch's, and how they compare."""

    def __init__(self, problem: Problem, references: References, result: AutogradResult, sweeps: PointRounding) -> None:
        self.analytical = references.value
        self.note: str | None = None
        self.verdict = Verdict.ERROR
        if references.value is None:
            self.verdict = Verdict.UNDEFINED if references.value_certified else Verdict.ERROR
        elif result.value is not None:
            rounding = ValueRounding(sweeps, problem.expression)
            self.verdict = compare(references.value, result.value, problem.tolerance, rounding)
            self.note = wording.value_note(self.verdict, references.value, result.value, problem.dtype, rounding)


def _blame_record(found: blame.Blame | None) -> Blame | None:
    return None if found is None else Blame(wording.short(found.step.node), found.step.name, found.cause.value)


def _choice(table: Mapping[str, T], name: str, what: str) -> T:
    if name not in table:
        raise UsageError(f"--{what} {name}: there are {', '.join(table)}")
    return table[name]


def _number(node: Constant) -> str:
    return node.value if isinstance(node.value, str) else exact(float(node.value))
