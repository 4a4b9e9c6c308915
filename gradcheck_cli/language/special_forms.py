"""Calls that are no call of a row: where, Piecewise, conditions written as calls, numbers written as tensors."""

from __future__ import annotations

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Constant, Expr, call
from gradcheck_cli.language import signatures, torch_text
from gradcheck_cli.language.cursor import Arguments, Cursor, Operand, enclosed
from gradcheck_cli.language.magnitude import rational
from gradcheck_cli.language.syntax import INFIX
from gradcheck_cli.language.tokens import Kind, Token
from gradcheck_cli.surfaces import Option

CASTS = frozenset({"float", "double", "half", "bfloat16", "int", "long", "to", "type", "type_as", "astype"})
NUMBERS = frozenset({"number", "tensor"})


class SpecialForms(Cursor):
    """A text being read as far as these go."""

    def expression(self) -> Operand:
        """The longest expression from here. The caller judges what follows."""
        raise NotImplementedError

    def whole(self) -> Expr:
        """The expression from here to the end of the text."""
        raise NotImplementedError

    def arguments(self) -> Arguments:
        """What is in the brackets of a call."""
        raise NotImplementedError

    def form(self, name: str, arguments: Arguments, typed: str, place: Operand, *, torchs: bool) -> Expr:
        """where, or a condition that is written as a call: torch.gt(x, 0), logical_not(c). torchs: as torch has it."""
        row = signatures.FORMS[name]
        if row in (op.AND, op.OR) and len(arguments.positional) > 2 and not arguments.keywords and not torchs:
            return self.junction(row, arguments.positional, name)
        bound = None if arguments.options else signatures.bind(row, arguments.positional, arguments.keywords)
        if bound is None:
            message = signatures.misfit(row, typed, len(arguments.positional), arguments.keywords)
            if row is op.WHERE:
                message = f"{typed} takes a condition and two values: {typed}(x > 0, a, b)."
            raise self.error(message, place)
        operands = [value._replace(last=None) for value in bound[1] if value is not None]
        if torchs:
            shown = [self.atom(operand) for operand in operands]
            bare = f" {name} ".join(shown) if name in INFIX else f"{name}({', '.join(shown)})"
            if refusal := torch_text.refusal(typed, row, operands, 0, (), bare):
                raise self.error(refusal, place)
        if row is op.WHERE:
            condition, *branches = operands
            return call(row, self.condition(condition, name), *map(self.number, branches))
        if row.is_comparison:
            return call(row, *map(self.number, operands))
        return call(row, *(self.condition(operand, name) for operand in operands))

    def junction(self, row: Function, operands: list[Operand], name: str) -> Expr:
        """And(a, b, c), which is (a and b) and c."""
        expr, *others = (self.condition(operand, name) for operand in operands)
        for other in others:
            expr = call(row, expr, other)
        return expr

    def piecewise(self, name: Token) -> Operand:
        """Piecewise((a, c), (b, True)), which is where(c, a, b)."""
        opening, level = self.open(), self.level
        pairs: list[tuple[Expr, Expr]] = []
        while self.comes("("):
            pair = self.open()
            value = self.number(self.expression())
            if not self.comes(","):
                raise self.error("Piecewise takes pairs (value, condition), the last of them (value, True).", pair)
            self.take()
            condition = self.condition(self.expression(), "Piecewise")
            self.close(pair)
            pairs.append((value, condition))
            if not self.comes(","):
                break
            self.take()
            self.deepen(self.token)  # each pair is one more where within where
        self.level = level
        end = self.close(opening).end
        if not pairs:
            raise self.error("Piecewise takes pairs (value, condition), the last of them (value, True).", name, end)
        if pairs[-1][1] is not call(op.TRUE) and (place := _gap([condition for _, condition in pairs])) != "":
            last = "\\text{otherwise}" if self.is_latex else "a last pair (value, True)"
            where = f"No case holds at {place}" if place else "It is not known whether a case always holds"
            raise self.error(f"{where}: add {last}.", name, end)
        expr = pairs.pop()[0]
        for value, condition in reversed(pairs):
            expr = call(op.WHERE, condition, value, expr)
        return Operand(expr, name.start, end)

    # Numbers written as tensors

    def as_number(self, form: str, typed: str, first: Token) -> Operand:
        """float(x > 0), np.float64(2), torch.tensor(0.0, requires_grad=False): a condition or a constant, as a number.
        form: "tensor" where torch makes one of it."""
        opening = self.open()
        operand = self.expression()
        self.pass_over()
        end = self.close(opening).end
        expr = self.number(operand)
        if operand.expr is expr and rational(expr) is None and not _is_constant(expr):
            shown = self.shown(operand.start, operand.end)
            message = f"{typed} makes a new number of {shown}, through which no gradient goes: write {shown} alone."
            raise self.error(message, first, end)
        if form == "tensor" and operand.expr is expr:
            expr = call(op.AS_TENSOR, expr)
        return Operand(expr, first.start, end)

    def cast(self, target: Operand, token: Token) -> Operand:
        """(x > 0).float(), (x > 0).to(x.dtype): a condition as a number. The brackets come next."""
        opening = self.open()
        self.pass_over()
        end = self.close(opening).end
        expr = self.number(target)
        if expr is target.expr:
            raise self.error(
                (f".{token.text} changes the dtype, which ", Option("dtype"), " sets: leave it out."), token, end
            )
        return Operand(expr, target.start, end)

    def pass_over(self) -> None:
        """What says of which dtype a tensor is, and where: arguments such as dtype=torch.float32, x.dtype and "cpu"."""
        while not self.comes(")"):
            if self.comes(","):
                self.take()
            if self.token.kind is Kind.NAME and self.comes("=", ahead=1):
                self.index += 2
            if self.token.kind not in (Kind.NAME, Kind.QUOTED):
                return
            self.take()
            while self.comes(".") and self.tokens[self.index + 1].kind is Kind.NAME:
                self.index += 2
            if not self.comes(","):
                return

    def refuse_arithmetic(self, symbol: str, *operands: Operand) -> None:
        """The error for what torch does not do with conditions, or does in a way of its own."""
        conditions = [one for one in operands if isinstance(one.expr, Call) and one.expr.function.is_condition]
        typed = [self.shown(one.start, one.end) for one in conditions]
        shown = [one[1:-1] if enclosed(one) else one for one in typed]
        if symbol == "-":
            message = f"torch has no - for a condition: write where({shown[0]}, 1, 0) for {shown[0]}."
        elif symbol == "+" and len(shown) == 2:
            message = "torch takes + between conditions as or, elsewhere it counts them: write "
            message += f"{shown[0]} or {shown[1]}, or where({shown[0]}, 1, 0) + where({shown[1]}, 1, 0)."
        elif symbol == "^" and len(shown) == 2:
            message = f"^ is a power here: for one of two conditions write {typed[0]} != {typed[1]}."
        else:
            return
        raise self.error(message, operands[0], operands[-1].end)


def _gap(conditions: list[Expr]) -> str | None:
    from gradcheck_cli.language import coverage  # which the usual text does not need

    return coverage.gap(conditions)


def _is_constant(expr: Expr) -> bool:
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call):
            waiting.extend(node.args)
        elif not isinstance(node, Constant):
            return False
    return True
