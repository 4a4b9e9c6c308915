"""The operators and words of the language, and what to say about those that are not in it."""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.surfaces import Message, Option


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The precedences, lowest first. ATOM: what never needs parentheses.
CHOICE, OR, AND, NOT, COMPARISON, BIT_OR, BIT_AND, SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 13)

ARITHMETIC = {"+": op.ADD, "-": op.SUB, "*": op.MUL, "/": op.DIV, "**": op.POW, "^": op.POW}
# Conditions that are written as calls, also without a prefix.
LOGICAL = {"logical_and": "and", "logical_or": "or", "logical_not": "not"}
COMPARISONS = {row.symbol: row for row in op.COMPARISONS}
RELATIONS = {
    **{row.name: row.symbol for row in op.COMPARISONS},
    **{row.name.capitalize(): row.symbol for row in op.COMPARISONS},  # SymPy's
    "And": "and",
    "Or": "or",
    "Not": "not",
}
CONNECTIVES = {"and": op.AND, "or": op.OR, "&": op.AND, "|": op.OR}

# Operators that are not in the language, and what to write instead. {0}, {1}: the operands as they were typed.
REPLACEMENTS = {
    "%": "remainder({0}, {1})",
    "//": "floor({0}/{1})",
    "<<": "{0}*2**{1}",
    ">>": "{0}/2**{1}",
    "@": "{0}*{1}",
    "&&": "{0} and {1}",
    "||": "{0} or {1}",
    "is": "{0} == {1}",
}
INFIX = {
    "if": CHOICE,
    "else": CHOICE,
    "or": OR,
    **dict.fromkeys(("and", "&&"), AND),
    **dict.fromkeys((*COMPARISONS, "is"), COMPARISON),
    **dict.fromkeys(("&", "<<", ">>"), BIT_AND),
    **dict.fromkeys("+-", SUM),
    **dict.fromkeys(("*", "/", "//", "%", "@"), PRODUCT),
    **dict.fromkeys(("**", "^"), POWER),
}
PREFIX = {"not": NOT, "-": SIGN, "+": SIGN, "~": SIGN}

CONSTANTS = {"pi": "pi", "e": "e", "tau": "tau", "π": "pi", "τ": "tau"}
NOT_FINITE = frozenset({"inf", "nan", "oo", "zoo", "Inf", "NaN", "INF", "NAN", "infinity", "Infinity"})

# Names of functions that are good names of variables too, when they are not called.
ALSO_VARIABLES = frozenset(name for row in FUNCTIONS.values() for name in row.variables)

# Words of a program around the formula, which people paste with it.
_PROGRAM = "{0} is a word of a program: give the formula alone, such as x**2."
PROGRAM = {
    **dict.fromkeys(("def", "import", "from", "class", "for", "while", "with", "assert"), _PROGRAM),
    "return": "return has no meaning here: leave it out.",
    "lambda": "lambda is a word of Python: give the formula alone, such as x**2; for a variable write lambd.",
}

# Functions that people type and torch does not have. {0}, {1}: the arguments as they were typed.
NOT_IN_TORCH = {
    "lg": "torch has no lg: write log10({0}).",
    "factorial": "torch has no factorial: write gamma({0} + 1).",
    "root": "torch has no root: write {0}**(1/{1}).",
    "nthroot": "torch has no nthroot: write {0}**(1/{1}).",
    "diff": "gradcheck derives by itself: give the function.",
    "Derivative": "gradcheck derives by itself: give the function.",
}

# Functions of tensors, which people type and for which a name that looks like theirs is no help.
OF_TENSORS = _words(
    """
    sum mean prod std var median norm dot inner outer matmul mm bmm mv einsum cumsum cumprod logsumexp argmax argmin
    softmax log_softmax softmin cross_entropy nll_loss linear
    conv1d conv2d dropout layer_norm batch_norm normalize cosine_similarity cat stack reshape view squeeze unsqueeze
    transpose zeros ones full arange linspace rand randn tensor array det trace inverse vector_norm average
    """
)

NAMING = Option("let", "y = x*x")

# Symbols without a meaning, or without one where they stand.
MEANINGLESS: Mapping[str, str | Message] = {
    "=": ("= has no meaning here: ", NAMING, " names an intermediate result, == compares."),
    ":=": (":= has no meaning here: ", NAMING, " names an intermediate result."),
    "[": "Brackets [ ] have no meaning here: group with ( ), and give every number a name of its own, such as x0.",
    "?": "? has no meaning here: write a if condition else b, or where(condition, a, b).",
    "!": "! has no meaning here: write not for the opposite of a condition.",
    ";": "; has no meaning here: one expression at a time.",
    ",": "One expression is wanted here, and this comma begins a second.",
    "#": "# has no meaning here: leave comments out.",
    "`": "` has no meaning here: leave it out.",
    ":": ": has no meaning here.",
    "@": "@ has no meaning here.",
    ")": "This ) closes nothing.",
    ".": "A dot has no meaning here: a method is called as in x.sigmoid().",
    "|": "For the absolute value write abs(x).",
}
