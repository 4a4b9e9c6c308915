"""`gradcheck run`: the problems of files."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from gradcheck_cli.batch.resume import finished_problems, in_order, problem_key
from gradcheck_cli.batch.run import PRELOAD, Where, batch_phases, run_batch
from gradcheck_cli.batch.selection import shard as select_shard
from gradcheck_cli.cli import options, problems
from gradcheck_cli.cli.destinations import Destination, destinations
from gradcheck_cli.cli.emit import Output, emit, emit_list, reporting, unread
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.growing_file import GrowingLines
from gradcheck_cli.cli.last_failed import remember
from gradcheck_cli.cli.problems import Wanted, read_files
from gradcheck_cli.cli.progress import batch_progress
from gradcheck_cli.cli.streams import complain, say
from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_values import whole
from gradcheck_cli.records.code import CodeResult, Entry
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.request import ProblemSpec, options_of
from gradcheck_cli.records.results import Check, worst_first
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import FORMATS, LIST_FORMATS, has_closed_forms
from gradcheck_cli.render.profile import render_profile
from gradcheck_cli.runtime import stopwatch
from gradcheck_cli.runtime.interruption import Interrupted, held, let_in
from gradcheck_cli.text_files import DEFAULT_FILE, replaceable
from gradcheck_cli.text_files import shown as shown_name
from gradcheck_cli.versions import versions

T = TypeVar("T", Check, Entry)

MOST_JOBS = 1_000
SHOWN = 20
"""Failing rows of a problem that are kept for the table where the whole report goes elsewhere, line by line."""


def run(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...",
            help=f"Problem files, folders, '**/*.yaml' or FILE::NAME; {DEFAULT_FILE} if none is named; - is standard "
            "input.",
        ),
    ] = None,
    keyword: Annotated[
        str | None,
        typer.Option("-k", metavar="WORDS", help="Only problems whose name has this: 'relu and not (gelu or x)'."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only problems with this tag. Repeatable.")
    ] = None,
    deselect: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Not this problem: NAME or FILE::NAME. Repeatable.")
    ] = None,
    lf: Annotated[bool, typer.Option("--lf", "--last-failed", help="Only what failed in the run before.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", "-x", help="Stop at the first problem that fails.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="List the problems; check nothing.")] = False,
    jobs: Annotated[
        str | None, typer.Option(metavar="N|auto", help="Worker processes: 1; auto is one a processor.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Only the I-th of N parts; `gradcheck merge` joins the reports.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="FILE", help="Skip what this json-lines report already holds.")
    ] = None,
    executor: Annotated[
        str | None, typer.Option(metavar="dask://HOST:PORT", help="Check on a Dask cluster, not on this machine.")
    ] = None,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Import and run the code that files name by code:.")
    ] = False,
    timeout: options.TimeoutOfEach = None,
    order: options.Order = None,
    dtype: options.Dtype = None,
    device: options.Device = None,
    mode: options.Mode = None,
    rtol: options.Rtol = None,
    atol: options.Atol = None,
    claim_rtol: options.ClaimRtol = None,
    strict: options.Strict = False,
    samples: options.Samples = None,
    seed: options.Seed = None,
    ranges: options.Range = None,
    output_format: options.OutputFormat = None,
    output_file: options.OutputFile = None,
    junitxml: options.JunitFile = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="What the report is called, on a page too.")] = None,
    no_derivatives: options.NoDerivatives = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    color: options.Color = None,
    profile: options.Profile = False,
) -> ExitCode:
    """Check the problems of files.

    Options given here hold for every problem, whatever its file says; see docs/problem-files.md for the files.
    """
    known, junit = (LIST_FORMATS, None) if list_only else (FORMATS, junitxml)
    where_to = destinations(output_format, output_file, known, junit)
    given = options.given(
        order=order, mode=mode, dtype=dtype, device=device, rtol=rtol, atol=atol, claim_rtol=claim_rtol,
        strict=strict, samples=samples, seed=seed, range=ranges, timeout=timeout,
    )  # fmt: skip
    # The table of a batch does not show closed forms, which take longer than the checks, nor what passes unless asked.
    formats = {one.format for one in where_to}
    in_full = any(map(has_closed_forms, formats))
    given["derivatives"], given["formula"] = in_full and not no_derivatives, in_full or verbose
    given["picture"] = options.are_pictured(where_to)
    given["keep"] = options.rows_kept(formats, verbose=verbose)
    where = _where(jobs, executor)
    output = Output(where_to, quiet, verbose, options_of(given))
    started = time.perf_counter()
    with stopwatch.measuring(profile) as phases:
        if where.executor is None and not list_only:
            from gradcheck_cli.batch import workers

            workers.warm_up(PRELOAD)
        kept = replace(output, destinations=() if list_only else _without(where_to, resume))
        with reporting(kept, unread):
            with stopwatch.phase("parsing"):
                found = read_files(files or [], given, allow_code=allow_code or list_only)
            for trouble in found.troubles:
                complain(trouble.message)
            selected, remark = problems.selected(found.specs, Wanted(keyword, tag or (), deselect or (), lf))
            if shard is not None:
                selected = select_shard(selected, shard)
            passed_over = f"no problem files, passed over: {', '.join(found.others)}" if found.others else None
            _say(quiet, remark, passed_over)
            if resume is not None:
                _require_report(resume, where_to)
            done = finished_problems(resume, selected) if resume is not None else {}
        if list_only:
            emit_list(where_to, partial(_listing, selected), partial(_listing_json, selected))
            return ExitCode.BAD_INPUT if found.troubles else ExitCode.PASSED
        if resume is not None:
            skipped = sum(problem_key(spec) in done for spec in selected)
            are = "problem is" if len(selected) == 1 else "problems are"
            _say(quiet, f"{skipped:,} of {len(selected):,} {are} taken from {shown_name(resume)}")
        with held():  # what was found is kept
            growing = [one for one in where_to if one.format == "json-lines"]
            lines = [_Lines(one.file, output.options, selected, done) for one in growing]
            slim = bool(growing) and all(one in growing or one.format == FORMATS[0] for one in where_to)
            with stopwatch.phase("waiting"):
                report = _run(
                    selected, where, done, [one.add for one in lines],
                    slim=slim, fail_fast=fail_fast, quiet=quiet, profile=profile,
                )  # fmt: skip
            headings = tuple(found.headings)
            report = replace(report, troubles=tuple(found.troubles), shard=shard, headings=headings, title=title)
            remember(report.problems)
            for one in lines:
                one.end(report)
            code = emit(report, output, written=growing)
    if profile:
        say(render_profile(batch_phases(phases, report.problems), time.perf_counter() - started), wrap=False)
    return code


def _say(quiet: bool, *sentences: str | None) -> None:
    for sentence in sentences:
        if sentence is not None and not quiet:
            say(f"{sentence}\n")


def _where(jobs: str | None, executor: str | None) -> Where:
    """What --jobs and --executor say."""
    if executor is not None:
        if jobs is not None:
            raise UsageError("--jobs is for this machine; of a cluster, all workers are used")
        if re.fullmatch(r"dask://[^\s/]+:\d+", executor) is None:
            raise UsageError(f"--executor {executor}: it takes the address of a scheduler, dask://HOST:PORT")
        return Where(executor=executor)
    if jobs is not None and jobs.strip() == "auto":
        from gradcheck_cli.batch.workers import processors

        return Where(processors())
    return Where(1 if jobs is None else whole("jobs", jobs, 1, MOST_JOBS))


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


def _listing(specs: Sequence[ProblemSpec], display: Display) -> str:
    from gradcheck_cli.render.plain import one_line

    lines = []
    for spec in specs:
        parts = [f"{spec.file}:{spec.line}", spec.name]
        if spec.tags:
            parts.append(f"[{', '.join(spec.tags)}]")
        if spec.error:
            parts.append("(cannot be read)")
        lines.append("  ".join(map(one_line, parts)))
    return "".join(f"{line}\n" for line in lines)


def _listing_json(specs: Sequence[ProblemSpec], display: Display) -> str:
    from gradcheck_cli.render.json import dump

    names = ("index", "name", "file", "line", "description", "tags", "error")
    listed = [{name: getattr(spec, name) for name in names} for spec in specs]
    return dump(listed, indent=2) + "\n"


def _without(where: Sequence[Destination], resume: str | None) -> tuple[Destination, ...]:
    """The destinations but for the file that is resumed, which is not written over before it was read."""
    return tuple(one for one in where if resume is None or not _is(one, resume))


def _is(destination: Destination, name: str) -> bool:
    return destination.file is not None and os.path.realpath(destination.file) == os.path.realpath(name)


def _require_report(name: str, where: Sequence[Destination]) -> None:
    """UsageError where there is nothing to resume; but a run may begin the file that the next one resumes."""
    if not os.path.lexists(name) and not any(_is(one, name) for one in where):
        raise UsageError(
            f"--resume {name}: there is no such file; a run that begins it writes there too, by --output-file {name}"
        )


def _run(
    specs: Sequence[ProblemSpec],
    where: Where,
    done: Mapping[str, AnyResult],
    on_result: Sequence[Callable[[AnyResult], None]],
    *,
    slim: bool,
    fail_fast: bool,
    quiet: bool,
    profile: bool,
) -> Report:
    """The report of the problems. Interrupted, it has what was found so far.

    on_result: these take each result as it comes. slim: the report keeps only what a table shows of it.
    """
    started = time.perf_counter()
    results: list[AnyResult] = []
    interrupted = False
    try:
        checking = closing(run_batch(specs, where=where, done=done, profile=profile))
        with batch_progress(len(specs), quiet=quiet) as advance, checking as batch:
            for result in batch:
                for take in on_result:
                    take(result)
                results.append(_slim(result) if slim else result)
                with let_in():
                    advance()
                if fail_fast and not result.passed:
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
    if isinstance(result, CodeResult):
        return replace(result, checks=_few(result.checks))
    return replace(result, checks=_few(result.checks), derivatives=None)


def _few(checks: Sequence[T]) -> tuple[T, ...]:
    failing = [check for check in checks if not check.passed][:SHOWN]
    return tuple(failing or sorted(checks, key=worst_first)[:1])
