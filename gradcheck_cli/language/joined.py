"""Names that may be something else without its signs: `wx` for w*x, `lnx` for ln(x)."""

from __future__ import annotations

import re
from collections.abc import Collection

CONSTANTS = ("e", "pi", "π")
_APPLIED = re.compile(
    r"([^\W\d_]?)(ln|log|exp|sqrt|sinh|cosh|tanh|sin|cos|tan|arcsin|arccos|arctan)([xyzαβθφω])"  # but not cost, sink
)
MOST = 20
"""Letters of a name that is looked at."""


def product_in(name: str, known: Collection[str]) -> str:
    """`w*x`, where the name is made of known ones, one after the other, at least one of them a variable; else ""."""
    parts = _parts(name, {*known, *CONSTANTS} - {name}) if len(name) > 1 else ()
    return "*".join(parts) if any(part in known and part not in CONSTANTS for part in parts) else ""


def application_in(name: str) -> str:
    """`ln(x)`, `x*sin(x)`: what a function and a letter stand for, perhaps with a factor before it; else ""."""
    found = _APPLIED.fullmatch(name)
    if found is None:
        return ""
    return f"{found[1]}{'*' if found[1] else ''}{found[2]}({found[3]})"


def _parts(name: str, known: Collection[str]) -> tuple[str, ...]:
    ways: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(1, len(name) + 1 if len(name) <= MOST else 0):
        for start in range(end):
            if start in ways and name[start:end] in known:
                ways[end] = (*ways[start], name[start:end])
                break
    return ways.get(len(name), ())
