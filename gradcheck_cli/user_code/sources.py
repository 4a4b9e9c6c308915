"""Which files of the user's a check of code rests on: what has to be checked again when one of them is saved."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any


def source_files(named: Any, before: Collection[str]) -> tuple[str, ...]:
    """The files of the module of what is named, of the modules that its names lead to, and of those imported since.

    before: the names of the modules that were there before it was imported and run. What is installed, the standard
    library and gradcheck itself are not among them.
    """
    open_ones = [getattr(named, "__module__", None), *(set(sys.modules) - set(before))]
    seen: dict[str, str] = {}
    while open_ones:
        name = open_ones.pop()
        if name in seen or not isinstance(name, str) or (file := _file(sys.modules.get(name))) is None:
            continue
        seen[name] = file
        open_ones += _names(sys.modules[name])
    return tuple(sorted(set(seen.values())))


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
    if {"site-packages", "dist-packages"} & set(path.parts) or any(path.is_relative_to(one) for one in _libraries()):
        return None
    return str(path)


@cache
def _libraries() -> frozenset[str]:
    """The folders of the standard library and of gradcheck."""
    own = Path(os.path.abspath(__file__)).parent.parent
    return frozenset({str(own), *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))})
