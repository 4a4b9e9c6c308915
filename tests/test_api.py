"""gradcheck from Python: the public names, and what `check`, `explain` and `run` take and answer."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import gradcheck_cli

SUBMODULES = [
    module.name
    for module in pkgutil.walk_packages(gradcheck_cli.__path__, "gradcheck_cli.")
    if not module.name.endswith(("__main__", "dask_cluster"))
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
    assert len(modules) > 50
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
