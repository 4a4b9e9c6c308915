"""Names with a prefix: np.exp(x), math.pi, nn.Softplus(beta=2)(x); and what stands for a formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr, Named, Variable, call, topological
from gradcheck_cli.language import dialects, modules
from gradcheck_cli.language.cursor import Arguments, Operand
from gradcheck_cli.language.special_forms import SpecialForms
from gradcheck_cli.language.syntax import CONSTANTS
from gradcheck_cli.language.tokens import Kind, Token, shorten

INPLACE = "inplace=True, which changes the operand itself, is not run: leave it out."


class LibraryCalls(SpecialForms):
    """A text being read as far as these go."""

    def call(self, name: str | Function, typed: str, first: Token, last: Token | None = None) -> Operand:
        """The call of a function; its arguments come next. name: ours, or the row of a formula; typed: as typed, from
        `first` to `last`."""
        raise NotImplementedError

    def fit(
        self,
        row: Function,
        typed: str,
        positional: Sequence[Operand],
        arguments: Arguments,
        place: Operand,
        *,
        torchs: bool = False,
    ) -> Expr:
        """The call of `row`, or of one of its overloads, with these arguments. torchs: as torch itself takes them."""
        raise NotImplementedError

    def from_library(self, first: Token) -> Operand:
        """A name with a prefix, such as np.exp."""
        path = [first]
        while self.comes(".") and self.tokens[self.index + 1].kind is Kind.NAME:
            self.take()
            path.append(self.take())
        prefix = dialects.longest_prefix(tuple(token.text for token in path))
        if first.text in dialects.UNREAD:
            raise self.unknown_prefix(first, path[-1])
        if not prefix:
            known = " and ".join(sorted(p for p in dialects.LIBRARIES if p.startswith(f"{first.text}.")))
            raise self.error(f"Of {first.text}, gradcheck reads {known} only.", first, path[-1].end)
        last = path[prefix.count(".") + 1]
        self.index = self.tokens.index(last) + 1
        if longer := sorted(p for p in dialects.LIBRARIES if p.startswith(f"{prefix}.{last.text}.")):
            message = f"Of {prefix}.{last.text}, gradcheck reads {' and '.join(longer)} only."
            raise self.error(message, first, path[-1].end)
        try:
            ours = dialects.meaning(prefix, last.text)
        except ExpressionError as error:
            raise self.error(error.message, first, last.end) from None
        if ours in CONSTANTS:
            return Operand(self.constant(CONSTANTS[ours]), first.start, last.end)
        typed = f"{prefix}.{last.text}"
        if not self.comes("("):
            if ours == "module":
                raise self.error(f"{typed} is a module: write {typed}()(x).", first, last.end)
            raise self.error(f"{typed} is a function: write {typed}(x).", first, last.end)
        if ours == "module":
            return self.module(modules.MODULES[last.text], typed, first, last)
        return self.call(ours, typed, first, last)

    def module(self, module: modules.Module, typed: str, first: Token, last: Token) -> Operand:
        """nn.Softplus(beta=2)(x): the arguments of the module come next, then those of its call."""
        made = self.arguments()
        place = Operand(call(op.TRUE), first.start, last.end)
        if not self.comes("("):
            shown = self.shown(first.start, made.end)
            raise self.error(f"{shown} is a module: call it, as in {shown}(x).", first, made.end)
        called = self.arguments()
        if len(made.positional) > len(module.parameters):
            raise self.error(f"{typed} takes {', '.join(module.parameters) or 'no argument'}.", place)
        keywords = dict(zip(module.parameters, made.positional, strict=False))
        if "inplace" in keywords and keywords.pop("inplace").expr is not call(op.FALSE):
            raise self.error(INPLACE, place)
        for name, value in made.keywords.items():
            if name in keywords:
                raise self.error(f"{name} is given twice.", value)
            keywords[name] = value
        arguments = Arguments(called.positional, called.keywords | keywords, made.options, called.end)
        expr = self.fit(module.row, typed, called.positional, arguments, place, torchs=True)
        return Operand(expr, first.start, called.end)

    def unknown_prefix(self, first: Token, last: Token) -> ExpressionError:
        """The error for tf.sigmoid(x)."""
        message = f"{shorten(first.text)} is neither a variable with a value nor a known prefix: "
        message += f"write the function alone, or after {dialects.COMMON}"
        return self.error(message, first, last.end)

    def formula(self, row: Function, args: Sequence[Expr], start: int, end: int) -> Expr:
        """What a function of another library stands for, with these arguments."""
        assert row.definition is not None
        template = type(self)(row.definition, internal=True).whole()
        values = dict(zip((argument.name for argument in row.arguments), args, strict=True))
        return self.put_in(template, values, start, end)

    def put_in(self, body: Expr, values: Mapping[str, Expr], start: int, end: int) -> Expr:
        """`body` with its variables replaced, in a call that stands there."""
        order = topological(body)
        self.work.copied += len(order)
        self.work.require_room(self.text)
        new: dict[Expr, Expr] = {}
        for node in order:
            match node:
                case Variable(name=name):
                    new[node] = values.get(name, node)
                case Call(function=row, args=args):
                    new[node] = self.make(row, *(new[arg] for arg in args), start=start, end=end)
                case Named(value=value):
                    new[node] = node if new[value] is value else new[value]
                case _:
                    new[node] = node
        return new[body]
