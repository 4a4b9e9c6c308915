"""Many points: the quick tier settles nothing that balls would not, and what it leaves out is never lost."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb
from helpers.slow import slow
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.certified.ball import Balls, Numbers, ball_function, precision
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.float_filter import kernels, settle
from gradcheck_cli.certified.float_filter.columns import evenly_spaced, round_many
from gradcheck_cli.certified.float_filter.kernels import KERNELS, UNARY, WIDER, Approx
from gradcheck_cli.certified.float_filter.running_error import ErrorBounds
from gradcheck_cli.checking import problem
from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.checking.points.blocks import blocks
from gradcheck_cli.checking.points.texts import read_points
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import InternalError, UsageError
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language.parser import parse
from gradcheck_cli.pytorch.devices import resolve_device
from gradcheck_cli.pytorch.gradients import Gradients, gradients_of
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import ProblemResult, Verdict

ROWS = sorted(name for name, row in FUNCTIONS.items() if row.float_ulps is not None)


def check(expression: str, *at: str, keep: int = 3, **options: Any) -> ProblemResult:
    return check_expression(Request(expression, at=at, keep=keep, derivatives=False, **options))


@pytest.fixture
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem, "MANY", 1)


def by_balls(monkeypatch: pytest.MonkeyPatch, action: Callable[[], ProblemResult]) -> ProblemResult:
    """The same with nothing settled by the quick tier."""
    with monkeypatch.context() as patch:
        patch.setattr(settle.FirstTier, "is_possible", staticmethod(lambda _: False))
        return action()


def test_every_kernel_has_its_accuracy_in_the_table() -> None:
    exact = (
        "add sub mul div neg positive nan_to_num nan_to_num_bounded abs maximum fmax minimum fmin relu floor ceil "
        "offset_from_integer"
    )
    assert {row.name for row in KERNELS} - set(exact.split()) == set(ROWS)


def arguments(name: str, count: int) -> list[list[float]]:
    """Of all sizes and signs, near 0, 1 and the ends of the domain."""
    rng = random.Random(name)
    pick: list[Callable[[], float]] = [
        lambda: rng.uniform(-4, 4),
        lambda: rng.choice([-1, 1]) * 10 ** rng.uniform(-12, 2.5),
        lambda: rng.choice([-1, 1]) * (1 - 10 ** rng.uniform(-12, 0)),
        lambda: rng.choice([-1, 1]) * math.pi * rng.randint(0, 400) / 4 + rng.uniform(-1e-6, 1e-6),
        lambda: rng.choice([-1, 1]) * 10 ** rng.uniform(2, 15),
    ]
    arity = len(FUNCTIONS[name].arguments)
    return [[rng.choice(pick)() for _ in range(arity)] for _ in range(count)]


@pytest.mark.parametrize("name", ROWS)
def test_values_are_within_their_radius(name: str) -> None:
    """Both the rounding of the function itself, and what an error of its arguments does to it."""
    rng = random.Random(0)
    compute, settled = ball_function(FUNCTIONS[name]), 0
    points = arguments(name, 3_000)
    with np.errstate(all="ignore"):
        for exact in (True, False):
            columns = [np.array(column) for column in zip(*points, strict=True)]
            radii = [np.array([abs(x) * 10 ** rng.uniform(-17, 2) for x in column]) for column in columns]
            args = [Approx(x, None if exact else r) for x, r in zip(columns, radii, strict=True)]
            found = KERNELS[FUNCTIONS[name]](*args)
            assert found.radius is not None
            for i in range(len(points)):
                value, radius = float(found.value[i]), float(found.radius[i])
                if not math.isfinite(value + radius):
                    continue
                settled += 1
                with precision(200):
                    for _ in range(1 if exact else 3):
                        shares = [0 if exact else rng.choice([-1, 1, rng.uniform(-1, 1)]) for _ in columns]
                        moved = [
                            arb(float(x[i])) + arb(float(r[i])) * share
                            for x, r, share in zip(columns, radii, shares, strict=True)
                        ]
                        truth = compute(*moved)
                        assert isinstance(truth, arb)
                        assert abs(truth - arb(value)) <= arb(radius * WIDER), (
                            name,
                            [x[i] for x in columns],
                            value,
                            radius,
                        )
    assert settled > 600, "most points are settled, or the quick tier is not quick"


@pytest.mark.parametrize("name", sorted(UNARY))
def test_a_less_accurate_function_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: a function that is 30 ulps off does."""
    function, slope = UNARY[name]
    monkeypatch.setitem(UNARY, name, (lambda x: function(x) * (1 + 30 * 2.0**-52), slope))
    monkeypatch.setitem(KERNELS, FUNCTIONS[name], kernels._unary(name))
    with pytest.raises(AssertionError):
        test_values_are_within_their_radius(name)


ADVERSARIAL = [
    ("abs(x)", "x=-1:1:201"), ("relu(x) - relu(-x)", "x=-1:1:201"), ("x*abs(x)", "x=-1e-300:1e-300:21"),
    ("maximum(x, 0.5)", "x=0:1:101"), ("where(x > 0, sqrt(x), 0)", "x=-1:1:101"), ("sqrt(x)", "x=-0.1:1:111"),
    ("sqrt(x) if x > 0 else 0", "x=-1:1:101"), ("x**2 if x > 0 and x < 0.5 else -x", "x=-1:1:101"),
    ("1/x", "x=-1:1:201"), ("1/(x - 0.3)**2", "x=0.299999:0.300001:201"), ("tan(x)", "x=1.5707:1.5709:200"),
    ("log(x)", "x=-0.01:0.01:101"), ("(exp(x) - 1)/x", "x=-1e-9:1e-9:101"), ("(1 - cos(x))/x**2", "x=-1e-3:1e-3:101"),
    ("sqrt(x + 1) - sqrt(x)", "x=1e5:1e16:101"), ("sin(1e6*x)", "x=0:1:101"), ("exp(x)", "x=700:720:101"),
    ("exp(-x**2)", "x=20:40:101"), ("sigmoid(x)", "x=-800:800:101"), ("1/(1 + exp(-x))", "x=-800:800:101"),
    ("tanh(x)", "x=-30:30:101"), ("softplus(x)", "x=-60:60:121"), ("x**x", "x=-1:2:61"), ("x**y", "x=-2:2:9,y=-2:2:9"),
    ("atan2(y, x)", "x=-1:1:11,y=-1:1:11"), ("hypot(x, y)", "x=-1:1:11,y=-1:1:11"), ("floor(x)*x", "x=-2:2:81"),
    ("remainder(x, 0.7)", "x=-2:2:81"), ("round(x) + x", "x=-2:2:81"), ("x**(1/3)", "x=-1:1:41"),
    ("clamp(x, -0.5, 0.5)*x", "x=-1:1:81"), ("gelu(x)", "x=-12:12:121"), ("erfc(x)", "x=-3:30:121"),
    ("log(cosh(x))", "x=-800:800:101"), ("asin(x) + acos(x)", "x=-1:1:81"), ("acosh(x)", "x=0.9:1.1:81"),
    ("atanh(x)*log1p(x)", "x=-1:1:81"), ("abs(sin(x)**2 + cos(x)**2 - 1)", "x=0:1:21"),
    ("where(x == 0, 1, sin(x)/x)", "x=-1e-3:1e-3:101"), ("0*exp(x)", "x=600:800:41"), ("bessel_j0(x)", "x=0:3:31"),
    ("hardsigmoid(x)", "x=-4:4:81"), ("hardswish(x)*relu6(x)", "x=-4:8:97"), ("(x - 1)**7", "x=0.99:1.01:101"),
    ("x**7 - 7*x**6 + 21*x**5 - 35*x**4 + 35*x**3 - 21*x**2 + 7*x - 1", "x=0.99:1.01:101"),
    ("expm1(x) - x", "x=-1e-6:1e-6:101"), ("x - sin(x)", "x=-1e-4:1e-4:101"), ("exp2(x) + log2(x)", "x=-1:3:81"),
    ("fmod(x, 1) + frac(x)", "x=-2:2:81"), ("logaddexp(x, -x)", "x=-400:400:81"), ("log10(x)*sinh(x)", "x=-1:3:81"),
    ("1 if not x > 0 else x", "x=-1:1:41"), ("3 + 0*x", "x=0:1:5"),
]  # fmt: skip


@pytest.mark.usefixtures("_few_are_many")
@pytest.mark.parametrize(
    "options", [{"mode": "both"}, {"dtype": "float32"}, slow({}), slow({"order": 2}), slow({"strict": True})]
)
@pytest.mark.parametrize(("expression", "at"), ADVERSARIAL)
def test_the_two_tiers_agree(expression: str, at: str, options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through kinks, poles, edges of domains, cancellation, overflow and underflow."""
    result = check(expression, at, **options)
    alone = by_balls(monkeypatch, lambda: check(expression, at, **options))
    assert (result.counts, result.checks_total, result.passed) == (alone.counts, alone.checks_total, alone.passed)
    assert result.verdict is alone.verdict


@pytest.mark.usefixtures("_few_are_many")
@pytest.mark.parametrize(("expression", "at"), ADVERSARIAL[:30])
def test_one_by_one_and_in_blocks(expression: str, at: str) -> None:
    """What torch computes for a tensor and for a number differs by rounding at most: the verdicts are the same."""
    in_blocks = check(expression, at)
    one_by_one = check(expression, at, keep=100_000)
    assert in_blocks.counts == one_by_one.counts
    assert len(in_blocks.checks) == 3
    assert len(one_by_one.checks) == one_by_one.checks_total


@pytest.mark.usefixtures("_few_are_many")
def test_a_wrong_gradient_is_found_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a thousand points, off by one in a million: it is counted, and it is the row that is shown."""
    honest = Gradients.at_many

    def at_many(self: Gradients, columns: Any, count: int) -> Any:
        found = dict(honest(self, columns, count) or {})
        found[Derivative(("x",))][617] *= 1 + 1e-6
        return found

    monkeypatch.setattr(Gradients, "at_many", at_many)
    result = check("tanh(x)*x", "x=-2:2:1001")
    assert result.counts == {Verdict.MATCH: 1000, Verdict.MISMATCH: 1}
    assert not result.passed
    assert result.checks[0].point == {"x": 0.468}
    assert result.checks[0].note is not None


@pytest.mark.usefixtures("_few_are_many")
def test_a_tier_that_is_wrong_is_reported_as_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle.Compared, "matches", lambda *_: np.True_)
    with pytest.raises(InternalError, match="the quick tier finds match"):
        check("hardsigmoid(x)", "x=-2:2:51")


def test_what_is_reported_of_many_points() -> None:
    result = check("x**3 + sin(x)", "x=-3:3:5001", keep=7)
    assert result.counts == {Verdict.MATCH: 5001}
    assert (len(result.checks), result.checks_total, result.checks_omitted) == (7, 5001, 4994)
    assert all(row.analytical is not None and row.ulps is not None for row in result.checks)
    errors = [row.rel_error for row in result.checks]
    assert errors == sorted(errors, key=lambda error: -(error or 0))


def test_claims_and_expectations_of_many_points() -> None:
    assert check("x**2", "x=1:2:3000", claims=("2*x",)).claims[0].passed
    refuted = check("x**2", "x=1:2:3000", claims=("3*x",)).claims[0]
    assert refuted.counterexample is not None
    assert refuted.counterexample.point == {"x": 1.0}


def test_samples_are_the_same_in_blocks() -> None:
    """Undefined points are skipped, and as many as asked for are checked."""
    options: Any = {"samples": 2000, "seed": 3, "ranges": ("-1:3",)}
    in_blocks = check_expression(Request("log(x)", keep=3, derivatives=False, **options))
    one_by_one = check_expression(Request("log(x)", keep=5000, derivatives=False, **options))
    assert in_blocks.counts == one_by_one.counts == {Verdict.MATCH: 2000}
    assert in_blocks.notices == one_by_one.notices
    assert "outside the domain skipped" in in_blocks.notices[0]
    with pytest.raises(UsageError, match="defined at none of 1000 points"):
        check_expression(Request("log(-1 - x**2)", samples=2000, keep=3, derivatives=False))


def test_lets_and_constants() -> None:
    result = check("2*y + c", "x=0:1:2000", lets=("c = 3", "y = x*x"), wrt=("x", "y", "c"))
    assert result.counts == {Verdict.MATCH: 6000}


@pytest.mark.parametrize(
    "text", ["x=-3:3:101", "x=0.1:0.7:1000", "x=pi/7:sqrt(2):300", "x=-1e300:1e308:77", "x=5e-324:1e-320:9", "x=2"]
)
def test_points_are_the_nearest_doubles(text: str) -> None:
    points = read_points([text], ["x"])
    axis = points.texts[0][0]
    assert evenly_spaced(axis.start, axis.stop, axis.count).tolist() == [float(point["x"]) for point in points]


@given(st.floats(-1e5, 1e5) | st.floats(-1e-6, 1e-6), st.sampled_from(["float32", "float16", "bfloat16"]))
def test_points_round_as_one_by_one(value: float, name: str) -> None:
    dtype = DTYPES[name]
    assert round_many(np.array([value]), dtype)[0] == dtype.round(value)


_LEAVES = st.sampled_from(["x", "y", "0.5", "2", "-3"])


def _combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    unary = st.sampled_from(
        ["sin({})", "exp({})", "tanh({})", "relu({})", "abs({})", "sqrt({})", "log({})", "({})**2", "sigmoid({})",
         "atan({})", "softplus({})", "-({})", "log1p({})"]
    )  # fmt: skip
    binary = st.sampled_from(["({}) + ({})", "({})*({})", "({}) - ({})", "({})/({})", "maximum({}, {})",
                              "where(x > y, {}, {})", "({} if x > 0.25 else {})"])  # fmt: skip
    return st.builds(lambda form, a: form.format(a), unary, inner) | st.builds(
        lambda form, a, b: form.format(a, b), binary, inner, inner
    )


@settings(max_examples=60, deadline=None)
@given(st.recursive(_LEAVES, _combine, max_leaves=8))
def test_any_expression(text: str) -> None:
    """Values and derivatives in float64 lie within their radius of what balls say."""
    expression = parse(f"({text}) + 0*x + 0*y")
    derivatives = Derivatives(expression, [Derivative(("x",))], Numbers(DTYPES["float64"]), DTYPES["float64"])
    xs, ys = np.linspace(-2, 2, 23), np.linspace(1.7, -1.9, 23)
    with np.errstate(all="ignore"):
        values = derivatives.program.run(ErrorBounds({"x": Approx(xs, None), "y": Approx(ys, None)}, DTYPES["float64"]))
    for i in range(len(xs)):
        with precision(300):
            env = {"x": arb(float(xs[i])), "y": arb(float(ys[i]))}
            truths = derivatives.program.run(Balls(env, derivatives.numbers))
            for root in derivatives.root.values():
                found = values[root]
                assert isinstance(found, Approx)
                value = np.broadcast_to(found.value, len(xs))[i]
                radius = 0.0 if found.radius is None else np.broadcast_to(found.radius, len(xs))[i]
                if not (np.isfinite(value) and np.isfinite(radius)):
                    continue
                truth = truths[root]
                assert isinstance(truth, arb), (text, xs[i], value)
                assert not truth.is_finite() or abs(truth - arb(float(value))) <= arb(float(radius)) + arb(2) ** -290


def test_torch_in_blocks_is_torch_one_by_one() -> None:
    """Conditions of Python's `if` split a block; the derivative that is a ZeroTensor has no storage."""
    cases = {"x**2 if x > 0 else sin(x)": 1, "abs(x)": 2, "3 + 0*x": 1, "x if x > 1 or x < -1 else 0*x": 1}
    for text, order in cases.items():
        for mode in ("reverse", "forward"):
            rows = [Derivative(("x",) * order)]
            side = gradients_of(parse(text), rows, mode=mode, dtype=DTYPES["float64"], device=resolve_device("cpu"))
            points = np.linspace(-2, 2, 9)
            found = side.at_many({"x": points}, len(points))
            assert found is not None
            for i, x in enumerate(points):
                alone = side.at({"x": float(x)})
                assert float(found[VALUE][i]) == pytest.approx(alone.value, rel=1e-14)
                assert float(found[rows[0]][i]) == pytest.approx(alone.derivatives[rows[0]], rel=1e-14)


def test_all_rows_as_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.jsonl"
    options = ["--output-format", "json-lines", "--all-rows", "--no-derivatives"]
    assert run_command(["x**2", "--at", "x=1:2:1500", *options, "--output-file", str(file)]) == 0
    first, *rows, problem, last = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert "versions" in first
    assert len(rows) == 1500
    assert rows[0]["check"]["analytical"] == 2.0
    assert problem["checks_total"] == last["summary"]["checks"] == 1500
    capsys.readouterr()
    assert run_command(["x**2", "--at", "1", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert run_command(["x", "--at", "1", "--all-rows"]) == 2
    assert "--all-rows is for --output-format json-lines" in capsys.readouterr().err


def test_the_table_of_many_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["tanh(x)", "--at", "x=-3:3:20000"]) == 0
    out, err = capsys.readouterr()
    said = "the 20 worst of 20,000 rows, in the order of the points; left out: 19,980 match (-v shows 10,000)"
    assert said in " ".join(out.split())
    assert err.startswith("20,000 checks: 20,000 match")


def test_an_array_of_points_is_taken_in_blocks() -> None:
    """As many points one by one as in a range: the same rows, and no more work for torch than a few blocks are."""
    array = np.linspace(-1, 1, 20_001)
    in_array, in_range = check("x**2", *map(repr, array.tolist())), check("x**2", "x=-1:1:20001")
    assert (in_array.checks_total, in_array.counts) == (in_range.checks_total, in_range.counts)
    found = list(blocks(read_points([repr(float(x)) for x in array[:5000]], ["x"]), 2000))
    assert [len(block["x"]) for block in found] == [2000, 2000, 1000]
    assert [x for block in found for x in block["x"]] == list(array[:5000])
    mixed = read_points(["x=1,y=2", "x=3,y=4", "x=0:1:2,y=5", "y=6,x=7"], ["x", "y"])
    points = [dict(zip(block, row, strict=True)) for block in blocks(mixed, 100)
              for row in zip(*block.values(), strict=True)]  # fmt: skip
    assert points == [{name: float(value) for name, value in point.items()} for point in mixed]
