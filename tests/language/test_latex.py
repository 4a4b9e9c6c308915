"""LaTeX: well formed, with no command that amsmath or LaTeX itself lacks, and reading as the hand computation does."""

from __future__ import annotations

from fractions import Fraction

import pytest
from helpers.latex import require_well_formed

from gradcheck_cli.checking.explained import explain_expression
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import constant
from gradcheck_cli.language.latex import number, to_latex
from gradcheck_cli.language.parser import parse
from gradcheck_cli.records.request import Request
from gradcheck_cli.render import EXPLANATIONS
from gradcheck_cli.render.display import Display

EXPRESSIONS = [
    ("1/(1+exp(-x))", "2", {}),
    ("2*y+3", "3.5", {"lets": ("y=x*x",), "wrt": ("x", "y")}),
    ("where(x > 0, sqrt(x), 0)*w_1", "x=-1,w_1=2", {}),
    ("abs(x)*floor(y/3) + atan2(y, x)", "x=1.5,y=4", {}),
    ("leaky_relu(x)**2 - 1e-9*x if x > 0 and not x == 2 else -x", "0.7", {}),
    ("sin(alpha*theta)**2/sqrt(2*pi)", "alpha=1,theta=0.3", {}),
    ("x**y", "x=-2,y=2", {"wrt": ("x",), "mode": "both"}),
    ("log(x)", "-1", {}),
    ("relu(x) - relu(-x)", "0", {}),
    ("exp(learning_rate*x) - 1e300*x", "learning_rate=0.1,x=1e-300", {}),
]


def written(expression: str, at: str, options: dict[str, object]) -> str:
    request = Request(expression, at=(at,), derivatives=False, **options)  # type: ignore[arg-type]
    return EXPLANATIONS["latex"](explain_expression(request), Display(verbose=True))


@pytest.mark.parametrize(("expression", "at", "options"), EXPRESSIONS)
def test_it_is_well_formed(expression: str, at: str, options: dict[str, object]) -> None:
    text = written(expression, at, options)
    require_well_formed(text)


def test_it_reads_as_the_hand_computation() -> None:
    text = written("1/(1+exp(-x))", "2", {})
    assert (
        r"""\begin{align*}
  x &= 2 \\
  a &= -x = -2 & \frac{da}{dx} &= -1 \\
  b &= \exp\left(a\right) = 0.135335 & \frac{db}{da} &= \exp\left(a\right) = 0.135335 \\
  c &= 1 + b = 1.13534 & \frac{dc}{db} &= 1 \\
  f &= \frac{1}{c} = 0.880797 & \frac{df}{dc} &= -\frac{1}{c^{2}} = -0.775803
\end{align*}"""
        in text
    )
    assert (
        r"""\begin{align*}
  \frac{df}{dx} &= \frac{df}{dc} \cdot \frac{dc}{db} \cdot \frac{db}{da} \cdot \frac{da}{dx} \\
  &= -0.775803 \cdot 1 \cdot 0.135335 \cdot \left(-1\right) \\
  &= 0.10499358540350652
\end{align*}"""
        in text
    )


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("(a + b)*c", r"\left(a + b\right) \cdot c"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("(-a)**2", r"\left(-a\right)^{2}"),
        ("-a**2", r"-a^{2}"),
        ("(a*b)**c", r"\left(a \cdot b\right)^{c}"),
        ("(a**b)**c", r"\left(a^{b}\right)^{c}"),
        ("(a/b)**2", r"\left(\frac{a}{b}\right)^{2}"),
        ("a*(-b)", r"a \cdot \left(-b\right)"),
        ("sqrt(x1)/omega", r"\frac{\sqrt{x_{1}}}{\omega}"),
        ("1e-9 + 2.5e30*x", r"10^{-9} + 2.5 \cdot 10^{30} \cdot x"),
        ("pi*σ", r"\pi \cdot \sigma"),
        ("max(x, 0)", r"\max\left(x, 0\right)"),
        ("softplus(x, beta=2)", r"\operatorname{softplus}\left(x, 2\right)"),
        ("softplus(x)", r"\operatorname{softplus}\left(x\right)"),
        ("abs(x)", r"\left\lvert x \right\rvert"),
        ("where(x >= 1, x, -x)", r"\begin{cases} x & \text{if } x \ge 1 \\ -x & \text{otherwise} \end{cases}"),
    ],
)
def test_expressions(text: str, latex: str) -> None:
    assert to_latex(parse(text)) == latex


def test_every_function_of_the_table_can_be_written() -> None:
    for row in FUNCTIONS.values():
        if row.internal:
            continue
        names = "abcdxyz"
        arguments = [
            names[i] if argument.kind == "real" and argument.default is None else "2"
            for i, argument in enumerate(row.arguments)
        ]
        require_well_formed(to_latex(parse(f"{row.name}({', '.join(arguments)})")) + "\n")


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("inf", r"\infty"),
        ("-inf", r"-\infty"),
        ("nan", r"\text{NaN}"),
        ("1e22", "10^{22}"),
        ("-2.5e-7", r"-2.5 \cdot 10^{-7}"),
    ],
)
def test_numbers(text: str, latex: str) -> None:
    assert number(text) == latex


def test_a_fraction_is_one() -> None:
    assert to_latex(constant(Fraction(1, 3), exact=True)) == r"\frac{1}{3}"
