"""What the note under a row says, and what it must not say: by expression, point and options."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import pytest

from gradcheck_cli import Check, Verdict, check, explain

F32, F16, FORWARD, SECOND = {"dtype": "float32"}, {"dtype": "float16"}, {"mode": "forward"}, {"order": 2}


class Said(NamedTuple):
    """A row, what its note has to contain, and what it must not contain."""

    expression: str
    at: object
    options: dict[str, Any]
    contains: tuple[str, ...]
    lacks: tuple[str, ...] = ()


SAID = [
    # what multiplies what, where a value overflows and its slope does not
    Said("exp2(x)", 1024, {}, ("computes exp2(x)*log(2), where exp2(x) overflows",)),
    Said("exp2(x)", 16, F16, ("is inf, not 45440", "computes exp2(x)*log(2), where exp2(x) overflows")),
    Said("2**x", 1024, {}, ("computes 2**x*log(2), where 2**x overflows",)),
    Said("0.01*2**(x*y)", "x=32,y=32", {"wrt": "x"}, ("computes 2**(x*y)*log(2), where 2**(x*y) overflows",)),
    # what overflows or underflows inside torch's own rule
    Said("atan2(a, b)", "a=0.002,b=0.002", {"wrt": "a", **F16}, ("by a is inf", "where 1/(a*a + b*b) overflows")),
    Said("atan2(a, b)", "a=300,b=300", {"wrt": "b", **F16}, ("by b is -0", "where a*a overflows"), ("digits",)),
    Said("atan2(a, b)", "a=1e-160,b=1e-160", {"wrt": "a", **FORWARD}, ("where a**2 underflows",), ("overflows",)),
    Said("1e19*asinh(x)", 1e20, F32, ("computes rsqrt(x**2 + 1), where x**2 overflows",)),
    # the digits that torch's own rule loses
    Said("tanh(w*x)", "w=2.2,x=2.5", {"wrt": "w", **F32}, ("computes 1 - tanh(w*x)*tanh(w*x), whose digits cancel",),
         ("rounding does not explain",)),
    Said("sigmoid(2*x)", 6, F32, ("where the digits of 1 - sigmoid(2*x) cancel",), ("rounding does not explain",)),
    Said("log_ndtr(x)", -100, F32, ("rounding there loses the digits",), ("rounding does not explain",)),
    Said("log_ndtr(x)", -1e8, {}, ("where the digits of log_ndtr(x) + x**2/2 cancel",)),
    Said("sinc(x)", 1e-9, {}, ("where the digits of cos(pi*x)*pi*x - sin(pi*x) cancel",)),
    # a local derivative that overflows, of a value that does not
    Said("log(1/x)", 1e-200, {}, ("the derivative of 1/x, -1e400, overflows", "write -log(x) instead"),
         ("pole", "abs(1)")),
    Said("sqrt(1/x)", 1e-160, {}, ("the derivative of 1/x, -1e320, overflows", "write rsqrt(x) instead"), ("pole",)),
    Said("sqrt(1/x)", 1e-160, FORWARD, ("the derivative of 1/x, -1e320, overflows",), ("amplifies",)),
    Said("log(3/x)", 1e-200, {}, ("the derivative of 3/x, -3e400, overflows", "write log(3) - log(x) instead")),
    # torch's own value
    Said("log(ndtr(x))", -9, {}, ("torch's own value of ndtr(x) is 0, not 1.12859e-19",), ("amplifies",)),
    Said("sqrt(ndtr(x))", -20, {}, ("torch's own value of ndtr(x) is 0, not 2.75362e-89",), ("amplifies",)),
    Said("sin(pi/2 - x)", 1e6, F32, ("sin(pi/2 - x) amplifies the rounding of its operands",)),
    # an operand that torch has no derivative by, and none is asked for
    Said("log(igammac(a, x))", "a=31,x=40", {"wrt": "x"}, ("torch's own value of igammac(a, x) is 0.0616941532",)),
    Said("where(x > 0, igamma(a, sqrt(x)), 0)", "a=2,x=-1", {"wrt": "x"},
         ("NaN enters at igamma(a, sqrt(x))", "from the branch of where() that was not taken")),
    Said("igamma(a, x)", "a=1e8,x=1e8", {"wrt": "x"}, ("computes exp((a - 1)*log(x) - x - lgamma(a))",), ("is off",)),
    # harmless underflow, and the harm beside it
    Said("log(exp(-x) + (1 - tanh(y)))", "x=800,y=20", {"wrt": "y"}, ("cancellation in 1 - tanh(y)",), ("underflows",)),
    Said("log(exp(-x) + (1 - cos(y)))", "x=800,y=1e-9", {"wrt": "y"}, ("cancellation in 1 - cos(y)",), ("underflows",)),
    Said("log(exp(-x) + exp(-y))", "x=800,y=900", {"wrt": "x"}, ("exp(-x) underflows",)),
    Said("sigmoid(x)*log((1 - sigmoid(x))/0.5)", 40, {}, ("cancellation in 1 - sigmoid(x)",), ("overflows",)),
    # branches that were not taken
    Said("where(w < 1, q, atan(sqrt(q)/w)/sqrt(q))", "q=1,w=0", {"wrt": "q"},
         ("NaN enters at sqrt(q)/w", "from the branch of where() that was not taken"), ("overflows",)),
    Said("where(abs(x) > 0, x*exp(-1/x**2), 0)", 0, {},
         ("NaN enters at -1/x**2", "from the branch of where() that was not taken"), ("overflows",)),
    # derivatives of second order
    Said("where(x > 0, sqrt(x), 0)", -3, SECOND,
         ("in the first derivative already", "NaN enters at sqrt(x)", "from the branch of where() that was not taken"),
         ("torch's own",)),
    Said("where(x != 0, sin(x)/x, 1)", 0, SECOND, ("NaN enters at sin(x)/x", "that was not taken"), ("torch's own",)),
    Said("where(x > 1, x**1.5, 0)", 0, SECOND, ("NaN enters at x**1.5: second local derivative inf",), ("already",)),
    Said("sin(x)/x if x != 0 else 1", 0, SECOND, ("autograd follows one branch only: the constant 1",),
         ("torch's own",)),
    Said("logaddexp(x, y)", "x=0,y=800", {"wrt": "x", **SECOND},
         ("torch's own second derivative of logaddexp(x, y) by x and x is nan, not 0",), ("underflows",)),
    Said("a**b", "a=0,b=1", {"wrt": "b", **SECOND},
         ("torch's own second derivative of a**b by b and b is nan, not 0",)),
    Said("sqrt(x**2 + y**2 + z**2)", "x=0,y=0,z=0", {"wrt": "x", **SECOND},
         ("in the first derivative already", "0 times incoming inf, which comes from sqrt(x**2 + y**2 + z**2)"),
         ("torch's own",)),
    Said("tanh(x)", 9, {**F32, **SECOND}, ("in the first derivative already", "computes 1 - tanh(x)*tanh(x)")),
    Said("1/((sqrt(2) - 1)*cosh(x*sqrt(2)/2 + (x + 9)/2 + 15) + (sqrt(2) + 1)*cosh(x*sqrt(2)/2 - (x + 9)/2 + 15))**2",
         26, {**SECOND, **F32}, ("cosh(… + 15))**2 overflows",), ("a power",)),
    # values that leave the range on the way
    Said("1/(1 + exp(-x))", -90, F32, ("exp(-x) overflows", "out of the range of float32 on the way"),
         ("lost to rounding",)),
]  # fmt: skip


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said.expression} {said.at} {said.options}")
def test_what_a_note_says(said: Said) -> None:
    row = next(row for row in rows(said) if not row.verdict.passes)
    assert row.note is not None
    for text in said.contains:
        assert text in row.note
    for text in said.lacks:
        assert text not in row.note


def rows(said: Said) -> tuple[Check, ...]:
    return check(said.expression, at=said.at, derivatives=False, **said.options).checks  # type: ignore[arg-type]


NUMBER = r"(-?(?:inf|nan|[0-9.]+(?:e[+-]?[0-9]+)?))"


def number(text: str) -> float:
    return float(text.replace("e+", "e"))


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said.expression} {said.at} {said.options}")
def test_what_a_note_says_is_so(said: Said) -> None:
    """Each statement of a note, checked by itself: what overflows does, a local derivative is what is said."""
    for row in rows(said):
        for part in (row.note or "").split("; "):
            for sub in re.findall(r"(?:^|where |already, |is not: )(\S[^:,]*?) overflows", part):
                assert overflows(sub, row, said), part
            told = re.search(rf"torch's own derivative of (.*?)(?: by (\w+))? is {NUMBER}, not {NUMBER}", part)
            if told and said.options.get("order", 1) == 1:
                assert_local(told.group(1), told.group(2), number(told.group(3)), number(told.group(4)), row, said)


def overflows(text: str, row: Check, said: Said) -> bool:
    """Whether torch's value of a sub-expression is infinite at the point, or its derivative if that is what is said."""
    if "…" in text or "derivative of" in text or text == "the value":
        return True
    names = {name: value for name, value in row.point.items() if re.search(rf"\b{name}\b", text)}
    (first, *_) = check(text, at=names, derivatives=False, dtype=said.options.get("dtype", "float64")).checks
    return first.value_autograd is not None and not math.isfinite(first.value_autograd)


def assert_local(text: str, by: str | None, local: float, right: float, row: Check, said: Said) -> None:
    """torch's derivative of a function by its (only) argument, checked with a variable for that argument."""
    argument = re.fullmatch(r"\w+\((.*)\)", text)
    if argument is None:
        return
    names = {name: value for name, value in row.point.items() if re.search(rf"\b{name}\b", text)}
    dtype, mode = said.options.get("dtype", "float64"), said.options.get("mode", "reverse")
    if by is None:
        inner = check(argument.group(1), at=names, derivatives=False, dtype=dtype).checks[0].value_autograd
        text, by, names = text.replace(f"({argument.group(1)})", "(argument)"), "argument", {"argument": inner or 0.0}
    (alone,) = check(text, at=names, wrt=by, dtype=dtype, mode=mode, derivatives=False).checks
    assert alone.autograd == pytest.approx(local, rel=1e-3)
    assert alone.analytical == pytest.approx(right, rel=1e-3)


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said.expression} {said.at} {said.options}")
def test_a_rewrite_that_is_offered_keeps_its_promise(said: Said) -> None:
    """Checked by itself it passes, with the gradient that was promised."""
    for row in rows(said):
        if row.remedy is not None:
            wrt = row.wrt[0]
            options = {
                "wrt": wrt,
                "order": len(row.wrt),
                "mode": row.mode,
                "dtype": said.options.get("dtype", "float64"),
            }
            (better,) = check(row.remedy.expression, at=row.point, derivatives=False, **options).checks  # type: ignore[arg-type]
            assert better.verdict.passes
            assert better.autograd == row.remedy.autograd


def test_what_torch_refuses_by_one_variable_hides_nothing_of_another() -> None:
    refused, told = check("log(1 - igamma(a, y))", at="a=3,y=36", derivatives=False).checks
    assert refused.wrt == ("a",)
    assert refused.verdict is Verdict.ERROR
    assert told.verdict is Verdict.UNSTABLE
    assert "cancellation in 1 - igamma(a, y)" in (told.note or "")
    explained = explain("log(1 - igamma(a, y))", at="a=3,y=36", wrt="y")
    assert not any("refuses" in notice for notice in explained.notices)
