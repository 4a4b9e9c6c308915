"""What is asked, as people write it: points and claims, from their texts to the rows and verdicts."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck_cli import GradcheckError, check, run
from gradcheck_cli.checking.points.texts import read_points, read_ranges
from gradcheck_cli.claims.reading import ReadClaim, Subject, read_claims
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.cli.expected import expectation
from gradcheck_cli.language.parser import parse
from gradcheck_cli.records.derivative import Derivative


@pytest.mark.parametrize(
    ("expression", "at", "points", "notice"),
    [
        ("x**2", "[1, 2, 3]", [{"x": 1}, {"x": 2}, {"x": 3}], None),
        ("x**2", "-1..1", [{"x": -1}, {"x": 0}, {"x": 1}], "-1..1 is read as -1:1:3: 3 points, evenly spaced"),
        ("x**2", "linspace(0, pi, 2)", [{"x": 0}, {"x": 3.141592653589793}], None),
        ("y*x", "(1, 2)", [{"y": 1, "x": 2}], "(1, 2) is read in the order of the variables: y=1, x=2"),
        ("x*y", "x=1;y=2", [{"x": 1, "y": 2}], None),
        ("g(y, x) = x*y", "1,2", [{"y": 1, "x": 2}], "1,2 is read in the order of the variables: y=1, x=2"),
    ],
)
def test_points(expression: str, at: str, points: list[dict[str, float]], notice: str | None) -> None:
    samples = 3 if ".." in at else None
    result = check(expression, at=at, samples=samples, wrt="x", derivatives=False)
    assert [check.point for check in result.checks] == points
    assert result.notices == (() if notice is None else (notice,))


def test_points_of_problem_files(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "problems:\n  - {expression: x*y, at: '(1, 2)', gradient: {x: 2}}\n  - expression: x\n    at: 1,2,3\n"
    )
    report = run(file)
    assert report.passed
    assert [len(result.checks) for result in report.problems] == [2, 3]


def test_a_gradient_as_a_list(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("problems:\n  - {expression: x*y, at: '1,2', claim: [y, x], gradient: [2, 1]}\n"
                    "  - {expression: x*y, at: '1,2', claim: ['dy: x', 'dx: y']}\n")  # fmt: skip
    for result in (*run(file).problems, check("x*y", at="1,2", claim=["y", "x"])):
        assert result.passed
        assert len(result.claims) == 2


def test_ranges_that_samples_count_are_not_sampled_in_as_well() -> None:
    with pytest.raises(GradcheckError, match="range is where to sample, but the points of at are evenly spaced"):
        check("x", at="-1:1", range="0:1")


@pytest.mark.parametrize(
    ("expression", "at", "claims", "statuses"),
    [
        ("x**2", 2, ["f'(x) = 2*x", "dy/dx = 2x", "df/dx: 2*x", "d/dx f = 2x", "x = 2x", "dx: 2x", "f' = 2x", "[2x]",
                     "y′ = 2x"], "x proven"),
        ("x**2", 2, ["f'(x) = 3*x", "dy/dx = x", "(3x)"], "x refuted"),
        ("x**2", 2, ["d²f/dx² = 2", "f''(x) = 2", "d^2y/dx^2 = 2", "d2y/dx2: 2"], "x,x proven"),
        ("x*y", "1,2", ["[y, x]", "(y, x)", "∇f = (y, x)", "grad f = [y, x]", "f'(x, y) = [y, x]"],
         "x proven y proven"),
        ("x*y", "1,2", ["[x, y]"], "x refuted y refuted"),
        ("x*y", "1,2", ["∂f/∂x = y", "f_x = y", "∂_x f = y", "df/dx: y"], "x proven"),
        ("x*y", "1,2", ["∂²f/∂x∂y = 1", "d²f/(dx dy) = 1"], "x,y proven"),
        ("sigmoid(x)", 2, ["s*(1-s)", "y*(1-y)", "s'(x) = s*(1-s)", "f*(1-f)", "s(x)*(1-s(x))"], "x proven"),
        ("σ(x) = 1/(1 + exp(-x))", 2, ["σ*(1-σ)", "σ(x)*(1-σ(x))", "dσ/dx = σ*(1-σ)"], "x proven"),
        ("g(y, x) = y**2*x", "1,2", ["[2*y*x, y**2]"], "y proven x proven"),
        ("a(x) = x**2; a(x)**2", 2, ["2*a(x)*2*x", "4*a*x"], "x proven"),
        ("dx*x", "1,2", ["dx: x"], "dx proven"),
        ("x*y", "1,2", ["dx: y, dy: x", "{x: y, y: x}", "x=y; y=x"], "x proven y proven"),
        ("x**2", 2, ["lambda x: 2*x", "return 2*x", "2*x  # mine", "d/dx (x^2) = 2x", r"$\frac{dy}{dx} = 2x$"],
         "x proven"),
        ("x**2", 2, ["d/dx (x^3) = 2x"], "unreadable"),
        ("x*y", "x=1,y=2", ["y", "x: y +", "y = 3 = x", "z: 2", "[y, x, 1]", "f'(2) = 3", "q = x"], "unreadable"),
    ],
)  # fmt: skip
def test_claims(expression: str, at: object, claims: list[str], statuses: str) -> None:
    for claim in claims:
        result = check(expression, at=at, claim=claim, derivatives=False)
        found = " ".join(f"{one.derivative.label} {one.status.value}" for one in result.claims)
        assert found.endswith(statuses) if statuses == "unreadable" else found == statuses, claim


def test_a_claim_in_terms_of_the_value_says_so() -> None:
    """Where it is not proven: one that is was read as it was meant."""
    right, wrong = check("sigmoid(x)", at=2, claim=["s*(1-s)", "s*(2-s)"]).claims
    assert (right.status.value, right.note) == ("proven", None)
    assert (wrong.note or "").startswith("s in the claim is read as the value of the function")
    (other,) = check("sigmoid(x)", at={"x": 2, "s": 0.5}, claim="s*(1-s)").claims
    assert other.status.value == "refuted", "s is given a value, and is no value of the function"


def test_a_value_for_what_only_a_claim_has() -> None:
    result = check("x**2", at="x=2,c=0:1:3", claim="2*x + c")
    assert [check.point for check in result.checks] == [{"x": 2}]
    assert result.notices == ("the function does not depend on c: its value counts in claim alone",)
    assert result.claims[0].status.value == "refuted"
    assert result.claims[0].counterexample is not None
    assert result.claims[0].counterexample.point["c"] in (0.5, 1.0)
    with pytest.raises(GradcheckError, match="d is not a variable of the expression"):
        check("x**2", at="x=2,d=1", claim="2*x + c")


def test_who_types_one_claim_that_cannot_be_read_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["x**2", "--at", "2", "--claim", "dy/dx = 2x +"]) == 2
    assert capsys.readouterr() == (
        "",
        'gradcheck: --claim "dy/dx = 2x +": Something is missing: the expression ends too early.\n  2x +\n      ^\n',
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("x**2 --at 3 --gradient 6 --value 9", 0, ""),
        ("x**2 --at 3 --gradient 7", 1, "the derivative is expected to be 7, and is 6"),
        ("x**2 --at 3 --value 8", 1, "the value is expected to be 8, and is 9"),
        ("x**2 --at [1,2] --gradient [2,4] --value 1,4,9", 2, "--value: there are 3 numbers for 2 points: give one"),
        ("x*y x=1 y=2 --gradient x=2,y=1", 0, ""),
        ("x*y x=1 y=2 --gradient dx=2,dy=1", 0, ""),
        ("x*y x=1 y=2 --gradient dz=3", 2, "--gradient: dz is not checked here; there is x, y"),
        ("x*y x=1 y=2 --gradient [2,1]", 0, ""),
        ("x*y x=1 y=2 --gradient [1,2]", 1, "the derivative is expected to be 1, and is 2"),
        ("x*y x=1 y=2 --gradient df/dx=2 --gradient y:1", 0, ""),
        ("x*y x=1 y=2 --gradient {x:2,y:0}", 1, "the derivative is expected to be 0, and is 1"),
        ("x*y x=1 y=2 --gradient 2", 2, "--gradient: there are several derivatives, so say which is which, by x, y"),
        ("x*y x=1 y=2 --order 2 --gradient x,y:1", 0, ""),
        ("x**2 --at 3 --gradient 6,0", 2, "--gradient 6,0 can be read in two ways: write --gradient 6.0 for the"),
        ("x**2 --at 3 --gradient 6x", 2, "--gradient 6x: x is not a number: a constant is wanted here, such as pi/4."),
        ("x**2 --at 3 --gradient f'(3)=6", 2, "write the number alone, and the point by --at"),
        ("x**2 --at 3 --gradient 6 --gradient 6", 2, "--gradient 6 is given twice: for several points write a list"),
        ("x**2 --at 3 --value 9 --value 9", 2, "--value is given twice"),
        ("sqrt(x) --at 0 --gradient inf", 0, ""),
        ("sin(x) --at pi/4 --gradient sqrt(2)/2", 0, ""),
    ],
)
def test_expected_numbers(arguments: str, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*arguments.split(), "--no-derivatives"]) == code
    assert said in "".join(capsys.readouterr())


PIECES = ["x", "y", "f'(x)", "df/dx", "∂f/∂x", "d²f/dx²", "f_x", "s", "=", "==", ":", "::", ",", ";", "\n", "(", ")",
          "[", "]", "{", "}", "1", "2.5", "-", "..", "0:1:3", "linspace(", "np.array(", "requires_grad=True", "pi",
          "1e400", "inf", " ", "'", '""', "$", "\\frac{1}{x}",
          "**", "′", "∇", "\0", "lambda x:", "return "]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_whatever_is_written_is_read_or_refused_with_a_sentence(text: str) -> None:
    subject = Subject(parse("x*y"), [Derivative(("x",)), Derivative(("y",))])
    for claim in read_claims([text], subject):
        assert isinstance(claim, ReadClaim) or str(claim.raised())
    for read in (lambda: read_points([text], ["x", "y"]), lambda: read_ranges([text]), lambda: expectation([text], [])):
        with suppress(GradcheckError):
            read()
