"""Recording a piece of code, with all rules in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from gradcheck_cli.tracing import rules  # noqa: F401 - each registers itself
from gradcheck_cli.tracing.compiled import eagerly
from gradcheck_cli.tracing.recorder import Recorder

T = TypeVar("T")


@contextmanager
def _without_cudnn() -> Iterator[None]:
    """cuDNN has a recurrent network in one kernel; without it torch goes from step to step, as on the CPU."""
    before = torch.backends.cudnn.enabled
    torch.backends.cudnn.enabled = False
    try:
        yield
    finally:
        torch.backends.cudnn.enabled = before


def recorded(recorder: Recorder, run: Callable[[], T]) -> T:
    """Run something and record it."""
    recorder.places.start()
    try:
        with eagerly(), _without_cudnn(), recorder:
            return run()
    finally:
        recorder.places.finish()
