"""The command line: options in, exit code out. The only place that catches GradcheckError."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand

from gradcheck_cli.cli.arguments import arrange, arrange_words, require_words
from gradcheck_cli.cli.commands.check import check
from gradcheck_cli.cli.commands.code import code
from gradcheck_cli.cli.commands.explain import explain
from gradcheck_cli.cli.commands.functions import functions
from gradcheck_cli.cli.commands.merge import merge
from gradcheck_cli.cli.commands.run import run
from gradcheck_cli.cli.commands.schema import schema
from gradcheck_cli.cli.commands.warm import warm
from gradcheck_cli.cli.emit import TAKE
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.streams import COLOR, complain, write_report
from gradcheck_cli.cli.words import DEFAULT_COMMAND, require_formula, with_command
from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.runtime.interruption import Interrupted, Signals, listening

TyperUsageError: Any = typer.BadParameter.__base__
"""What Typer raises for a command line that it cannot read; it has no public name."""
EXPRESSION_COMMANDS = frozenset({"check", "explain"})

HELP = """Check the gradient that PyTorch computes for a formula, or for code, against its exact derivative.

\b
Examples:
  gradcheck "8*x**4 + 3*x**3" --at 2            one point
  gradcheck "-x**2" --at -2 --at 0.5            several points
  gradcheck "relu(w*x + b)" --at w=2,x=1,b=0.5 --wrt w
  gradcheck "sin(x)/x" --at x=-3:3:101          101 points from -3 to 3
  gradcheck "2*y + 3" --let "y = x*x" --at 3.5 --wrt x --wrt y
  gradcheck "x**3" --claim "3*x**2"             is my own derivative right?
  gradcheck "log(cosh(x))"                      5 points drawn from -3:3
  gradcheck "x**y" x=2 y=3 --order 2            second derivatives
  gradcheck explain "1/(1 + exp(-x))" --at 2    the chain rule, node by node
  gradcheck "sigmoid(x)" --at 40 --dtype float32 --device cuda
  gradcheck code losses.py::mse "x=randn(4)"    a function of your own

\b
Write 2*x or 2x, x**3 or x^3, pi, sin(x), torch.sigmoid(x), a if x > 0 else b;
quote the expression. `gradcheck functions` lists the functions.

\b
Exit codes:
  0  every check passed (match, imprecise, kink)
  1  a check did not (unstable, mismatch, undefined, error)
  2  something asked for could not be read or done
  3  an error of gradcheck itself
"""


NOTHING_TYPED = """what should be checked? For example:
  gradcheck "x**2 + sin(x)" --at 2              a formula
  gradcheck code losses.py::mse "x=randn(4)"    a function of your own
  gradcheck run problems.yaml                   the problems of a file
`gradcheck --help` explains everything"""

USAGES = {
    DEFAULT_COMMAND: "EXPR [POINT]... [OPTIONS]",
    "run": "run [FILE]... [OPTIONS]",
    "code": "code TARGET [INPUT]... [OPTIONS]",
    "explain": "explain EXPR|FILE::NAME [POINT]... [OPTIONS]",
    "merge": "merge FILE... [OPTIONS]",
    "functions": "functions [WORD] [OPTIONS]",
    "schema": "schema [OPTIONS]",
    "warm": "warm [OPTIONS]",
}
"""How each command is typed."""
NOT_HERE = {
    ("explain", "--plot"): "gradcheck explain draws nothing: `gradcheck EXPR --plot` draws the formula, and "
    "`gradcheck run FILE::NAME --plot` a problem of a file",
}
"""Options that a command does not have though one may look for them there, and what to do."""


class Command(TyperCommand):
    """A command whose help is written as reports are, whatever becomes of the stream, and says what is really typed."""

    def get_help(self, ctx: Any) -> str:
        write_report(super().get_help(ctx).rstrip("\n") + "\n")
        raise typer.Exit

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage("gradcheck", USAGES[str(self.name)])

    def format_options(self, ctx: Any, formatter: Any) -> None:
        parameters: list[Any] = self.get_params(ctx)
        arguments = [(one.metavar, one.help) for one in parameters if one.param_type_name == "argument"]
        options = [one.get_help_record(ctx) for one in parameters if one.param_type_name == "option"]
        for title, rows in (("Arguments", arguments), ("Options", [row for row in options if row is not None])):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


class RootCommand(Command):
    """`check`, which shows how the others are typed as well."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        for index, usage in enumerate(USAGES.values()):
            formatter.write_usage("gradcheck", usage, prefix="       " if index else None)


app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


app.command(DEFAULT_COMMAND, cls=RootCommand, help=HELP)(check)
app.command(cls=Command)(code)
app.command(cls=Command)(run)
app.command(cls=Command)(explain)
app.command(cls=Command)(merge)
app.command(cls=Command)(functions)
app.command(cls=Command)(schema)
app.command(cls=Command)(warm)


def run_command(arguments: Sequence[str], take: Callable[[object], None] | None = None) -> int:
    """Runs one command line; every way it can end is an exit code. Never raises.

    take: what to do with the record of a check, in place of printing its table.
    """
    with listening() as signals:
        color, taking = COLOR.set(None), TAKE.set(take)
        try:
            code = _run(arguments, signals)
        except (Interrupted, KeyboardInterrupt, typer.Abort):
            complain("interrupted")
            code = ExitCode.INTERRUPTED
        finally:
            COLOR.reset(color)
            TAKE.reset(taking)
    return signals.exit_code or code


def _run(arguments: Sequence[str], signals: Signals) -> int:
    try:
        root: Any = typer.main.get_command(app)
        return int(root(_arranged(arguments, root.commands), prog_name="gradcheck", standalone_mode=False) or 0)
    except GradcheckError as error:
        complain(str(error))
        return ExitCode.BAD_INPUT
    except typer.Abort:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, a user sees a sentence and an exit code
        if signals.received is not None:  # a library made something else of it
            raise Interrupted from None
        if isinstance(error, TyperUsageError):
            complain(str(error.format_message()))
            return ExitCode.BAD_INPUT
        _report_bug(error, verbose=not {"-v", "--verbose"}.isdisjoint(arguments))
        return ExitCode.BUG


def _arranged(arguments: Sequence[str], commands: Mapping[str, Any]) -> list[str]:
    """The arguments with their command first, and in an order that Typer cannot misread."""
    if not arguments:
        raise UsageError(NOTHING_TYPED)
    if len(arguments) == 1:
        require_words(arguments[0])
    command, rest = with_command(arguments, commands)
    for argument in rest:
        if (why := NOT_HERE.get((command, argument.partition("=")[0]))) is not None:
            raise UsageError(why)
    options: dict[str, bool | str] = {"--help": False, "-h": False}
    parameters = commands[command].params
    for parameter in parameters:
        if parameter.param_type_name == "option":
            metavar = parameter.metavar or ""
            takes = metavar if metavar.startswith("[") else not parameter.is_flag
            options |= dict.fromkeys([*parameter.opts, *parameter.secondary_opts], takes)
    if command not in EXPRESSION_COMMANDS:
        names = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
        return [command, *arrange_words(command, rest, options, names, dash_is_text=command == "code")]
    arranged = arrange(rest, options)
    if arguments[0] != command and arranged:
        require_formula(arranged, commands)
    return [command, *arranged]


def _report_bug(error: Exception, *, verbose: bool) -> None:
    """Says that the mistake is ours, and what to send."""
    message = "this is a bug in gradcheck, not in what you typed: please report it with the command and the lines below"
    detail = f"{type(error).__name__}: {error}"
    if verbose:
        detail = "".join(traceback.format_exception(error)[-6:]).rstrip()
    else:
        message += " (-v shows more of them)"
    complain(f"{message}\n{detail}")
