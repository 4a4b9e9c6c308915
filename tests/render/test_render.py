"""Finished records in, whole texts out. Neither torch nor SymPy is needed."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest
from helpers.records import VERSIONS, a_check, a_problem, a_report, quartic

from gradcheck_cli import number_text
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.results import Check, Claim, ClaimStatus, Verdict
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.functions import matching, of_numbers, render_functions, render_functions_json
from gradcheck_cli.render.plain import encodable
from gradcheck_cli.render.summary import summary_line
from gradcheck_cli.render.table import render_table

SIGMOID = 0.10499358540350652


def table(*problems: object, **display: object) -> str:
    return render_table(a_report(*problems), Display(all_by="-v", **display))  # type: ignore[arg-type]


def test_one_point() -> None:
    assert (
        table(quartic())
        == """\
f(x)  = 8*x**4 + 3*x**3
f'(x) = 32*x**3 + 9*x**2

f(2) = 152

x  analytical  autograd  relative error  verdict
────────────────────────────────────────────────
2         292       292               0  ✓ match
"""
    )


def test_summary() -> None:
    assert summary_line(a_report(quartic()), Display()) == "1 check: 1 match · float64 on cpu · torch 2.13.0\n"
    mixed = a_report(quartic(), replace(quartic(), dtype="float32", passed=False))
    assert summary_line(mixed, Display()) == "2 problems (1 failed), 2 checks: 2 match · torch 2.13.0\n"
    assert summary_line(a_report(quartic()), Display(verbose=True)).endswith(" · python 3.11.7 · 0.25 s\n")


def two_variables(width: int) -> str:
    point = {"w": SIGMOID, "x": -SIGMOID}
    rows = [
        a_check(point, SIGMOID, SIGMOID, wrt=("w",), value=0.5),
        a_check(point, SIGMOID, 0.10499358540350655, Verdict.MISMATCH, wrt=("x",), value=0.5, rel_error=2.6e-16,
                note="autograd is wrong"),
    ]  # fmt: skip
    forms = {"w": "x*exp(-w*x)/(1 + exp(-w*x))**2", "x": "w*exp(-w*x)/(1 + exp(-w*x))**2"}
    return table(a_problem("1/(1 + exp(-w*x))", rows, derivatives=forms), width=width)


def test_two_variables_with_all_their_digits_fit_80_columns() -> None:
    assert (
        two_variables(80)
        == """\
f(w, x) = 1/(1 + exp(-w*x))
∂f/∂w   = x*exp(-w*x)/(1 + exp(-w*x))**2
∂f/∂x   = w*exp(-w*x)/(1 + exp(-w*x))**2

f(w=0.10499358540350652, x=-0.10499358540350652) = 0.5

at w=0.10499358540350652, x=-0.10499358540350652
                                                 relative
                analytical             autograd     error  verdict
───────────────────────────────────────────────────────────────────────
∂f/∂w  0.10499358540350652  0.10499358540350652         0  ✓ match
∂f/∂x  0.10499358540350652  0.10499358540350655   2.6e-16  ✗ mismatch ¹

¹ autograd is wrong
"""
    )


def test_the_point_stands_in_the_table_where_there_is_room() -> None:
    line = "w=0.10499358540350652, x=-0.10499358540350652  ∂f/∂x  0.10499358540350652  0.10499358540350655   2.6e-16"
    assert line in two_variables(120)


@pytest.mark.parametrize("number", [-1.2345678901234567e-308, 1 / 3, 2.0])
def test_one_variable_fits_80_columns(number: float) -> None:
    rows = [a_check({"x": number}, number, number * (1 + 2**-52), Verdict.IMPRECISE, rel_error=1.1e-16, note="n")] * 2
    assert max(map(len, table(a_problem("x**2", rows)).splitlines())) <= 80


def test_kink() -> None:
    row = a_check({"x": 0.0}, None, 0.0, Verdict.KINK, left=0.0, right=1.0, note="no derivative: left 0, right 1")
    assert (
        table(a_problem("relu(x)", [row]))
        == """\
f(x) = relu(x)

x  analytical  autograd  relative error  verdict
────────────────────────────────────────────────
0      [0, 1]         0               –  ∧ kink

• no derivative: left 0, right 1
"""
    )


def test_notes_are_merged_and_numbered() -> None:
    rows = [
        a_check({"x": 0.0}, None, 0.0, Verdict.KINK, left=0.0, right=1.0, note="a tie"),
        a_check({"x": 1.0}, 1.0, 1.0),
        a_check({"x": 2.0}, None, 0.0, Verdict.KINK, left=0.0, right=1.0, note="a tie"),
        a_check({"x": 3.0}, None, math.nan, Verdict.UNDEFINED, note="outside the domain"),
    ]
    assert (
        table(a_problem("g(x)", rows, notices=("5 points sampled with --seed 0",)))
        == """\
f(x) = g(x)

x  analytical  autograd  relative error  verdict
──────────────────────────────────────────────────────
0      [0, 1]         0               –  ∧ kink ¹
1           1         1               0  ✓ match
2      [0, 1]         0               –  ∧ kink ¹
3           –       nan               –  ∅ undefined ²

¹ a tie
² outside the domain
• 5 points sampled with --seed 0
"""
    )


def test_modes_orders_and_intermediate_results() -> None:
    rows = [
        a_check({"x": 3.5}, 2.0, 2.0, wrt=("y",), mode="reverse"),
        a_check({"x": 3.5}, 2.0, 2.0, wrt=("y",), mode="forward"),
    ]
    assert (
        table(a_problem("2*y + 3", rows, lets={"y": "x*x"}, derivatives={"y": "2"}))
        == """\
y     = x*x
f(x)  = 2*y + 3
df/dy = 2

  x  derivative  mode     analytical  autograd  relative error  verdict
───────────────────────────────────────────────────────────────────────
3.5  df/dy       reverse           2         2               0  ✓ match
3.5  df/dy       forward           2         2               0  ✓ match
"""
    )


def test_derivatives_of_higher_order() -> None:
    forms = {"x,x": "a", "x,y": "b", "x,x,y": "c"}
    row = a_check({"x": 1.0, "y": 2.0}, wrt=("x", "y"))
    text = table(a_problem("f", [row], derivatives=forms))
    assert "∂²f/∂x²   = a\n∂²f/∂x∂y  = b\n∂³f/∂x²∂y = c\n" in text
    one = a_problem("x", [a_check({"x": 1.0}, wrt=("x",) * 4)], derivatives={"x,x": "a", "x,x,x,x": "b"})
    assert "f''(x)  = a\nf⁽⁴⁾(x) = b\n" in table(one)


def test_a_function_named_as_the_user_names_a_variable() -> None:
    assert table(a_problem("f**2", [a_check({"f": 1.0})])).startswith("g(f) = f**2\n")


def test_many_rows_show_the_worst() -> None:
    rows = [a_check({"x": float(x)}, 1.0, 1.0, rel_error=x * 1e-17) for x in range(29)]
    rows.insert(3, a_check({"x": -1.0}, 1.0, 2.0, Verdict.MISMATCH, rel_error=1.0))
    problem = a_problem("x", rows)
    lines = table(problem).splitlines()
    assert len(lines) == 2 + 2 + 20 + 2
    assert lines[4].split() == ["-1", "1", "2", "1", "✗", "mismatch"]
    assert lines[5].split()[0] == "10"
    assert " ".join(lines[-2:]) == (
        "the 20 worst of 30 rows (1 failed), in the order of the points; left out: 10 match (-v shows all)"
    )
    assert len(table(problem, verbose=True).splitlines()) == 2 + 2 + 30
    assert table(problem, quiet=True).count("✓") == 0


def test_rows_keep_the_order_of_the_points_where_records_have_the_worst_first() -> None:
    rows = [a_check({"x": float(x)}, 1.0, 1.0, rel_error=x * 1e-17) for x in range(30, 0, -1)]
    problem = a_problem("x", rows, checks_total=20_001, counts={Verdict.MATCH: 20_001})
    text = table(problem)
    assert [line.split()[0] for line in text.splitlines()[4:24]] == [str(x) for x in range(11, 31)]
    assert "the 20 worst of 20,001 rows, in the order of the points; left out: 19,981" in text


def outside(count: int) -> list[Check]:
    return [
        a_check({"x": -0.1 * n}, None, -1.0, Verdict.UNDEFINED, note=f"log(x) has no real value at {-0.1 * n:g}")
        for n in range(1, count + 1)
    ]


def test_notes_that_differ_only_in_numbers_are_one() -> None:
    rows = [a_check({"x": 2.0}), *outside(19)]
    for verbose in (False, True):
        lines = table(a_problem("log(x)", rows), verbose=verbose).splitlines()
        assert sum(line.endswith("∅ undefined ¹") for line in lines) == 19
        assert lines[-1] == "¹ log(x) has no real value at -0.1 (and 18 more alike)"


def test_many_notes_are_counted() -> None:
    rows = [a_check({"x": float(x)}, 1.0, 2.0, Verdict.MISMATCH, note=f"reason {chr(97 + x)}") for x in range(11)]
    lines = table(a_problem("x", rows)).splitlines()
    assert lines[-2:] == ["⁸ reason h", "• and 3 more notes (-v shows all)"]
    assert "mismatch ⁹" not in "".join(lines)
    assert table(a_problem("x", rows), verbose=True).splitlines()[-1] == "¹¹ reason k"


def test_names_with_digits_are_no_numbers() -> None:
    rows = [a_check({"x": 1.0}, note="log2(x1) is off"), a_check({"x": 2.0}, note="log10(x2) is off")]
    assert "alike" not in table(a_problem("x", rows))


def test_many_derivatives_are_counted() -> None:
    forms = {f"x{n}": "1" for n in range(15)}
    problem = a_problem("f", [a_check({f"x{n}": 1.0 for n in range(15)})], derivatives=forms)
    text = table(problem)
    assert "∂f/∂x11 = 1\n…         and 3 more derivatives (-v shows all)\n" in text
    assert "∂f/∂x12" not in text
    assert "∂f/∂x14 = 1\n" in table(problem, verbose=True)


def test_rows_are_stacked_where_a_table_has_no_room() -> None:
    text = two_variables(44)
    assert (
        """
at w=0.10499358540350652,
x=-0.10499358540350652
derivative      ∂f/∂w
analytical      0.10499358540350652
autograd        0.10499358540350652
relative error  0
verdict         ✓ match

derivative      ∂f/∂x
"""
        in text
    )
    assert text.endswith("relative error  2.6e-16\nverdict         ✗ mismatch ¹\n\n¹ autograd is wrong\n")


def test_verbose_shows_all_errors() -> None:
    assert "absolute error  relative error  ulps  verdict" in table(quartic(), verbose=True)


def test_quiet_says_nothing_of_what_passed() -> None:
    assert table(quartic(), quiet=True) == ""


def test_a_verdict_that_does_not_decide() -> None:
    """--strict fails a kink, and a problem file may expect a mismatch."""
    row = a_check({"x": 0.0}, None, 0.0, Verdict.KINK, passed=False)
    assert "∧ kink, strict" in table(a_problem("relu(x)", [row]))
    row = a_check({"x": 0.0}, 1.0, 0.0, Verdict.MISMATCH, passed=True)
    assert "✗ mismatch (expected)" in table(a_problem("relu(x)", [row]))


EXPECTED, NUMBER = Finding(Code.EXPECTED), Finding(Code.EXPECTED_NUMBER)
REASONS = [
    # (verdict of the row, what was found, status of the claim, whether it passed) -> what is said of the problem
    (Verdict.MATCH, (), ClaimStatus.PROVEN, True, None, "✓ match"),
    (Verdict.MATCH, (NUMBER,), ClaimStatus.PROVEN, True, "wrong number", "✗ wrong number"),
    (Verdict.KINK, (NUMBER, EXPECTED), ClaimStatus.REFUTED, False, "wrong number", "✗ wrong number"),
    (Verdict.MATCH, (EXPECTED,), ClaimStatus.REFUTED, False, "unexpected", "✗ unexpected match"),
    (Verdict.UNSTABLE, (EXPECTED,), ClaimStatus.PROVEN, True, "unstable", "~ unstable"),
    (Verdict.MISMATCH, (NUMBER,), ClaimStatus.PROVEN, True, "mismatch", "✗ mismatch"),
    (Verdict.MATCH, (), ClaimStatus.REFUTED, False, "refuted", "✗ refuted claim"),
    (Verdict.MATCH, (), ClaimStatus.UNCHECKED, False, "unchecked", "∅ unchecked claim"),
    (Verdict.MATCH, (), ClaimStatus.UNREADABLE, False, "unreadable", "! unreadable claim"),
    (Verdict.MATCH, (), ClaimStatus.PROVEN, False, "unexpected claim", "✗ unexpected claim"),
]


@pytest.mark.parametrize(("verdict", "found", "status", "held", "failure", "said"), REASONS)
def test_why_a_problem_failed_has_a_word_and_a_type(
    verdict: Verdict, found: tuple[Finding, ...], status: ClaimStatus, held: bool, failure: str | None, said: str
) -> None:
    """A verdict that passes is no reason."""
    passes = verdict.passes and not found
    row = a_check({"x": 1.0}, verdict=verdict, findings=found, passed=passes)
    claim = Claim(Derivative(("x",)), "2", status, held, 3)
    problem = a_problem("x**2", [row], name="n", file="a.yaml", line=1, claims=(claim,), passed=passes and held)
    report = a_report(problem)
    assert f"  {said}\n" in render_table(report, Display(width=100))
    assert f" {said} |".replace("~", "\\~") in RENDERERS["markdown"](report, Display())
    assert json.loads(RENDERERS["json"](report, Display()))["problems"][0]["failure"] == failure
    found_type = re.search(r'<(?:failure|error) type="([^"]*)"', RENDERERS["junit"](report, Display()))
    assert (found_type and found_type[1]) == failure


def test_torch_has_another_value() -> None:
    row = a_check({"x": 800.0}, 1.0, 1.0, value=800.0, value_autograd=math.inf, value_verdict=Verdict.UNSTABLE)
    assert "f(800) = 800 (torch: inf)\n" in table(a_problem("log(exp(x))", [row]))


def test_an_error_keeps_its_lines() -> None:
    problem = a_problem("x +", [], error="something is missing\n  x +\n     ^")
    assert "! something is missing\n    x +\n       ^\n" in table(problem)


def test_long_formulas_wrap_with_a_hanging_indent() -> None:
    lines = table(a_problem(" + ".join(f"x**{n}" for n in range(40)), [a_check({"x": 1.0})])).splitlines()
    assert lines[1].startswith("       x**")
    assert max(map(len, lines)) <= 80


def test_user_text_is_neither_markup_nor_control() -> None:
    problem = a_problem("x[bold]\x1b[31m :smile:", [a_check({"x": 1.0}, note="[red]\x07")])
    assert "f(x) = x[bold]\\x1b[31m :smile:\n" in table(problem)
    assert "• [red]\\x07\n" in table(problem)


def test_colour_only_where_it_is_wanted() -> None:
    assert "\x1b[" not in table(quartic())
    assert "\x1b[32m✓ match\x1b[0m" in table(quartic(), color=True)


def test_a_terminal_without_unicode() -> None:
    text = encodable(two_variables(80) + "α", "ascii")
    assert "df/dx  0.10499358540350652  0.10499358540350655   2.6e-16  x mismatch 1\n" in text
    assert text.endswith("\\u03b1")
    assert encodable("✓ α", "utf-8") == "✓ α"


@pytest.mark.parametrize("text", ["2 checks · float64", "✓ match · ∂²f/∂x²"])
def test_a_sign_looks_the_same_in_every_stream(text: str) -> None:
    """Latin-1 has some of our signs, and not the others; what a user wrote in it stays."""
    assert encodable(f"{text} é", "latin-1") == f"{text} é".translate(str.maketrans("·✓∂²", "|+d2"))


def test_json_is_the_contract() -> None:
    row = a_check({"x": 0.0}, math.inf, math.nan, Verdict.MISMATCH, rel_error=-math.inf, note="n")
    report = a_report(quartic(), a_problem("sqrt(x)", [row], index=1))
    document = json.loads(RENDERERS["json"](report, Display()))
    assert document["versions"] == VERSIONS
    assert document["summary"] == {
        "problems": 2, "problems_failed": 1, "problems_without_check": 0, "checks": 2, "checks_failed": 1,
        "match": 1, "imprecise": 0, "kink": 0, "unstable": 0, "mismatch": 1, "undefined": 0, "error": 0,
        "passed": False, "seconds": 0.25,
        "claims": {"proven": 0, "agrees": 0, "refuted": 0, "unchecked": 0, "unreadable": 0},
        "claims_failed": 0, "not_run": 0, "interrupted": False, "troubles": [], "trouble_places": [], "shard": None,
            "title": None, "headings": [],
    }  # fmt: skip
    first, second = document["problems"]
    expected = {
        "index": 0, "name": None, "file": None, "line": None, "expression": "8*x**4 + 3*x**3", "variables": ["x"],
        "derivatives": {"x": "32*x**3 + 9*x**2"}, "dtype": "float64", "device": "cpu", "rtol": 1e-9, "atol": 1e-12,
        "expect": None, "verdict": "match", "passed": True, "error": None, "checks_total": 1, "checks_omitted": 0,
        "claims": [],
    }  # fmt: skip
    assert expected.items() <= first.items()
    assert first["checks"] == [{
        "point": {"x": 2.0}, "wrt": ["x"], "mode": "reverse", "value": 152.0, "value_autograd": 152.0,
        "value_verdict": "match", "analytical": 292.0, "autograd": 292.0, "left": None, "right": None,
        "abs_error": 0.0, "rel_error": 0.0, "ulps": 0.0, "expected": None, "verdict": "match", "passed": True,
        "failure": None, "note": None, "blame": None, "remedy": None, "findings": [],
    }]  # fmt: skip
    assert "derivatives" not in second
    [check] = second["checks"]
    assert (check["analytical"], check["autograd"], check["rel_error"]) == ("inf", "nan", "-inf")


def test_json_lines() -> None:
    text = RENDERERS["json-lines"](a_report(quartic(), quartic()), Display(options={"at": ("2",), "rtol": None}))
    first, *problems, last = map(json.loads, text.splitlines())
    assert first == {"versions": VERSIONS, "options": {"at": ["2"], "rtol": None}}
    assert [problem["verdict"] for problem in problems] == ["match", "match"]
    assert last["summary"]["checks"] == 2


def test_functions_are_listed() -> None:
    shown = render_functions(of_numbers(), Display())
    listed = json.loads(render_functions_json(of_numbers(), Display()))
    assert [row["name"] for row in listed] == [row.name for row in FUNCTIONS.values() if not row.internal]
    assert all(f"  {row['usage']}" in shown for row in listed if len(row["usage"]) < 30)
    assert max(map(len, shown.splitlines())) <= 80
    assert {row.name for row in matching(of_numbers(), "SOFTPLUS")} >= {"softplus"}


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (326.0, "float64", "326"),
        (326.00000000000006, "float64", "326.00000000000006"),
        (SIGMOID, "float64", "0.10499358540350652"),
        (0.10499356687068939, "float32", "0.10499357"),
        (16777216.0, "float32", "16777216"),
        (65504.0, "float16", "65504"),
        (4.248354255291589e-18, "float64", "4.248354255291589e-18"),
        (1e22, "float64", "1e22"),
        (1e-5, "float64", "1e-5"),
        (-0.0, "float64", "-0"),
        (-math.inf, "float64", "-inf"),
        (math.nan, "float64", "nan"),
    ],
)
def test_numbers_are_exact_and_short(value: float, dtype: str, text: str) -> None:
    assert number_text.exact(value, DTYPES[dtype]) == text


@pytest.mark.parametrize(
    ("first", "second", "texts"),
    [
        (326.0, 326.00000000000006, ("326", "326.00000000000006")),
        (SIGMOID, SIGMOID, ("0.10499358540350652", "0.10499358540350652")),
        (SIGMOID, 0.1049935864035066, ("0.10499358540", "0.10499358640")),
        (0.5000000001666667, -81.74013710021973, ("0.500000", "-81.7401")),
        (1234567.891234567, 1 / 3, ("1234568", "0.333333")),
        (1.0, math.nan, ("1", "nan")),
        (5e-324, -1.7976931348623157e308, ("5e-324", "-1.79769e308")),
    ],
)
def test_two_numbers_show_their_difference(first: float, second: float, texts: tuple[str, str]) -> None:
    assert number_text.pair(first, second) == texts


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1"), (1.234e-16, "1.2e-16"), (163.4, "163"), (9e15, "9e15"), (math.inf, "inf")],
)
def test_errors_have_two_digits(value: float, text: str) -> None:
    assert number_text.small(value) == text
