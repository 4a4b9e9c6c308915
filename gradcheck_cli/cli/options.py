"""The options that commands share: how they are typed, and what their texts mean.

Every option of a check is None where it was not given, so that a problem file can tell. The defaults stand in Request.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer

from gradcheck_cli.batch.run import DEFAULT_TIMEOUT
from gradcheck_cli.cli import candidates
from gradcheck_cli.cli.destinations import Destination
from gradcheck_cli.cli.streams import COLOR
from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_table import CODE_OPTIONS, OPTIONS, Declared
from gradcheck_cli.records.results import MOST_ROWS
from gradcheck_cli.render.formats import EXPLANATION_FORMATS, FIGURES, FORMATS, LIST_FORMATS, has_pictures, is_whole

Expression = Annotated[
    str,
    typer.Argument(metavar="EXPR", help="The function, in Python syntax.", autocompletion=candidates.formulas),
]
Explained = Annotated[
    str,
    typer.Argument(
        metavar="EXPR",
        help="The function, in Python syntax; or a problem, FILE::NAME.",
        autocompletion=candidates.formulas_or_problems,
    ),
]
COMPLETED = {
    "let": candidates.formulas,
    "claim": candidates.formulas,
    "wrt": candidates.variables,
    "device": candidates.one_of(("cpu", "cuda", "cuda:0", "auto")),
    "input": candidates.arrays,
}
"""How the shell completes the values of options whose metavar does not list them."""


def _declared(name: str, help: str | None = None, table: Mapping[str, Declared] = OPTIONS) -> Any:
    """The option as Typer has it, its texts read by what is declared. help: where a command has its own."""
    option = table[name]
    meaning = option.read

    def read(text: str) -> Any:
        return text if meaning is None else meaning(name, text)

    parser = None if meaning is None else read
    completed = COMPLETED.get(name) or candidates.choices(option.metavar)
    return typer.Option(
        option.flag, metavar=option.metavar, help=help or option.help, parser=parser, autocompletion=completed
    )


At = Annotated[list[str] | None, _declared("at")]
Wrt = Annotated[list[str] | None, _declared("wrt")]
Let = Annotated[list[str] | None, _declared("let")]
Claim = Annotated[list[str] | None, _declared("claim")]
Order = Annotated[int | None, _declared("order")]
Dtype = Annotated[str | None, _declared("dtype")]
Device = Annotated[str | None, _declared("device")]
Mode = Annotated[str | None, _declared("mode")]
Rtol = Annotated[float | None, _declared("rtol")]
Atol = Annotated[float | None, _declared("atol")]
ClaimRtol = Annotated[float | None, _declared("claim_rtol")]
Strict = Annotated[bool, _declared("strict")]
Samples = Annotated[int | None, _declared("samples")]
ExplainedSamples = Annotated[int | None, _declared("samples", "Draw N points; 1 where none is given.")]
Seed = Annotated[int | None, _declared("seed")]
Range = Annotated[list[str] | None, _declared("range")]
Shape = Annotated[list[str] | None, _declared("shape")]
Timeout = Annotated[float | None, _declared("timeout")]
TimeoutOfEach = Annotated[float | None, _declared("timeout", f"Seconds that a problem may take: {DEFAULT_TIMEOUT:g}.")]
CodeInputs = Annotated[list[str] | None, _declared("input", table=CODE_OPTIONS)]
Init = Annotated[str | None, _declared("init", table=CODE_OPTIONS)]
Draws = Annotated[int | None, _declared("samples", table=CODE_OPTIONS)]
Stress = Annotated[bool, _declared("stress", table=CODE_OPTIONS)]
CodeSeed = Annotated[int | None, _declared("seed", table=CODE_OPTIONS)]
ThroughDetach = Annotated[bool, _declared("through_detach", table=CODE_OPTIONS)]
Cotangents = Annotated[str | None, _declared("cotangents", table=CODE_OPTIONS)]


def _format(known: Sequence[str], help: str) -> Any:
    return typer.Option(
        "--output-format", "--format", "-f", metavar="FORMAT", help=f"{help} {', '.join(known)}.",
        autocompletion=candidates.formats(known),
    )  # fmt: skip


def _file(help: str) -> Any:
    return typer.Option("--output-file", "-o", metavar="FILE", help=help)


OutputFormat = Annotated[
    list[str] | None, _format(FORMATS, "How to write the report; without it, as the suffix of FILE says. There are")
]
ExplanationFormat = Annotated[list[str] | None, _format(EXPLANATION_FORMATS, "How to write the explanation. There are")]
ListFormat = Annotated[list[str] | None, _format(LIST_FORMATS, "How to write the list. There are")]
OutputFile = Annotated[
    list[str] | None,
    _file("Write the report there; the table is shown all the same. Repeatable, each with its --output-format."),
]
ListFile = Annotated[list[str] | None, _file("Write the list there, not to standard output.")]
SchemaFile = Annotated[str | None, _file("Write the schema there, not to standard output.")]
JunitFile = Annotated[
    str | None, typer.Option("--junitxml", metavar="FILE", help="Write a report there as JUnit, beside any other.")
]


def _with_color(wanted: bool | None) -> None:
    COLOR.set(wanted)


Color = Annotated[
    bool | None,
    typer.Option("--color/--no-color", help="With colors, or without; else as the terminal is.", callback=_with_color),
]
Title = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="What the report is called.")]
PageTitle = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="What the page is called, with html.")]
NoDerivatives = Annotated[bool, typer.Option("--no-derivatives", help="Leave out the closed form of the derivative.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Check again what changed whenever a file is saved.")]
Profile = Annotated[bool, typer.Option("--profile", help="Show at the end where the time went.")]
Plot = Annotated[
    str | None,
    typer.Option(
        "--plot", metavar="[FILE]", help=f"Draw it below the table; or as a figure, to FILE{' or '.join(FIGURES)}."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show failures only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show all rows and all columns.")]


def given(**values: Any) -> dict[str, Any]:
    """The options that were given."""
    kept = {name: value for name, value in values.items() if value is not None and value is not False and value != []}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}


def require_readable(*texts: str) -> None:
    """UsageError for bytes that the locale could not decode, which Python keeps as lone surrogates."""
    for text in texts:
        if any("\udc80" <= character <= "\udcff" for character in text):
            raise UsageError(
                f"{text!r} has bytes that are not {sys.getfilesystemencoding()}, the encoding of the locale: "
                "set a UTF-8 locale, for example LC_ALL=C.UTF-8"
            )


def names(texts: Sequence[str]) -> tuple[str, ...]:
    """The names in the texts of --wrt."""
    found = tuple(name.strip() for text in texts for name in text.split(","))
    if "" in found:
        raise UsageError("--wrt: the name of a variable is missing: write --wrt x, or leave --wrt out for all of them")
    return found


FEW_ROWS = 100
DRAWN_ROWS = 2_000
"""Of which pictures show the points."""


def are_pictured(where: Iterable[Destination]) -> bool:
    """Whether pictures are shown in one of the reports."""
    return any(has_pictures(one.format) for one in where)


def rows_kept(formats: Iterable[str], *, verbose: bool, pictured: bool) -> int:
    """How many rows of a problem are reported one by one in one of these formats; all of these are certified."""
    if verbose or any(map(is_whole, formats)):
        return MOST_ROWS
    return DRAWN_ROWS if pictured else FEW_ROWS
