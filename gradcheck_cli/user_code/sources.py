"""Which files of the user's a check of code rests on: where one of them is another, it has to be checked again."""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any


def sources_of(named: Any, before: Collection[str]) -> dict[str, str]:
    """The files of the module of what is named, of the modules that its names lead to, and of those imported since.

    By their paths, from the current folder where they are in it; with the digests of what they hold. before: the names
    of the modules that were there before it was imported and run. What is installed is not among them, but for the
    module of what is named; the standard library, torch and gradcheck itself never are.
    """
    files = {*_files(named, before), *filter(None, [_installed(named)])}
    return {shown: digest(shown) for shown in sorted(map(_from_here, files))}


def digest(file: str) -> str:
    """Of what a file holds; "" of one that cannot be read."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""


def _from_here(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(os.getcwd())) if path.is_relative_to(os.getcwd()) else file


def _installed(named: Any) -> str | None:
    """The file of the module of what is named, unless it is torch's."""
    name = getattr(named, "__module__", None)
    if not isinstance(name, str) or name.partition(".")[0] == "torch":
        return None
    file = getattr(sys.modules.get(name), "__file__", None)
    return os.path.abspath(file) if isinstance(file, str) and not _is_library(Path(file)) else None


def _files(named: Any, before: Collection[str]) -> set[str]:
    open_ones = [getattr(named, "__module__", None), *(set(sys.modules) - set(before))]
    seen: dict[str, str] = {}
    while open_ones:
        name = open_ones.pop()
        if name in seen or not isinstance(name, str) or (file := _file(sys.modules.get(name))) is None:
            continue
        seen[name] = file
        open_ones += _names(sys.modules[name])
    return set(seen.values())


def _names(module: ModuleType) -> Iterator[Any]:
    """The package above a module, and the modules that what it has names is from."""
    yield module.__name__.rpartition(".")[0]
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType):
            yield value.__name__
        elif isinstance(value, FunctionType):
            yield value.__module__
        else:  # their own attributes may be computed, and fail
            yield vars(value if isinstance(value, type) else type(value)).get("__module__")


def _file(module: ModuleType | None) -> str | None:
    """The file of a module that is the user's own."""
    name = getattr(module, "__file__", None)
    if not isinstance(name, str):
        return None
    path = Path(os.path.abspath(name))
    if {"site-packages", "dist-packages"} & set(path.parts) or _is_library(path):
        return None
    return str(path)


def _is_library(path: Path) -> bool:
    in_packages = {"site-packages", "dist-packages"} & set(path.parts)
    return not in_packages and any(path.is_relative_to(one) for one in _libraries())


@cache
def _libraries() -> frozenset[str]:
    """The folders of the standard library and of gradcheck."""
    own = Path(os.path.abspath(__file__)).parent.parent
    return frozenset({str(own), *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))})
