"""Whether a request is about arrays. Nothing heavy is loaded to tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from gradcheck_cli.checking.points.written import Part, take_apart
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records.request import Request


def is_about_arrays(request: Request) -> bool:
    """Whether a variable is given an array (x=[1, 2], x=randn(3), a shape), which makes it a formula of arrays."""
    return bool(request.shapes) or any(is_array(value) for name, value in _parts(request) if name is not None)


def is_array(value: str) -> bool:
    """Whether the text of a value is that of an array."""
    return _array().match(value) is not None


@cache
def _array() -> re.Pattern[str]:
    from gradcheck_cli.arrays.makers import MAKERS

    return re.compile(rf"\s*[-+]?(?:[\d.eE+-]+\s*\*\s*)?(?:\[|@|(?:{'|'.join(MAKERS)})\s*\()")


def _parts(request: Request) -> Iterator[Part]:
    for text in request.at:
        if isinstance(text, str) and "=" in text and ("[" in text or "(" in text or "@" in text):
            try:
                yield from take_apart(text).parts
            except GradcheckError:  # which is told where the points are read
                continue
