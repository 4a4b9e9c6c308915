"""Reports that are written as they come: each piece is there at once, and a kill at any moment loses none."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TextIO

from gradcheck_cli.cli.streams import cannot_write, write_report


class Growing:
    """Where a report grows: a file, opened once, since a pipe would end with every close; None: standard output.

    begin: what it starts with. A regular file that exists holds what it held until that is written.
    """

    def __init__(self, file: Path | None, begin: Iterable[str]) -> None:
        self.file = file
        self._stream: TextIO | None = None
        if file is None:
            write_report("".join(begin))
            return
        try:
            if (regular := replaceable(file)) is not None:
                replace_file(regular, begin)
                self._stream = regular.open("a", encoding="utf-8")
            else:
                self._stream = file.open("w", encoding="utf-8")
                self._write("".join(begin))
        except OSError as error:
            raise cannot_write(file, error) from error

    def add(self, text: str) -> None:
        if self.file is None:
            write_report(text)
            return
        try:
            self._write(text)
        except OSError as error:
            raise cannot_write(self.file, error) from error

    def end(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):  # all is written, and add() has complained where it could not be
                self._stream.close()

    def _write(self, text: str) -> None:
        assert self._stream is not None
        self._stream.write(text)
        self._stream.flush()


def replaceable(file: Path) -> Path | None:
    """The regular file, behind symbolic links, whose place another may take. None: it is written through.

    So are devices, pipes, what does not exist yet, and a file that is this process's own output under another name.
    """
    regular = Path(os.path.realpath(file))
    try:
        found = os.lstat(regular)
    except OSError:
        return None
    return regular if stat.S_ISREG(found.st_mode) and not any(map(partial(_is, found), (1, 2))) else None


def _is(found: os.stat_result, descriptor: int) -> bool:
    try:
        return os.path.samestat(found, os.fstat(descriptor))
    except OSError:  # it is closed
        return False


def replace_file(file: Path, lines: Iterable[str]) -> None:
    """A regular file holds these lines and no others; until that is so, it holds what it held before.

    Its mode and, where that is allowed, its owner stay. Where no other can take its place (its folder cannot be
    written, it is a mount), it is written over.
    """
    text = "".join(lines)
    try:
        if not _replaced(file, text):
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise cannot_write(file, error) from error


def _replaced(file: Path, text: str) -> bool:
    kept = os.stat(file)
    try:
        number, beside = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    except PermissionError:
        return False
    try:
        with open(number, "w", encoding="utf-8") as stream:
            stream.write(text)
        with contextlib.suppress(OSError, AttributeError):  # Windows has no owners
            os.chown(beside, kept.st_uid, kept.st_gid)
        os.chmod(beside, stat.S_IMODE(kept.st_mode))
        try:
            os.replace(beside, file)
        except OSError:
            return False
        return True
    finally:
        with contextlib.suppress(OSError):
            os.unlink(beside)
