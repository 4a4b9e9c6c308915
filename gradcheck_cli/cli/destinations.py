"""Where reports go: what --output-format and --output-file say together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradcheck_cli.cli.streams import writable
from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_values import choice
from gradcheck_cli.render.formats import ARE_JSON, SUFFIXES, suffixes_of


@dataclass(frozen=True)
class Destination:
    """A report in one format. file: None for standard output."""

    format: str
    file: Path | None = None


def destinations(
    formats: Sequence[str] | None, files: Sequence[str] | None, known: Sequence[str], junit: str | None = None
) -> tuple[Destination, ...]:
    """Formats and files are pairs, in order; of files that are left without a format, the suffix decides.

    known: the formats that there are, the first for standard output. junit: one more file, for that format. Raises
    UsageError for what makes no pairs, for a format that is none of these, and for a file that cannot be written or is
    named twice.
    """
    formats, names = formats or (), files or ()
    more = () if junit is None else (Destination("junit", writable(junit)),)
    if junit is not None and any(os.path.realpath(junit) == os.path.realpath(name) for name in names):
        raise UsageError(f"--junitxml {junit} is the file of another report: each needs one of its own")
    for name in formats:
        choice("output_format", name, known)
    if not names:
        if len(formats) > 1:
            raise UsageError(
                "standard output takes one report, so --output-format is given once, "
                "or as often as --output-file: they are pairs"
            )
        return (Destination(formats[0] if formats else known[0]), *more)
    guessed = len(formats) < len(names) and any(map(_contradicts, formats, names))
    if len(formats) > len(names) or guessed:
        raise UsageError(
            f"--output-format is given {_times(len(formats))} and --output-file {_times(len(names))}: "
            "they are pairs, in order; of files that are left without a format, the suffix decides"
        )
    places = [os.path.realpath(name) for name in names]
    for name, place in zip(names, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"--output-file {name} is given twice: each report needs a file of its own")
    chosen = [*formats, *(_of_suffix(name, known) for name in names[len(formats) :])]
    return (*(Destination(format, writable(name)) for format, name in zip(chosen, names, strict=True)), *more)


def _contradicts(format: str, name: str) -> bool:
    """Whether a file is called as one of another format is."""
    suffix = Path(name).suffix.lower()
    if suffix == ".json" and format in ARE_JSON:
        return False
    return suffix != "" and SUFFIXES.get(suffix, format) != format


def _of_suffix(name: str, known: Sequence[str]) -> str:
    suffix = Path(name).suffix.lower()
    format = SUFFIXES.get(suffix)
    if format is not None and format in known:
        return format
    raise UsageError(
        f"--output-file {name}: no format here has the suffix {suffix}: name one by --output-format, or take one of "
        f"{', '.join(suffixes_of(known))}"
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
