"""What a row of the table states: a function, its arguments, and what each part of the program needs to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

Role = Literal["function", "branch", "comparison", "junction"]


@dataclass(frozen=True)
class Argument:
    """One argument. kind: "real" (any expression), "number" or "integer" (a constant: torch takes a Python number).

    keyword: torch takes it by keyword only. least: of an integer.
    """

    name: str
    kind: str = "real"
    default: Fraction | None = None
    keyword: bool = False
    least: int = 0


def _argument(text: str) -> Argument:
    name, _, default = text.strip().partition("=")
    name, _, kind = name.partition(":")
    kind, _, least = kind.partition("; from ")
    value = Fraction(default) if default else None
    kind = kind or ("number" if default else "real")
    return Argument(name.lstrip("*"), kind, value, name.startswith("*"), int(least or 0))


@dataclass(frozen=True, eq=False)
class Function:
    """A row of the table.

    role: "function"; or what a user does not call by its name: a "branch" (its first argument is a condition), a
        "comparison" of two numbers, a "junction" of conditions (of none: true, false). The latter two are conditions.
    symbol: how it is written where it is no call: + between two numbers.
    signature: arguments in torch's order; `beta=1` is a number with a default, `n:integer` one without, `p:integer;
        from 1` one with a smallest value other than 0; a star marks what torch takes by keyword only.
    aliases: other names of torch's for the same callable, as dotted names below `torch`; also: names that torch lacks,
        of mathematics and of other libraries; variables: those of all names of it that are good names of variables
        too, where they are not called.
    torch: the torch callable, as a dotted name below `torch` or as a callable; None: no such function in torch, and
        `definition` is run instead (the row is composed).
    ball: the name of a function of `ball_functions` or of a method of `arb`; None: `definition` is evaluated.
    sympy: the name of a SymPy function, or a callable of (sympy, *arguments); None: `definition` is used.
    definition: the function in terms of other rows.
    partials: the partial derivatives, one per real argument, accurate in floating point (sech(x)**2, not 1-tanh(x)**2);
        "" where there is none to be had.
    domain: where the function has a real finite value. Only consulted where the ball function returns none.
    seams: expressions that are zero exactly where the function is not smooth, or at the edge of its domain.
    bounds: closed interval that holds every value of the function.
    keywords: fixed keyword arguments of the torch callable.
    one_shape: whether the torch callable refuses operands of several shapes, where others stretch them.
    differentiable: False where torch cuts the graph silently or refuses.
    options: keywords with a text or a flag for a value that select a row (gelu's approximate="tanh"), perhaps itself.
    overloads: rows to try where the arguments given do not fit this one (clamp(x, max=1)).
    operands: what torch calls the first two real arguments, for which the signature has letters.
    mixed: the kinds of real operands that torch takes beside tensors alone, each a letter: "tn nt" for a tensor and a
        number, either way round. Tested against torch, as the next two are.
    method: whether torch.Tensor has a method of each name that is directly below `torch`.
    inplace: whether the callable below torch.nn.functional has the keyword of that name.
    float_ulps: how far NumPy's (or the standard library's) function may be off in float64, in ulps; tested against
        balls. None: there is none, and in float64 `definition` is run.
    latex: its command in LaTeX; "": its name is written.
    exact: whether torch computes it without rounding.
    odd: whether f(-x) is -f(x). associative: whether it is read and written with more than two arguments.
    jumps: whether it may jump where it is defined.
    zeros: where it is 0: "argument", where its argument is and nowhere else; "never"; "": elsewhere, or not known.
    points: interior points, for the tests over the table.
    internal: whether only the formulas of the table may use it.

    What follows from these: arguments; composed: whether torch has no such function and its definition is run there;
    is_branch, is_comparison, is_condition: see role; has_parameters: whether an argument has to be a constant.
    """

    name: str
    signature: str = "x"
    doc: str = ""
    group: str = "elementary"
    aliases: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    torch: str | Callable[..., Any] | None = ""
    ball: str | None = ""
    sympy: str | Callable[..., Any] | None = ""
    definition: str | None = None
    partials: tuple[str, ...] = ()
    domain: str = ""
    seams: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    keywords: Mapping[str, str | bool] = field(default_factory=dict)
    one_shape: bool = False
    differentiable: bool = True
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    overloads: tuple[str, ...] = ()
    operands: tuple[str, ...] = ("input", "other")
    mixed: str = ""
    method: bool = True
    inplace: bool = False
    float_ulps: float | None = None
    latex: str = ""
    exact: bool = False
    odd: bool = False
    associative: bool = False
    jumps: bool = False
    zeros: Literal["", "argument", "never"] = ""
    points: tuple[tuple[float, ...], ...] = ()
    internal: bool = False
    role: Role = "function"
    symbol: str = ""
    arguments: tuple[Argument, ...] = field(init=False)
    composed: bool = field(init=False)
    is_branch: bool = field(init=False)
    is_comparison: bool = field(init=False)
    is_condition: bool = field(init=False)
    has_parameters: bool = field(init=False)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "arguments", tuple(map(_argument, self.signature.split(","))) if self.signature else ())
        set_(self, "is_branch", self.role == "branch")
        set_(self, "is_comparison", self.role == "comparison")
        set_(self, "is_condition", self.role in ("comparison", "junction"))
        set_(self, "has_parameters", any(argument.kind != "real" for argument in self.arguments))
        set_(self, "composed", self.torch is None and self.definition is not None)
        for column in ("torch", "ball", "sympy"):
            if getattr(self, column) == "":
                set_(self, column, None if self.definition and column != "torch" else self.name)

    @property
    def spellings(self) -> tuple[str, ...]:
        """All names beside its own, torch's first."""
        return self.aliases + self.also

    def usage(self) -> str:
        """The signature as shown to users: softplus(x, beta=1, threshold=20)."""
        shown = (a.name if a.default is None else f"{a.name}={number_text(a.default)}" for a in self.arguments)
        return f"{self.name}({', '.join(shown)})"


def number_text(value: Fraction) -> str:
    """A rational number as users would type it: 20, 0.01, 1/3."""
    if value.denominator == 1:
        return str(value.numerator)
    as_float = float(value)
    return repr(as_float) if Fraction(repr(as_float)) == value else f"{value.numerator}/{value.denominator}"
