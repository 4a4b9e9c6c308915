"""From the name of code to the code: its file or module is imported, as the user asked for.

What it imports in turn is found as always; after all that is installed, and only then, come its own folder (that of the
package it belongs to) or, for a module, the current folder: so nothing there stands in for something installed, and
nothing is imported that nobody names.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from gradcheck_cli.errors import UsageError
from gradcheck_cli.real_code.generators import same_state
from gradcheck_cli.real_code.user_frames import raised
from gradcheck_cli.user_code.target import MOST_NAMES, Target

_files: dict[str, ModuleType] = {}
"""The modules of files that were imported, by their paths."""


def found(target: Target, seed: int = 0) -> Any:
    """What the target names. Raises UsageError where it cannot be imported, or has no such name."""
    if target.file:
        module = _of_file(target, seed)
    elif target.module:
        module = _imported(target.module, target.module, seed)
    else:
        return _of_dotted(target, seed)
    return _inside(module, target.name, os.path.basename(target.file) or target.module)


@contextmanager
def importable(target: Target) -> Iterator[None]:
    """In the block, the folder of the target is the last in which modules are looked for."""
    if target.is_here:
        yield
        return
    folder = _root(target.file)[0] if target.file else os.getcwd()
    _forget_others(folder)
    path, modules = list(sys.path), set(sys.modules)
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path[:] = path
        _new.update(set(sys.modules) - modules)


def _root(file: str) -> tuple[str, list[str]]:
    """(the folder that a file's package lies in, the names of the packages and of the module)."""
    folder, name = os.path.split(os.path.abspath(file))
    parts = [name.removesuffix(".py")]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    return folder, parts[:-1] if parts[-1] == "__init__" else parts


def _of_file(target: Target, seed: int) -> ModuleType:
    path = os.path.abspath(target.file)
    if path in _files:
        return _files[path]
    parts = _root(path)[1]
    shown = os.path.basename(path)
    if len(parts) > 1 and all(part.isidentifier() for part in parts):
        module = _imported(".".join(parts), shown, seed)
        if os.path.abspath(getattr(module, "__file__", None) or "") != path:
            raise UsageError(
                f"{shown} is {'.'.join(parts)}, which is imported from {getattr(module, '__file__', 'elsewhere')}: "
                f"name it as the module, {'.'.join(parts)}:{target.name}, or install this one"
            )
    else:
        module = _run(path, parts[0] if _is_free(parts[0], path) else f"_gradcheck_{parts[0]}", shown, seed)
    _files[path] = module
    return module


def _is_free(name: str, path: str) -> bool:
    """Whether a module may be called so: no other one is."""
    if not name.isidentifier() or name in sys.modules:
        return False
    spec = importlib.util.find_spec(name)
    return spec is None or os.path.abspath(spec.origin or "") == path


def _run(path: str, name: str, shown: str, seed: int) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{shown} is no file of Python: its name ends with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with same_state(seed):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _unimportable(shown, error) from error
    return module


def _imported(name: str, shown: str, seed: int) -> ModuleType:
    try:
        with same_state(seed):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(
                f"there is no module {error.name}: neither installed, nor in the current folder {os.getcwd()}"
            ) from None
        raise _unimportable(shown, error) from error
    except (Exception, SystemExit) as error:
        raise _unimportable(shown, error) from error


def _unimportable(shown: str, error: BaseException) -> UsageError:
    if isinstance(error, SyntaxError):
        where = f"{os.path.basename(error.filename or shown)}:{error.lineno}"
        line = (error.text or "").rstrip("\n")
        caret = " " * max((error.offset or 1) - 1, 0) + "^"
        return UsageError(f"{where}: this is no Python: {error.msg}\n  {line}\n  {caret}")
    return UsageError(raised(f"the import of {shown}", error))


def _of_dotted(target: Target, seed: int) -> Any:
    """`package.module.NAME`: the longest part of it that is a module, and what is in it."""
    parts = target.name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:count])
        try:
            is_module = importlib.util.find_spec(name) is not None
        except (ImportError, ValueError):
            is_module = False
        except Exception as error:  # the package above it is imported by that
            raise _unimportable(name, error) from error
        if is_module:
            return _inside(_imported(name, name, seed), ".".join(parts[count:]), name)
    raise UsageError(f"there is no module {parts[0]}: neither installed, nor in the current folder {os.getcwd()}")


def _inside(module: ModuleType, name: str, shown: str) -> Any:
    value: Any = module
    for part in name.split("."):
        if not _has(value, part, shown):
            own = [key for key, one in vars(module).items() if callable(one) and not key.startswith("_")]
            near = difflib.get_close_matches(part, own, n=1)
            mine = [key for key in own if getattr(vars(module)[key], "__module__", None) == module.__name__]
            known = f"it has {', '.join((mine or own)[:MOST_NAMES])}" if own else "it has no function"
            raise UsageError(f"{shown} has no {name}: {f'did you mean {near[0]}?' if near else known}")
        value = getattr(value, part)
    return value


def _has(value: Any, part: str, shown: str) -> bool:
    """The user's own __getattr__ may raise what it likes."""
    try:
        return hasattr(value, part)
    except Exception as error:
        raise UsageError(raised(f"{shown}: {part}", error)) from error


_folder = ""
_new: set[str] = set()
"""The modules that were first imported for a target: others are not ours to forget."""


def _forget_others(folder: str) -> None:
    """Modules that came from the folder of another target: this one's may be called the same."""
    global _folder
    if _folder and _folder != folder:
        for name in _new & set(sys.modules):
            if _came_from(_folder, getattr(sys.modules[name], "__file__", None)):
                del sys.modules[name]
        _new.clear()
        for path in [path for path in _files if _came_from(_folder, path)]:
            del _files[path]
    _folder = folder


def _came_from(folder: str, file: str | None) -> bool:
    """Whether a file lies in a folder, and not in another one of the path, as what is installed below it does."""
    within = [entry for entry in {*sys.path, folder} if entry and file and f"{file}".startswith(entry + os.sep)]
    return max(within, key=len, default="") == folder
