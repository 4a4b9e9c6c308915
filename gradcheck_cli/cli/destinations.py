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
    """As many formats as files are pairs, in order; where there are fewer, the suffixes say which file a format is for,
    and what the others have.

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
    if len(formats) > len(names):
        raise UsageError(
            f"--output-format is given {_times(len(formats))} and --output-file {_times(len(names))}: "
            "each format is for one file"
        )
    places = [os.path.realpath(name) for name in names]
    for name, place in zip(names, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"--output-file {name} is given twice: each report needs a file of its own")
    chosen = formats if len(formats) == len(names) else _chosen(formats, names, known)
    return (*(Destination(format, writable(name)) for format, name in zip(chosen, names, strict=True)), *more)


def _chosen(formats: Sequence[str], names: Sequence[str], known: Sequence[str]) -> list[str]:
    """The formats of files that are more than the formats given: each of these goes to the first that may have it."""
    left, chosen = list(formats), []
    for name in names:
        given = next((format for format in left if not _contradicts(format, name)), None)
        if given is not None:
            left.remove(given)
        chosen.append(_of_suffix(name, known) if given is None else given)
    if left:
        raise UsageError(
            f"--output-format {left[0]}: by their suffixes, the files have other formats: give --output-format "
            "once for each --output-file, in their order"
        )
    return chosen


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
