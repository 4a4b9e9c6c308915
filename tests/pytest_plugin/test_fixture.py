"""The fixture `gradcheck`: what passes returns the record, what fails shows the user's line and the report."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from helpers.plugin_runs import run

pytest_plugins = ["pytester"]


SWISH = """
import torch
from gradcheck_cli import GradientMismatch

class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * torch.sigmoid(x)

def as_it_is_used(gradcheck):
    gradcheck(Swish.apply, (torch.tensor([0.5, 2.0]),), dtype="float64")
"""


def test_what_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        SWISH
        + """
def test_formula(gradcheck):
    result = gradcheck("x*sigmoid(x)", at=[-1, 0, 1], claim="sigmoid(x) + x*sigmoid(x)*(1 - sigmoid(x))")
    assert result.passed
    assert len(result.checks) == 3
    assert result.claims[0].status.value == "proven"

def test_arrays(gradcheck):
    assert gradcheck("sum(x**2)", arrays={"x": [1, 2]}, claim="2*x").checks_total == 2

def test_a_function(gradcheck):
    assert gradcheck(torch.sin, (torch.ones(2),)).subject == "sin"

def test_what_requires_grad_is_meant_where_some_does(gradcheck):
    x, w = torch.ones(2, requires_grad=True), torch.tensor([1.0, 2.0])
    assert [block.input for block in gradcheck(torch.mul, (x, w)).blocks] == ["x0"]
    assert len(gradcheck(torch.mul, (x.detach(), w)).blocks) == 2
    assert len(gradcheck(torch.mul, (x, w), only_requires_grad=False).blocks) == 2
    assert [block.input for block in gradcheck(torch.mul, (x, w), wrt="x1").blocks] == ["x1"]

def test_what_is_wrong_can_be_expected(gradcheck):
    import pytest
    with pytest.raises(AssertionError, match="Swish.backward") as caught:
        as_it_is_used(gradcheck)
    assert isinstance(caught.value, GradientMismatch)
    assert caught.value.result.checks_failed == 2
"""
    )
    run(pytester).assert_outcomes(passed=5)


FAILING = {
    'gradcheck("where(x > 0, sqrt(x), 0)", at=-1)': [
        "gradcheck_cli.GradientMismatch: f'(x) at x=-1: analytical 0, autograd nan (mismatch): NaN enters at sqrt(x)",
        "f(x)  = where(x > 0, sqrt(x), 0)",
        "-1           0       nan             nan  ✗ mismatch",
        "1 check: 1 mismatch · float64 on cpu · torch ",
    ],
    'gradcheck("x*sigmoid(x)", at=[-1, 0, 1], claim="sigmoid(x)")': [
        "✗ refuted at x=-1: the claim is 0.268941, the derivative 0.0723295"
    ],
    'gradcheck("sum(x**2)", arrays={"x": [1, 2]}, claim="x")': [
        "✗ refuted at the entry x[1]: the claim is 2, the derivative 4"
    ],
    "as_it_is_used(gradcheck)": [
        "derivative  entries  match  mismatch  worst relative error  verdict",
        "• Swish.backward (test_failures.py:11) is wrong by x",
    ],
    'gradcheck("x*sigmoi(x)", at=1)': [
        "gradcheck_cli.errors.ExpressionError: There is no function sigmoi. Did you mean sigmoid",
        "  x*sigmoi(x)",
        "    ^^^^^^",
    ],
    "gradcheck(lambda x: x.nope(), (torch.ones(2),))": [
        "gradcheck_cli.errors.GradcheckError: <lambda> raises AttributeError: 'Tensor' object has no attribute 'nope'"
    ],
    "gradcheck(Swish.apply, (torch.ones(2),), eps=1e-6)": [
        "TypeError: gradcheck() takes what gradcheck_cli.check takes: got an unexpected keyword argument 'eps'; eps is "
        "for gradcheck_cli.gradcheck, as for torch's"
    ],
    "gradcheck()": ["TypeError: gradcheck() takes what gradcheck_cli.check takes: missing a required argument: "],
}
"""What a test does -> lines of what it shows."""


def test_what_fails(pytester: pytest.Pytester) -> None:
    tests = [f"def test_{number}(gradcheck):\n    {body}\n" for number, body in enumerate(FAILING)]
    pytester.makepyfile(test_failures=SWISH + "\n".join(tests))
    done = run(pytester)
    done.assert_outcomes(failed=len(tests))
    _, *sections = re.split(r"^_+ test_\d+ _+$", done.stdout.str(), flags=re.MULTILINE)
    for (body, wanted), section in zip(FAILING.items(), sections, strict=True):
        section = section.split("short test summary")[0]
        lines = [line.rstrip() for line in section.splitlines()]
        assert f">       {body}" in lines
        for line in wanted:
            assert any(one.startswith(f"E       {line}") for one in lines), section
        frames = re.findall(r"^(\S+):\d+: ", "\n".join(lines), re.MULTILINE)
        assert set(frames) == {"test_failures.py"}, section
        assert "During handling" not in section
        if "GradientMismatch" in section:
            _, *report, _ = (line for line in lines if line.startswith("E  "))  # the last line has the build of torch
            assert max(map(len, report)) <= 80


def test_a_fixture_or_parameter_of_that_name_is_the_users(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from gradcheck_cli import gradcheck as torchlike

        @pytest.mark.parametrize("gradcheck", [1])
        def test_parameter(gradcheck):
            assert gradcheck == 1

        class TestOwn:
            @pytest.fixture
            def gradcheck(self):
                return 2

            def test_fixture(self, gradcheck):
                assert gradcheck == 2
        """
    )
    run(pytester).assert_outcomes(passed=2)


@pytest.mark.slow
def test_what_checks_need_is_loaded_before_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_loaded(gradcheck):
            assert {"gradcheck_cli.checking.checker", "gradcheck_cli.symbolic.closed_form", "torch"} <= set(sys.modules)
        """
    )
    arguments = ("-p", "gradcheck", "-p", "no:cacheprovider", "-q")
    assert pytester.runpytest_subprocess(*arguments).ret == 0


def test_importing_the_plugin_is_light() -> None:
    heavy = ["torch", "sympy", "numpy", "flint", "typer", "rich", "pydantic", "yaml", "jinja2", "gradcheck_cli.render"]
    script = f"import sys, pytest, gradcheck_cli.pytest_plugin; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
