"""LaTeX to the tokens of our language, each with its place in the text: \\frac{a}{b} is ((a)/(b)), \\sin x is sin(x).

The grammar is the parser's. What is LaTeX's own is settled here: which letters are names, how far the argument of a
function goes that has no brackets, where a multiplication is that is not written, and what braces hold.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import NoReturn

from gradcheck_cli.language import latex_commands as commands
from gradcheck_cli.language.latex_functions import WORDS, LatexFunctions, is_function
from gradcheck_cli.language.signatures import find
from gradcheck_cli.language.syntax import CONSTANTS
from gradcheck_cli.language.tokens import Kind, Token, shorten

LONGEST_PRODUCT = 3  # letters that are a product where they are no name


def latex_tokens(text: str) -> list[Token]:
    """The tokens that `text` stands for, an END token last. ExpressionError for what cannot be read."""
    return LatexReader(text).tokens()


class LatexReader(LatexFunctions):
    """One text. is_math: whether letters stand for themselves, so that xy is a product: not where all that is LaTeX's
    own are braces."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.is_math = "\\" in text or "$" in text

    def tokens(self) -> list[Token]:
        """All of them."""
        self.unwrap()
        self.group(lambda item: False)
        return [*self.out, self.end]

    def unwrap(self) -> None:
        """Leave out the signs around all of it: $...$, \\[...\\]."""
        pairs = {"$": "$", "\\(": "\\)", "\\[": "\\]"}
        for _ in "$$":  # of which two are one sign
            closing = pairs.get(self.items[0].text) if self.items else None
            if closing is None:
                break
            if len(self.items) < 2 or self.items[-1].text != closing:
                self.never_closed(self.items[0])
            self.items = self.items[1:-1]
        stray = next((item for item in self.items if item.text in ("$", "\\(", "\\)", "\\[", "\\]")), None)
        if stray is not None:
            message = f"{stray.text} has no meaning here: such signs stand around all of a formula, or nowhere."
            raise self.error(message, stray)

    # Grammar

    def group(self, is_end: Callable[[Token], bool]) -> None:
        """All up to an item that ends it, which is not taken."""
        while not (self.at_end() or is_end(self.item)):
            self.part()

    def until(self, opening: Token, *closing: str) -> None:
        """All up to a closing sign, which is taken. A bar closes only what is complete."""
        is_bar = "|" in closing
        self.group(lambda item: item.is_symbol(*closing) and (self.is_operand or not is_bar))
        if self.at_end():
            self.never_closed(opening)
        self.take()

    def part(self) -> None:
        """The next operator, or the next operand with what belongs to it."""
        item = self.item
        if self.at_end():
            raise self.missing(self.previous)
        if item.kind is Kind.NAME and item.text in WORDS:
            self.word(item.text, self.take())
        elif item.kind is Kind.SUPERSCRIPT:
            self.out.append(self.take())
        elif item.kind is not Kind.SYMBOL or item.text in ("(", "[", "{", "|"):
            self.operand()
        elif item.text[:1] == "\\" and item.text[1:] not in commands.SYMBOLS:
            self.command()
        else:
            self.sign(self.take())

    def sign(self, item: Token) -> None:
        """An operator, or a sign that has no place here."""
        text = commands.SYMBOLS[item.text[1:]] if item.text[:1] == "\\" else item.text
        match text:
            case "^":
                self.power(item)
            case "_":
                raise self.error("A subscript belongs to a name, as in x_{1}, or to \\log.", item)
            case "}" | ")" | "]":
                raise self.error(f"This {text} closes nothing.", item)
            case "&":
                pass  # formulas are aligned at it
            case "'" if not self.is_operand:
                raise self.error("A text in quotes has no meaning here.", item)
            case "'":
                raise self.error(f"A prime means a derivative: {commands.DERIVES}", item)
            case _:
                self.operator(text, item)

    def operand(self) -> None:
        """A number, letters, or something in brackets."""
        item = self.item
        if item.kind is Kind.NAME:
            self.letter_run(self.take())
        elif item.text in ("(", "["):
            self.brackets(item)
        elif item.text == "|":
            self.fenced(self.take(), "abs", "|")
        else:
            self.begin(item)
            if item.text == "{":
                self.bracketed(lambda: self.until(self.take(), "}"), item)
            else:
                self.out.append(self.take())

    def brackets(self, item: Token) -> None:
        """( ... ): what is called, where a name is before it that may be a function's, else a factor."""
        if not self.is_callable:
            self.begin(item)
        self.bracketed(lambda: self.until(self.take(), commands.OPENING[item.text]), item)

    def power(self, item: Token) -> None:
        """x^2, x^{10}, x^\\alpha: what is raised came before."""
        if not self.is_operand:
            raise self.error("Something is missing before ^.", item)
        self.symbol("**", item)
        self.exponent(item)
        if self.comes("^"):
            raise self.error("This can be read in two ways: put braces, as in {x^2}^3 or x^{2^3}.", self.item)

    def exponent(self, of: Token) -> None:
        """What comes after ^: what is in braces, or one sign."""
        item = self.item
        if item.kind is Kind.NUMBER and len(item.text) > 1:
            first, rest = item.text[0], item.text[1:]
            message = f"In LaTeX ^ takes one sign: write ^{{{item.text}}}, or ^{{{first}}} {rest} for a product."
            raise self.error(message, of, item.end)
        self.argument(of)

    def argument(self, of: Token) -> None:
        """What a command takes: what is in braces, or one sign."""
        item = self.item
        if self.at_end():
            raise self.missing(of)
        if self.comes("{"):
            self.bracketed(lambda: self.until(self.take(), "}"), item)
        else:
            self.bracketed(self.one, item)

    def one(self) -> None:
        """One sign, perhaps with + or - before it: of 12, the 1; of xy, the x."""
        if self.comes("-", "+"):
            self.sign(self.take())
        item = self.item
        if item.kind is Kind.NAME and not self.is_math:
            self.letter_run(self.take())
        elif item.kind in (Kind.NAME, Kind.NUMBER):
            first = item._replace(text=item.text[0], end=item.start + 1)
            rest = item._replace(text=item.text[1:], start=item.start + 1)
            self.items[self.index : self.index + 1] = [first, rest] if rest.text else [first]
            self.take()
            self.begin(first)
            if item.kind is Kind.NAME:
                self.name(first.text, first)
            else:
                self.number(first.text, first)
        elif item.text[:1] == "\\":
            self.command()
        elif item.text in ("(", "[", "|"):
            raise self.error(f"What is meant here: put it in braces, {{{item.text}...}}.", item)
        else:
            self.part()

    # Names

    def letter_run(self, item: Token) -> None:
        """A known name, or letters, each of which is one."""
        name, called = item.text, self.comes("(")
        known = len(name) > 1 and find(name) is not None
        if is_function(name) and not called and (self.is_math or self.comes("^", "_")):
            self.function(name, item)
        elif name in commands.OTHERWISE:
            self.name("True", item)
        elif not self.is_math or known or len(name) == 1 or name in CONSTANTS:
            self.letter(item)
        elif called and (stem := next((name[:i] for i in range(1, len(name) - 1) if find(name[i:])), "")):
            middle = item.start + len(stem)
            self.letter_run(item._replace(text=stem, end=middle))
            self.letter(item._replace(text=name[len(stem) :], start=middle))
        elif len(name) > LONGEST_PRODUCT or not name.isalpha():
            message = (
                f"{shorten(name)} is read letter by letter in LaTeX: write \\mathrm{{{shorten(name)}}} for one name, "
            )
            raise self.error(f"{message}or spaces between the letters for a product.", item)
        else:
            for start, char in enumerate(name, item.start):
                self.letter(item._replace(text=char, start=start, end=start + 1))

    def letter(self, item: Token, *, is_callable: bool = True) -> None:
        """A name, with its subscript where it is the last of its letters."""
        self.begin(item)
        text, end = item.text, item.end
        if self.comes("_") and self.previous.end == end:
            subscript, end = self.raw(self.take())
            subscript = subscript.replace("\\", "").replace(" ", "").replace(",", "_")
            if not re.fullmatch(r"\w+", subscript):
                raise self.error(f"The subscript {shorten(subscript)} is no part of a name.", item, end)
            text += f"_{subscript}"
        self.name(text, item._replace(end=end), is_callable=is_callable and text not in CONSTANTS)

    def greek(self, item: Token, name: str) -> None:
        """A Greek letter: sigma, Phi, Gamma and psi are functions where brackets follow."""
        function = commands.CALLED.get(name)
        if function and self.brackets_follow():
            self.begin(item)
            self.name(name if name == "sigma" else function, item, is_callable=True)
        else:
            self.letter(item._replace(text=name), is_callable=False)

    def styled(self, item: Token) -> None:
        """\\mathrm{relu}, \\text{if}: a name, or a word."""
        text, end = self.raw(item)
        if text[:1] == "\\" and text[1:] in commands.LETTERS:
            text = commands.LETTERS[text[1:]]
        place = item._replace(end=end)
        if text in commands.OTHERWISE:
            self.name("True", place)
        elif text in ("and", "or", "not"):
            self.word(text, place)
        elif text in commands.FILLING and self.out and not self.in_condition:
            message = (
                f"{text} has no meaning here: a formula with cases is written as \\begin{{cases}} x & x > 0 \\\\ ..."
            )
            raise self.error(message, place)
        elif text in commands.FILLING or not text:
            pass
        elif is_function(text):
            self.function(text, place)
        elif re.fullmatch(r"[^\W\d]\w*", text):
            self.letter(place._replace(text=text))
        else:
            raise self.error(f"{shorten(text)} is no name.", place)

    # Commands

    def command(self) -> None:
        """What begins with a backslash."""
        item = self.take()
        name = item.text[1:]
        if name in commands.FUNCTIONS:
            self.function(commands.FUNCTIONS[name], item)
        elif name in commands.LETTERS:
            self.greek(item, commands.LETTERS[name])
        elif name in commands.FRACTIONS:
            self.fraction(item)
        elif name == "sqrt":
            self.root(item)
        elif name in commands.INDICATORS and self.is_indicator():
            self.indicator(item)
        elif name in commands.STYLES or name in commands.INDICATORS:
            self.styled(item)
        elif name in commands.ACCENTS:
            letter, end = self.raw(item)
            self.letter(item._replace(text=f"{letter}_{name.removeprefix('wide')}", end=end))
        elif item.text in commands.FENCES:
            self.fenced(item, *commands.FENCES[item.text])
        elif item.text in commands.OPENING:
            self.index -= 1
            self.brackets(item)
        elif name in commands.WORDS:
            self.word(commands.WORDS[name], item)
        elif name == "left":
            self.left(item)
        elif name == "begin":
            self.environment(item)
        elif name in commands.PASSED_WITH_ARGUMENT:
            self.raw(item)
        else:
            self.refuse(item)

    def refuse(self, item: Token) -> NoReturn:
        name = item.text[1:]
        if item.text in ("\\right", "\\end", *commands.CLOSING):
            raise self.error(f"This {item.text} closes nothing.", item)
        if name in commands.REFUSED:
            raise self.error(commands.REFUSED[name], item)
        close = difflib.get_close_matches(name, commands.KNOWN, n=3, cutoff=0.6) if name else []
        hint = f" Did you mean {' or '.join(chr(92) + one for one in close)}?" if close else ""
        raise self.error(f"The command {shorten(item.text)} is not read here.{hint}", item)

    def fraction(self, item: Token) -> None:
        """\\frac{a}{b}, \\frac12."""
        shown = "".join(one.text for one in self.items[self.index : self.index + 12])
        if re.match(r"\{(?:d|\\partial)[A-Za-z]?\}\{(?:d|\\partial)\\?[A-Za-z]+", shown):
            raise self.error(commands.DERIVES, item)

        def quotient() -> None:
            self.argument(item)
            self.operator("/", item)
            self.argument(item)

        self.begin(item)
        self.bracketed(quotient, item)

    def root(self, item: Token) -> None:
        """\\sqrt{x}; \\sqrt[3]{x}, the real root, which x**(1/3) is not; \\sqrt[4]{x}, which is x**(1/4)."""
        self.begin(item)
        if not self.comes("["):
            self.name("sqrt", item)
            self.argument(item)
            return
        opening = self.item
        degree = self.aside(self.bracketed, lambda: self.until(self.take(), "]"), opening)
        if _is_odd(degree[1:-1]):
            self.name("sympy", item)
            self.symbol(".", item)
            self.name("real_root", item)
            start = len(self.out)
            self.argument(item)
            if len(self.out) == start + 2:
                raise self.missing(item)
            self.out[-1:] = [Token(Kind.SYMBOL, ",", *opening[2:4]), *degree[1:]]
            return

        def inverse() -> None:
            self.number("1", item)
            self.symbol("/", item)
            self.out.extend(degree)

        def power() -> None:
            self.argument(item)
            self.symbol("**", item)
            self.bracketed(inverse, item)

        self.bracketed(power, item)


def _is_odd(degree: list[Token]) -> bool:
    """Whether a root of that degree is real for negative numbers."""
    return len(degree) == 1 and degree[0].kind is Kind.NUMBER and degree[0].value > 1 and degree[0].value % 2 == 1
