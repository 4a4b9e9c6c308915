"""`gradcheck explain`: the chain rule node by node, as users see it."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gradcheck_cli.checking.explained import explain_expression
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.records.explanation import Explanation
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render import EXPLANATIONS, RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import EXPLANATION_FORMATS

Json = dict[str, Any]


def explained(expression: str, at: str, **options: Any) -> Explanation:
    return explain_expression(Request(expression, at=(at,), derivatives=False, **options))


def shown(expression: str, at: str, form: str = "table", width: int = 120, **options: Any) -> str:
    return EXPLANATIONS[form](explained(expression, at, **options), Display(width=width))


def as_json(expression: str, at: str, **options: Any) -> Json:
    document: Json = json.loads(shown(expression, at, "json", **options))
    return document


def test_the_sigmoid_by_hand() -> None:
    """The lab exercise: every number that one finds on paper, torch's beside it."""
    steps = explained("1/(1+exp(-x))", "2").by_name
    assert {name: step.text for name, step in steps.items()} == {
        "x": None, "a": "-x", "b": "exp(a)", "c": "1 + b", "f": "1/c",
    }  # fmt: skip
    values = {"x": 2.0, "a": -2.0, "b": 0.1353352832366127, "c": 1.1353352832366126, "f": 0.8807970779778824}
    assert {name: step.value for name, step in steps.items()} == values
    found = {f"d{name}/d{local.by}": local.value for name, step in steps.items() for local in step.locals}
    assert found == {"da/dx": -1.0, "db/da": 0.1353352832366127, "dc/db": 1.0, "df/dc": -0.775803492574376}
    adjoints = {name: step.adjoint.analytical for name, step in steps.items() if step.adjoint is not None}
    assert adjoints == {
        "x": 0.10499358540350652, "a": -0.10499358540350652, "b": -0.775803492574376, "c": -0.775803492574376, "f": 1.0,
    }  # fmt: skip
    for name, step in steps.items():
        assert step.adjoint is not None
        assert step.adjoint.autograd == pytest.approx(adjoints[name], rel=1e-15)
        assert step.adjoint.verdict is Verdict.MATCH
    assert [step.grad_fn for step in steps.values()] == [
        None, "NegBackward0", "ExpBackward0", "AddBackward0", "MulBackward0",
    ]  # fmt: skip


def test_the_table_of_the_sigmoid() -> None:
    text = shown("1/(1+exp(-x))", "2")
    assert "b = exp(a)  0.135335  db/da = exp(a) = 0.135335    -0.775803  -0.775803  ExpBackward0  ✓ match\n" in text
    assert text.endswith("""\
df/dx = df/dc · dc/db · db/da · da/dx
      = -0.775803 · 1 · 0.135335 · -1
      = 0.10499358540350652    (autograd: 0.1049935854035065, ✓ match)
""")


def test_an_intermediate_result_keeps_its_name() -> None:
    text = shown("2*y+3", "3.5", lets=("y=x*x",), wrt=("x", "y"))
    assert "df/dx = df/da · da/dy · dy/dx\n      = 1 · 2 · 7\n      = 14    (autograd: 14, ✓ match)\n" in text
    assert "df/dy = df/da · da/dy\n      = 1 · 2\n      = 2    (autograd: 2, ✓ match)\n" in text
    assert "y = x*x    12.25  dy/dx = 2*x = 7" in text


@pytest.mark.parametrize(
    ("expression", "at", "derivatives"),
    [
        ("e^x", "1", ["e**x"]),
        ("2^x", "1", ["2**x*log(2)"]),
        ("x^x", "2", ["x*x**(x - 1) + x**x*log(x)"]),
        ("a^x", "a=2,x=3", ["x*a**(x - 1)", "a**x*log(a)"]),
        ("x^3", "0", ["3*x**2"]),
    ],
)
def test_a_power_is_differentiated_as_one_writes_it(expression: str, at: str, derivatives: list[str]) -> None:
    explanation = explain_expression(Request(expression, at=(at,)))
    assert [local.text for local in explanation.steps[-1].locals] == derivatives


def test_names_never_clash() -> None:
    steps = explained("sin(a)*s + exp(b)", "a=1,b=2,s=3").by_name
    assert list(steps) == ["a", "s", "b", "c", "g", "h", "f"]
    assert explained("x", "1").name == "x"
    assert shown("x", "1").startswith("f(x) = x\n")


def test_sums_where_paths_join() -> None:
    text = shown("x*sin(x)", "1")
    assert "df/dx = ∂f/∂a · da/dx + a\n      = 1 · 0.540302 + 0.841471\n      = 1.381773290676036" in text


def test_partial_derivatives_have_a_sign_of_their_own() -> None:
    """Of a step by one of several operands: what goes along all ways is another number, even between the same two."""
    text = shown("x*exp(x)*y", "x=1,y=2")
    assert "∂f/∂b = y = 2" in text
    assert "da/dx = exp(x)" in text
    assert "df/dx = ∂f/∂b · ∂b/∂a · da/dx + ∂f/∂b · ∂b/∂x" in text
    found = explained("x*exp(x)*y", "x=1,y=2")
    written = EXPLANATIONS["latex"](found, Display())
    assert r"\frac{df}{dx} &= \frac{\partial f}{\partial b} \cdot \frac{\partial b}{\partial a}" in written
    assert r"\frac{da}{dx} &= \exp" in written


def test_a_sum_by_the_last_step_has_adjoints_also_of_operands_of_the_result() -> None:
    """Of `a*y` with y made of a, ∂f/∂a is y, and df/da is what stands in the table."""
    lets = ("a = sin(x)", "y0 = a", *(f"y{i + 1} = y{i}*sin(y{i})" for i in range(4)))
    text = shown("a*y4", "2", lets=lets, wrt=("x",))
    assert "∂f/∂a = y4 = 0.0456134" in text
    assert "df/dx = df/da · da/dx\n      = 0.587853 · -0.416147\n      = -0.24463305457006176 " in text


def test_many_paths_are_written_by_the_last_step() -> None:
    """2**20 paths: the adjoints in the table are sums already."""
    lets = tuple(f"y{i + 1} = sin(y{i})*y{i}" for i in range(20))
    found = explained("y20", "0.7", lets=("y0 = x", *lets), wrt=("x",))
    assert found.chains[0].count == 2**20
    assert found.chains[0].paths == ()
    assert "1,048,576 paths lead from y20 to x" in EXPLANATIONS["table"](found, Display(width=120))


def test_more_than_thirty_steps_are_cut_and_v_shows_all() -> None:
    lets = tuple(f"y{i + 1} = sin(y{i})*y{i}" for i in range(30))
    found = explained("y30", "0.7", lets=("y0 = x", *lets), wrt=("x",))
    assert len(found.steps) == 62
    short, long = (
        EXPLANATIONS["table"](found, Display(width=120, verbose=verbose, all_by="-v")) for verbose in (False, True)
    )
    assert "and 32 more steps between these (-v shows all)" in short
    assert "y15 = " not in short
    assert all(f"y{i + 1} = " in long for i in range(30))
    for form in ("markdown", "latex"):
        assert "32 more steps left out" in EXPLANATIONS[form](found, Display())


def test_of_many_intermediate_results_some_are_written_out() -> None:
    lets = ("y0 = sin(x)", *(f"y{i} = y{i - 1} + x" for i in range(1, 40)))
    found = explained("y39*x", "2", lets=lets)
    for form in ("table", "markdown"):
        short = EXPLANATIONS[form](found, Display(all_by="-v"))
        assert re.search(r"y10 … y29 += \(20 more; -v shows all\)", short)
        assert "y9" in short
        assert "y30" in short
        assert "y15" not in short
        assert "y15" in EXPLANATIONS[form](found, Display(verbose=True))


def test_a_long_sum_has_a_line_for_each_term() -> None:
    lines = shown("log(1 + exp(-x))*sin(x*y) + sqrt(x**2 + y**2)", "x=2,y=3", width=80).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("df/dx = "))
    assert [line[:8] for line in lines[first : first + 7]] == [
        "df/dx = ",
        *["      + "] * 2,
        "      = ",
        *["      + "] * 2,
        "      = ",
    ]


def test_what_does_not_fit_goes_on_further_in() -> None:
    text = shown("gelu(x)*x", "2", width=70)
    assert re.search(r"^  da/dx = .*\n(    \S.*\n)+f = a\*x", text, re.MULTILINE)


def test_where_there_is_no_room_for_a_table_each_step_is_lines() -> None:
    lines = shown("1/(1 + exp(-x))", "2", width=40).split("\n\n")
    assert lines[2].splitlines() == [
        "a = -x",
        "  value     -2",
        "  df/da     -0.104994",
        "  autograd  -0.104994",
        "  verdict   ✓ match",
        "  da/dx     = -1",
    ]
    assert lines[-1].startswith("df/dx = df/dc · dc/db · db/da · da/dx\n      = -0.775803 · 1 · 0.135335 · -1\n")


def test_a_long_name_has_its_chain_rule_below_it() -> None:
    text = shown("sin(momentum_buffer)*2", "0.5", width=40)
    assert "\ndf/dmomentum_buffer\n  = df/da · da/dmomentum_buffer\n  = 2 · 0.877583\n  = 1.75516512378" in text


KINKS = [
    # (expression, the chain rule at 0): no factor is a number there
    ("relu(x)", "df/dx = where(x > 0, 1, 0)\n      = [0, 1]    (autograd: 0, ∧ kink)\n\n"),
    ("relu(x) - relu(-x)",
     "df/dx = ∂f/∂a · da/dx + ∂f/∂c · dc/db · db/dx\n      = 1    (autograd: 0, ✗ mismatch)\n"
     "        da/dx and dc/db do not exist at this point: the chain rule gives no\n        number here\n"),
    ("2*abs(x)", "df/dx = df/da · da/dx\n      = [-2, 2]    (autograd: 0, ∧ kink)\n"
     "        da/dx does not exist at this point: the chain rule gives no number here\n"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "chain"), KINKS)
def test_the_chain_rule_at_a_kink_has_no_product_of_numbers(expression: str, chain: str) -> None:
    assert chain in shown(expression, "0", width=80)


def test_another_value_of_torch_stands_by_its_step() -> None:
    narrow, wide = (shown("where(x > 0, sqrt(x), 0)", "-1", width=width) for width in (80, 120))
    assert re.search(r"^a = sqrt\(x\) +– .*\n  \(torch: nan\) .*\n  da/dx = ", narrow, re.MULTILINE)
    assert re.search(r"^a = sqrt\(x\) +–  da/dx = .*\n +\(torch: nan\) *\n", wide, re.MULTILINE)


def test_a_step_that_is_to_blame_is_marked_and_shown_also_among_many() -> None:
    terms = " + ".join(f"sin({i + 2}*x)" for i in range(30))
    text = shown(f"{terms} + where(x > 0, sqrt(x), 0) + {terms.replace('sin', 'cos')}", "-1")
    assert re.search(r"= sqrt\(x\) .*✓ match ← here", text)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize(
    ("expression", "at"),
    [
        ("1/(1+exp(-x))", "2"),
        ("where(x > 0, sqrt(x), 0)*y + x*y", "x=-1,y=3"),
        ("gelu(1234567.89*x)/3 + atan2(x, 2)", "0.123456789"),
        ("x**y", "x=-2,y=2"),
    ],
)
def test_no_line_is_wider_than_the_terminal(expression: str, at: str, width: int) -> None:
    for line in shown(expression, at, width=width).splitlines():
        assert len(line) <= width, line


def test_modes_part() -> None:
    """For x**y at a negative x forward mode gives NaN, and it is said where."""
    found = explained("sin(x**y)", "x=-2,y=2", wrt=("x",), mode="both")
    assert [parting.step for parting in found.partings] == ["a"]
    assert "they part at a = x**y" in found.partings[0].sentence
    power = found.by_name["a"]
    assert power.tangents["x"].analytical == -4.0
    assert math.isnan(power.tangents["x"].autograd or 0.0)
    assert power.adjoint is not None
    assert power.adjoint.verdict is Verdict.MATCH
    assert "forward mode, along x" in EXPLANATIONS["table"](found, Display(width=120))


def test_modes_that_agree_do_not_part() -> None:
    assert explained("sin(x)*y", "x=1,y=2", mode="both").partings == ()


def test_dtypes_part() -> None:
    found = explained("exp(x)*x", "9.1", dtype="float16", mode="both")
    assert found.by_name["x"].reference["reverse"] == pytest.approx(90603.907)
    assert "float16 and float64 part at x" in found.partings[0].sentence
    assert "in float64" in EXPLANATIONS["table"](found, Display(width=120))


def test_a_branch_that_python_does_not_run_is_not_run() -> None:
    found = explained("x if x > 0 else sqrt(x)", "2").by_name["a"]
    assert found.value_autograd is None
    assert found.adjoint is not None
    assert found.adjoint.autograd is None


@pytest.mark.parametrize("form", EXPLANATION_FORMATS)
def test_every_form_has_every_step(form: str) -> None:
    text = shown("1/(1+exp(-x))", "2", form)
    for grad_fn in ("NegBackward0", "ExpBackward0", "AddBackward0", "MulBackward0"):
        assert grad_fn in text


def test_markdown_is_a_table_whose_lines_have_as_many_cells() -> None:
    text = shown("where(x > 0, abs(x), 0)*x", "-1", "markdown")
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")}
    assert widths == {8}


def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", "x**2", "--at", "0:1:30"]) == 2
    assert "explain shows at most 20 chain rules: give fewer points by --at" in capsys.readouterr().err
    assert run_command(["explain", "x**2", "--at", "1", "--output-format", "xml"]) == 2
    assert "there are table, markdown, latex, json" in capsys.readouterr().err


def test_a_point_is_drawn_where_none_is_given() -> None:
    found = explain_expression(Request("x**2", derivatives=False))
    assert -3 <= found.point["x"] <= 3
    assert found.result.notices == ("1 point sampled with --seed 0",)


def test_several_points_come_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", "relu(x) - relu(-x)", "--at", "1,0,2", "--claim", "1"]) == 1
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if line.startswith("at ")] == [f"at     x={x}" for x in (1, 0, 2)]
    assert out.count("df/dx = ∂f/∂a") == 3
    assert out.endswith("✓ proven (agrees at 29 points)\n")
    assert err.startswith("3 checks (1 failed): 2 match, 1 mismatch · 1 claim: 1 proven")
    assert run_command(["explain", "x**2", "--at", "1,2,3", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["point"] for one in document["explanations"]] == [{"x": 1}, {"x": 2}, {"x": 3}]
    assert len(document["problem"]["checks"]) == 3


@pytest.mark.parametrize(
    ("expression", "at", "order", "titles", "derivatives"),
    [
        ("x**3", "2", 2, ["f(x) = x**3", "f'(x) = 3*x**2"], ["12", "12"]),
        ("y = x**3", "2", 3, ["y(x) = x**3", "y'(x) = 3*x**2", "y''(x) = 6*x"], ["12", "12", "6"]),
        ("x**2*y", "x=1,y=2", 2, ["f(x, y) = x**2*y", "f_x(x, y) = 2*x*y", "f_y(x) = x**2"], ["4", "1", "4", "2", "2"]),
    ],
)
def test_the_chain_rule_of_a_higher_derivative(
    expression: str, at: str, order: int, titles: list[str], derivatives: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["explain", expression, "--at", at, "--order", str(order)]) == 0
    out, _ = capsys.readouterr()
    explained = out.partition("relative error")[0]
    places = [explained.index(f"{title}\nat ") for title in titles]
    assert places == sorted(places)
    assert re.findall(r"= (\S+)    \(autograd: ", explained) == derivatives
    assert out.rstrip().endswith("✓ match"), "below stands the check of that order"


def test_intermediate_results_have_no_second_chain_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", "2*y", "--let", "y = x*x", "--at", "2", "--order", "2", "--wrt", "y"]) == 2
    assert "y is an intermediate result, and the chain rule of order 2 goes along variables" in capsys.readouterr().err


def test_the_command_exits_as_a_check_does(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    assert run_command(["explain", "-x**2", "--at", "-2"]) == 0
    assert run_command(["explain", "where(x > 0, sqrt(x), 0)", "--at", "-1"]) == 1
    file = tmp_path / "chain.tex"
    assert run_command(["explain", "x**2", "--at", "3", "--output-format", "latex", "--output-file", str(file)]) == 0
    assert r"\frac{df}{dx}" in file.read_text(encoding="utf-8")
    assert "df/dx = 2*x" in capsys.readouterr().out


# Multiplied along all paths, the local derivatives that are shown are the certified gradient.


def random_function(generator: random.Random) -> tuple[str, tuple[str, ...]]:
    """An expression that is smooth everywhere, and intermediate results that it shares."""
    names, lets = ["x", "y"], []
    for number in range(generator.randint(2, 6)):
        a, b = generator.choice(names), generator.choice(names)
        form = generator.choice(FORMS).replace("A", a).replace("B", b)
        lets.append(f"t{number} = {form}")
        names.append(f"t{number}")
    return f"{names[-1]}*x + {generator.choice(names)}*y", tuple(lets)


FORMS = (
    "A + B", "A - B", "A*B", "A/(2 + sin(B))", "sin(A)*B", "exp(-A**2)", "tanh(A) + B", "sqrt(1 + A**2)", "A**3/9",
    "log(2 + cos(A*B))", "sigmoid(A)*2", "atan2(A, 2 + B**2)", "hypot(A, 1.5)", "softplus(A) - B", "A*A",
)  # fmt: skip


def along_all_paths(document: Json, by: str) -> tuple[float, float]:
    """(the sum over all paths of the products, the sum of their absolute values), from the JSON alone."""
    below = {
        step["name"]: [(local["wrt"], local["value"]) for local in step["local_derivatives"]]
        for step in document["steps"]
    }

    def paths(name: str) -> Iterator[float]:
        if name == by:
            yield 1.0
        for operand, value in below[name]:
            yield from (value * rest for rest in paths(operand))

    products = list(paths(document["result"]))
    return math.fsum(products), math.fsum(map(abs, products))


@pytest.mark.parametrize("seed", range(200))
def test_the_table_adds_up(seed: int) -> None:
    generator = random.Random(seed)
    expression, lets = random_function(generator)
    at = f"x={generator.uniform(-2, 2)!r},y={generator.uniform(-2, 2)!r}"
    document = as_json(expression, at, lets=lets, wrt=("x", "y"))
    for row in document["problem"]["checks"]:
        total, size = along_all_paths(document, row["wrt"][0])
        assert abs(total - row["analytical"]) <= 1e-14 * max(size, abs(row["analytical"]))


@pytest.mark.parametrize("form", EXPLANATION_FORMATS)
@pytest.mark.parametrize(
    ("expression", "at", "options"),
    [
        ("x", "1", {}),
        ("0*x", "1", {"mode": "both"}),
        ("zeta(x, 2)", "2", {}),
        ("heaviside(x, y)", "x=1,y=2", {"mode": "both"}),
        ("erfcx(x)", "1", {"dtype": "float16", "mode": "both"}),
        ("igamma(x, 2)", "1", {"mode": "both"}),
        ("log(y)", "1", {"lets": ("y=x*0",), "wrt": ("y", "x"), "mode": "both"}),
        ("k*x", "1", {"lets": ("k=2*pi",), "wrt": ("k", "x")}),
        ("w", "1", {"lets": ("y=x*x", "w=y"), "wrt": ("w", "y", "x")}),
        ("where(x > 0, y, x)", "x=0,y=0", {}),
        ("sqrt(-x**2)", "0", {"mode": "both"}),
        ("cbrt(x) + sec(x)*gamma(x)", "2", {"mode": "both", "dtype": "bfloat16"}),
    ],
)
def test_nothing_is_too_odd_to_explain(expression: str, at: str, options: Json, form: str) -> None:
    assert shown(expression, at, form, **options)


@pytest.mark.parametrize(
    ("expression", "options", "name"),
    [
        ("sin(x)", {}, "f"),
        ("f*sin(x)", {"at": ("x=1,f=2",)}, "g"),
        ("2*y", {"lets": ("f = 3*x", "y = f*x")}, "g"),
        ("f*g*h*F*G", {"at": ("f=1,g=1,h=1,F=1,G=1",)}, "f1"),
        ("q = sin(x)", {}, "q"),
    ],
)
def test_the_function_is_called_the_same_in_check_and_in_explain(
    expression: str, options: dict[str, Any], name: str
) -> None:
    found = explain_expression(Request(expression, **{"at": ("x=1",), **options}))
    assert found.name == name
    assert re.search(rf"^{name}\(.*\) += ", EXPLANATIONS["table"](found, Display()), re.MULTILINE)
    assert re.search(rf"^{name}\(.*\) += ", RENDERERS["table"](Report((found.result,), {}), Display()), re.MULTILINE)
