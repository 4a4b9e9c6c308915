"""A run of problem files: what was asked for, which problems that is, and their report, checked and written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from gradcheck_cli.batch.resume import finished_problems, in_order, problem_key
from gradcheck_cli.batch.run import Where, run_batch
from gradcheck_cli.batch.selection import shard as select_shard
from gradcheck_cli.cli import problems
from gradcheck_cli.cli.destinations import Destination
from gradcheck_cli.cli.emit import Output, emit
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.growing_file import GrowingLines
from gradcheck_cli.cli.last_failed import remember
from gradcheck_cli.cli.options import are_pictured
from gradcheck_cli.cli.problems import Files, Wanted
from gradcheck_cli.cli.progress import batch_progress
from gradcheck_cli.cli.streams import complain, say
from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.code import CodeResult, Entry
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.request import ProblemSpec, Request
from gradcheck_cli.records.results import Check
from gradcheck_cli.render.formats import FORMATS
from gradcheck_cli.runtime import stopwatch
from gradcheck_cli.runtime.interruption import Interrupted, held, let_in
from gradcheck_cli.text_files import replaceable
from gradcheck_cli.text_files import shown as shown_name
from gradcheck_cli.versions import versions

T = TypeVar("T", Check, Entry)

CHAINS = 100
"""Problems of which all have their chain rule on a page; of more, those that failed have it."""
SHOWN = 20
"""Wrong entries of code that are kept for the table where the whole report goes elsewhere, line by line."""


@dataclass(frozen=True)
class Asked:
    """What a command line asks of a run. files: their names; given: options that hold for every problem; where: the
    problems are checked; shard: I/N; resume: the name of a report."""

    files: Sequence[str]
    given: Mapping[str, Any]
    wanted: Wanted
    where: Where
    output: Output
    shard: str | None = None
    resume: str | None = None
    allow_code: bool = False
    fail_fast: bool = False
    profile: bool = False


@dataclass(frozen=True)
class Selection:
    """The problems that are checked, of all that the files have. remark: on why it is these."""

    specs: list[ProblemSpec]
    found: Files
    remark: str | None = None

    def tell(self, *, quiet: bool) -> None:
        """What is wrong with files, and what else one should know, to standard error."""
        for trouble in self.found.troubles:
            complain(trouble.message)
        others = self.found.others
        for sentence in (self.remark, f"no problem files, passed over: {', '.join(others)}" if others else None):
            if sentence is not None and not quiet:
                say(f"{sentence}\n")


def select(asked: Asked) -> Selection:
    """Reads the files. Raises UsageError where none of their problems is wanted."""
    with stopwatch.phase("parsing"):
        found = problems.read_files(asked.files, dict(asked.given), allow_code=asked.allow_code)
    specs, remark = problems.selected(found.specs, asked.wanted)
    if asked.shard is not None:
        specs = select_shard(specs, asked.shard)
    if asked.output.plot is not None and len(specs) != 1 and (specs or not found.troubles):
        raise UsageError(f"--plot draws one problem, and there are {len(specs):,}: name one, by FILE::NAME or -k")
    if are_pictured(asked.output.destinations):
        chains = "all" if len(specs) <= CHAINS else "failed"
        specs = [_with_chains(spec, chains) for spec in specs]
    return Selection(specs, found, remark)


def _with_chains(spec: ProblemSpec, chains: str) -> ProblemSpec:
    return replace(spec, request=replace(spec.request, chains=chains)) if isinstance(spec.request, Request) else spec


def resumed(asked: Asked, specs: Sequence[ProblemSpec]) -> dict[str, AnyResult]:
    """The results that the report of --resume holds, by key. Raises UsageError where there is nothing to resume."""
    if (name := asked.resume) is None:
        return {}
    if not os.path.lexists(name) and not any(_is(one, name) for one in asked.output.destinations):
        raise UsageError(
            f"--resume {name}: there is no such file; a run that begins it writes there too, by --output-file {name}"
        )
    return finished_problems(name, specs)


def tell_of_resumed(asked: Asked, specs: Sequence[ProblemSpec], done: Mapping[str, AnyResult]) -> None:
    if asked.resume is not None and not asked.output.quiet:
        skipped = sum(problem_key(spec) in done for spec in specs)
        are = "problem is" if len(specs) == 1 else "problems are"
        say(f"{skipped:,} of {len(specs):,} {are} taken from {shown_name(asked.resume)}\n")


def check_and_report(
    asked: Asked, selection: Selection, done: Mapping[str, AnyResult], *, whole: bool = False
) -> tuple[Report, ExitCode]:
    """Checks the problems and writes the reports. done: results from before, by key, which are taken as they are.

    whole: the report that is returned has all of each result, and not only what its table shows.
    """
    with held():  # what was found is kept
        where_to, specs, found = asked.output.destinations, selection.specs, selection.found
        growing = [one for one in where_to if one.format == "json-lines"]
        lines = [_Lines(one.file, asked.output.options, specs, done) for one in growing]
        shown_briefly = all(one in growing or one.format == FORMATS[0] for one in where_to)
        slim = bool(growing) and shown_briefly and not whole and not asked.output.verbose
        with stopwatch.phase("waiting"):
            report = _checked(asked, specs, done, [one.add for one in lines], slim=slim)
        headings = tuple(found.headings)
        report = replace(
            report, troubles=tuple(found.troubles), shard=asked.shard, headings=headings, title=asked.output.title
        )
        remember(report.problems)
        for one in lines:
            one.end(report)
        return report, emit(report, asked.output, written=growing)


def kept_until_read(output: Output, resume: str | None) -> Output:
    """The output without the file that is resumed, which is not written over before it was read."""
    return replace(output, destinations=tuple(one for one in output.destinations if not _is(one, resume)))


def _is(destination: Destination, name: str | None) -> bool:
    if name is None or destination.file is None:
        return False
    return os.path.realpath(destination.file) == os.path.realpath(name)


class _Lines:
    """JSON Lines, each written as soon as its problem is finished; what a run before this one has written stays.

    file: None for standard output. done: results from before, by key.
    """

    def __init__(
        self,
        file: Path | None,
        options: Mapping[str, object],
        specs: Sequence[ProblemSpec],
        done: Mapping[str, AnyResult],
    ) -> None:
        # What cannot be put in order afterwards is written in order, results from before included.
        self.before = done if file is not None and replaceable(file) else {}
        self.file, self.specs = file, specs
        known = [spec for spec in specs if problem_key(spec) in self.before]
        kept = run_batch(known, where=None, done=done) if known else ()
        self.lines = GrowingLines(file, options, kept)

    def add(self, result: AnyResult) -> None:
        if result.key not in self.before:
            self.lines.problem(result)

    def end(self, report: Report) -> None:
        self.lines.end(report)
        if self.file is not None and self.before:
            in_order(Path(os.path.realpath(self.file)), self.specs, self.before)


def _checked(
    asked: Asked,
    specs: Sequence[ProblemSpec],
    done: Mapping[str, AnyResult],
    on_result: Sequence[Callable[[AnyResult], None]],
    *,
    slim: bool,
) -> Report:
    """The report of the problems. Interrupted, it has what was found so far.

    on_result: these take each result as it comes. slim: the report keeps only what a table shows of it.
    """
    started = time.perf_counter()
    results: list[AnyResult] = []
    interrupted = False
    try:
        checking = closing(run_batch(specs, where=asked.where, done=done, profile=asked.profile))
        with batch_progress(len(specs), quiet=asked.output.quiet) as advance, checking as batch:
            for result in batch:
                for take in on_result:
                    take(result)
                results.append(_slim(result) if slim else result)
                with let_in():
                    advance()
                if asked.fail_fast and not result.passed:
                    break
    except Interrupted:
        interrupted = True
    return Report(
        tuple(results),
        versions(),
        time.perf_counter() - started,
        not_run=len(specs) - len(results),
        interrupted=interrupted,
    )


def _slim(result: AnyResult) -> AnyResult:
    """The result without the rows and formulas that a table of many problems does not show."""
    from gradcheck_cli.render.cells import select
    from gradcheck_cli.render.display import Display
    from gradcheck_cli.render.overview import worst_row

    worst = worst_row(result)
    if isinstance(result, CodeResult):
        failing = [entry for entry in result.checks if not entry.passed][:SHOWN]
        return replace(result, checks=_those(result.checks, [*failing, worst]))
    shown = () if result.passed else select(result, Display())
    return replace(result, checks=_those(result.checks, [*shown, worst]), derivatives=None)


def _those(rows: Sequence[T], kept: Sequence[object]) -> tuple[T, ...]:
    """In the order in which they are."""
    identities = set(map(id, kept))
    return tuple(row for row in rows if id(row) in identities)
