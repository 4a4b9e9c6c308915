"""Pages of docs/ that show files and commands: the files are written, the commands run, their outputs compared.

A block after `<!-- file NAME -->` is a file; a block of console is a command and what it prints, run in the folder of
the files above it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"<!-- file (?P<file>.+?) -->\n```\w*\n(?P<text>.*?)^```$|^```console\n\$ (?P<command>[^\n]*)\n(?P<output>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_VARYING = re.compile(r"(?<=torch )[\d.]+\S*|(?<=in )\d+\.\d+s")


@dataclass(frozen=True)
class Shown:
    """A command of a page, with what the page shows."""

    command: str
    output: str


def commands(page: Path, folder: Path) -> Iterator[Shown]:
    """The commands in order; when one comes, the files above it are in the folder."""
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["file"]:
            _write(folder / block["file"], block["text"])
        else:
            yield Shown(block["command"], block["output"])


def same(text: str) -> str:
    """Without what is another each time: seconds, the build of torch, blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in _VARYING.sub("…", text).splitlines())


def regenerate(page: Path, folder: Path, run: Callable[[str], str]) -> None:
    """Write the page with what the commands print now. run: from a command to its output."""

    def renewed(block: re.Match[str]) -> str:
        if block["file"]:
            _write(folder / block["file"], block["text"])
            return block[0]
        output = re.sub(r"(torch [\d.]+)\S*", r"\1", run(block["command"]))
        lines = "".join(f"{line.rstrip()}\n" for line in output.splitlines())
        return f"```console\n$ {block['command']}\n{lines}```"

    page.write_text(_BLOCK.sub(renewed, page.read_text(encoding="utf-8")), encoding="utf-8")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
