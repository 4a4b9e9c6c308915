"""The plugin for pytest: the fixture `gradcheck`, and with --gradcheck the problems of files as tests.

pytest imports this module in every run of an environment that has gradcheck; all else is imported where it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck_cli.pytest_plugin.width import COLUMNS, columns

if TYPE_CHECKING:
    from gradcheck_cli.records.report import AnyResult

FILES = ("problems.yaml", "problems.yml", "*.gradcheck.yaml", "*.gradcheck.yml")
"""The names of problem files, or ends of their paths, where the ini file names no others."""
_SUFFIXES = (".yaml", ".yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gradcheck", "gradients, against the exact derivative")
    group.addoption("--gradcheck", action="store_true", help="Collect problem files, a test a problem.")
    group.addoption(
        "--gradcheck-allow-code", action="store_true", help="Import and run the code that problem files name by code:."
    )
    parser.addini("gradcheck", "Collect problem files, as --gradcheck does.", type="bool", default=False)
    parser.addini("gradcheck_allow_code", "As --gradcheck-allow-code.", type="bool", default=False)
    names = "Problem files: names or ends of paths, with wildcards."
    parser.addini("gradcheck_files", names, type="args", default=list(FILES))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Problem files where that is asked for, and one that is named on the command line; with --gradcheck, a YAML file
    that is named there is one whatever it is called."""
    config = parent.config
    if file_path.suffix not in _SUFFIXES:
        return None
    is_asked = config.getoption("gradcheck") or config.getini("gradcheck")
    is_named = parent.session.isinitpath(file_path)
    has_the_name = any(map(file_path.match, config.getini("gradcheck_files")))
    if not ((is_asked and (is_named or has_the_name)) or (is_named and has_the_name)):
        return None
    from gradcheck_cli.pytest_plugin.collection import ProblemFile

    return ProblemFile.from_parent(parent, path=file_path)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist has no terminal: it is told how wide that of its run is."""
    node.workerinput[COLUMNS] = columns(node.config)


class Gradcheck:
    """What the fixture of that name is: a function that takes what gradcheck_cli.check takes."""

    def __init__(self, width: int) -> None:
        self.width = width

    def __repr__(self) -> str:
        return "<fixture gradcheck>"

    def __call__(self, *subject: Any, **options: Any) -> AnyResult:
        """The result of the check, which has passed. Raises GradientMismatch, whose text is the report, and
        GradcheckError for what cannot be read or done."""
        __tracebackhide__ = True
        from gradcheck_cli.pytest_plugin.asserted import asserted

        return asserted(self.width, subject, options)


@pytest.fixture(scope="session")
def gradcheck(pytestconfig: pytest.Config) -> Gradcheck:
    """Assert that a gradient is right: gradcheck("x*sigmoid(x)", at=[-1, 0, 1]), or gradcheck(function, inputs).

    Takes what gradcheck_cli.check takes, and returns its result. What fails is an AssertionError with the report.
    """
    from gradcheck_cli.pytest_plugin.loading import load

    load(symbolic=True)
    return Gradcheck(columns(pytestconfig))
