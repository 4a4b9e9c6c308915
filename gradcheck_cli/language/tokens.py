"""Text to tokens: numbers (exact), names, quoted texts, superscripts and symbols, each with its place in the text.

What people paste is read as what it stands for: − is -, × · ∗ are *, ÷ is /, ² is a power, a no-break space is a space.
½ is 1/2, x₁ is x1.
What cannot be seen (control, zero-width and bidirectional characters) is an error that names the code point, and so is
a name written in look-alike letters: nothing is folded silently.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from gradcheck_cli.errors import ExpressionError

MAX_DIGITS = 1_000  # of one number
LARGEST_ORDER, SMALLEST_ORDER = 309, -399  # of 0.d × 10**order; what is below the smallest double still underflows


class Kind(Enum):
    NUMBER = "number"
    QUOTIENT = "fraction"
    NAME = "name"
    QUOTED = "quoted text"
    SUPERSCRIPT = "superscript"
    SYMBOL = "symbol"
    END = "end"


DERIVES = "gradcheck differentiates by itself: give the function alone, such as x**2."


class Token(NamedTuple):
    """text: as it is meant ("*" where × was typed); start, end: where it stands; value: of a number or superscript."""

    kind: Kind
    text: str
    start: int
    end: int
    value: Fraction = Fraction(0)

    def is_symbol(self, *symbols: str) -> bool:
        return self.kind is Kind.SYMBOL and self.text in symbols


_DASHES = "−–‒‐‑"
_LONG_DASHES = "—―"  # offered only: word processors make them of two hyphens too
_PASTED = {
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys("×·⋅∙∗⊙", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "√": "√",
}  # fmt: skip
_SYMBOL = re.compile(r"\*\*|//|<=|>=|==|!=|&&|<<|>>|:=|[-+*/^()\[\]{},.<>=&|~%!?:;@#$`\\]")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SUPERSCRIPT = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_VULGAR = "½1/2 ⅓1/3 ⅔2/3 ¼1/4 ¾3/4 ⅕1/5 ⅖2/5 ⅗3/5 ⅘4/5 ⅙1/6 ⅚5/6 ⅐1/7 ⅛1/8 ⅜3/8 ⅝5/8 ⅞7/8 ⅑1/9 ⅒1/10"
_FRACTIONS = {one[0]: Fraction(one[1:]) for one in _VULGAR.split()}
_DIGITS = "[0-9]+(?:_[0-9]+)*"
_NUMBER = re.compile(rf"(?P<whole>{_DIGITS})?(?:\.(?P<part>{_DIGITS})?)?(?:[eE](?P<exponent>[-+{_DASHES}]?{_DIGITS}))?")
# What needs no second look, with the blanks behind it: a short decimal, an ASCII name or a symbol that ends there.
_USUAL = re.compile(
    r"(?:(?P<NUMBER>[0-9]{1,15}(?:\.[0-9]{1,15})?(?![\w.]))|(?P<NAME>[A-Za-z_][A-Za-z_0-9]*(?!\w|[^\x00-\x7f]|(?<=_)\{))"
    rf"|(?!\.[0-9])(?P<SYMBOL>{_SYMBOL.pattern}))[ \t\n\r]*"
)
_OTHER_BASE = re.compile(r"0(?:[xX][0-9a-fA-F]+|[bB][01]+|[oO][0-7]+)\b")
_SUBSCRIPTED = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
_SUBSCRIPT = re.compile(r"\{\s*(\w{1,40})\s*\}", re.ASCII)
_IMAGINARY = re.compile(r"[jJ](?!\w)")
# Letters and marks that leave no trace on the screen, although a name may hold them.
_BLANK_RANGES = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_BLANK = {chr(code) for first, last in _BLANK_RANGES for code in range(first, last + 1)}
_BLANK |= set("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, an END token last. ExpressionError for what is no token."""
    tokens = []
    position = 0
    while position < len(text):
        if usual := _USUAL.match(text, position):
            tokens.append(_usual(usual))
            position = usual.end()
            continue
        char = text[position]
        if char in " \t\n\r" or (not char.isascii() and unicodedata.category(char) == "Zs"):
            position += 1
            continue
        if _is_invisible(char):
            message = f"There is an invisible or unreadable character here, {_code(char)}: delete it."
            raise ExpressionError(message, text, position)
        if "0" <= char <= "9" or (char == "." and "0" <= text[position + 1 : position + 2] <= "9"):
            token = _number(text, position)
        elif char.isidentifier():
            token = _name(text, position)
        elif char in _FRACTIONS:
            token = Token(Kind.QUOTIENT, char, position, position + 1, _FRACTIONS[char])
        elif char in "'\"":
            token = _quoted(text, position)
        elif match := _SUPERSCRIPT.match(text, position):
            token = _superscript(text, match)
        elif char in _PASTED:
            token = Token(Kind.SYMBOL, _PASTED[char], position, position + 1)
        elif match := _SYMBOL.match(text, position):
            token = Token(Kind.SYMBOL, match[0], match.start(), match.end())
        else:
            raise ExpressionError(_stray(char), text, position)
        tokens.append(token)
        position = token.end
    tokens.append(Token(Kind.END, "", len(text.rstrip()), len(text.rstrip()) + 1))
    return tokens


def _usual(match: re.Match[str]) -> Token:
    name = match.lastgroup or ""
    text = match[name]
    start, end = match.span(name)
    if name == "NUMBER":
        return Token(Kind.NUMBER, text, start, end, _short_number(text))
    return Token(Kind.NAME if name == "NAME" else Kind.SYMBOL, text, start, end)


@lru_cache(maxsize=1024)
def _short_number(text: str) -> Fraction:
    whole, _, part = text.partition(".")
    return Fraction(int(whole + part), 10 ** len(part))


def shorten(text: str, width: int = 40) -> str:
    """`text` on one line of at most `width` characters, for a message."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _is_invisible(char: str) -> bool:
    if char.isascii():
        return not char.isprintable()
    return char in _BLANK or unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")


def _code(char: str) -> str:
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X}" + (f" ({name})" if name else "")


def _number(text: str, start: int) -> Token:
    match = _NUMBER.match(text, start)
    assert match is not None
    end, following = match.end(), text[match.end() : match.end() + 1]
    if other := _OTHER_BASE.match(text, start):
        raise ExpressionError("Numbers are decimal here: write this one so.", text, start, other.end())
    if following in (".", "_") and following:
        raise ExpressionError("This is not a number: it has a dot or an underscore too many.", text, start, end + 1)
    if _IMAGINARY.match(text, end):
        shown = shorten(match[0])
        message = f"{shown}{following} is imaginary, and complex numbers are not read: "
        message += f"for a variable {following} write {shown}*{following}."
        raise ExpressionError(message, text, start, end + 1)
    whole, part = ((match[group] or "").replace("_", "") for group in ("whole", "part"))
    if len(whole + part) > MAX_DIGITS:
        raise ExpressionError(f"This number has more than {MAX_DIGITS} digits.", text, start, end)
    # The order of magnitude first: to make a fraction of 1e10000000 takes seconds.
    digits = (whole + part).lstrip("0")
    exponent = _bounded_int((match["exponent"] or "0").replace("_", ""))
    order = len(digits) - len(part) + exponent
    value = Fraction(0)
    if digits:
        if SMALLEST_ORDER <= order <= LARGEST_ORDER:
            value = int(digits) * Fraction(10) ** (exponent - len(part))
        if not value or not _fits_double(value):
            instead = "0" if order < SMALLEST_ORDER else "a smaller number"
            message = f"{shorten(match[0])} does not fit in a double (5e-324 to 1.8e308): write {instead}."
            raise ExpressionError(message, text, start, end)
    return Token(Kind.NUMBER, match[0], start, end, value)


def _bounded_int(text: str) -> int:
    """The integer, or one that is far beyond every bound and has the same sign."""
    size = int(text.lstrip("+-" + _DASHES).lstrip("0")[:9] or "0")
    return -size if text[0] in "-" + _DASHES else size


def _fits_double(value: Fraction) -> bool:
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _name(text: str, start: int) -> Token:
    end = start + 1
    while end < len(text) and _continues_name(text[end]):
        end += 1
    if text[start] == "π" and text[start + 1 : start + 2].isalpha():  # πx is π x
        end = start + 1
    elif subscript := _SUBSCRIPTED.search(text, start + 1, end):
        end = subscript.end()
    name = text[start:end]
    if name[-1] == "_" and (braced := _SUBSCRIPT.match(text, end)):  # log_{10}
        name, end = name + braced[1], braced.end()
    if name[-1] in "₀₁₂₃₄₅₆₇₈₉":  # log₂ is log_2, which no function is called but as its base
        stem = name.rstrip("₀₁₂₃₄₅₆₇₈₉")
        name = f"{stem}{'_' * (stem == 'log')}{name[len(stem) :].translate(_SUBSCRIPTS)}"
    plain = unicodedata.normalize("NFKC", name)
    if plain != name:
        raise ExpressionError(_unusual(name, plain), text, start, end)
    return Token(Kind.NAME, name, start, end)


def _continues_name(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char == "_"
    return (("x" + char).isidentifier() or char in "₀₁₂₃₄₅₆₇₈₉") and char not in _PASTED and not _is_invisible(char)


def _unusual(name: str, plain: str) -> str:
    odd = next((char for char in name if unicodedata.normalize("NFKC", char) != char), None)
    if odd is None:
        return f"The name {shorten(name)} is written with combining characters: type it as {shorten(plain)}."
    if unicodedata.decomposition(odd).startswith("<super>"):
        if odd == "ᵀ":
            return "ᵀ is the transpose of an array, and this is a formula of numbers: write a power with **."
        before, _, after = name.partition(odd)
        example = f", {before}**{unicodedata.normalize('NFKC', odd + after)}" if before else ""
        return f"{odd} is a superscript letter: write a power with **{example}."
    return f"The name {shorten(name)} is written with {_code(odd)}: if {shorten(plain)} is meant, type that."


def _quoted(text: str, start: int) -> Token:
    end = text.find(text[start], start + 1) + 1
    if text[start] == "'" and start and (text[start - 1].isalnum() or text[start - 1] in ")'"):
        raise ExpressionError(f"A prime means a derivative. {DERIVES}", text, start)
    if not end or "\\" in text[start:end] or any(_is_invisible(char) for char in text[start:end]):
        raise ExpressionError("A text in quotes has no meaning here.", text, start)
    return Token(Kind.QUOTED, text[start + 1 : end - 1], start, end)


def _superscript(text: str, match: re.Match[str]) -> Token:
    digits = match[0].translate(_SUPERSCRIPTS)
    if len(digits) > MAX_DIGITS:
        raise ExpressionError(f"This number has more than {MAX_DIGITS} digits.", text, match.start(), match.end())
    return Token(Kind.SUPERSCRIPT, match[0], match.start(), match.end(), Fraction(int(digits)))


def _stray(char: str) -> str:
    plain = str(unicodedata.decimal(char, "")) or unicodedata.normalize("NFKC", char).replace("\u2044", "/")
    if char in _LONG_DASHES:
        plain = "-"
    if char == "∘":
        return "∘ is the composition of functions: write f(g(x))."
    if char == "∞":
        return "Infinity is not a number here."
    if char == "∂":
        return DERIVES
    if plain != char:
        return f"The character {char}, {_code(char)}, is not read here: if {plain} is meant, type that."
    return f"The character {char}, {_code(char)}, has no meaning here."
