"""Where in the user's code something happens, and in which call of an `autograd.Function`."""

from __future__ import annotations

import inspect
import linecache
import os
import re
import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch

from gradcheck_cli.tracing.tensors import unseen

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
_FUNCTION_FILE = _TORCH + os.path.join("autograd", "function.py")


@dataclass(frozen=True)
class FunctionCall:
    """One call of an `autograd.Function` while the code was recorded.

    given: the arguments; operands: the same with copies of the tensors as they were then. outer: the call in whose
    forward it happened, as an index; -1: none.
    """

    function: type[Any]
    given: tuple[Any, ...]
    operands: tuple[Any, ...]
    outer: int = -1


class Places:
    """Looks up the stack of the code that is being recorded, down to the frame that started it."""

    def __init__(self) -> None:
        self.calls: list[FunctionCall] = []
        self._seen: dict[FrameType, int] = {}
        self._base: FrameType | None = None

    def start(self) -> None:
        """The code runs below the caller's frame."""
        self._base = sys._getframe(1)

    def finish(self) -> None:
        self._seen.clear()
        self._base = None

    def here(self) -> tuple[str, int]:
        """(file:line of the user's code that called torch, the index of the innermost call of an `autograd.Function`;
        -1: none)."""
        frame: FrameType | None = sys._getframe(2)
        found, call = "", -1
        while frame is not None and frame is not self._base:
            code = frame.f_code
            if code.co_filename == _FUNCTION_FILE and code.co_name == "apply":
                call = self._call(frame)
                if found:
                    break
            elif not found and is_users(code.co_filename):
                found = place(code.co_filename, frame.f_lineno)
            frame = frame.f_back
        return found, call

    def _call(self, frame: FrameType) -> int:
        if frame not in self._seen:
            outer = self._around(frame)
            self._seen[frame] = len(self.calls)
            function = frame.f_locals.get("cls") or type(frame.f_locals.get("self"))
            given = tuple(frame.f_locals.get("args", ()))
            self.calls.append(FunctionCall(function, given, tuple(map(_as_it_was, given)), outer))
        return self._seen[frame]

    def _around(self, frame: FrameType) -> int:
        """The call in whose forward another happens."""
        above = frame.f_back
        while above is not None and above is not self._base:
            if above.f_code.co_filename == _FUNCTION_FILE and above.f_code.co_name == "apply":
                return self._call(above)
            above = above.f_back
        return -1


def is_users(file: str) -> bool:
    """Whether a file is neither torch's nor ours; a cell of a notebook is one, whatever it is called."""
    return not (file.startswith((_OURS, _TORCH, "<")) or file.endswith("contextlib.py")) or cell(file) is not None


def place(file: str, line: int | None) -> str:
    """`losses.py:12`, or `In[3]:12` of a cell."""
    return f"{cell(file) or os.path.basename(file)}:{line}"


def cell(file: str) -> str | None:
    """What IPython calls the cell that it has compiled under the name of a file: `In[3]`. None: it is no cell."""
    compiler: Any = getattr(getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)(), "compile", None)
    named = compiler.format_code_name(file) if hasattr(compiler, "format_code_name") else None
    return None if named is None else str(named[1])


def place_of(function: Any) -> str:
    """file:line of the `def` of a function of the user's, below what decorates it; "" where it is not known."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ""
    line = code.co_firstlineno
    while linecache.getline(code.co_filename, line).lstrip().startswith("@"):
        line += 1
    return place(code.co_filename, line)


def is_once_differentiable(function: type[Any]) -> bool:
    """Whether an `autograd.Function` says that its backward has no derivative."""
    method = getattr(function, "backward", None)
    while method is not None and (inner := getattr(method, "__wrapped__", None)) is not None:
        if getattr(method, "__code__", None) is not None and method.__code__.co_filename == _FUNCTION_FILE:
            return True
        method = inner
    return False


def defined_at(subject: Any) -> str:
    """file:line of a class or function; of a callable object, of its class. "" where it is not known."""
    file, line = _definition(subject)
    return "" if not file or (file.startswith("<") and cell(file) is None) else place(file, line)


def defined_in(subject: Any) -> str:
    """The file of that place, from the current folder where it is in it. "" where there is none, as of a notebook."""
    file = os.path.abspath(_definition(subject)[0])
    if not os.path.isfile(file):
        return ""
    here = os.path.join(os.getcwd(), "")
    return file.removeprefix(here)


def _definition(subject: Any) -> tuple[str, int]:
    """(file, line); ("", 0) where it is not known."""
    if code := getattr(subject, "__code__", None):
        return code.co_filename, code.co_firstlineno
    if isinstance(subject, type):
        return _class_defined_at(subject)
    return ("", 0) if type(subject).__module__ == "builtins" else _definition(type(subject))


def _class_defined_at(kind: type) -> tuple[str, int]:
    """(file, line); ("", 0) where it is not known. The module of a notebook has no file: its methods do."""
    try:
        return inspect.getsourcefile(kind) or "", inspect.getsourcelines(kind)[1]
    except (OSError, TypeError):
        pass
    for member in vars(kind).values():
        if (code := getattr(inspect.unwrap(member), "__code__", None)) is not None:
            lines = linecache.getlines(code.co_filename)[: code.co_firstlineno]
            for line in range(len(lines), 0, -1):
                if re.match(rf"\s*class\s+{kind.__name__}\b", lines[line - 1]):
                    return code.co_filename, line
    return "", 0


def _as_it_was(argument: Any) -> Any:
    if not isinstance(argument, torch.Tensor):
        return argument
    if torch._C._functorch.is_functorch_wrapped_tensor(argument):
        return None  # which means nothing outside of torch.func
    with unseen():
        return argument.detach().clone().requires_grad_(argument.requires_grad)
