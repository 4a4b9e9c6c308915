"""From the name of a file, or "-" for standard input, to its text, and a text into a file.

Every failure is a sentence.
"""

from __future__ import annotations

import codecs
import contextlib
import difflib
import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path

from gradcheck_cli.errors import FileError, UsageError

DEFAULT_FILE = "problems.yaml"
STANDARD_INPUT = "-"
MAX_BYTES = 64 * 2**20

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def shown(name: str) -> str:
    """What a source is called in reports and messages."""
    if name == STANDARD_INPUT:
        return "standard input"
    return name if name.isprintable() else ascii(name)[1:-1]


def in_repository(name: str) -> str:
    """The name of a file from the root of the repository that the current folder is in, as reviews of code want it; as
    it was given where the file is in none."""
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
    path = Path(os.path.abspath(name))
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else name


def read_source(name: str = DEFAULT_FILE) -> str:
    """The text of a file, its line ends as line feeds. Raises UsageError with a sentence that names the file."""
    return decode(_bytes(name), shown(name))


def decode(data: bytes, source: str) -> str:
    """The text of bytes in UTF-8, or in UTF-16 or UTF-32 with their marks. source: what messages call it."""
    mark, encoding = next((pair for pair in _MARKS if data.startswith(pair[0])), (b"", "utf-8"))
    body = data[len(mark) :]
    if encoding == "utf-8" and b"\0" in body:
        line = body[: body.index(b"\0")].count(b"\n") + 1
        message = f"{source}:{line}: there is a null byte, which text does not have: save the file as UTF-8"
        raise FileError(message, source, line)
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = body[: error.start].decode(encoding, "replace").count("\n") + 1
        name = encoding[:6].removesuffix("-").upper()
        message = f"{source}:{line}: the byte 0x{body[error.start]:02X} is not {name}: save the file as UTF-8"
        raise FileError(message, source, line) from None
    return text.replace("\r\n", "\n")


def _bytes(name: str) -> bytes:
    if not name:
        raise UsageError(f"the name of a file is empty: name a problem file, for example {DEFAULT_FILE}")
    try:
        if name == STANDARD_INPUT:
            data = _standard_input()
        else:
            with open(name, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(_missing(name)) from None
    except IsADirectoryError:
        raise UsageError(_folder(name)) from None
    except PermissionError:
        # Windows says so of a folder, too.
        message = _folder(name) if os.path.isdir(name) else f"{shown(name)} cannot be read: permission denied"
        raise UsageError(message) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"{shown(name)} cannot be read: {reason[:1].lower()}{reason[1:]}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{shown(name)} is larger than {MAX_BYTES // 2**20} MiB, which is more than is read")
    return data


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise UsageError("standard input is closed: name a problem file")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _folder(name: str) -> str:
    inside = os.path.join(name, DEFAULT_FILE)
    advice = f"did you mean {shown(inside)}?" if os.path.isfile(inside) else "name a file in it"
    return f"{shown(name)} is a folder: {advice}"


def _missing(name: str) -> str:
    folder, base = os.path.split(name)
    if folder and not os.path.isdir(folder):
        return f"there is no file {shown(name)}: there is no folder {shown(folder)}"
    near = difflib.get_close_matches(base, _files(folder or "."), n=1)
    if near:
        return f"there is no file {shown(name)}: did you mean {shown(os.path.join(folder, near[0]))}?"
    if name == DEFAULT_FILE:
        return f"there is no {DEFAULT_FILE} in this folder: name a problem file, or - for standard input"
    return f"there is no file {shown(name)}"


def _files(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, 10_000) if entry.is_file()]
    except OSError:
        return []


def cannot_write(what: object, error: OSError) -> UsageError:
    return UsageError(f"cannot write {what}: {error.strerror or error}")


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
