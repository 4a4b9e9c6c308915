"""A plan under way: its points as they come, its rows as they are counted, and what there is to say of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from gradcheck_cli.certified.references import References
from gradcheck_cli.checking.kept_rows import Rows
from gradcheck_cli.checking.plan import Plan
from gradcheck_cli.checking.points.sampling import Sampling
from gradcheck_cli.checking.points.texts import sample_points
from gradcheck_cli.checking.sides import Sides
from gradcheck_cli.claims.judge import COMPARED, judge
from gradcheck_cli.diagnosis import wording
from gradcheck_cli.errors import UsageError
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.language.printer import text_within
from gradcheck_cli.number_text import exact
from gradcheck_cli.pytorch.devices import device_name
from gradcheck_cli.records.results import Claim, ClaimStatus, ProblemResult, Verdict
from gradcheck_cli.runtime.stopwatch import phase
from gradcheck_cli.surfaces import Option

MANY = 1_000
"""Points from which on blocks of them pay."""
MOST_NOTICES = 20


class Place(NamedTuple):
    """A point, in numbers of the working dtype, and what is true there."""

    point: dict[str, float]
    references: References


class Problem:
    """One run of a plan.

    sampling: the samples, as they are taken; None where there are none. rows: those made so far, and their points.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sides = Sides(plan)
        self.rows = Rows(plan.wanted.keep, remember=COMPARED if plan.claims else 0)
        self.sampling: Sampling | None = None
        if plan.samples is not None:
            count, seed, ranges = plan.samples.count, plan.samples.seed, plan.samples.ranges
            self.sampling = Sampling(sample_points(plan.variables, count, seed, ranges), count)
        self._notices = list(plan.notices)

    @property
    def has_many_points(self) -> bool:
        """Whether there are so many that blocks of them pay, and more rows than are reported one by one."""
        plan = self.plan
        count = plan.points.count + (plan.samples.count if plan.samples is not None else 0)
        rows = count * len(plan.rows) * len(plan.modes)
        return count >= MANY and rows > plan.wanted.keep and not plan.expected.has_numbers

    def places(self) -> Iterator[Place]:
        """The points asked for, then the samples."""
        for point in self.plan.points:
            rounded = self.rounded(point)
            yield Place(rounded, self.sides.references(rounded))
        if self.sampling is None:
            return
        for point in self.sampling.candidates:
            rounded = self.rounded(point)
            references = self.sides.references(rounded)
            if self.sampling.take(references):
                yield Place(rounded, references)
            if not self.sampling.missing:
                break

    def rounded(self, point: Mapping[str, Fraction]) -> dict[str, float]:
        """A point in the working dtype. Raises UsageError where it overflows."""
        dtype = self.plan.dtype
        rounded = {name: dtype.round(float(value)) for name, value in point.items()}
        for name, value in rounded.items():
            if abs(value) == float("inf"):
                raise UsageError(
                    Option("at", f"{name}={exact(float(point[name]))}"),
                    f" overflows {dtype.name}, whose largest number is {exact(dtype.max, dtype)}",
                )
            if not value and point[name]:
                self._notice(f"{name}={exact(float(point[name]))} underflows to 0 in {dtype.name}")
        return rounded

    def _notice(self, text: str) -> None:
        if text not in self._notices and len(self._notices) < MOST_NOTICES:
            self._notices.append(text)

    def result(self, started: float) -> ProblemResult:
        """The finished record, when all rows are made. started: when, by time.perf_counter."""
        plan, rows = self.plan, self.rows
        claims = self._judged_claims()
        if not rows.total:
            raise UsageError("there is no point to check at")
        plan.expected.require_all_used(rows.points)
        if self.sampling is not None and plan.samples is not None:
            self._notice(self.sampling.told(plan.words(Option("seed", str(plan.samples.seed)))))
        for function in self.sides.functions.values():
            for notice in wording.run_instead(function.composed, function.arithmetic.given_tensors):
                self._notice(notice)
        passed = rows.failed == 0 and all(claim.passed for claim in claims)
        readable = plan.wanted.formula or not passed
        return ProblemResult(
            expression=plan.text,
            variables=plan.variables,
            dtype=plan.dtype.name,
            device=device_name(plan.device),
            rtol=plan.tolerance.rtol,
            atol=plan.tolerance.atol,
            verdict=Verdict.worst(rows.counts),
            passed=passed,
            bad_input=any(claim.status is ClaimStatus.UNREADABLE for claim in claims),
            derivatives=self.sides.forms.texts if self.sides.forms is not None else None,
            lets={label: text for label, (text, _) in plan.definitions.items()},
            definitions={label: _shown(*one) for label, one in plan.definitions.items()} if readable else None,
            function_name=plan.function_name,
            order=plan.order,
            checks=tuple(rows.kept()),
            checks_total=rows.total,
            checks_failed=rows.failed,
            counts=rows.counts,
            claims=claims,
            notices=tuple(self._notices),
            seconds=time.perf_counter() - started,
            formula=_shown(plan.text, plan.expression) if readable else None,
        )

    def _judged_claims(self) -> tuple[Claim, ...]:
        """What became of the claims, at the points of the rows and others."""
        plan = self.plan
        if not plan.claims:
            return ()
        asked = bool(plan.points.texts)
        with phase("claims"):
            return tuple(
                claim
                if isinstance(claim, Claim)
                else plan.expected.apply_to_claim(
                    judge(claim, self.rows.first_points, asked, plan.claim_tolerance, words=plan.words)
                )
                for claim in plan.claims
            )


def _shown(text: str, expression: Expr) -> str:
    """An expression as it was read, evenly spaced; as typed where that is too long to be of use."""
    return text_within(expression, 2_000) or text
