"""The functions of a LaTeX text: \\sin^2 x, \\log_2(x), and how far an argument goes that has no brackets."""

from __future__ import annotations

import contextlib

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language import latex_commands as commands
from gradcheck_cli.language.latex_blocks import LatexBlocks
from gradcheck_cli.language.signatures import find
from gradcheck_cli.language.syntax import ALSO_VARIABLES
from gradcheck_cli.language.tokens import Kind, Token, shorten

WORDS = frozenset({"if", "else", "and", "or", "not"})
OPENING = ("(", "[", "\\{", "\\lbrace", "\\lparen")


def is_function(name: str) -> bool:
    """Whether a word is the name of a function, also where no brackets follow."""
    return len(name) > 1 and find(name) is not None and name not in ALSO_VARIABLES


class LatexFunctions(LatexBlocks):
    """A text being read as far as these go."""

    def part(self) -> None:
        """The next operator, or the next operand."""
        raise NotImplementedError

    def sign(self, item: Token) -> None:
        """An operator, or a sign that has no place here."""
        raise NotImplementedError

    def argument(self, of: Token) -> None:
        """What a command takes: what is in braces, or one sign."""
        raise NotImplementedError

    def exponent(self, of: Token) -> None:
        """What comes after ^: what is in braces, or one sign."""
        raise NotImplementedError

    def brackets(self, item: Token) -> None:
        """( ... )."""
        raise NotImplementedError

    def brackets_follow(self) -> bool:
        following = self.items[self.index + 1 : self.index + 2]
        return self.comes(*OPENING) or (self.comes("\\left") and bool(following) and following[0].text in OPENING)

    def function(self, name: str, item: Token) -> None:
        """\\sin x, \\sin^2 x, \\sin^{-1} x, \\log_2 x, \\max(x, 0)."""
        self.begin(item)
        power: list[Token] = []
        base: list[Token] = []
        while self.comes("^", "_"):
            sign = self.take()
            if sign.text == "^" and not power:
                power = self.aside(self.exponent, sign)
            elif sign.text == "_" and not base and name == "log":
                base = self.aside(self.base, sign)
            else:
                raise self.error(f"{sign.text} has no meaning here.", sign)
        inverse: list[Token] = []
        if "".join(token.text for token in power) == "(-1)":  # the parser says what it is read as
            inverse, power = power, []
        number = "".join(token.text for token in base)
        if number in commands.BASES:
            name, base = commands.BASES[number], []
        if base:
            self.symbol("(", item)
        self.name(name, item, is_callable=True)
        if inverse:
            self.symbol("^", inverse[0])
            self.out.extend(inverse)
        self.function_argument(item)
        if base:
            self.symbol("/", item)
            self.name("log", item)
            self.out.extend(base)
            self.symbol(")", self.previous)
        if power:
            self.symbol("**", power[0])
            self.out.extend(power)
            if self.comes("^"):
                raise self.error("This has two powers: leave one of them out.", self.item)
        self.is_operand, self.is_callable = True, False

    def base(self, of: Token) -> None:
        """Of a logarithm. _10 is meant as ten, though LaTeX takes its 1 only."""
        item = self.item
        if item.kind is Kind.NUMBER:
            self.bracketed(lambda: self.out.append(self.take()), item)
        else:
            self.argument(of)

    def function_argument(self, item: Token) -> None:
        """In brackets, or all factors that can only belong to it."""
        if self.comes(*OPENING):
            self.brackets(self.item)
        elif self.comes("\\left") and self.brackets_follow():
            self.left(self.take())
        elif self.comes("{"):
            opening = self.item
            self.argument(item)
            if self.comes("^"):
                raise self.two_ways(item, opening.start, self.index, braces=1)
        elif item.text in ("\\max", "\\min"):
            raise self.error(f"{item.text} takes numbers in brackets: write {item.text}(x, 0).", item)
        else:
            start = self.item.start
            self.bracketed(lambda: self.factors(item), self.item if not self.at_end() else item)
            if self.comes("/", "\\div"):
                raise self.two_ways(item, start, self.index)

    def two_ways(self, item: Token, start: int, index: int, *, braces: int = 0) -> ExpressionError:
        """The error for what may belong to an argument without brackets or not. start: where that begins; index: of the
        item that is in doubt."""
        doubtful, self.index = self.items[index], index
        with contextlib.suppress(ExpressionError):  # it is shown as far as it goes
            self.aside(self.in_doubt)
        end = self.previous.end
        function = self.text[item.start : start].rstrip()
        inside = self.text[start : doubtful.start].rstrip()
        inside = inside[1:-1] if braces else inside
        rest = self.text[start + len(inside) + 2 * braces : end]
        message = f"This can be read in two ways: write {function}({inside}){rest} or {function}({inside}{rest})."
        return self.error(shorten(message, 200), item, end)

    def in_doubt(self) -> None:
        """What may belong to an argument: a factor with its power, a divisor, or a power alone."""
        if self.comes("/", "\\div"):
            self.take()
        if not self.comes("^"):
            self.part()
        while self.comes("^"):
            self.sign(self.take())

    def factors(self, item: Token) -> None:
        """The factors of an argument without brackets: numbers and fractions, then letters; or one of another kind."""
        start, seen, place = self.index, False, self.item.start
        while self.comes("-", "+") and self.index == start:
            self.sign(self.take())
            start = self.index
        while not self.at_end():
            kind = self.factor_kind()
            if kind is None:
                break
            if seen and kind != "letter":
                raise self.two_ways(item, place, self.index)
            before = self.index
            self.part()
            while self.comes("^"):
                letters = self.items[before].text
                if letters == "e" and seen:
                    raise self.two_ways(item, place, before)
                if letters[-1:] == "e" and len(letters) > 1 and self.items[before].kind is Kind.NAME:
                    message = f"This can be read in two ways: put the argument of {shorten(item.text)} in ( )."
                    raise self.error(message, item, self.item.end)
                self.sign(self.take())
            seen = seen or kind not in ("number", "fraction")
        if self.index == start:
            raise self.missing(item)

    def factor_kind(self) -> str | None:
        """What the next factor is; None where something else comes."""
        item, name = self.item, self.item.text[1:]
        if item.kind is Kind.NUMBER or item.text == "\\pi":
            return "number"
        if item.kind is Kind.NAME:
            is_word = item.text in WORDS or item.text in commands.OTHERWISE
            return None if is_word or is_function(item.text) else "letter"
        if item.kind is not Kind.SYMBOL:
            return None
        if item.text[:1] != "\\":
            return "other" if item.text in ("(", "[", "{", "|") and not (item.text == "|" and self.is_operand) else None
        if name in commands.LETTERS or name in commands.ACCENTS:
            return "letter"
        if name in commands.FRACTIONS:
            return "fraction"
        if name in commands.STYLES:
            styled = self.styled_name()
            is_word = styled in WORDS or styled in commands.OTHERWISE or styled in commands.FILLING
            return None if is_word or is_function(styled) else "letter"
        return "other" if name in ("sqrt", "left") or item.text in commands.FENCES else None

    def styled_name(self) -> str:
        """What \\text and the like are of, which come next."""
        index = self.index
        self.take()
        text = self.raw(self.previous)[0]
        self.index = index
        return text
