"""What the text that names code says: a file or a module, and a name in it. Nothing is imported here."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass

from gradcheck_cli.errors import UsageError

EXAMPLE = "write losses.py::focal_loss, or mylib.layers:RMSNorm"
MOST_NAMES = 12
HERE = "__main__"
"""The module of what is typed in this process."""


@dataclass(frozen=True)
class Target:
    """text: as it was typed. file: of Python; else module: its dotted name, "" where it is not told from `name`.
    name: in it, maybe dotted itself."""

    text: str
    file: str
    module: str
    name: str

    @property
    def is_here(self) -> bool:
        """Whether it is no file, but what was typed in this process: the cells of a notebook."""
        return self.module == HERE


def read_target(text: str, folder: str = "") -> Target:
    """The target that a text names. folder: where the names of files begin. Raises UsageError."""
    text = text.strip()
    before, separator, name = text.rpartition("::") if "::" in text else text.rpartition(":")
    if not text:
        raise UsageError(f"the name of what should be checked is empty: {EXAMPLE}")
    if not separator and text.endswith(".py"):
        names = ", ".join(names_in(os.path.join(folder, text))[:MOST_NAMES])
        has = f"; it has {names}" if names else ""
        raise UsageError(f"{text} is a file: which function of it? Write {text}::NAME{has}")
    if not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(f"{text} names no code: {EXAMPLE}")
    if before.endswith(".py") or os.sep in before:
        if not os.path.isfile(os.path.join(folder, before)):
            raise UsageError(f"there is no file {before} in {os.path.abspath(folder)}")
        return Target(text, os.path.join(folder, before), "", name)
    if not separator:
        if "." not in name:
            raise UsageError(f"{text} names no code: it has no file or module; {EXAMPLE}")
        return Target(text, "", "", name)
    if not all(part.isidentifier() for part in before.split(".")):
        raise UsageError(f"{text} names no code: {before!r} is neither a file of Python nor a module; {EXAMPLE}")
    return Target(name if before == HERE else text, "", before, name)


def names_in(file: str) -> list[str]:
    """The functions and classes that a file defines, found without running it; none of a file that cannot be read."""
    try:
        with open(file, "rb") as stream:
            tree = ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
