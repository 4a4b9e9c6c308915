"""What is in a LaTeX text, and the tokens of our language that are made of it.

What is between the commands is read by our own tokens, so numbers, letters and signs are those of any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language import latex_commands as commands
from gradcheck_cli.language.tokens import Kind, Token, tokenize
from gradcheck_cli.surfaces import Message, Option

_FRACTIONS = frozenset(f"\\{name}" for name in commands.FRACTIONS)
MAX_DEPTH = 50  # of groups within groups: the reader of each is some ten calls deep

_OWN = re.compile(r"\\(?:[A-Za-z]+\*?|[ -~]|)|[{}$_^&|~\[\]']")


def items_of(text: str) -> list[Token]:
    """The commands and signs of LaTeX's own in a text, as symbols, and our tokens of all else."""
    own = [Token(Kind.SYMBOL, match[0], *match.span()) for match in _OWN.finditer(text)]
    masked = _OWN.sub(lambda match: " " * len(match[0]), text)
    try:
        others = tokenize(masked)[:-1]
    except ExpressionError as error:
        raise ExpressionError(error.message, text, error.start, error.end) from None
    found = sorted((*own, *others), key=lambda token: token.start)
    return [token for token in found if not _is_space(token.text)]


def _is_space(text: str) -> bool:
    return text == "~" or (text[:1] == "\\" and text[1:] in commands.PASSED_OVER)


class LatexItems:
    """A text being read, from item to item, into `out`.

    is_operand: whether the last token of `out` ends an operand; is_callable: whether that is a name which brackets may
    call; has_slash: whether a quotient is open to the right.
    """

    beside = "*"
    """What stands for a multiplication that is not written."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.items = items_of(text)
        end = len(text.rstrip())
        self.end = Token(Kind.END, "", end, end + 1)
        self.index = 0
        self.out: list[Token] = []
        self.is_operand = self.is_callable = self.has_slash = False
        self.depth = 0
        self.in_condition = False  # of a case, where words such as "if" say nothing

    # Items

    @property
    def item(self) -> Token:
        return self.items[self.index] if self.index < len(self.items) else self.end

    @property
    def previous(self) -> Token:
        return self.items[self.index - 1]

    def take(self) -> Token:
        self.index += 1
        return self.items[self.index - 1]

    def at_end(self) -> bool:
        return self.index >= len(self.items)

    def comes(self, *symbols: str) -> bool:
        return self.item.is_symbol(*symbols)

    def error(self, message: str | Message, place: Token, end: int | None = None) -> ExpressionError:
        return ExpressionError(message, self.text, place.start, place.end if end is None else end)

    def missing(self, after: Token) -> ExpressionError:
        return self.error(f"Something is missing after {after.text}.", after)

    def never_closed(self, opening: Token) -> NoReturn:
        raise self.error(f"This {opening.text} is never closed.", opening)

    def raw(self, of: Token) -> tuple[str, int]:
        """What is in braces, or the one sign, that comes next, as it was typed, and where it ends."""
        opening = self.item
        if self.at_end():
            raise self.missing(of)
        self.take()
        if opening.text != "{":
            if opening.kind is Kind.SYMBOL and opening.text[1:] not in commands.LETTERS:
                raise self.missing(of)
            return opening.text.lstrip("\\"), opening.end
        depth = 1
        while depth:
            if self.at_end():
                self.never_closed(opening)
            depth += self.comes("{") - self.comes("}")
            self.take()
        text = self.text[opening.end : self.previous.start]
        return text.replace("\\_", "_").replace("\\ ", " ").replace("~", " ").strip(), self.previous.end

    # Tokens

    def symbol(self, text: str, place: Token) -> None:
        self.out.append(Token(Kind.SYMBOL, text, place.start, place.end))

    def name(self, text: str, place: Token, *, is_callable: bool = False) -> None:
        self.out.append(Token(Kind.NAME, text, place.start, place.end))
        self.is_callable = is_callable

    def number(self, text: str, place: Token) -> None:
        self.out.append(tokenize(text)[0]._replace(start=place.start, end=place.end))

    def begin(self, place: Token) -> None:
        """An operand begins: what is before it is multiplied by it."""
        if self.is_operand:
            if not self.has_slash:
                self.symbol(self.beside, place)
            elif self.out[-1].kind is Kind.NAME and place.text in ("(", "[", "{", "\\left", *_FRACTIONS):
                message = "This can be read in two ways: put what is below the line in ( ), or write \\frac{}{}."
                raise self.error(message, place)  # else the parser says so
        self.is_operand, self.is_callable = True, False

    def operator(self, text: str, place: Token) -> None:
        self.symbol(text, place)
        self.is_operand = self.is_callable = False
        self.has_slash = text in ("/", "//")

    def word(self, text: str, place: Token) -> None:
        """An operator that is a word: and, or, not, if, else."""
        self.name(text, place)
        self.is_operand = self.has_slash = False

    def bracketed(self, read: Callable[[], object], opening: Token) -> None:
        """`(`, what `read` makes, `)`."""
        outside = self.has_slash
        self.deepen(opening)
        self.symbol("(", opening)
        self.is_operand = self.is_callable = self.has_slash = False
        read()
        self.symbol(")", self.previous)
        self.depth -= 1
        self.is_operand, self.is_callable, self.has_slash = True, False, outside

    def deepen(self, place: Token) -> None:
        """One group more is open."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = (f"This is nested more than {MAX_DEPTH} deep: name parts of it with ", Option("let"), ".")
            raise self.error(message, place)

    def aside(self, read: Callable[..., object], *args: object) -> list[Token]:
        """The tokens that `read` makes, which are not put out."""
        out, self.out = self.out, []
        read(*args)
        made, self.out = self.out, out
        return made
