"""LaTeX as people copy it, and what it is read as: (text, the same in our own words)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language.latex import to_latex
from gradcheck_cli.language.parser import parse
from gradcheck_cli.language.script import read_script

READ = [
    ("$x^2$", "x**2"),
    ("$$ x^2 + 2x + 1 $$", "x**2 + 2*x + 1"),
    (r"\( x^2 \)", "x**2"),
    (r"\[ x^2 \]", "x**2"),
    (r"\begin{equation} x^2 \end{equation}", "x**2"),
    (r"\begin{align*} x^2 &+ 1 \end{align*}", "x**2 + 1"),
    # Fractions, roots, powers
    (r"\frac{a}{b}", "a/b"),
    (r"\frac{x + 1}{x - 1}", "(x + 1)/(x - 1)"),
    (r"\frac12 x", "1/2*x"),
    (r"\frac1x", "1/x"),
    (r"\tfrac{1}{2} m v^2", "1/2*m*v**2"),
    (r"\dfrac{\ln x}{x}", "log(x)/x"),
    (r"\frac{x}{y}^2", "(x/y)**2"),
    (r"1/\frac{x}{y}", "1/(x/y)"),
    (r"\sqrt{x}", "sqrt(x)"),
    (r"\sqrt x", "sqrt(x)"),
    (r"\sqrt2 x", "sqrt(2)*x"),
    (r"\sqrt[3]{x}", "sign(x)*abs(x)**(1/3)"),
    (r"2\sqrt[5]{x + 1} y", "2*(sign(x + 1)*abs(x + 1)**(1/5))*y"),
    (r"\sqrt[3]{\sqrt[3] x}", "sign(sign(x)*abs(x)**(1/3))*abs(sign(x)*abs(x)**(1/3))**(1/3)"),
    (r"\sqrt[4]{x}", "x**(1/4)"),
    (r"x^{1/3}", "x**(1/3)"),
    (r"\sqrt[n]{x + 1}", "(x + 1)**(1/n)"),
    (r"\sqrt{x^2 + y^2}", "sqrt(x**2 + y**2)"),
    ("x^{2}", "x**2"),
    ("e^{-x}", "e**(-x)"),
    ("x^{10} - x^{-1}", "x**10 - x**(-1)"),
    (r"x^{\frac{1}{2}}", "x**(1/2)"),
    (r"x^\alpha", "x**alpha"),
    (r"$x^-1$", "x**(-1)"),
    (r"$x^2y^3$", "x**2*y**3"),
    (r"$e^xy$", "e**x*y"),
    ("{x + 1}^2", "(x + 1)**2"),
    # Products that are not written
    (r"$xy$", "x*y"),
    (r"$2xy$", "2*x*y"),
    (r"$x e^{-x}$", "x*e**(-x)"),
    (r"$xe^{-x}$", "x*e**(-x)"),
    (r"$wx + b$", "w*x + b"),
    (r"$(x+1)(x-1)$", "(x + 1)*(x - 1)"),
    (r"$x^2(x+1)$", "x**2*(x + 1)"),
    (r"$2\pi(x+1)$", "2*pi*(x + 1)"),
    (r"$x(x+1)$", "x*(x + 1)"),
    (r"3\,x\;y \quad z", "3*x*y*z"),
    (r"x \cdot y \times z", "x*y*z"),
    (r"x \div y", "x/y"),
    (r"1.5 \times 10^{-3} x", "1.5*10**(-3)*x"),
    (r"\mathit{rate} x", "rate*x"),
    (r"\mathrm{learning\_rate} \cdot x", "learning_rate*x"),
    (r"\mathrm{e}^{-x}", "e**(-x)"),
    (r"$2 relu(x)$", "2*relu(x)"),
    (r"$xsin(x)$", "x*sin(x)"),
    # Letters
    (r"\alpha x + \beta", "alpha*x + beta"),
    (r"\gamma(x - 1)", "gamma*(x - 1)"),
    (r"\lambda x", "λ*x"),
    (r"\varepsilon + \theta", "epsilon + theta"),
    (r"\pi x", "pi*x"),
    ("x_{1} + x_{2}", "x_1 + x_2"),
    (r"$x_1 + x_2$", "x_1 + x_2"),
    (r"x_{max} - x_{i}", "x_max - x_i"),
    (r"\theta_{0} + \theta_{1} x", "theta_0 + theta_1*x"),
    (r"(\hat{y} - y)^2", "(y_hat - y)**2"),
    (r"$x_1^2$", "x_1**2"),
    # Functions
    (r"\sin x", "sin(x)"),
    (r"\sin(x)", "sin(x)"),
    (r"\sin{x}", "sin(x)"),
    (r"\sin 2x", "sin(2*x)"),
    (r"\sin 2\pi x", "sin(2*pi*x)"),
    (r"\sin xy", "sin(x*y)"),
    (r"\sin \frac{\pi x}{2}", "sin(pi*x/2)"),
    (r"\sin -x", "sin(-x)"),
    (r"\sin x \cos y", "sin(x)*cos(y)"),
    (r"2 \sin x \cos y + 1", "2*sin(x)*cos(y) + 1"),
    (r"\sin x \cdot y", "sin(x)*y"),
    (r"x \sin x", "x*sin(x)"),
    (r"\sin^2 x", "sin(x)**2"),
    (r"\sin^{2}(x)", "sin(x)**2"),
    (r"\sin(x)^2", "sin(x)**2"),
    (r"\sin x^2", "sin(x**2)"),
    (r"\sin^{-1} x", "asin(x)"),
    (r"\tanh^{-1}(x)", "atanh(x)"),
    (r"\cos^{2}\theta + \sin^{2}\theta", "cos(theta)**2 + sin(theta)**2"),
    (r"\ln x", "log(x)"),
    (r"x \ln x - x", "x*log(x) - x"),
    (r"\ln(1 + e^{x})", "log(1 + e**x)"),
    (r"\ln|x|", "log(abs(x))"),
    (r"\log_2 x", "log2(x)"),
    (r"\log_{10}(x)", "log10(x)"),
    (r"\log_{3} x", "log(x)/log(3)"),
    (r"\exp(-x^2)", "exp(-x**2)"),
    (r"\exp\left(-\frac{x^2}{2}\right)", "exp(-(x**2/2))"),
    (r"\arctan x + \sinh x", "atan(x) + sinh(x)"),
    (r"\max(0, x)", "max(0, x)"),
    (r"\max\{0, x\}", "max(0, x)"),
    (r"\min\left(x, y\right)", "min(x, y)"),
    (r"\operatorname{relu}(x)", "relu(x)"),
    (r"\operatorname{arctanh} x", "atanh(x)"),
    (r"\mathrm{ReLU}(wx + b)", "relu(w*x + b)"),
    (r"\text{softplus}(x)", "softplus(x)"),
    (r"\sigma(x)", "sigmoid(x)"),
    (r"\sigma\left(wx + b\right)", "sigmoid(w*x + b)"),
    (r"\sigma x", "sigma*x"),
    (r"x \Phi(x)", "x*ndtr(x)"),
    (r"\Gamma(x)", "gamma(x)"),
    # Brackets
    (r"\left( x + 1 \right)^2", "(x + 1)**2"),
    (r"\left[ x + 1 \right] \left( x - 1 \right)", "(x + 1)*(x - 1)"),
    (r"\bigl( x + 1 \bigr)", "x + 1"),
    (r"$[x + 1]^2$", "(x + 1)**2"),
    (r"$|x|$", "abs(x)"),
    (r"$2|x - 1|$", "2*abs(x - 1)"),
    (r"$||x| - 1|$", "abs(abs(x) - 1)"),
    (r"$|x||y|$", "abs(x)*abs(y)"),
    (r"\left| x - 1 \right|", "abs(x - 1)"),
    (r"\lvert x \rvert", "abs(x)"),
    (r"\left\lvert x \right\rvert^2", "abs(x)**2"),
    (r"\| x \|", "abs(x)"),
    (r"\lfloor x \rfloor + \lceil x \rceil", "floor(x) + ceil(x)"),
    # Cases and conditions
    (r"\begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}", "where(x > 0, x, 0)"),
    (r"\begin{cases} x^2, & \text{if } x > 0, \\ -x, & \text{else}. \end{cases}", "where(x > 0, x**2, -x)"),
    (r"\begin{cases} x & \text{for } x \ge 0 \\ 0 & \text{otherwise} \end{cases}", "where(x >= 0, x, 0)"),
    (r"\begin{cases} x, x > 0 \\ 0, \text{otherwise} \end{cases}", "where(x > 0, x, 0)"),
    (r"\begin{cases} x \text{ if } x > 0 \\ 0 \text{ otherwise} \end{cases}", "where(x > 0, x, 0)"),
    (
        r"\begin{cases} -1 & x < -1 \\ x & -1 \le x \le 1 \\ 1 & \text{otherwise} \\ \end{cases}",
        "where(x < -1, -1, where(-1 <= x <= 1, x, 1))",
    ),
    (r"\left\{\begin{array}{ll} x & x>0 \\ 0 & \text{otherwise}\end{array}\right.", "where(x > 0, x, 0)"),
    (r"2\begin{cases} x & x > 0 \\ 0 & \text{else} \end{cases} + 1", "2*where(x > 0, x, 0) + 1"),
    (r"\begin{cases} x & x \ge 0 \\ -x & x < 0 \end{cases}", "where(x >= 0, x, -x)"),
    (r"x \mathbb{1}_{x > 0}", "x*where(x > 0, 1, 0)"),
    (r"\mathbf{1}\{x > 0\} x", "where(x > 0, 1, 0)*x"),
    (r"\begin{cases} x & x > 0 \land x < 1 \\ 0 & \text{otherwise} \end{cases}", "where(x > 0 and x < 1, x, 0)"),
    # Whole formulas
    (r"\frac{1}{1 + e^{-x}}", "1/(1 + e**(-x))"),
    (r"\frac{e^x - e^{-x}}{e^x + e^{-x}}", "(e**x - e**(-x))/(e**x + e**(-x))"),
    (r"\frac{1}{\sqrt{2\pi}} e^{-\frac{x^2}{2}}", "1/sqrt(2*pi)*e**(-(x**2/2))"),
    (
        r"\frac{1}{\sigma\sqrt{2\pi}} \exp\left(-\frac{1}{2}\left(\frac{x-\mu}{\sigma}\right)^{2}\right)",
        "1/(sigma*sqrt(2*pi))*exp(-(1/2)*((x - mu)/sigma)**2)",
    ),
    (r"-y \log(\hat{y}) - (1 - y)\log(1 - \hat{y})", "-y*log(y_hat) - (1 - y)*log(1 - y_hat)"),
    (r"0.5x\left(1 + \tanh\left(\sqrt{\frac{2}{\pi}}(x + 0.044715x^3)\right)\right)",
     "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))"),
    # Braces, and nothing else of LaTeX's: names are names
    ("x^{2} + rate*x", "x**2 + rate*x"),
    ("log_{10}(x) + sin^{2}(x)", "log10(x) + sin(x)**2"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "plain"), READ, ids=[text for text, _ in READ])
def test_what_is_pasted(text: str, plain: str) -> None:
    assert parse(text) is parse(plain)


# Whole texts: the name of the function, and its expression.
TEXTS = [
    ("f(x) = \\frac{1}{x}", "f", "1/x"),
    (r"$f(x) = x^2$", "f", "x**2"),
    ("$$\nf(x) = x^2 \\; y\n$$", "f", "x**2*y"),
    ("\\[\nf(x) = \\frac{1}{1 + e^{-x}}\n\\]", "f", "1/(1 + e**(-x))"),
    ("\\begin{align}\nf(x) &= x^2 + 1\n\\end{align}", "f", "x**2 + 1"),
    ("f(x) = \\begin{cases}\n x & x > 0 \\\\\n 0 & \\text{otherwise}\n\\end{cases}", "f", "where(x > 0, x, 0)"),
    (r"\sigma(x) = \frac{1}{1 + e^{-x}}", "sigma", "1/(1 + e**(-x))"),
    (r"\hat{y} = \sigma(wx + b)", "y_hat", "sigmoid(w*x + b)"),
    (r"f_{\theta}(x) = \theta x \tag{1}", "f_theta", "theta*x"),
    (r"\text{ReLU}(x) = \max(0, x)", "ReLU", "max(0, x)"),
    (r"y = \alpha x; z = y^{2}", "z", None),
]


@pytest.mark.parametrize(("text", "name", "plain"), TEXTS, ids=[repr(text) for text, *_ in TEXTS])
def test_whole_texts(text: str, name: str, plain: str | None) -> None:
    script = read_script(text)
    assert script.function_name == name
    assert plain is None or script.expression is parse(plain)


def test_subscripts_are_the_variables_that_have_values() -> None:
    assert parse("$x_1 + x_{2}$", names=["x1", "x_2"]) is parse("x1 + x_2")


# (text, a part of the message, line of carets)
REFUSED = [
    (r"\foo{x}", "The command \\foo is not read here.", "  ^^^^"),
    (r"1 + \farc{x}{2}", "The command \\farc is not read here. Did you mean \\frac", "      ^^^^^"),
    (r"\operatorname{sigmoyd}(x)", "There is no function sigmoyd. Did you mean sigmoid?", "  " + "^" * 22),
    (r"\frac{d}{dx} x^2", "gradcheck differentiates by itself", "  ^^^^^"),
    (r"\frac{\partial f}{\partial x}", "gradcheck differentiates by itself", "  ^^^^^"),
    (r"\int x dx", "Sums, products, integrals and limits are not read", "  ^^^^"),
    (r"\sum_{i=1}^n x_i", "Sums, products, integrals and limits are not read", "  ^^^^"),
    (r"\infty x", "Infinity is not a number here.", "  ^^^^^^"),
    (r"x \pm 1", "This stands for two functions", "    ^^^"),
    (r"\sin x e^x", r"two ways: write \sin(x) e^x or \sin(x e^x).", "  ^^^^^^^^^^"),
    (r"\sin^2 x e^{-x}", r"two ways: write \sin^2(x) e^{-x} or \sin^2(x e^{-x}).", None),
    (r"\sin x(x + 1)", r"two ways: write \sin(x)(x + 1) or \sin(x(x + 1)).", "  ^^^^^^^^^^^^^"),
    (r"\sin x / 2", r"two ways: write \sin(x) / 2 or \sin(x / 2).", "  ^^^^^^^^^^"),
    (r"\sin x \frac{1}{2}", r"two ways: write \sin(x) \frac{1}{2} or \sin(x \frac{1}{2}).", None),
    (r"\sin{x}^2", r"two ways: write \sin(x)^2 or \sin(x^2).", "  ^^^^^^^^^"),
    (r"\sin xe^x", "put the argument of \\sin in ( ).", None),
    (
        r"\log^{-1} x",
        "This can be read in two ways: write 1/log(x), or the inverse of log by its own name.",
        "  ^^^^^^^^^",
    ),
    ("$a/b c$", "This can be read in two ways: write (a/b)*c or a/(b*c).", "   ^^^^^"),
    (r"$1/2\pi$", r"This can be read in two ways: write (1/2)*\pi or 1/(2*\pi).", "   ^^^^^^"),
    (r"$a/b\frac{c}{2}$", "This can be read in two ways: put what is below the line in ( )", None),
    ("$x^10$", "In LaTeX ^ takes one sign: write ^{10}, or ^{1} 0 for a product.", "    ^^^"),
    (r"w^\top x", "This is the transpose of an array: give arrays as values, such as x=[1, 2].", r"    ^^^^"),
    (r"(f \circ g)(x)", r"\circ is the composition of functions: write f(g(x)).", r"     ^^^^^"),
    (r"\sqrt[3]{}", r"Something is missing after \sqrt.", r"  ^^^^^"),
    ("$x^2^3$", "This can be read in two ways: put braces, as in {x^2}^3 or x^{2^3}.", "      ^"),
    ("$wxyz$", "wxyz is read letter by letter in LaTeX: write \\mathrm{wxyz} for one name", "   ^^^^"),
    (r"\sin", "Something is missing after \\sin.", "  ^^^^"),
    (r"\max x", "\\max takes numbers in brackets: write \\max(x, 0).", "  ^^^^"),
    (r"\frac{x}", "Something is missing after \\frac.", "  ^^^^^"),
    (r"\frac{x}{", "This { is never closed.", "          ^"),
    (r"\left( x", "This \\left is never closed.", "  ^^^^^"),
    (r"x \right)", "This \\right closes nothing.", "    ^^^^^^"),
    (r"\begin{cases} x & x > 0 \\ -x & x < 0 \end{cases}", "No case holds at x = 0: add \\text{otherwise}.", None),
    (r"\begin{cases} x & x > 0", "This \\begin is never closed.", "  ^^^^^^"),
    (r"\begin{cases} x & x > 0 \end{array}", "\\begin{cases} ends in \\end{array}.", None),
    (r"\begin{cases} & x > 0 \end{cases}", "A case has a value, and a condition after it: x & x > 0.", None),
    (r"\begin{pmatrix} x \end{pmatrix}", "\\begin{pmatrix} is not read: give one formula of numbers", None),
    ("{x", "This { is never closed.", "  ^"),
    ("x}", "This } closes nothing.", "   ^"),
    ("$x", "This $ is never closed.", "  ^"),
    ("x$", "$ has no meaning here: such signs stand around all of a formula, or nowhere.", "   ^"),
    ("$x$ + $y$", "$ has no meaning here", "    ^"),
    ("$f'(x)$", "A prime means a derivative", "    ^"),
    (r"x_{a+b}", "The subscript a+b is no part of a name.", "  ^^^^^^^"),
    (r"x^2 \text{ for } x > 0", "for has no meaning here: a formula with cases is written as \\begin{cases}", None),
    (r"x \in y", "This has no meaning in a formula of numbers", "    ^^^"),
    ("{}", "Something is missing", None),
]


@pytest.mark.parametrize(("text", "message", "carets"), REFUSED, ids=[text for text, *_ in REFUSED])
def test_what_is_refused_says_what_to_write(text: str, message: str, carets: str | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    lines = str(caught.value).split("\n")
    assert message in lines[0]
    assert carets is None or lines[-1] == carets


HOSTILE = [
    r"\frac{" * 3_000,
    r"\frac{1}{" * 2_000,
    r"\frac{1}{" * 2_000 + "x" + "}" * 2_000,
    r"\frac1" * 3_000,
    r"\frac" * 4_000,
    r"\sqrt{" * 3_000 + "x" + "}" * 3_000,
    r"\sqrt[" * 3_000,
    r"\sqrt[2" * 2_500 + "]x" * 2_500,
    "{" * 19_000,
    "}" * 19_000,
    "{" * 9_000 + "}" * 9_000,
    "x^{" * 6_000,
    "x^{" * 4_000 + "x" + "}" * 4_000,
    "x_{" * 6_000,
    "x^" * 9_000,
    "$" + "x_" * 9_000 + "$",
    "^" * 19_000,
    "_" * 19_000 + "{",
    "$" * 19_000,
    "$" * 19_001 + "x",
    "$x" * 9_000,
    "\\" * 19_001,
    "\\" * 19_000 + "x",
    r"\(" * 9_000,
    r"\[" * 9_000 + r"\]" * 900,
    r"\left" * 3_000,
    r"\left(" * 3_000,
    r"\left(" * 1_500 + "x" + r"\right)" * 1_500,
    r"\right)" * 2_000,
    r"\begin{cases}" * 1_500,
    r"\begin{cases} x & x > 0 \\ " * 700,
    r"\begin{cases}" + r"x & x > 0 \\" * 1_500,
    r"\begin{cases}" + r"x & x > 0 \\" * 1_500 + r"0 & \text{otherwise} \end{cases}",
    r"\begin{cases} \end{cases}",
    r"\begin{" * 2_000,
    r"\begin" * 3_000,
    r"\end{cases}" * 1_500,
    r"\begin{equation}" * 1_200,
    r"\sin" * 4_000,
    r"\sin^{-1}" * 2_000,
    r"\sin^{" * 3_000,
    r"\log_" * 3_500,
    r"\log_{" * 3_000 + "2",
    r"\max\{" * 3_000,
    r"\text{" * 3_000,
    r"\text{x" * 2_500 + "}" * 2_500,
    r"\mathrm" * 2_500,
    r"\operatorname{__import__}(x)",
    r"\operatorname{__class__}",
    r"\mathbb{1}" * 1_900,
    r"\mathbb{1}_{" * 1_600,
    r"\hat{" * 3_000,
    r"\hat" * 4_000,
    r"\lvert" * 3_000,
    "$" + "|" * 15_000 + "$",
    "$" + "|x" * 8_999 + "$",
    r"\input{/etc/passwd}",
    r"\write18{touch CANARY}",
    r"\def\x{\x\x}\x",
    r"\newcommand{\x}{\x}\x",
    r"\catcode`\@=11",
    r"\csname x\endcsname",
    r"\x" * 9_000,
    r"\u0041" + "{x}",
    "\\\u202e{x}",
    "\\\x00{x}",
    "{x\u200b}",
    "\\\ud800",
    "{'0.__class__'}.format(1)",
    "{x: 1}",
    "{" + "x" * 15_000 + "}\\",
    "$" + "x" * 15_000 + "$",
    "{9}^{9^{9^{9}}}",
    r"10^{400000} \cdot x",
    r"\frac{x}{y}" * 1_700 + "{",
    r"nn.Softplus(" + "beta=1, " * 2_000 + ")(x)",
    "nn.ReLU()" * 2_000,
    "nn.GELU(" * 2_000,
    "torch.tensor(" * 1_400,
    "torch.tensor(0., " + "dtype=" * 2_500 + ")",
    "(x > 0).to(" + "x." * 8_000 + ")",
    "tf." * 6_000 + "x",
    "tf.nn.leaky_relu(" * 1_100,
    "Rational(" * 2_000,
    "log(x, " * 2_500,
    "And(" * 4_000,
    "(x > 0)*" * 2_400,
    "scipy.special.exp10(" * 900 + "x" + ")" * 900,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text)[:40] for text in HOSTILE])
def test_hostile_texts_end_in_one_sentence(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert len(caught.value.message) < 400
    assert all(char.isprintable() or char == "\n" for char in str(caught.value))


FRAGMENTS = re.findall(
    r"\S+",
    r"""
    x y 2 e \frac \frac{ \sqrt \sqrt[ { } ^ _ ^{ _{ \left( \right) \left| \right| ( ) [ ] | + - / \cdot , = > \sin \sin^
    \log_ \max \begin{cases} \end{cases} & \\ \text{if} \text{otherwise} \mathrm{ \operatorname{relu} \sigma \alpha \pi
    \lvert \rvert $ $$ \( \) \[ \] \, \hat \mathbb{1} ' ! \{ \} \foo \ ² relu x10
    """,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14), st.sampled_from(["", " "]))
def test_any_latex_ends_in_an_expression_or_an_error_with_a_place(parts: list[str], between: str) -> None:
    text, found = between.join(parts), None
    try:
        parse(text)
    except ExpressionError as error:
        found = error
    if found is not None:
        assert 0 <= found.start <= len(text)
        assert found.start < found.end
        assert str(found)


ATOMS = st.sampled_from(["x", "y", "w_1", "rate", "theta", "2", "0.5", "pi", "e"])
FORMULAS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(lambda t: f"({t[0]}){t[1]}({t[2]})"),
        inner.map(lambda text: f"tanh(-({text}))"),
        st.tuples(st.sampled_from(["sin", "exp", "sqrt", "abs", "floor", "relu", "gelu", "log"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        ),
        st.tuples(inner, inner, inner).map(lambda t: f"where({t[0]} > {t[1]}, {t[2]}, {t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(FORMULAS)
def test_what_we_write_as_latex_is_read_as_what_it_was(text: str) -> None:
    try:
        expr = parse(text)
    except ExpressionError:
        return  # a constant power that is too large
    again = parse(f"${to_latex(expr)}$")
    assert to_latex(again) == to_latex(expr)
