"""What the user's code raised, with the user's own frames only."""

from __future__ import annotations

import traceback
from itertools import groupby

from gradcheck_cli.tracing.places import is_users, place

MOST = 8
"""Frames that are shown, the innermost."""
LONGEST = 2_000


def raised(what: str, error: BaseException) -> str:
    """`focal_loss raises ValueError: message`, and a line for each frame: `losses.py:12, in focal_loss: return ...`.

    error: or what it was made of.
    """
    cause = error.__cause__ or error
    if isinstance(cause, SystemExit):
        text = f"{what} ends the process, with {'no code' if cause.code is None else repr(cause.code)}"
    else:
        text = f"{what} raises {described(cause)}"
    return "\n".join([text, *frames(cause)])


def described(error: BaseException) -> str:
    """`ValueError: message`."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  the user's own class may fail at that as well
        message = "(its text raises an exception itself)"
    cut = message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
    return f"{type(error).__name__}{f': {cut}' if cut else ''}"


def frames(error: BaseException) -> list[str]:
    """Equal frames that follow one another, as in a recursion without end, are one line."""
    found = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users(frame.filename)]
    lines = []
    for frame, times in ((frame, len(list(alike))) for frame, alike in groupby(found, key=_line)):
        lines.append(f"  {frame}" if times == 1 else f"  {frame} ({times:,} times)")
    return lines[-MOST:]


def _line(frame: traceback.FrameSummary) -> str:
    where = f"{place(frame.filename, frame.lineno)}, in {frame.name}"
    return f"{where}: {frame.line}" if frame.line else where
