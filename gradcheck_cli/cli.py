"""The command line: options in, exit code out. The only place that catches GradcheckError."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from typer.core import TyperCommand

from gradcheck_cli.arguments import EXAMPLE, arrange, choice, seconds, tolerance, whole
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.exit_codes import ExitCode
from gradcheck_cli.version import __version__

if TYPE_CHECKING:
    from gradcheck_cli.render.display import Display

DEFAULT_COMMAND = "check"
EXPRESSION_COMMANDS = frozenset({"check"})
DISTRIBUTIONS = {"torch": "torch", "sympy": "sympy", "flint": "python-flint"}
MODES = ("reverse", "forward", "both")
FORMATS = ("table", "json", "json-lines")
LIST_FORMATS = ("table", "json")
MAX_ORDER = 10
PATIENCE = 1.0
"""Seconds without a sign of progress."""

HELP = """Check the gradient that PyTorch computes for a formula against its exact derivative.

\b
Examples:
  gradcheck "8*x**4 + 3*x**3" --at 2            one point
  gradcheck "-x**2" --at -2 --at 0.5            several points
  gradcheck "relu(w*x + b)" --at w=2,x=1,b=0.5 --wrt w
  gradcheck "sin(x)/x" --at x=-3:3:101          101 points from -3 to 3
  gradcheck "2*y + 3" --let "y = x*x" --at 3.5 --wrt x --wrt y
  gradcheck "x**3" --claim "3*x**2"             is my own derivative right?
  gradcheck "log(cosh(x))"                      5 points drawn from -3:3
  gradcheck "x**y" --at x=2,y=3 --order 2       second derivatives
  gradcheck "sigmoid(x)" --at 40 --dtype float32 --device cuda

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


class Command(TyperCommand):
    """A command whose help is written as reports are, whatever becomes of the stream."""

    def get_help(self, ctx: Any) -> str:
        _write_report(super().get_help(ctx).rstrip("\n") + "\n")
        raise typer.Exit


class RootCommand(Command):
    """`check`, whose usage line shows what is really typed."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage("gradcheck", "EXPR [OPTIONS]")
        formatter.write_usage("gradcheck", "functions [WORD]", prefix="       ")


app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        others = ", ".join(f"{name} {_version(distribution)}" for name, distribution in DISTRIBUTIONS.items())
        _write_report(f"gradcheck {__version__} ({others}, python {python_version()})\n")
        raise typer.Exit


def _version(distribution: str) -> str:
    """The version of an installed package, without importing it."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "(not installed)"


@app.command(DEFAULT_COMMAND, cls=RootCommand, help=HELP)
def check(
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="The function, in Python syntax.")],
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="POINT", help="Where: 2, x=1,y=-2, x=pi/4, or a range x=-3:3:101. Repeatable."),
    ] = None,
    wrt: Annotated[
        list[str] | None, typer.Option(metavar="VAR", help="Differentiate by this variable only. Repeatable.")
    ] = None,
    let: Annotated[
        list[str] | None, typer.Option(metavar="'y = x*x'", help="Name an intermediate result. Repeatable.")
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(metavar="D", help="Your own derivative, to be judged: 2*x, or 'w: x*y'. Repeatable."),
    ] = None,
    order: Annotated[str, typer.Option(metavar="N", help=f"The order of the derivatives, at most {MAX_ORDER}.")] = "1",
    dtype: Annotated[str, typer.Option(metavar="|".join(DTYPES), help="What torch computes in.")] = "float64",
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="Where torch computes: cpu, cuda, cuda:N or auto.")
    ] = "cpu",
    mode: Annotated[str, typer.Option(metavar="|".join(MODES), help="How torch differentiates.")] = "reverse",
    rtol: Annotated[
        str | None, typer.Option(metavar="R", help="Relative tolerance; 1e-9 for float64, wider for the others.")
    ] = None,
    atol: Annotated[
        str | None, typer.Option(metavar="A", help="Absolute tolerance; 1e-12 for float64, wider for the others.")
    ] = None,
    claim_rtol: Annotated[
        str, typer.Option(metavar="R", help="How far a claim may be off, relatively, before it is refuted.")
    ] = "1e-9",
    strict: Annotated[bool, typer.Option("--strict", help="Let only `match` pass.")] = False,
    samples: Annotated[str | None, typer.Option(metavar="N", help="Draw N points; 5 where there is no --at.")] = None,
    seed: Annotated[str, typer.Option(metavar="S", help="Where the drawing starts.")] = "0",
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="LO:HI", help="Where to draw: -3:3 if not given, or x=0:1. Repeatable."),
    ] = None,
    timeout: Annotated[str | None, typer.Option(metavar="S", help="Give up after S seconds.")] = None,
    output_format: Annotated[str, typer.Option(metavar="|".join(FORMATS), help="How to write the report.")] = "table",
    output_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the report there, not to standard output.")
    ] = None,
    no_derivatives: Annotated[
        bool, typer.Option("--no-derivatives", help="Leave out the closed form of the derivative.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show failures only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show all rows and all columns.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the versions.", is_eager=True, callback=_print_version)
    ] = False,
) -> ExitCode:
    _require_readable(expression, *(at or ()), *(wrt or ()), *(let or ()), *(claim or ()), *(ranges or ()))
    choice("--output-format", output_format, FORMATS)
    options: dict[str, Any] = {
        "at": tuple(at or ()),
        "wrt": _names(wrt or ()),
        "lets": tuple(let or ()),
        "claims": tuple(claim or ()),
        "claim_rtol": tolerance("--claim-rtol", claim_rtol),
        "timeout": None if timeout is None else seconds("--timeout", timeout),
        "order": whole("--order", order, 1, MAX_ORDER),
        "mode": choice("--mode", mode, MODES),
        "dtype": choice("--dtype", dtype, tuple(DTYPES)),
        "device": device,
        "rtol": None if rtol is None else tolerance("--rtol", rtol),
        "atol": None if atol is None else tolerance("--atol", atol),
        "strict": strict,
        "samples": None if samples is None else whole("--samples", samples, 1),
        "seed": whole("--seed", seed),
        "ranges": tuple(ranges or ()),
        "derivatives": not no_derivatives,
    }
    file = _writable(output_file)
    # torch, SymPy and flint load here, not before: --help and typing errors answer at once.
    from gradcheck_cli.checker import check_expression, versions
    from gradcheck_cli.records import Report
    from gradcheck_cli.render import RENDERERS
    from gradcheck_cli.render.summary import summary_line
    from gradcheck_cli.request import Request

    request = Request(expression, **options)
    with _progress(quiet=quiet) as on_progress:
        result = check_expression(request, on_progress=on_progress)
    report = Report((result,), versions(), result.seconds)
    display = _display(quiet=quiet, verbose=verbose, to_file=file is not None, options=vars(request))
    _deliver(RENDERERS[output_format](report, display), file)
    if not (quiet and report.passed):
        _say(summary_line(report, display))
    return exit_code(report.passed, report.bad_input)


def _require_readable(*texts: str) -> None:
    """UsageError for bytes that the locale could not decode, which Python keeps as lone surrogates."""
    for text in texts:
        if any("\udc80" <= character <= "\udcff" for character in text):
            raise UsageError(
                f"{text!r} has bytes that are not {sys.getfilesystemencoding()}, the encoding of the locale: "
                "set a UTF-8 locale, for example LC_ALL=C.UTF-8"
            )


def _names(texts: Sequence[str]) -> tuple[str, ...]:
    """The names in the texts of --wrt."""
    names = tuple(name.strip() for text in texts for name in text.split(","))
    if "" in names:
        raise UsageError("--wrt: the name of a variable is missing: write --wrt x, or leave --wrt out for all of them")
    return names


@app.command(cls=Command)
def functions(
    word: Annotated[
        str, typer.Argument(metavar="[WORD]", help="Only rows that contain this.", show_default=False)
    ] = "",
    output_format: Annotated[
        str, typer.Option(metavar="|".join(LIST_FORMATS), help="How to write the list.")
    ] = "table",
    output_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the list there, not to standard output.")
    ] = None,
) -> ExitCode:
    """List the functions that expressions may use."""
    from gradcheck_cli.render.functions import matching, render_functions, render_functions_json

    choice("--output-format", output_format, LIST_FORMATS)
    file = _writable(output_file)
    rows = matching(word)
    if not rows:
        raise UsageError(f"no function has {word!r} in its name or description; gradcheck functions lists all")
    display = _display(to_file=file is not None)
    render = render_functions_json if output_format == "json" else render_functions
    _deliver(render(rows, display), file)
    return ExitCode.PASSED


def exit_code(passed: bool, bad_input: bool) -> ExitCode:
    return ExitCode.BAD_INPUT if bad_input else ExitCode.PASSED if passed else ExitCode.FAILED


def run_command(arguments: Sequence[str]) -> int:
    """Runs one command line; every way it can end is an exit code. Never raises."""
    try:
        return _run(arguments)
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED


def _run(arguments: Sequence[str]) -> int:
    try:
        root: Any = typer.main.get_command(app)
        return int(root(_with_command(arguments, root.commands), prog_name="gradcheck", standalone_mode=False) or 0)
    except GradcheckError as error:
        _complain(str(error))
        return ExitCode.BAD_INPUT
    except typer.Abort:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, a user sees a sentence and an exit code
        if isinstance(message := _usage_message(error), str):
            _complain(message)
            return ExitCode.BAD_INPUT
        _report_bug(error, verbose=not {"-v", "--verbose"}.isdisjoint(arguments))
        return ExitCode.BUG


def _with_command(arguments: Sequence[str], commands: Mapping[str, Any]) -> list[str]:
    """The arguments with their command first, and in an order that Typer reads as DESIGN section 7 says."""
    named = bool(arguments) and arguments[0] in commands
    command, rest = (arguments[0], arguments[1:]) if named else (DEFAULT_COMMAND, arguments)
    if not rest and command in EXPRESSION_COMMANDS:
        raise UsageError(f"what should be checked? For example: {EXAMPLE}\n`gradcheck --help` explains everything")
    if command in EXPRESSION_COMMANDS:
        options = {"--help": False, "-h": False}
        for parameter in commands[command].params:
            if parameter.param_type_name == "option":
                options |= dict.fromkeys(parameter.opts, not parameter.is_flag)
        rest = arrange(rest, options)
    return [command, *rest]


def _usage_message(error: Exception) -> str | None:
    """The message of an error that Typer raises for a command line, else None."""
    if getattr(error, "exit_code", None) != ExitCode.BAD_INPUT or not hasattr(error, "format_message"):
        return None
    message = str(error.format_message())
    return "there is no expression" if "'EXPR'" in message else message


def _display(
    *, quiet: bool = False, verbose: bool = False, to_file: bool = False, options: Mapping[str, object] | None = None
) -> Display:
    """What the terminal, or the file, can show."""
    from gradcheck_cli.render.display import Display

    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    color = not to_file and not plain and _is_terminal(sys.stdout)
    width = shutil.get_terminal_size((80, 24)).columns
    return Display(width=max(width, 20), color=color, quiet=quiet, verbose=verbose, options=options or {})


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):  # it is closed
        return False


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    """What to call with the number of points done: a line on the terminal after PATIENCE, gone at the end."""
    if quiet or not _is_terminal(sys.stderr):
        yield None
        return
    due, shown = time.monotonic() + PATIENCE, ""

    def on_progress(done: int) -> None:
        nonlocal due, shown
        if (now := time.monotonic()) >= due:
            due, shown = now + 0.1, f"{done:,} {'point' if done == 1 else 'points'} checked"
            _say(f"\r{shown}", wrap=False)

    try:
        yield on_progress
    finally:
        if shown:
            _say(f"\r{' ' * len(shown)}\r", wrap=False)


def _writable(name: str | None) -> Path | None:
    """The file of --output-file, which can be opened; one that exists stays as it is until the report is ready."""
    if name is None:
        return None
    if not name:
        raise UsageError("--output-file needs the name of a file, but is followed by nothing")
    file = Path(name)
    try:
        existed = os.path.lexists(file)
        if existed and not (file.is_file() or file.is_dir()):
            return file  # a pipe or a device is opened once only
        file.open("ab").close()
        if not existed:
            file.unlink()
    except OSError as error:
        raise _cannot_write(name, error) from error
    return file


def _cannot_write(what: object, error: OSError) -> UsageError:
    return UsageError(f"cannot write {what}: {error.strerror or error}")


def _deliver(text: str, file: Path | None) -> None:
    """The report, to a file or to standard output."""
    if file is None:
        _write_report(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _cannot_write(file, error) from error


def _write_report(text: str) -> None:
    try:
        _write(text, sys.stdout)
    except OSError as error:
        raise _cannot_write("to standard output", error) from error


def _say(text: str, *, wrap: bool = True) -> None:
    """Text to standard error. Where that fails there is nobody to tell."""
    from gradcheck_cli.render.plain import wrapped

    if wrap and _is_terminal(sys.stderr):
        text = wrapped(text, _error_width())
    with contextlib.suppress(OSError):
        _write(text, sys.stderr)


def _error_width() -> int:
    """The columns of standard error's terminal, which may not be standard output's."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


def _write(text: str, stream: TextIO | None) -> None:
    """Text to a stream, in what its encoding can hold. OSError where it fails, except for a reader that is gone."""
    from gradcheck_cli.render.plain import encodable

    if not text:
        return
    if stream is None or stream.closed:
        raise OSError(errno.EBADF, "it is closed")
    try:
        stream.write(encodable(text, stream.encoding or "utf-8"))
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
    except OSError:
        _silence(stream)
        raise


def _silence(stream: TextIO) -> None:
    """What is left in the stream goes nowhere: the interpreter flushes once more at its end, and would fail."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(message: str) -> None:
    from gradcheck_cli.render.plain import lines

    _say(f"gradcheck: {lines(message)}\n")


def _report_bug(error: Exception, *, verbose: bool) -> None:
    """Says that the mistake is ours, and what to send."""
    message = "this is a bug in gradcheck, not in what you typed: please report it with the command and the lines below"
    detail = f"{type(error).__name__}: {error}"
    if verbose:
        detail = "".join(traceback.format_exception(error)[-6:]).rstrip()
    else:
        message += " (-v shows more of them)"
    _complain(f"{message}\n{detail}")
