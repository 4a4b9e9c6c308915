"""All of a run: the results of its problems, whatever they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.results import ClaimStatus, ProblemResult, Verdict
from gradcheck_cli.records.shown import Shown

AnyResult = ProblemResult | CodeResult


@dataclass(frozen=True, slots=True)
class Trouble:
    """What could not be read at all, or selected, so that nothing of it was checked: a sentence, and the place."""

    message: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What a problem file says of itself, for people."""

    file: str
    title: str | None = None
    description: str | None = None


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """All of a run.

    versions: of gradcheck, torch, sympy, flint and python. not_run: how many problems were selected and not checked,
    since the run was interrupted or ended at the first failure. shard: "2/5" where it is a part of a run, which may be
    empty. headings: of the files that have one. title: what the report is called, where that was asked for.
    """

    problems: tuple[AnyResult, ...]
    versions: Mapping[str, str]
    seconds: float = 0.0
    not_run: int = 0
    interrupted: bool = False
    troubles: tuple[Trouble, ...] = ()
    shard: str | None = None
    headings: tuple[Heading, ...] = ()
    title: str | None = None

    def _repr_words(self) -> str:
        counts = ", ".join(f"{count:,} {verdict.value}" for verdict, count in self.counts.items() if count)
        outcome = "passed" if self.passed else f"{self.problems_failed:,} failed"
        return f"{len(self.problems):,} problems: {outcome}{f' ({counts})' if counts else ''}"

    @property
    def passed(self) -> bool:
        """Whether all that was to be checked passed: never of a run that was interrupted, or could not read a file."""
        whole = not self._is_empty and not self.troubles and not self.interrupted
        return whole and all(problem.passed for problem in self.problems)

    @property
    def bad_input(self) -> bool:
        return self._is_empty or bool(self.troubles) or any(problem.bad_input for problem in self.problems)

    @property
    def _is_empty(self) -> bool:
        """Whether there was nothing to check, and that is nobody's intention."""
        return not self.problems and self.shard is None

    @property
    def bug(self) -> bool:
        return any(problem.bug for problem in self.problems)

    @property
    def is_batch(self) -> bool:
        """Whether the problems come from files."""
        return any(problem.name is not None for problem in self.problems)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many rows had each verdict, over all problems."""
        return {v: sum(problem.counts.get(v, 0) for problem in self.problems) for v in Verdict}

    @property
    def claims(self) -> dict[ClaimStatus, int]:
        """How many claims ended in each way, over all problems."""
        claims = [claim for problem in self.problems for claim in problem.claims]
        return {status: sum(claim.status is status for claim in claims) for status in ClaimStatus}

    @property
    def claims_failed(self) -> int:
        return sum(not claim.passed for problem in self.problems for claim in problem.claims)

    @property
    def checks(self) -> int:
        return sum(problem.checks_total for problem in self.problems)

    @property
    def checks_failed(self) -> int:
        return sum(problem.checks_failed for problem in self.problems)

    @property
    def problems_failed(self) -> int:
        return sum(not problem.passed for problem in self.problems)

    @property
    def problems_without_check(self) -> int:
        """How many problems have an error in place of rows."""
        return sum(problem.error is not None for problem in self.problems)
