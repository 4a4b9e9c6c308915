"""`gradcheck explain`: the chain rule, node by node."""

from __future__ import annotations

from typing import Any

from gradcheck_cli.checking import loading
from gradcheck_cli.cli import options
from gradcheck_cli.cli.destinations import destinations
from gradcheck_cli.cli.emit import Output, emit_as
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.request import Request
from gradcheck_cli.render import EXPLANATIONS
from gradcheck_cli.render.formats import EXPLANATION_FORMATS
from gradcheck_cli.versions import versions


def explain(
    expression: options.Expression,
    at: options.OnePoint = None,
    wrt: options.Wrt = None,
    let: options.Let = None,
    dtype: options.Dtype = None,
    device: options.Device = None,
    mode: options.Mode = None,
    rtol: options.Rtol = None,
    atol: options.Atol = None,
    output_format: options.ExplanationFormat = None,
    output_file: options.OutputFile = None,
    verbose: options.Verbose = False,
    color: options.Color = None,
) -> ExitCode:
    """Show the chain rule at one point, node by node: values, local derivatives, and the adjoints beside torch's.

    \b
    Examples:
      gradcheck explain "1/(1 + exp(-x))" --at 2
      gradcheck explain --let "y = x*x" "2*y + 3" --at 3.5 --wrt x --wrt y
      gradcheck explain "where(x > 0, sqrt(x), 0)" --at -1
      gradcheck explain "x**y" --at x=-2,y=2 --wrt x --mode both
    """
    lists = {"at": at, "lets": let}
    options.require_readable(expression, *(wrt or ()), *(text for texts in lists.values() for text in texts or ()))
    where = destinations(output_format, output_file, EXPLANATION_FORMATS)
    asked: dict[str, Any] = {name: tuple(texts) for name, texts in lists.items() if texts}
    asked |= options.given(dtype=dtype, device=device, mode=mode, rtol=rtol, atol=atol)
    asked["wrt"] = options.names(wrt or ())
    from gradcheck_cli.checking.reading import read

    request = Request(expression, **asked, derivatives=False)
    reading = read(request)
    loading.load(symbolic=False)
    from gradcheck_cli.checking.explainer import explain_expression

    explanation = explain_expression(request, reading=reading)
    report = Report((explanation.result,), versions(), explanation.result.seconds)
    return emit_as(EXPLANATIONS, explanation, report, Output(where, verbose=verbose))
