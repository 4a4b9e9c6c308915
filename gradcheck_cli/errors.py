"""The errors a user can cause, and the one that is ours."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Any, Self

from gradcheck_cli.surfaces import Message, Option, Words, on_command_line, worded

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep


class ForUsers(BaseException):
    """Its text says what there is to say: a notebook shows it with the user's frames, and none of ours."""

    def _render_traceback_(self) -> list[str]:
        """What IPython asks for."""
        shell: Any = sys.modules["IPython"].get_ipython()
        return list(shell.InteractiveTB.structured_traceback(type(self), self, frames_of_others(self.__traceback__)))


def frames_of_others(frames: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames that are ours."""
    theirs = []
    while frames is not None:
        if not frames.tb_frame.f_code.co_filename.startswith(_OURS):
            theirs.append(frames)
        frames = frames.tb_next
    kept = None
    for one in reversed(theirs):
        kept = TracebackType(kept, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return kept


class GradcheckError(ForUsers, Exception):
    """Base of every error that is reported to a user as a sentence, never as a traceback.

    parts: of the message, texts and the options that it speaks of. `str()` words them as the command line does.
    """

    def __init__(self, *parts: str | Option) -> None:
        super().__init__(*parts)
        self.parts: Message = parts

    def __str__(self) -> str:
        return self.worded(on_command_line)

    def worded(self, words: Words) -> str:
        return worded(self.parts, words)

    def in_words(self, words: Words) -> Self:
        """The same error with a message for another surface."""
        return type(self)(self.worded(words))


class ExpressionError(GradcheckError):
    """A text that cannot be read as an expression.

    message: what is wrong and what to do; source: the text as it was typed; start, end: the half-open range of
    characters at fault, as indices into `source`. `str()` shows the text with a caret under the place.
    """

    def __init__(self, message: str | Message, source: str = "", start: int = 0, end: int | None = None) -> None:
        Exception.__init__(self, message)
        self.parts = (message,) if isinstance(message, str) else message
        self.source = source
        self.start = start
        self.end = start + 1 if end is None else end

    @property
    def message(self) -> str:
        """Without the place, as the command line words it."""
        return worded(self.parts, on_command_line)

    def worded(self, words: Words) -> str:
        message = worded(self.parts, words)
        return f"{message}\n{underline(self.source, self.start, self.end)}" if self.source else message

    def in_words(self, words: Words) -> Self:
        return type(self)(worded(self.parts, words), self.source, self.start, self.end)


class UsageError(GradcheckError):
    """Options, points or names that do not fit together."""


class WrongArguments(UsageError, TypeError):
    """A function of ours that is called with arguments that it does not have."""


class FileError(UsageError):
    """A file that cannot be read as a whole. place: its name, as messages have it, and the line at fault if any."""

    def __init__(self, message: str, file: str, line: int | None = None) -> None:
        super().__init__(message)
        self.place = file, line

    def in_words(self, words: Words) -> Self:
        return self


class DeviceError(GradcheckError):
    """A device that this machine does not have."""


class NoReference(GradcheckError):
    """No certified value could be found within the precision allowed."""


class TorchRefusal(GradcheckError):
    """torch has no derivative, kernel or mode for what was asked. Carries torch's reason."""


class InternalError(Exception):
    """A contradiction inside gradcheck: a bug of ours, reported as one. Deliberately not a GradcheckError."""


def underline(source: str, start: int, end: int, width: int = 72) -> str:
    """The line of `source` that holds `start`, cut to about `width` characters, with carets under start..end."""
    line_start = max(source.rfind(mark, 0, start) for mark in "\n\r\u2028\u2029") + 1
    stops = [stop for mark in "\n\r\u2028\u2029" if (stop := source.find(mark, start)) >= 0]
    line_end = min(stops, default=len(source))
    left = max(line_start, min(start - width // 2, line_end - width))
    right = min(line_end, left + width)
    before, after = ("…" if left > line_start else ""), ("…" if right < line_end else "")
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in source[left:right])
    length = max(1, min(end, right) - start)
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + start - left)}{'^' * length}"
