"""Where in the user's code something happens, and in which call of an `autograd.Function`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
_FUNCTION_FILE = _TORCH + os.path.join("autograd", "function.py")


@dataclass(frozen=True)
class FunctionCall:
    """One call of an `autograd.Function` while the code was recorded: the class, and what it was given."""

    function: type[Any]
    args: tuple[Any, ...]
    place: str


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
        place, call = "", -1
        while frame is not None and frame is not self._base:
            code = frame.f_code
            if code.co_filename == _FUNCTION_FILE and code.co_name == "apply":
                call = self._call(frame)
                if place:
                    break
            elif not place and is_users(code.co_filename):
                place = f"{os.path.basename(code.co_filename)}:{frame.f_lineno}"
            frame = frame.f_back
        return place, call

    def _call(self, frame: FrameType) -> int:
        if frame not in self._seen:
            self._seen[frame] = len(self.calls)
            given = frame.f_locals
            function = given.get("cls") or type(given.get("self"))
            self.calls.append(FunctionCall(function, tuple(given.get("args", ())), _place_of(function)))
        return self._seen[frame]


def is_users(file: str) -> bool:
    """Whether a file is neither torch's nor ours."""
    return not (file.startswith((_OURS, _TORCH, "<")) or file.endswith("contextlib.py"))


def _place_of(function: type[Any]) -> str:
    """Where the backward of a function is written."""
    backward = getattr(function, "backward", None)
    code = getattr(backward, "__code__", None)
    return f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}" if code else ""
