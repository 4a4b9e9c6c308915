"""What stands between two commands of LaTeX: \\left( \\right), bars, cases and other environments."""

from __future__ import annotations

from collections.abc import Callable

from gradcheck_cli.language import latex_commands as commands
from gradcheck_cli.language.latex_items import LatexItems
from gradcheck_cli.language.tokens import Kind, Token, shorten


class LatexBlocks(LatexItems):
    """A text being read as far as these go; what is in them is the reader's."""

    def group(self, is_end: Callable[[Token], bool]) -> None:
        """All up to an item that ends it, which is not taken."""
        raise NotImplementedError

    def until(self, opening: Token, *closing: str) -> None:
        """All up to a closing sign, which is taken. A bar closes only what is complete."""
        raise NotImplementedError

    def left(self, item: Token) -> None:
        """\\left( ... \\right)."""
        if self.at_end():
            raise self.missing(item)
        opening = self.take()
        if opening.text in ("\\{", ".") and self.comes("\\begin"):
            self.environment(self.take())
            if self.comes("\\right"):
                self.after_right(self.take())
        elif opening.text in commands.FENCES:
            self.fenced(opening, commands.FENCES[opening.text][0], "\\right")
            self.after_right(self.previous)
        elif opening.text in commands.OPENING:
            if not self.is_callable:
                self.begin(item)
            self.bracketed(lambda: self.until(item, "\\right"), opening)
            self.after_right(self.previous)
        else:
            raise self.error(f"After \\left comes a bracket, not {shorten(opening.text)}.", item, opening.end)

    def after_right(self, item: Token) -> None:
        """The bracket that \\right is of."""
        if self.at_end():
            raise self.missing(item)
        closing = self.take()
        if closing.text != "." and closing.text not in commands.CLOSING:
            raise self.error(f"After \\right comes a bracket, not {shorten(closing.text)}.", item, closing.end)

    def fenced(self, item: Token, function: str, *closing: str) -> None:
        """Bars, which are abs, and the brackets of floor and ceil."""
        self.begin(item)
        self.name(function, item)
        self.bracketed(lambda: self.until(item, *closing), item)

    def is_indicator(self) -> bool:
        """Whether what comes is the 1 or I in braces of an indicator function."""
        return [one.text for one in self.items[self.index : self.index + 3]] in (["{", "1", "}"], ["{", "I", "}"])

    def indicator(self, item: Token) -> None:
        """\\mathbb{1}_{x > 0}: 1 where the condition holds, else 0."""
        self.begin(item)
        self.raw(item)
        if self.comes("_"):
            self.take()
        if self.comes("\\left"):
            self.take()
        closing = {"{": "}", **commands.OPENING}
        if self.at_end() or self.item.text not in closing:
            raise self.error("A condition is missing: write \\mathbb{1}_{x > 0}.", item)
        opening = self.take()
        if opening.text == "{" and self.comes("\\{"):
            self.take()
            opening = self.previous

        def arguments() -> None:
            self.bracketed(lambda: self.until(opening, closing[opening.text], "\\right"), opening)
            if self.previous.text == "\\right":
                self.after_right(self.previous)
            if opening.text == "\\{" and self.comes("}"):
                self.take()
            for number in "10":
                self.symbol(",", item)
                self.number(number, item)

        self.name("where", item)
        self.bracketed(arguments, item)

    # Environments

    def environment(self, item: Token) -> None:
        """\\begin{cases} ... \\end{cases}, and what only says how a formula is set."""
        name, end = self.raw(item)
        if name in commands.CASES:
            if name == "array" and self.comes("{"):
                self.raw(item)
            self.begin(item)
            self.name("Piecewise", item)
            self.bracketed(lambda: self.cases(item), item)
        elif name in commands.ENVIRONMENTS:
            self.deepen(item)
            self.group(lambda one: one.is_symbol("\\end"))
            self.depth -= 1
        else:
            message = f"\\begin{{{shorten(name)}}} is not read: give one formula of numbers, or \\begin{{cases}}."
            raise self.error(message, item, end)
        if self.at_end():
            self.never_closed(item)
        closing = self.take()
        ended, end = self.raw(closing)
        if ended != name:
            message = f"\\begin{{{shorten(name)}}} ends in \\end{{{shorten(ended)}}}."
            raise self.error(message, closing, end)

    def cases(self, item: Token) -> None:
        """The rows of \\begin{cases}, as the pairs of Piecewise."""
        while True:
            self.bracketed(lambda: self.case(item), self.item if not self.at_end() else item)
            if self.comes("\\\\"):
                row = self.take()
                if not self.comes("\\end"):
                    self.operator(",", row)
                    continue
            if self.at_end():
                self.never_closed(item)
            return

    def case(self, item: Token) -> None:
        """A value and its condition; without one, it is what holds otherwise."""
        self.group(lambda one: one.is_symbol("&", ",", "\\\\", "\\end") or self.is_condition_word())
        if not self.is_operand:
            raise self.error("A case has a value, and a condition after it: x & x > 0.", self.item)
        self.operator(",", self.previous)
        while self.comes("&", ","):
            self.take()
        while not self.at_end() and self.item.text in commands.FILLING:
            self.take()
        made, self.in_condition = len(self.out), True
        self.group(lambda one: one.is_symbol("\\\\", "\\end"))
        self.in_condition = False
        while self.out[made:] and self.out[-1].is_symbol(",", ".", ";"):
            self.out.pop()
        if len(self.out) == made:
            self.name("True", self.previous)

    def is_condition_word(self) -> bool:
        """Whether \\text{if} or \\text{otherwise} comes, or such a word alone."""
        if self.item.kind is Kind.NAME:
            return self.item.text in commands.FILLING or self.item.text in commands.OTHERWISE
        following = self.items[self.index + 2 : self.index + 3]
        is_word = following and following[0].text in commands.FILLING | commands.OTHERWISE
        return bool(self.item.text[1:] in commands.STYLES and is_word)
