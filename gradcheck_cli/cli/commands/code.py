"""`gradcheck code TARGET`: a function, an autograd.Function or a module of the user's."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated

import typer

from gradcheck_cli.batch.run import Where, batch_phases, check_request, isolated
from gradcheck_cli.cli import candidates, options
from gradcheck_cli.cli.destinations import destinations
from gradcheck_cli.cli.emit import Output, emit, reporting
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.plots import plot_of
from gradcheck_cli.cli.streams import say, seconds_progress
from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.request import CodeRequest
from gradcheck_cli.render.formats import FORMATS
from gradcheck_cli.render.profile import render_profile
from gradcheck_cli.runtime import stopwatch
from gradcheck_cli.user_code.failures import code_failure
from gradcheck_cli.versions import versions


def code(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="What to check: FILE.py::NAME, package.module:NAME, or dotted.",
            autocompletion=candidates.targets,
        ),
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[INPUT]...", help="Its arguments, as for --input.", autocompletion=candidates.arrays),
    ] = None,
    inputs: options.CodeInputs = None,
    init: options.Init = None,
    wrt: options.Wrt = None,
    order: options.Order = None,
    mode: options.Mode = None,
    dtype: options.Dtype = None,
    device: options.Device = None,
    rtol: options.Rtol = None,
    atol: options.Atol = None,
    strict: options.Strict = False,
    samples: options.Draws = None,
    stress: options.Stress = False,
    seed: options.CodeSeed = None,
    through_detach: options.ThroughDetach = False,
    cotangents: options.Cotangents = None,
    timeout: options.Timeout = None,
    output_format: options.OutputFormat = None,
    output_file: options.OutputFile = None,
    junitxml: options.JunitFile = None,
    title: options.Title = None,
    plot: options.Plot = None,
    watch: options.Watch = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    color: options.Color = None,
    profile: options.Profile = False,
) -> ExitCode:
    """Check the gradient of code: a function of tensors, an autograd.Function, a module.

    \b
    gradcheck code losses.py::focal_loss --input "logits=randn(4, 3)" --input "target=[0, 2, 1, 0]"
    gradcheck code mylib.layers:RMSNorm --init 8 "randn(2, 8)" --dtype bfloat16

    The file or module is imported and run, in a process of its own.
    """
    options.require_readable(target, title or "", init or "", *(values or ()), *(inputs or ()), *(wrt or ()))
    where = destinations(output_format, output_file, FORMATS, junitxml)
    drawn = plot_of(plot, where)
    given = options.given(
        init=init, order=order, mode=mode, dtype=dtype, device=device, rtol=rtol, atol=atol, strict=strict,
        samples=samples, stress=stress, seed=seed, through_detach=through_detach, cotangents=cotangents,
        timeout=timeout,
    )  # fmt: skip
    texts = [*(inputs or ()), *(values or ())]
    from gradcheck_cli.user_code.inputs import input_of

    given["picture"] = drawn is not None or options.are_pictured(where)
    request = CodeRequest(target, tuple(map(input_of, texts)), wrt=options.names(wrt or ()), **given)
    asked = {field.name: getattr(request, field.name) for field in fields(request) if field.name in given}
    output = Output(where, quiet, verbose, {"code": target, "input": texts, **asked}, drawn, title)
    if watch:
        return _watching(request, output, profile=profile)
    with stopwatch.measuring(profile) as phases:
        report = _checked(request, output, Where(), profile=profile)
        code = emit(report, output)
    if profile:
        say(render_profile(batch_phases(phases, report.problems)), wrap=False)
    return code


def _report(request: CodeRequest, error: str) -> Report:
    return Report((code_failure(request, error, bad_input=True),), versions())


def _watching(request: CodeRequest, output: Output, *, profile: bool) -> ExitCode:
    from gradcheck_cli.cli.watch import watch
    from gradcheck_cli.cli.watched_code import CodeRounds

    if profile:
        raise UsageError("--watch does not go with --profile: the code is checked again and again")
    rounds = CodeRounds(request, output, lambda where: _checked(request, output, where, profile=False))
    return watch(rounds.once, 1, quiet=output.quiet)


def _checked(request: CodeRequest, output: Output, where: Where, *, profile: bool) -> Report:
    """Raises UsageError for what cannot be read or called, which is in the reports then."""
    from gradcheck_cli.user_code.inputs import read_init, read_inputs
    from gradcheck_cli.user_code.target import read_target

    with reporting(output, lambda error: _report(request, error)):
        target = read_target(request.code)
        read_inputs(request.inputs)
        read_init(request.init or "")
        with stopwatch.phase("waiting"), seconds_progress(quiet=output.quiet):
            result = check_request(request) if target.is_here else isolated(request, where, profile=profile)
        if result.bad_input and result.error is not None and not result.checks_total:
            raise UsageError(result.error)
    return Report((result,), versions(), result.seconds)
