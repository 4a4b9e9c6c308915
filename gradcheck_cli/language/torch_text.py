"""Text that is torch's own, torch.f(...), F.f(...) and x.f(...), says what torch takes: nothing else is read into it.

Without a prefix a call is read generously, and what was run instead is said in the report.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import Call, Constant, Expr
from gradcheck_cli.language import dialects, libraries
from gradcheck_cli.language.cursor import Operand
from gradcheck_cli.language.signatures import OURS

_PREFIXES = frozenset(prefix for prefix, library in dialects.LIBRARIES.items() if library in libraries.OF_TORCH)
_METHODS = frozenset(
    name
    for name, ours in libraries.TORCH.names.items()
    if isinstance(ours, str) and ours in FUNCTIONS and FUNCTIONS[ours].method
)


def is_torchs(typed: str) -> bool:
    """Whether a name with its prefix (torch.exp, np.exp) is a name of torch's."""
    return typed.rpartition(".")[0] in _PREFIXES


def takes_inplace(typed: str, row: Function) -> bool:
    """Whether torch has the keyword inplace there, or nobody has, since the name is no text of torch's."""
    return row.inplace and (
        not is_torchs(typed) or dialects.LIBRARIES[typed.rpartition(".")[0]] is libraries.FUNCTIONAL
    )


def no_method(name: str, row: Function, shown: str) -> str:
    """The sentence for a method that torch.Tensor lacks; "" where it has it. shown: the call without a method."""
    if name in _METHODS:
        return ""
    place = row.torch if isinstance(row.torch, str) else row.name
    if row.composed or place.rpartition(".")[2] not in (row.name, name):
        return f"torch.Tensor has no method {name}: write {shown}."
    return f"torch.Tensor has no method {name}: write torch.{place}{shown[len(row.name) :]} or {shown}."


def refusal(
    typed: str, row: Function, given: Sequence[Operand | None], positional: int, keywords: Collection[str], bare: str
) -> str:
    """Why torch does not take these arguments of one of its own functions or methods, and what to write; "": it does.

    typed: the name as typed; given: a value for each argument of the row (None: its default), `positional` of them
    without a keyword; keywords: of all others, and of options; bare: the call without prefix.
    """
    subject = typed if "." in typed else f"The method {typed}"
    for keyword in keywords:
        if keyword in OURS and keyword not in row.operands:
            return f"{subject}: give {keyword} by its place, not by its name."
        if keyword == "rounding_mode" and typed.endswith("true_divide"):
            return f"{subject} has no argument rounding_mode: div has it."
    by_keyword = next((argument for argument in row.arguments[:positional] if argument.keyword), None)
    if by_keyword is not None:
        return f"{subject} takes {by_keyword.name} by keyword only: write {by_keyword.name}=."
    kinds = "".join(
        "n" if value is None or is_number(value.expr) else "t"
        for argument, value in zip(row.arguments, given, strict=True)
        if argument.kind == "real"
    )
    if "n" not in kinds or kinds in row.mixed.split():
        return ""
    if "t" in kinds and row is op.DIV:  # which torch does in another way than number/tensor
        return f"{subject} of a number by a tensor is not run here: write {bare}, which is run as / is."
    what = "takes tensors only here" if "t" in kinds else "is given no tensor"
    return f"{subject} {what}: write {bare}, where gradcheck makes a tensor of a number."


def is_number(expr: Expr) -> bool:
    """Whether an expression is a number of Python rather than a tensor: a literal, or made of them by operators."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call) and _is_pythons(node.function):
            waiting.extend(node.args)
        elif not isinstance(node, Constant):
            return False
    return True


def _is_pythons(row: Function) -> bool:
    """Whether it makes no tensor of numbers: an operator, or `a if c else b`."""
    return callable(row.torch) or row.is_condition or row is op.IFELSE
