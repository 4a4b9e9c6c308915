"""`gradcheck explain`: the chain rule, node by node."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from gradcheck_cli.checking import loading
from gradcheck_cli.cli import options
from gradcheck_cli.cli.destinations import destinations
from gradcheck_cli.cli.emit import Output, emit_as, failed, reporting, unread
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.problems import only_problem
from gradcheck_cli.cli.words import is_problem
from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.request import Expectation, Request
from gradcheck_cli.render import ARRAY_EXPLANATIONS, EXPLAINED
from gradcheck_cli.render.formats import EXPLANATION_FORMATS, has_pictures
from gradcheck_cli.tensors.wanted import is_about_arrays
from gradcheck_cli.versions import versions


def explain(
    expression: options.Explained,
    at: options.At = None,
    wrt: options.Wrt = None,
    let: options.Let = None,
    shape: options.Shape = None,
    claim: options.Claim = None,
    order: options.Order = None,
    dtype: options.Dtype = None,
    device: options.Device = None,
    mode: options.Mode = None,
    rtol: options.Rtol = None,
    atol: options.Atol = None,
    samples: options.ExplainedSamples = None,
    seed: options.Seed = None,
    ranges: options.Range = None,
    output_format: options.ExplanationFormat = None,
    output_file: options.OutputFile = None,
    title: options.PageTitle = None,
    verbose: options.Verbose = False,
    color: options.Color = None,
) -> ExitCode:
    """Show the chain rule, node by node: values, local derivatives, and the adjoints beside torch's.

    Several points come one after the other; without any, one is drawn. With --order 2 the chain rule of the derivative
    follows, which is taken in closed form. FILE::NAME is a problem of a file; what is given here prevails over what it
    says.

    \b
    Examples:
      gradcheck explain "1/(1 + exp(-x))" --at 2
      gradcheck explain --let "y = x*x" "2*y + 3" --at 3.5 --wrt x --wrt y
      gradcheck explain "where(x > 0, sqrt(x), 0)" --at -1
      gradcheck explain "x**y" --at x=-2,y=2 --wrt x --mode both
      gradcheck explain problems.yaml::problem-5
      gradcheck explain "sum((W @ x - y)**2)" --at "W=[[1,2],[3,4]], x=[1,-1], y=[0,1]"
    """
    lists = {"at": at, "lets": let, "shapes": shape, "claims": claim}
    for texts in ([expression], [title or ""], wrt, ranges, *lists.values()):
        options.require_readable(*(texts or ()))
    where = destinations(output_format, output_file, EXPLANATION_FORMATS)
    if title is not None and not any(has_pictures(one.format) for one in where):
        raise UsageError("--title is what a page is called: write one by --output-file FILE.html")
    asked: dict[str, Any] = {name: tuple(texts) for name, texts in lists.items() if texts}
    given = options.given(
        order=order, dtype=dtype, device=device, mode=mode, rtol=rtol, atol=atol, samples=samples, seed=seed,
        range=ranges,
    )  # fmt: skip
    asked |= {"ranges" if name == "range" else name: value for name, value in given.items()}
    if wrt:
        asked["wrt"] = options.names(wrt)
    from gradcheck_cli.checking.reading import read
    from gradcheck_cli.claims.reading import raise_unreadable

    output = Output(where, verbose=verbose, title=title)
    if is_problem(expression):
        with reporting(output, unread):
            request = _of_file(expression, given, asked)
    else:
        request = Request(expression, **asked, derivatives=False)
    with reporting(output, partial(failed, request)):
        if is_about_arrays(request):
            return _arrays(request, output)
        reading = read(request)
        raise_unreadable(reading.claims)
        loading.load(symbolic=bool(claim) or request.order > 1)
        from gradcheck_cli.checking.explained import explain_points

        explained = explain_points(request, reading=reading)
        report = Report((explained.result,), versions(), explained.result.seconds)
        return emit_as(EXPLAINED, explained, report, output)


def _of_file(name: str, given: dict[str, Any], asked: dict[str, Any]) -> Request:
    """The request of a problem of a file. given: options; asked: all that the command line says, which prevails."""
    spec = only_problem(name, given)
    if not isinstance(spec.request, Request):
        raise UsageError(
            f"{spec.name} is code, and gradcheck explain shows formulas: gradcheck run {name} --allow-code checks it"
        )
    # What the file expects is of what it asks, and of nothing else.
    expectation = Expectation() if asked else spec.request.expectation
    return replace(spec.request, **asked, derivatives=False, expectation=expectation)


def _arrays(request: Request, output: Output) -> ExitCode:
    """The same of a formula of arrays."""
    loading.load(symbolic=bool(request.claims))
    from gradcheck_cli.tensors.explain import explain_arrays

    explanation = explain_arrays(request)
    report = Report((explanation.result,), versions(), explanation.result.seconds)
    return emit_as(ARRAY_EXPLANATIONS, explanation, report, output)
