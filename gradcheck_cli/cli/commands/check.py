"""`gradcheck EXPR`: one expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from gradcheck_cli.checking import loading
from gradcheck_cli.cli import candidates, options
from gradcheck_cli.cli.destinations import destinations
from gradcheck_cli.cli.emit import Output, emit, failed, reporting
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.growing_file import GrowingLines
from gradcheck_cli.cli.installing import SHELLS, install_completion, show_completion
from gradcheck_cli.cli.plots import plot_of
from gradcheck_cli.cli.streams import points_progress, say, write_report
from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.request import Request, options_of
from gradcheck_cli.records.results import Check, ClaimStatus
from gradcheck_cli.render.formats import FORMATS
from gradcheck_cli.render.profile import render_profile
from gradcheck_cli.runtime import stopwatch
from gradcheck_cli.surfaces import Option
from gradcheck_cli.tensors.wanted import is_about_arrays
from gradcheck_cli.versions import versions


def _print_version(wanted: bool) -> None:
    if wanted:
        (_, own), *others = versions().items()
        write_report(f"gradcheck {own} ({', '.join(f'{name} {version}' for name, version in others)})\n")
        raise typer.Exit


def check(
    expression: options.Expression,
    at: options.At = None,
    wrt: options.Wrt = None,
    let: options.Let = None,
    claim: options.Claim = None,
    gradient: Annotated[
        list[str] | None,
        typer.Option(metavar="N", help="The derivative that must come: 326, x=14,y=2; a list has one for each point."),
    ] = None,
    value: Annotated[
        list[str] | None, typer.Option(metavar="N", help="The value that must come; a list has one for each point.")
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
    shape: options.Shape = None,
    timeout: options.Timeout = None,
    output_format: options.OutputFormat = None,
    output_file: options.OutputFile = None,
    junitxml: options.JunitFile = None,
    title: options.Title = None,
    no_derivatives: options.NoDerivatives = False,
    plot: options.Plot = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    color: options.Color = None,
    profile: options.Profile = False,
    all_rows: Annotated[
        bool, typer.Option("--all-rows", help="With json-lines: a line for every row, as soon as it is checked.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the versions.", is_eager=True, callback=_print_version)
    ] = False,
    install: Annotated[
        str | None,
        typer.Option(
            "--install-completion",
            metavar="[SHELL]",
            help=f"Let the Tab key complete what is typed, in this shell or the one named: {', '.join(SHELLS)}.",
            is_eager=True,
            callback=install_completion,
            autocompletion=candidates.one_of(SHELLS),
        ),
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            "--show-completion",
            metavar="[SHELL]",
            help="Print the script that does it.",
            is_eager=True,
            callback=show_completion,
            autocompletion=candidates.one_of(SHELLS),
        ),
    ] = None,
) -> ExitCode:
    lists = {"at": at, "lets": let, "claims": claim, "shapes": shape}
    for texts in ([expression], [title or ""], wrt, ranges, gradient, value, *lists.values()):
        options.require_readable(*(texts or ()))
    where = destinations(output_format, output_file, FORMATS, junitxml)
    drawn = plot_of(plot, where)
    given = options.given(
        order=order, mode=mode, dtype=dtype, device=device, rtol=rtol, atol=atol, claim_rtol=claim_rtol,
        strict=strict, samples=samples, seed=seed, range=ranges, timeout=timeout,
    )  # fmt: skip
    asked: dict[str, Any] = {name: tuple(texts) for name, texts in lists.items() if texts}
    asked |= {"ranges" if name == "range" else name: value for name, value in given.items()}
    if gradient or value:
        from gradcheck_cli.cli.expected import expectation

        asked["expectation"] = expectation(gradient or (), value or ())
    asked |= {"wrt": options.names(wrt or ()), "derivatives": not no_derivatives}
    asked["picture"] = drawn is not None or options.are_pictured(where)
    asked["chains"] = "all" if options.are_pictured(where) else ""
    asked["keep"] = options.rows_kept((one.format for one in where), verbose=verbose, pictured=asked["picture"])
    growing = [one for one in where if one.format == "json-lines"] if all_rows else []
    if all_rows and not growing:
        raise UsageError("--all-rows is for --output-format json-lines, which has a line for each row")
    request = Request(expression, **asked)
    output = Output(where, quiet, verbose, options_of(vars(request)), drawn, title)
    with stopwatch.measuring(profile) as phases:
        lines = [GrowingLines(one.file, output.options) for one in growing]
        with reporting(output, partial(failed, request), growing=dict(zip(growing, lines, strict=True))):
            report = output.titled(_checked(request, quiet=quiet, on_row=_to_all(lines)))
        for one in lines:
            one.whole(report)
        code = emit(report, output, written=growing)
    if profile:
        say(render_profile(phases), wrap=False)
    return code


def _to_all(lines: Sequence[GrowingLines]) -> Callable[[Check], None] | None:
    """What to do with each row; None where rows are not written as they come."""

    def write(check: Check) -> None:
        for one in lines:
            one.row(check)

    return write if lines else None


def _checked(request: Request, *, quiet: bool, on_row: Callable[[Check], None] | None) -> Report:
    if is_about_arrays(request):
        return _of_arrays(request)
    with stopwatch.phase("imports"):
        from gradcheck_cli.checking.reading import read
        from gradcheck_cli.claims.reading import raise_unreadable
    with stopwatch.phase("parsing"):
        reading = read(request)
    raise_unreadable(reading.claims)
    with stopwatch.phase("imports"):
        # torch, SymPy and flint load here, not before: --help and typing errors answer at once.
        loading.load(symbolic=request.derivatives or bool(request.claims))
        from gradcheck_cli.checking import checker
    with points_progress(quiet=quiet) as on_progress:
        result = checker.check_expression(request, reading=reading, on_progress=on_progress, on_row=on_row)
    return Report((result,), versions(), result.seconds)


def _of_arrays(request: Request) -> Report:
    with stopwatch.phase("imports"):
        loading.load(symbolic=bool(request.claims))
        from gradcheck_cli.tensors.check import check_arrays
    result = check_arrays(request)
    unreadable = [claim for claim in result.claims if claim.status is ClaimStatus.UNREADABLE]
    if unreadable and len(unreadable) == len(result.claims):
        raise UsageError(Option("claim", unreadable[0].expression), f": {unreadable[0].note}")
    return Report((result,), versions(), result.seconds)
