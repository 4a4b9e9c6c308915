"""Recording a piece of code, with all rules in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gradcheck_cli.tracing import rules  # noqa: F401 - each registers itself
from gradcheck_cli.tracing.compiled import eagerly
from gradcheck_cli.tracing.cudnn import without_cudnn
from gradcheck_cli.tracing.recorder import Recorder

T = TypeVar("T")


def recorded(recorder: Recorder, run: Callable[[], T]) -> T:
    """Run something and record it."""
    recorder.places.start()
    try:
        with eagerly(), without_cudnn(recorder.places), recorder:
            return run()
    finally:
        recorder.places.finish()
