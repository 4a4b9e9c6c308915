"""A decision that the numbers made, and that is not on the tape: the branch that ran is followed."""

from __future__ import annotations

from typing import NamedTuple

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.tape import Origin


class Guard(NamedTuple):
    """kind: "branch" (a condition in Python), "item" (a number went to Python), "order" (pairs that were compared:
    elements of the shape (2, n)), "integer" (numbers that were rounded off), "symmetric" (a matrix that is taken for
    symmetric), "decision" (any other). number: what Python got."""

    kind: str
    elements: Elements
    origin: Origin
    number: float | None = None
