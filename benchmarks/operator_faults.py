"""Why some operators of torch's database do not pass: what is known of each, so that a new failure shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """torchs: whether it is torch's own, and the verdict is right."""

    why: str
    torchs: bool = True


FAULTS: dict[str, Fault] = {}
