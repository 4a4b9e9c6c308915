"""The options that commands share: how they are typed, and what their texts mean.

Every option of a check is None where it was not given, so that a problem file can tell. The defaults stand in Request.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_values import choice, seconds, tolerance, whole
from gradcheck_cli.records.request import MAX_ORDER, MODES
from gradcheck_cli.records.results import MOST_ROWS

Expression = Annotated[str, typer.Argument(metavar="EXPR", help="The function, in Python syntax.")]
At = Annotated[
    list[str] | None,
    typer.Option(metavar="POINT", help="Where: 2, x=1,y=-2, x=pi/4, or a range x=-3:3:101. Repeatable."),
]
Wrt = Annotated[list[str] | None, typer.Option(metavar="VAR", help="Differentiate by this variable only. Repeatable.")]
Let = Annotated[list[str] | None, typer.Option(metavar="'y = x*x'", help="Name an intermediate result. Repeatable.")]
Order = Annotated[str | None, typer.Option(metavar="N", help=f"The order of the derivatives: 1, at most {MAX_ORDER}.")]
Dtype = Annotated[str | None, typer.Option(metavar="|".join(DTYPES), help="What torch computes in: float64.")]
Device = Annotated[str | None, typer.Option(metavar="DEVICE", help="Where torch computes: cpu, cuda, cuda:N or auto.")]
Mode = Annotated[str | None, typer.Option(metavar="|".join(MODES), help="How torch differentiates: reverse.")]
Rtol = Annotated[
    str | None, typer.Option(metavar="R", help="Relative tolerance; 1e-9 for float64, wider for the others.")
]
Atol = Annotated[
    str | None, typer.Option(metavar="A", help="Absolute tolerance; 1e-12 for float64, wider for the others.")
]
ClaimRtol = Annotated[
    str | None, typer.Option(metavar="R", help="How far a claim may be off, relatively, and not be refuted: 1e-9.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Let only `match` pass.")]
Samples = Annotated[str | None, typer.Option(metavar="N", help="Draw N points; 5 where none is given.")]
Seed = Annotated[str | None, typer.Option(metavar="S", help="Where the drawing starts: 0.")]
Range = Annotated[
    list[str] | None,
    typer.Option("--range", metavar="LO:HI", help="Where to draw: -3:3 if not given, or x=0:1. Repeatable."),
]
OutputFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write the report there; the table is shown all the same.")
]
NoDerivatives = Annotated[bool, typer.Option("--no-derivatives", help="Leave out the closed form of the derivative.")]
Profile = Annotated[bool, typer.Option("--profile", help="Show at the end where the time went.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show failures only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show all rows and all columns.")]

_MEANINGS: dict[str, Callable[[str, Any], object]] = {
    "order": lambda option, text: whole(option, text, 1, MAX_ORDER),
    "mode": lambda option, text: choice(option, text, MODES),
    "dtype": lambda option, text: choice(option, text, tuple(DTYPES)),
    "device": lambda _, text: text,
    "rtol": tolerance,
    "atol": tolerance,
    "claim_rtol": tolerance,
    "strict": lambda _, flag: flag,
    "samples": lambda option, text: whole(option, text, 1),
    "seed": whole,
    "range": lambda _, texts: tuple(texts),
    "timeout": seconds,
}


def given_options(texts: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, read: name -> value. Raises UsageError for one that cannot be read."""
    return {
        name: _MEANINGS[name](name, text)
        for name, text in texts.items()
        if text is not None and text is not False and text != []
    }


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


def rows_kept(output_format: str, *, verbose: bool) -> int:
    """How many rows of a problem are reported one by one; all of these are certified."""
    return MOST_ROWS if verbose or output_format.startswith("json") else FEW_ROWS
