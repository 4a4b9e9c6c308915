"""What the text of an option's value means, on the command line and in files."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence

from gradcheck_cli.errors import UsageError
from gradcheck_cli.surfaces import Option

OTHER_DTYPES = {
    "double": "float64", "f64": "float64", "fp64": "float64", "torch.double": "float64",
    "single": "float32", "f32": "float32", "fp32": "float32", "torch.float": "float32",
    "half": "float16", "f16": "float16", "fp16": "float16", "torch.half": "float16", "bf16": "bfloat16",
}  # fmt: skip
"""What the dtypes are called elsewhere."""


def dtype(option: str, text: str, known: Sequence[str]) -> str:
    """The name of a dtype: float64, double, fp16, torch.float32."""
    name = text.strip().lower()[:60]
    found = OTHER_DTYPES.get(name, re.sub(r"^(?:torch|np|numpy|jnp|tf)\.", "", name))
    found = OTHER_DTYPES.get(found, found)
    if found == "float":
        raise UsageError(Option(option, text), " is float32 in torch and float64 in NumPy: write one of these")
    return found if found in known else choice(option, text, known)


def choice(option: str, text: str, known: Sequence[str]) -> str:
    """One of the names that an option knows."""
    if text in known:
        return text
    name = text.strip().lower().removeprefix("torch.")[:60]  # a file may have megabytes here
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}? There are" if near else "there are"
    raise UsageError(Option(option, text), f": {advice} {', '.join(known)}")


def whole(option: str, text: str, low: int | None = None, high: int | None = None) -> int:
    """A whole number, with its limits."""
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or (low is not None and value < low) or (high is not None and value > high):
        limits = "" if low is None else f" from {low}" if high is None else f" from {low} to {high}"
        raise UsageError(Option(option, text), f": it takes a whole number{limits}")
    return value


def tolerance(option: str, text: str) -> float:
    """A finite number from 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError(Option(option, text), ": it takes a finite number from 0, for example 1e-9")
    return value


def seconds(option: str, text: str) -> float:
    """A finite number of seconds, more than none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(Option(option, text), ": it takes a number of seconds, for example 30")
    return value


CLOSERS = {"(": ")", "[": "]", "{": "}"}
BRACKET = re.compile(r"[(\[{]")


def split(text: str, separators: str) -> list[str]:
    """`text` split at the separators outside of brackets."""
    if BRACKET.search(text) is None:
        return re.split(f"[{separators}]", text) if separators else [text]
    parts, start, closers = [], 0, []
    for index, character in enumerate(text):
        if character in CLOSERS:
            closers.append(CLOSERS[character])
        elif closers and character == closers[-1]:
            closers.pop()
        elif character in separators and not closers:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]
