"""gradcheck from Python: the public names, and what `check`, `explain` and `run` take and answer."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest
from helpers.paths import ROOT

import gradcheck_cli

SUBMODULES = [
    module.name
    for module in pkgutil.walk_packages(gradcheck_cli.__path__, "gradcheck_cli.")
    if not module.name.endswith(("__main__", "batch.dask", "batch.server"))  # they run, or need an extra
]


def test_public_names_are_themselves_after_every_submodule_is_imported():
    """Python binds a submodule as an attribute of its package, and so hides what else had that name."""
    public = {name: getattr(gradcheck_cli, name) for name in gradcheck_cli.__all__}
    assert not any(isinstance(thing, ModuleType) for thing in public.values())
    for name in SUBMODULES:
        importlib.import_module(name)
    assert {name: getattr(gradcheck_cli, name) for name in gradcheck_cli.__all__} == public


def test_no_module_below_the_package_bears_a_public_name():
    modules = {name.split(".")[1] for name in SUBMODULES}
    assert len(modules) > 20
    assert not modules & set(gradcheck_cli.__all__)


def test_explain_works_again_and_again():
    for _ in range(2):
        explanation = gradcheck_cli.explain("x**2", at=3)
        assert explanation.result.passed


def test_what_is_printed_is_the_summary(tmp_path: Path) -> None:
    assert str(gradcheck_cli.check("x**2", at=[1, 2])) == "2 checks: 2 match · float64 on cpu"
    assert str(gradcheck_cli.explain("relu(x) - relu(-x)", at=0)) == "1 check: 1 mismatch · float64 on cpu"
    (tmp_path / "p.yaml").write_text("problems:\n  - {expression: x**2, at: 1, claim: 2*x}\n", encoding="utf-8")
    assert "1 problem, 1 check: 1 match · 1 claim: 1 proven" in str(gradcheck_cli.run(tmp_path / "p.yaml"))


NOTEBOOK = [
    # (expression, let, at, value, gradient, claim): what the course notebook has, in its order
    ("x**2", {}, {"x": [0.6694, 0.6904, 0.69]}, None, {"x": [1.3388, 1.3808, 1.38]}, {"x": "2*x"}),
    ("2*y + 3", {"y": "x*x"}, {"x": [3.5]}, 27.5, {"x": [14], "y": [2]}, {"x": "4*x", "y": "2"}),
    ("(x-2)**2", {}, {"x": [1]}, 1, {"x": [-2]}, {"x": "2*(x-2)"}),
    ("x**2+5", {}, {"x": [2]}, 9, {"x": [4]}, {"x": "2*x"}),
    ("s", {"a": "-x", "b": "exp(a)", "c": "1+b", "s": "1/c"}, {"x": [2]}, 0.8807970779778823,
     {"x": [0.1049935854035065], "a": [-0.1049935854035065], "b": [-0.7758034925743758], "c": [-0.7758034925743758]},
     {"c": "-1/c**2", "b": "-1/c**2*1", "a": "-1/c**2*1*exp(a)", "x": "-1/c**2*1*exp(a)*(-1)"}),
    ("8*x**4+3*x**3+7*x**2+6*x+3", {}, {"x": [2]}, 195, {"x": [326]}, {"x": "32*x**3+9*x**2+14*x+6"}),
    ("relu(w*x+b)", {}, {"w": [2], "x": [1], "b": [0.5]}, 2.5, {"w": [1]}, {"w": "x if w*x+b > 0 else 0"}),
]  # fmt: skip


def test_the_problem_file_begins_with_the_notebook() -> None:
    results = gradcheck_cli.run(ROOT / "problems.yaml").problems[: len(NOTEBOOK)]
    for result, (expression, let, at, value, gradient, claim) in zip(results, NOTEBOOK, strict=True):
        assert (result.expression, result.lets, result.passed) == (expression, let, True)
        assert {
            name: [row.point[name] for row in result.checks if row.wrt == (next(iter(gradient)),)] for name in at
        } == at
        assert {claim.wrt[0]: claim.expression for claim in result.claims} == claim
        assert all(claim.status is gradcheck_cli.ClaimStatus.PROVEN for claim in result.claims)
        for wrt, expected in gradient.items():
            rows = [row for row in result.checks if row.wrt == (wrt,)]
            assert [row.expected for row in rows] == expected
            assert [row.analytical for row in rows] == pytest.approx(expected, rel=1e-12)
            assert value is None or rows[0].value == pytest.approx(value, rel=1e-12)
