"""The text of a claim: what it is a derivative by, and the derivative."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMES = re.compile(r"\s*([^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*)\s*:\s*(?!=)")


def split_claim(text: str) -> tuple[tuple[str, ...], str]:
    """`w: x*y` -> (("w",), "x*y"); without names, ()."""
    named = _NAMES.match(text)
    if named is None:
        return (), text.strip()
    return tuple(name.strip() for name in named[1].split(",")), text[named.end() :].strip()


def claimed_names(texts: Iterable[str]) -> set[str]:
    """The variables that claims say they are derivatives by."""
    return {name for text in texts for name in split_claim(text)[0]}
