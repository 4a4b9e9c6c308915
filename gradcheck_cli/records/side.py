"""What is under test, as a check sees it: something that is asked for a value and derivatives at points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gradcheck_cli.records.derivative import Derivative


@dataclass(frozen=True)
class AutogradResult:
    """What the side under test says at one point. value: of the function; errors: rows that it refuses, and why."""

    value: float | None
    derivatives: Mapping[Derivative, float]
    errors: Mapping[Derivative, str]


class Side(Protocol):
    """The side under test, in one mode."""

    def at(self, point: Mapping[str, float]) -> AutogradResult:
        """Value and derivatives at a point."""
        ...

    def at_many(self, columns: Mapping[str, Any], count: int) -> Mapping[Derivative, Any] | None:
        """Value (by VALUE) and derivatives at `count` points at once, as NumPy arrays of doubles; None where it has no
        such numbers: then one asks at each point."""
        ...
