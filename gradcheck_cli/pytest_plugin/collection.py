"""Problem files as pytest collects them: an item a problem, which fails with its report."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gradcheck_cli.batch.run import DEFAULT_TIMEOUT, run_batch
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.problem_files.load import load_problems
from gradcheck_cli.problem_files.pyproject import read_pyproject
from gradcheck_cli.pytest_plugin.loading import load
from gradcheck_cli.pytest_plugin.reports import report_of
from gradcheck_cli.pytest_plugin.width import columns
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.request import ProblemSpec
from gradcheck_cli.render.sentences import headline
from gradcheck_cli.text_files import read_source, shown

_DECIDES = frozenset({"filterwarnings", "parametrize", "skip", "skipif", "usefixtures", "xfail"})
"""Markers of pytest's own, by which it decides about a test. A tag selects, and decides nothing."""

_SHOWN: dict[str, object] = {"derivatives": False, "formula": False, "keep": 100}
"""What the report of a failing problem shows, as that of a batch does."""


class ProblemFile(pytest.File):
    def collect(self) -> Iterable[pytest.Item]:
        """The problems in the order of the file. Their names are unique, since pytest selects by them."""
        taken: set[str] = set()
        for spec in self._problems():
            plain = spec.name.replace("::", ":")  # what pytest separates names by
            numbered = (plain if number == 1 else f"{plain} ({number})" for number in count(1))
            name = next(one for one in numbered if one not in taken)
            taken.add(name)
            item = ProblemItem.from_parent(self, name=name, spec=spec)
            for tag in spec.tags:
                _mark(item, tag)
            yield item

    def _problems(self) -> list[ProblemSpec]:
        allowed = self.config.getoption("gradcheck_allow_code") or self.config.getini("gradcheck_allow_code")
        try:
            defaults = {"timeout": DEFAULT_TIMEOUT, **read_pyproject(self.config.rootpath)}
            name = _from(self.config.invocation_params.dir, self.path)
            text = read_source(str(self.path))
            return load_problems(
                text, name, _SHOWN, defaults, folder=str(self.path.parent), allow_code=bool(allowed),
                allow="--gradcheck-allow-code only (in pytest's ini file: gradcheck_allow_code = true)",
            ).problems  # fmt: skip
        except GradcheckError as error:
            raise self.CollectError(str(error)) from None


class ProblemItem(pytest.Item):
    def __init__(self, *, spec: ProblemSpec, **rest: Any) -> None:
        super().__init__(**rest)
        self.spec = spec

    def setup(self) -> None:
        load(symbolic=False)

    def runtest(self) -> None:
        (result,) = run_batch([self.spec], where=None)
        counts = {"rows": result.checks_total, "rows_failed": result.checks_failed}
        self.user_properties += [("verdict", result.verdict.value), *counts.items()]
        if not result.passed:
            raise _Failed(result, self.path, columns(self.config))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, _Failed):
            in_a_line = self.config.getoption("tbstyle", "auto") == "line"
            return _Shown(excinfo.value, excinfo.getrepr(style="value"), in_a_line=in_a_line)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.spec.line - 1, self.name


class _Failed(Exception):
    """A problem that did not pass. Its text is the report."""

    def __init__(self, result: AnyResult, path: Path, width: int) -> None:
        super().__init__(report_of(result, width))
        self.result, self.path, self.width = result, path, width


class _Shown:
    """How a failure is shown. pytest-xdist sends what pytest itself would show, which is the same without colours.

    reprcrash: the place, and the line for pytest's summary. in_a_line: that is all that is wanted (--tb=line).
    """

    def __init__(self, failed: _Failed, plain: Any, *, in_a_line: bool) -> None:
        self.failed, self.in_a_line = failed, in_a_line
        self.reprtraceback, self.reprcrash, self.sections = plain.reprtraceback, plain.reprcrash, plain.sections
        self.reprcrash.path, self.reprcrash.lineno = str(failed.path), failed.result.line
        self.reprcrash.message = headline(failed.result)

    def __str__(self) -> str:
        return str(self.failed)

    def toterminal(self, terminal: Any) -> None:
        failed = self.failed
        if self.in_a_line:
            return
        terminal.line(report_of(failed.result, failed.width, color=True) if terminal.hasmarkup else str(failed))


def _mark(item: pytest.Item, tag: str) -> None:
    """The tag as a marker; what -m cannot read in it is an underscore. It is registered, for --strict-markers."""
    name = re.sub(r"[^\w.+/-]+", "_", tag).strip("_")
    if not name or name in _DECIDES:
        return
    registered = {re.split(r"[:(]", line)[0].strip() for line in item.config.getini("markers")}
    if name not in registered:
        item.config.addinivalue_line("markers", f"{name}: a tag of problem files")
    item.add_marker(name)


def _from(folder: Path, file: Path) -> str:
    """The name of a file as it is seen from a folder, where it is in it."""
    name = os.path.relpath(file, folder) if file.is_relative_to(folder) else str(file)
    return shown(name)
