"""The verdicts on one row, from best to worst."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Verdict(Enum):
    """The verdicts on one row, from best to worst."""

    MATCH = "match"
    IMPRECISE = "imprecise"
    KINK = "kink"
    UNSTABLE = "unstable"
    MISMATCH = "mismatch"
    UNDEFINED = "undefined"
    ERROR = "error"

    @property
    def severity(self) -> int:
        return _SEVERITY[self]

    @property
    def passes(self) -> bool:
        """Whether a row with this verdict passes when nothing else is asked for (no --strict, no `expect`)."""
        return self in (Verdict.MATCH, Verdict.IMPRECISE, Verdict.KINK)

    @staticmethod
    def worst(verdicts: Iterable[Verdict]) -> Verdict:
        return max(verdicts, key=lambda verdict: verdict.severity)


_SEVERITY = {verdict: place for place, verdict in enumerate(Verdict)}
