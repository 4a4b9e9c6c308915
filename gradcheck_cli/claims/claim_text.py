r"""The text of a claim: what it says that it is, and the formula.

    claim = [left ("=" | ":")] formula | [gradient ("=" | ":")] ("[" | "(") formula {"," formula} ("]" | ")")
    left  = x | x, y | dx | f_x | f'(x) | f'' | dy/dx | d/dx f | d/dx (formula) | ∂f/∂x | d²f/dx² | ∂²f/∂x∂y

also as LaTeX has it, \frac{dy}{dx}. Several claims may stand in one text: "dx: y, dy: x", "{x: y, y: x}". A bare name
may be that of a variable or, as in dx, have one in it: which, is known where the variables are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from gradcheck_cli.errors import UsageError
from gradcheck_cli.language.cursor import MAX_LENGTH
from gradcheck_cli.option_values import split
from gradcheck_cli.surfaces import Option

MOST_ORDERS = 10
"""Characters of a text in which several claims are sought."""
MAX_LEFT = 200
"""Characters of what may be a left side."""

_NAME = r"[^\W\d]\w*"
_ARGUMENTS = rf"\(\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\)"
_ENDS = re.compile(r"[:=](?!=)")
_NAMES = re.compile(rf"{_NAME}(?:\s*,\s*{_NAME})*")
_PRIMES = re.compile(rf"{_NAME}\s*(['’′″‴]+)\s*(?:\(\s*(.*?)\s*\))?")
_PARTIAL = re.compile(
    rf"[d∂](?P<order>\^\d+|\*\*\d+|[²³]|\d+)?\s*(?:{_NAME}\s*)?(?:{_ARGUMENTS}\s*)?/\s*(?P<below>[d∂(].*)"
)
_BELOW = re.compile(rf"[d∂]\s*(?P<name>{_NAME}?)(?P<times>\^\d+|\*\*\d+|[²³])?(?=\s*(?:[d∂*]|$))\s*\*?\s*")
_FUNCTION_AFTER = re.compile(rf"(?:(?<![d∂])\s+(?!d){_NAME}\s*(?:{_ARGUMENTS})?|(?<=[\w)]){_ARGUMENTS})$")
_SEPARATOR = re.compile(r"[,;\n{]")
_GRADIENT = re.compile(rf"(?:∇\s*(?:{_NAME})?|grad(?:ient)?(?:\s*{_NAME})?|{_NAME}')(?:\s*\(.*\))?")
_OF_FORMULA = re.compile(rf"(d\s*/\s*d\s*{_NAME}?)\s*(?!{_ARGUMENTS}$)[(\[](.*)[)\]]")
_LATEX = [
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"\\(?:left|right|,|;|!|:)", ""), (r"\\(?:mathrm|text|operatorname)\s*\{([^{}]*)\}", r"\1"),
        (r"\\partial\s*", "∂"), (r"\^\{([^{}]*)\}", r"^\1"), (r"\^?\\prime", "'"),
        (r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1/\2"), (r"\\nabla\s*", "∇"), (r"\\([a-zA-Z]+)", r"\1"),
    )
]  # fmt: skip
_COUNTS = {"′": 1, "'": 1, "’": 1, "″": 2, "‴": 3}
_WITHIN = re.compile(rf"(?:[d∂]_?|{_NAME}?_)({_NAME})")


@dataclass(frozen=True)
class ClaimText:
    """What a claim says.

    names: what it is a derivative by, as far as it says so. order: that it says, without names. certain: the names
    cannot be anything else. formulas: one, or those of a gradient. left: what stands before them, as typed. operand:
    the formula that is said to be differentiated, if any.
    """

    formulas: tuple[str, ...]
    names: tuple[str, ...] = ()
    order: int = 0
    certain: bool = False
    left: str = ""
    operand: str | None = None

    def wrt(self, known: Collection[str]) -> tuple[str, ...]:
        """The names, of which each is known where that is possible: dx and f_x are x, unless there is a dx."""
        return tuple(known_name(name, known) for name in self.names)


def known_name(name: str, known: Collection[str]) -> str:
    """The variable that is meant: x by dx and f_x, where these are none themselves."""
    within = None if name in known else _WITHIN.fullmatch(name)
    return name if within is None or within[1] not in known else within[1]


def separate_claims(text: str) -> list[str]:
    """`dx: y, dy: x` -> its two claims; a text that is one claim is itself."""
    text = text.strip()
    if _SEPARATOR.search(text) is None:
        return [text]
    inside = text[1:-1] if text[:1] + text[-1:] == "{}" else text
    for separators in (";\n", ",") if len(inside) <= MAX_LENGTH else ():
        pieces = [piece.strip() for piece in split(inside, separators) if piece.strip()]
        alone = len(pieces) == 1 and (inside == text or separators != ",")  # {x: y} is one in braces
        if pieces and not alone and all(map(has_left_side, pieces)):
            return pieces
    return [text]


def has_left_side(text: str) -> bool:
    """Whether a claim says what it is."""
    with suppress(UsageError):
        return bool(split_claim(text).left)
    return True


@lru_cache(maxsize=256)  # a text is read for its names, and then for its formula
def split_claim(text: str) -> ClaimText:
    """`w: x*y` -> by w, "x*y". Raises UsageError for a left side that is a derivative at a point."""
    text = text.strip()
    if text.startswith("$") and text.endswith("$"):
        text = text.strip("$ ")
    end = _ENDS.search(text[:MAX_LEFT])
    if end is None or text[: end.start()].endswith(("<", ">", "!", "=")):
        return ClaimText(_several(text))
    left, right = _without_latex(text[: end.start()].strip()), text[end.end() :].strip()
    found = _of_left_side(left, end[0], right)
    return ClaimText(_several(text)) if found is None else found


def _of_left_side(left: str, sign: str, right: str) -> ClaimText | None:
    formulas = _several(right)
    if len(formulas) > 1 and _GRADIENT.fullmatch(left):
        return ClaimText(formulas, left=left)
    if _NAMES.fullmatch(left):
        names = tuple(name.strip() for name in left.split(","))
        return ClaimText((right,), names, certain=sign == ":", left=left)
    if (primes := _PRIMES.fullmatch(left)) is not None:
        order, by = sum(_COUNTS[prime] for prime in primes[1]), primes[2]
        if by is None or "," in by:
            return ClaimText(formulas, order=order, left=left)
        if re.fullmatch(_NAME, by) is None:
            number = " is the derivative at a point, and a claim is a function: give its number by "
            raise UsageError(left, number, Option("gradient", right), ", with ", Option("at", by))
        return ClaimText((right,), (by,) * order, certain=True, left=left)
    of_formula = _OF_FORMULA.fullmatch(left)
    below = _below(left if of_formula is None else of_formula[1])
    operand = None if of_formula is None else of_formula[2]
    return None if below is None else ClaimText((right,), below, certain=True, left=left, operand=operand)


def _without_latex(left: str) -> str:
    r"""`\frac{\partial f}{\partial x}` -> "∂f/∂x"."""
    if "\\" not in left:
        return left
    for pattern, plain in _LATEX:
        left = pattern.sub(plain, left)
    return left.strip()


def _below(left: str) -> tuple[str, ...] | None:
    """`dy/dx` -> ("x",); ∂²f/∂x∂y -> ("x", "y"); None for what is no such fraction."""
    fraction = _PARTIAL.fullmatch(left) or _PARTIAL.fullmatch(left.removeprefix("∂_").replace("∂_", "∂"))
    if fraction is None:
        return _alone(left)
    names: list[str] = []
    rest = _FUNCTION_AFTER.sub("", fraction["below"]).strip()
    rest = rest[1:-1].strip() if rest.startswith("(") and rest.endswith(")") else rest
    while rest:
        one = _BELOW.match(rest)
        if one is None or not one["name"]:
            return None
        names.extend([one["name"]] * min(_times(one["times"]), MOST_ORDERS + 1))
        rest = rest[one.end() :]
    order = _times(fraction["order"])
    if len(names) == 1 and order > 1:  # d2y/dx2 in ASCII: the last digit belongs to dx
        (name,) = names
        names = [name.removesuffix(str(order))] * min(order, MOST_ORDERS + 1)
    return tuple(names)


def _alone(left: str) -> tuple[str, ...] | None:
    """`∂x` and `∂_x f` -> ("x",)."""
    alone = re.fullmatch(rf"∂_?({_NAME})(?:\s+{_NAME})?", left)
    return None if alone is None else (alone[1],)


def _times(text: str | None) -> int:
    return 1 if text is None else {"²": 2, "³": 3}.get(text) or int(text.lstrip("^*")[:3])


def _several(text: str) -> tuple[str, ...]:
    """The formulas of `[y, x]`; one where there are no brackets around several."""
    if text[:1] + text[-1:] not in ("[]", "()"):
        return (text,)
    parts, depth, start = [], 0, 1
    for match in re.finditer(r"[()\[\]{},]", text):
        depth += (match[0] in "([{") - (match[0] in ")]}")
        if not depth and match.end() < len(text):
            return (text,)
        if match[0] == "," and depth == 1:
            parts.append(text[start : match.start()].strip())
            start = match.end()
    last = text[start:-1].strip()
    formulas = tuple([*parts, last] if last or not parts else parts)
    return formulas if parts or text.startswith("[") else (text,)


def claimed_names(texts: Iterable[str]) -> set[str]:
    """The variables that claims say they are derivatives by, where that cannot be anything else."""
    names: set[str] = set()
    for one in chain.from_iterable(map(separate_claims, texts)):
        with suppress(UsageError):  # which is told where the claim is read
            claim = split_claim(one)
            names.update(claim.names if claim.certain else ())
    return names
