"""Texts in the forms of pasted.py that are meant to hang, to eat memory, to run or to end in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck_cli.checking.reading import read
from gradcheck_cli.errors import ExpressionError, GradcheckError
from gradcheck_cli.language.cursor import MAX_LENGTH
from gradcheck_cli.records.request import Request

MANY = 2_000


def chain(step: str, count: int = 1_500, separator: str = ";") -> str:
    """Definitions, each made of the one before: y1 = ..., y2 = ..."""
    return separator.join(["y0 = x", *(f"y{i + 1} = {step.format(f'y{i}')}" for i in range(count))])


def functions(body: str, parameter: str = "x", count: int = 700) -> str:
    """The same with functions."""
    made = [f"f{i + 1}({parameter.format(i + 1)}) = {body.format(i, parameter.format(i + 1))}" for i in range(count)]
    return ";".join(["f0(x) = x", *made])


# Texts that must be refused, with a sentence.
REFUSED = [
    # depth
    *(f"{one * 150}x{other * 150}" for one, other in [("|", "|"), ("√(", ")"), ("sin²(", ")"), ("ln|", "|")]),
    *(f"{form * MANY}x" for form in ["sin ", "√", "sin √", "ln|", "tan⁻¹ ", "sin^2 ", "x|", "√|", "-|"]),
    "|" * MAX_LENGTH,
    "| " * (MAX_LENGTH // 2),
    "√" * MAX_LENGTH,
    "||" * 5_000 + "x" + "||" * 5_000,
    "f(" * MANY,
    "def f(x): " * 1_000,
    "lambda x: " * MANY,
    "() ->",
    "() -> ) x",
    "def f(x):\n" + " if x: return 1\n" * 1_000 + " return 2",
    "def f(x):\n" + "".join(f"{' ' * (i + 1)}if x:\n" for i in range(150)),
    "def f(x):\n if x:\n  return 1\n  return 2\n return 3",
    "def f(x):\n else: return 1",
    "def f(x):\n if : return 1\n return 2",
    "def " * 5_000,
    # size
    "x" * 2_000_000,
    "y = x\n" * 300_000,
    "y=x;" * 300_000,
    "# " + "a" * 1_000_000,
    '"""' + "a" * 1_000_000,
    "|x|" * 1_000_000,
    "x " * 1_000_000,
    "½" * 1_000_000,
    "sin " * 1_000_000,
    # unbalanced
    "|x", "x|", "||x|", "|x||", "|(x|)", "(|x)|", "|", "||", "|||", "| |", "|x|)", "sin²(", "sin²", "sin^{-1",
    "sin^{-1(x)",
    "sin^(-1", "log_{10(x)", "log_{}(x)", "log_(x)", "x_{", "f(x = 2", "f(x) =", "= x", "f() = x",
    "f(x, ) = x + y = 2", "y =; 2",
    "def f(x", "def f(x):", "def f: return x", "lambda x", "lambda x:", "return", ".backward()",
    "x = torch.tensor(", "x = torch.tensor()", "x = torch.tensor(requires_grad=True)\ny = x", "'", '"', "'''",
    '"""x', "\\", "x \\", ";", ";;;", "\n\n",
    # quotes, code
    "y = __import__('os').system('touch CANARY')",
    "def f(x): return open('CANARY', 'w')",
    "lambda x: exec('touch CANARY')",
    "x = torch.tensor(open('CANARY', 'w'), requires_grad=True)\ny = x",
    "import os; os.system('touch CANARY')",
    "f(x) = x.__class__",
    "print(open('CANARY', 'w'))",
    "%run CANARY", "!touch CANARY", "`touch CANARY`",
    "def f(x, y=open('CANARY', 'w')): return x",
    "for i in range(10**9): y = i",
    "while True: x = 1",
    "class F: pass",
    "with open('CANARY') as f: y = x",
    "if x: y = 2",
    "x = y = z = w = 2",
    "x, y = 1, 2; x*y",
    "(x) = 2*y",
    "x[0] = 2; x",
    "x += 1",
    "global x; x",
    # what cannot be seen, or looks like something else
    "y =\u200b x", "y\u200b = x", "f(x\u202e) = x", "\u202ey = x", "|x\u2066|", "sin\u200d x", "x\u2063y",
    "y = x\u2028z = 2*y",
    "ｙ = x", "y ＝ x", "𝑦 = x", "f(ｘ) = x", "θ\ufe0f + 1", "x₊₁", "x_{\u202e1}", "½\u200b", "y = x \ud800",
    "\x00y = x",
    # recursion and order
    "y = y", "f(x) = f(x)", "f(x) = g(x); g(x) = f(x); f(x)", "y = z; z = y", "f = lambda x: f(x)",
    "def f(x): return f(x-1)",
    "def f(x):\n  y = z\n  z = y\n  return y",
    # growth
    "f(x) = x**x**x; f(9**9)", "p(n) = 9**n; p(9**9)", "p(n) = n**n; p(p(p(p(9))))", "a = 9**300; b = a*a; b**b*x",
    functions("f{}({} + 1)", count=500),
    "x = torch.tensor([" + "1," * 9_000 + "1], requires_grad=True); z = torch.tensor([1,2], requires_grad=True); x*z",
]  # fmt: skip

# Texts that are read, however long they are.
READ = [
    chain("{0} + 1", 1_000),
    chain("{0}**{0}", 300),
    chain("sin {0}", 400, "\n"),
    functions("f{}({}) + 1", count=500),
    functions("f{}({})", parameter="x{}", count=500),
    "2√" * 2_000 + "x",
    "x " * 3_000,
    "|x|" * 1_000,
    "2|x|+" * 800 + "1",
    "½ + " * 1_000 + "x",
    "sin x + " * 800 + "x",
    "y = x" + " # comment" * 1_900,
    "\n" * 19_000 + "x",
    "x;" + ";" * 19_000,
    "print(x)\n" * 2_000 + "y = x",
    "import a;" * 2_000 + "y = x",
    "y = (" + "\n" * 15_000 + "x)",
    "y = x" + "\\\n" * 9_000,
    "θ theta " * 500,
    "x₁₂₃ " * 900,
    "log_3(x) + " * 500 + "x",
    "x(x+1)+" * 800 + "x",
]


@pytest.mark.parametrize("text", REFUSED, ids=[repr(text[:30]) for text in REFUSED])
def test_what_does_harm_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GradcheckError) as caught:
        read(Request(text))
    error = caught.value
    assert len(str(error)) < 600
    assert all(char.isprintable() or char == "\n" for char in str(error))
    if isinstance(error, ExpressionError):
        assert 0 <= error.start < error.end
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", READ, ids=[repr(text[:30]) for text in READ])
def test_what_is_long_is_read(text: str) -> None:
    assert len(text) <= MAX_LENGTH
    assert all(len(notice) < 400 for notice in read(Request(text)).notices)


def test_there_are_enough_of_them() -> None:
    assert len(REFUSED) + len(READ) >= 140
