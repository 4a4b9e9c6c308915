"""The version of gradcheck, in one place, and those that a report names, without importing what they are of."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from platform import python_version

__version__ = "0.1.0"

DISTRIBUTIONS = {"torch": "torch", "sympy": "sympy", "flint": "python-flint"}


def versions() -> dict[str, str]:
    """Of gradcheck, torch, sympy, flint and python."""
    others = {name: _installed(distribution) for name, distribution in DISTRIBUTIONS.items()}
    return {"gradcheck": __version__, **others, "python": python_version()}


@cache
def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "(not installed)"
