"""The text of a file, or of standard input, whatever its encoding; or a sentence that says why not."""

from __future__ import annotations

import codecs
import difflib
import sys
from pathlib import Path

from gradcheck_cli.errors import UsageError

MAX_BYTES = 64 * 1024**2
STDIN = "-"
USUAL = "problems.yaml"

# UTF-32 first: its byte order mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


def read_source(name: str) -> str:
    """The text of the file `name`, or of standard input for "-". Raises UsageError."""
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(_missing(name)) from None
    except IsADirectoryError:
        raise UsageError(_folder(name)) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES // 1024**2} MiB, the largest file that is read")
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{name}:{line}: the byte 0x{data[error.start]:02X} is not {encoding.upper().removesuffix('-SIG')}: "
            "save the file as UTF-8"
        ) from None


def _missing(name: str) -> str:
    path = Path(name)
    if not name:
        return "the name of a file is empty"
    if not path.parent.is_dir():
        return f"there is no {name}: there is no folder {path.parent}"
    near = difflib.get_close_matches(path.name, sorted(entry.name for entry in path.parent.iterdir()), n=1)
    if near:
        return f"there is no {name}: did you mean {path.with_name(near[0])}?"
    if name == USUAL:
        return f"there is no {USUAL} here: name a file, or check one expression: gradcheck 'x**2' --at 2"
    return f"there is no {name}"


def _folder(name: str) -> str:
    inside = Path(name) / USUAL
    return f"{name} is a folder: name a file in it" + (f", such as {inside}" if inside.is_file() else "")
