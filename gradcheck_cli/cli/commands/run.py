"""`gradcheck run`: the problems of files."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from gradcheck_cli.batch.run import PRELOAD, Where, batch_phases
from gradcheck_cli.cli import candidates, options
from gradcheck_cli.cli.destinations import destinations
from gradcheck_cli.cli.emit import Output, emit_list, reporting, unread
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.plots import plot_of
from gradcheck_cli.cli.problem_run import (
    Asked,
    check_and_report,
    kept_until_read,
    resumed,
    select,
    tell_of_resumed,
)
from gradcheck_cli.cli.problems import Wanted
from gradcheck_cli.cli.streams import say
from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_values import whole
from gradcheck_cli.records.request import ProblemSpec, options_of
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import FORMATS, LIST_FORMATS, has_closed_forms
from gradcheck_cli.render.profile import render_profile
from gradcheck_cli.runtime import stopwatch
from gradcheck_cli.text_files import DEFAULT_FILE, STANDARD_INPUT

MOST_JOBS = 1_000


def run(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...",
            help=f"Problem files, folders, '**/*.yaml' or FILE::NAME; {DEFAULT_FILE} if none is named; - is standard "
            "input.",
            autocompletion=candidates.files_or_problems,
        ),
    ] = None,
    keyword: Annotated[
        str | None,
        typer.Option(
            "-k",
            metavar="WORDS",
            help="Only problems whose name has this: 'relu and not (gelu or x)'.",
            autocompletion=candidates.words_of_problems,
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TAG",
            help="Only problems with this tag; of several, any is enough.",
            autocompletion=candidates.tags,
        ),
    ] = None,
    deselect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Not this problem: NAME or FILE::NAME. Repeatable.",
            autocompletion=candidates.problems,
        ),
    ] = None,
    lf: Annotated[bool, typer.Option("--lf", "--last-failed", help="Only what failed in the run before.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", "-x", help="Stop at the first problem that fails.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="List the problems; check nothing.")] = False,
    jobs: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto",
            help="Worker processes: 1; auto is one a processor.",
            autocompletion=candidates.one_of(("auto",)),
        ),
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
    title: options.Title = None,
    plot: options.Plot = None,
    no_derivatives: options.NoDerivatives = False,
    watch: options.Watch = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    color: options.Color = None,
    profile: options.Profile = False,
) -> ExitCode:
    """Check the problems of files.

    Options given here hold for every problem, whatever its file says; see docs/problem-files.md for the files.
    """
    options.require_readable(title or "")
    known, junit = (LIST_FORMATS, None) if list_only else (FORMATS, junitxml)
    where_to = destinations(output_format, output_file, known, junit)
    drawn = None if list_only else plot_of(plot, where_to)
    given = options.given(
        order=order, mode=mode, dtype=dtype, device=device, rtol=rtol, atol=atol, claim_rtol=claim_rtol,
        strict=strict, samples=samples, seed=seed, range=ranges, timeout=timeout,
    )  # fmt: skip
    # The table of a batch does not show closed forms, which take longer than the checks, nor what passes unless asked.
    formats = {one.format for one in where_to}
    in_full = any(map(has_closed_forms, formats))
    given["derivatives"], given["formula"] = in_full and not no_derivatives, in_full or verbose
    given["picture"] = drawn is not None or options.are_pictured(where_to)
    given["keep"] = options.rows_kept(formats, verbose=verbose, pictured=given["picture"])
    output = Output(where_to, quiet, verbose, options_of(given), drawn, title)
    wanted = Wanted(keyword, tag or (), deselect or (), lf)
    asked = Asked(
        files or [], given, wanted, _where(jobs, executor), output, shard, resume,
        allow_code=allow_code or list_only, fail_fast=fail_fast, profile=profile,
    )  # fmt: skip
    if watch:
        return _watching(asked, list_only=list_only)
    started = time.perf_counter()
    with stopwatch.measuring(profile) as phases:
        if executor is None and not list_only:
            from gradcheck_cli.batch import workers

            workers.warm_up(PRELOAD)
        kept = replace(output, destinations=()) if list_only else kept_until_read(output, resume)
        with reporting(kept, unread):
            selection = select(asked)
            selection.tell(quiet=quiet)
            done = resumed(asked, selection.specs)
        if list_only:
            emit_list(where_to, partial(_listing, selection.specs), partial(_listing_json, selection.specs))
            return ExitCode.BAD_INPUT if selection.found.troubles else ExitCode.PASSED
        tell_of_resumed(asked, selection.specs, done)
        report, code = check_and_report(asked, selection, done)
    if profile:
        say(render_profile(batch_phases(phases, report.problems), time.perf_counter() - started), wrap=False)
    return code


def _watching(asked: Asked, *, list_only: bool) -> ExitCode:
    from gradcheck_cli.cli.watch import watch
    from gradcheck_cli.cli.watched_run import Rounds

    refused = {
        "--list": list_only, "--resume": asked.resume, "--executor": asked.where.executor, "--profile": asked.profile,
        "standard input": STANDARD_INPUT in asked.files,
    }  # fmt: skip
    for name, given in refused.items():
        if given:
            raise UsageError(f"--watch does not go with {name}: problems are checked again and again, on this machine")
    return watch(Rounds(asked).once, asked.where.jobs, quiet=asked.output.quiet)


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
