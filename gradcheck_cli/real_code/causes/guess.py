"""A mistake that would explain wrong entries, before it is verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gradcheck_cli.real_code.causes.samples import Floats, Pair
from gradcheck_cli.records.code import Cause


@dataclass(frozen=True)
class Guess:
    """predict: what autograd would then give, for any sample; None where that is not known. everywhere: it says so of
    all entries, and not of the wrong ones alone."""

    cause: Cause
    predict: Callable[[Pair], Floats | None]
    numbers: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    everywhere: bool = False

    def explains(self, pair: Pair) -> bool:
        """Whether autograd is what this predicts."""
        predicted = self.predict(pair)
        entries = pair.known if self.everywhere else pair.wrong
        return predicted is not None and bool(pair.close(predicted)[entries].all())


Pattern = Callable[[Pair], Iterator[Guess]]
"""From a derivative that is wrong to what may have been done wrong, the likeliest first."""
