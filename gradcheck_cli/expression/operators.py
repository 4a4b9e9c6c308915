"""The rows that code calls by name: the operators, branches and conditions; and the few functions that rules make."""

from __future__ import annotations

from gradcheck_cli.expression.function import Function, Role
from gradcheck_cli.expression.functions import FUNCTIONS

ADD, SUB, MUL, DIV, POW, NEG = (FUNCTIONS[name] for name in ("add", "sub", "mul", "div", "pow", "neg"))
ARITHMETIC = frozenset({ADD, SUB, MUL, DIV, POW, NEG})
EXP, LOG, SQRT, SQUARE, ABS = (FUNCTIONS[name] for name in ("exp", "log", "sqrt", "square", "abs"))
LOGADDEXP, SIGMOID, RSUB = (FUNCTIONS[name] for name in ("logaddexp", "sigmoid", "rsub"))
FLOOR, CEIL, MAXIMUM, MINIMUM = (FUNCTIONS[name] for name in ("floor", "ceil", "maximum", "minimum"))
SINC, DSINC, DIGAMMA, MVPOLYGAMMA = (FUNCTIONS[name] for name in ("sinc", "dsinc", "digamma", "mvpolygamma"))
CLAMP_MIN, CLAMP_MAX, POSITIVE = (FUNCTIONS[name] for name in ("clamp_min", "clamp_max", "positive"))
AS_TENSOR = FUNCTIONS["as_tensor"]


def _form(name: str, signature: str, role: Role, symbol: str = "", mixed: str = "") -> Function:
    return Function(name, signature, role=role, symbol=symbol, mixed=mixed, torch=None, ball=None, sympy=None)


def _comparison(name: str, symbol: str) -> Function:
    return _form(name, "input, other", "comparison", symbol, mixed="tn")


WHERE = _form("where", "condition, input, other", "branch", mixed="ttn tnt tnn")  # both branches are run, as torch does
IFELSE = _form("ifelse", "condition, input, other", "branch")  # only the branch taken is run, as Python does
LT = _comparison("lt", "<")
LE = _comparison("le", "<=")
GT = _comparison("gt", ">")
GE = _comparison("ge", ">=")
EQ = _comparison("eq", "==")
NE = _comparison("ne", "!=")
AND = _form("and", "input, other", "junction", "and")
OR = _form("or", "input, other", "junction", "or")
NOT = _form("not", "input", "junction", "not")
TRUE = _form("true", "", "junction")
FALSE = _form("false", "", "junction")
COMPARISONS = (LT, LE, GT, GE, EQ, NE)
