"""`gradcheck run`: the problems of files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from gradcheck_cli import options, stopwatch
from gradcheck_cli.arguments import choice
from gradcheck_cli.batch import DEFAULT_TIMEOUT, batch_phases, run_batch
from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.exit_codes import ExitCode, exit_code
from gradcheck_cli.output import append, complain, deliver, display_for, say, writable, write_report
from gradcheck_cli.progress import batch_progress
from gradcheck_cli.records import ProblemResult, Report
from gradcheck_cli.render import RENDERERS, json_lines
from gradcheck_cli.render.names import FORMATS
from gradcheck_cli.render.profile import render_profile
from gradcheck_cli.render.summary import summary_line
from gradcheck_cli.request import ProblemSpec
from gradcheck_cli.sources import DEFAULT_FILE, read_source, shown
from gradcheck_cli.versions import versions


def run(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...", help=f"Problem files; {DEFAULT_FILE} if none is named; - is standard input."
        ),
    ] = None,
    keyword: Annotated[
        str | None,
        typer.Option("-k", metavar="WORDS", help="Only problems whose name has this: 'relu and not (gelu or x)'."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only problems with this tag. Repeatable.")
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", "-x", help="Stop at the first problem that fails.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="List the problems; check nothing.")] = False,
    timeout: Annotated[
        str | None, typer.Option(metavar="SECONDS", help=f"What a problem may take: {DEFAULT_TIMEOUT:g}.")
    ] = None,
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
    output_format: Annotated[str, typer.Option(metavar="|".join(FORMATS), help="How to write the report.")] = "table",
    output_file: options.OutputFile = None,
    no_derivatives: options.NoDerivatives = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    profile: options.Profile = False,
) -> ExitCode:
    """Check the problems of files.

    Options given here hold for every problem, whatever its file says; see README.md for the files.
    """
    choice("--output-format", output_format, FORMATS)
    given = options.given_options({
        "order": order, "mode": mode, "dtype": dtype, "device": device, "rtol": rtol, "atol": atol,
        "claim_rtol": claim_rtol, "strict": strict, "samples": samples, "seed": seed, "range": ranges,
        "timeout": timeout,
    })  # fmt: skip
    # The table of a batch does not show closed forms, and they take longer than the checks.
    given["derivatives"] = output_format.startswith("json") and not no_derivatives
    file = writable(output_file)
    started = time.perf_counter()
    with stopwatch.measuring(profile) as phases:
        with stopwatch.phase("parsing"):
            specs, troubles = read_files(files or [], given)
        for trouble in troubles:
            complain(trouble)
        selected = _selected(specs, keyword, tag or ())
        if not selected:
            return ExitCode.BAD_INPUT
        if list_only:
            write_report(_listing(selected))
            return ExitCode.BAD_INPUT if troubles else ExitCode.PASSED
        shown = display_for(quiet=quiet, verbose=verbose, options=given)
        write: Callable[[str], None] = write_report if file is None else lambda text: append(text, file)
        streams = output_format == "json-lines"
        if streams:
            if file is not None:
                deliver("", file)
            write(json_lines.first_line(versions(), given))

        def on_result(result: ProblemResult) -> None:
            if streams:
                write(json_lines.problem_line(result))

        with stopwatch.phase("waiting"):
            report = _run(selected, troubles, on_result, fail_fast=fail_fast, quiet=quiet, profile=profile)
        if streams:
            write(json_lines.last_line(report))
        elif file is not None:
            deliver(RENDERERS[output_format](report, display_for(quiet=quiet, verbose=verbose, to_file=True)), file)
        else:
            write_report(RENDERERS[output_format](report, shown))
        if file is not None:
            write_report(RENDERERS["table"](report, shown))
        if not (quiet and report.passed):
            say(summary_line(report, shown))
    if profile:
        say(render_profile(batch_phases(phases, report.problems), time.perf_counter() - started), wrap=False)
    return exit_code(report)


def read_files(names: Sequence[str], given: dict[str, Any]) -> tuple[list[ProblemSpec], list[str]]:
    """The problems of the files, and a sentence for each file that cannot be read.

    given: options that hold for every problem. Raises UsageError for a pyproject.toml that cannot be read.
    """
    from gradcheck_cli.problem_files import load_problems, read_pyproject

    defaults = {"timeout": DEFAULT_TIMEOUT, **read_pyproject(Path.cwd())}
    specs: list[ProblemSpec] = []
    troubles: list[str] = []
    for name in names or [DEFAULT_FILE]:
        try:
            specs.extend(load_problems(read_source(name), shown(name), given, defaults))
        except GradcheckError as error:
            troubles.append(str(error))
    return specs, troubles


def _selected(specs: Sequence[ProblemSpec], keyword: str | None, tags: Sequence[str]) -> list[ProblemSpec]:
    from gradcheck_cli.selection import select

    selected = select(specs, keyword, tags)
    if specs and not selected:
        asked = " ".join([*([f"-k {keyword!r}"] if keyword is not None else []), *(f"--tag {tag}" for tag in tags)])
        raise UsageError(f"none of {len(specs):,} problems matches {asked}: --list shows their names")
    return selected


def _listing(specs: Sequence[ProblemSpec]) -> str:
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


def _run(
    specs: Sequence[ProblemSpec],
    troubles: Sequence[str],
    on_result: Callable[[ProblemResult], None],
    *,
    fail_fast: bool,
    quiet: bool,
    profile: bool,
) -> Report:
    """The report of the problems. Interrupted, it has what was found so far."""
    started = time.perf_counter()
    results: list[ProblemResult] = []
    interrupted = False
    try:
        checking = closing(run_batch(specs, isolated=True, profile=profile))
        with batch_progress(len(specs), quiet=quiet) as advance, checking as batch:
            for result in batch:
                results.append(result)
                on_result(result)
                advance()
                if fail_fast and not result.passed:
                    break
    except KeyboardInterrupt:
        interrupted = True
    return Report(
        tuple(results),
        versions(),
        time.perf_counter() - started,
        not_run=len(specs) - len(results),
        interrupted=interrupted,
        troubles=tuple(troubles),
    )
