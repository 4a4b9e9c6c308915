"""What is true of one derivative at one point: the record between the analytical side and the verdict. Plain floats."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gradcheck_cli.records.finding import Finding


class Kind(Enum):
    EXISTS = "exists"
    KINK = "kink"
    UNDEFINED = "undefined"
    NO_REFERENCE = "no reference"


@dataclass(frozen=True)
class Reference:
    """What is true of one derivative at one point; numbers are rounded to the working dtype.

    value: the derivative (kind EXISTS). left, right: the one-sided derivatives (KINK); jump: the function itself jumps.
    probed: the answer came from probing. one_sided: "left" or "right" where the function exists on that side only.
    why: of UNDEFINED; reason: of NO_REFERENCE, a sentence. limit: of the function, where the singularity is removable.
    """

    kind: Kind
    value: float | None = None
    left: float | None = None
    right: float | None = None
    jump: bool = False
    probed: bool = False
    one_sided: str | None = None
    why: Finding | None = None
    reason: str | None = None
    limit: float | None = None

    @property
    def numbers(self) -> tuple[float, ...]:
        """The derivative, or the one-sided ones."""
        return tuple(number for number in (self.value, self.left, self.right) if number is not None)
