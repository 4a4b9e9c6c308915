"""The problems of tests/problems/field.yaml: formulas as people meet them."""

from __future__ import annotations

import pytest
from helpers.paths import PROBLEMS

from gradcheck_cli import Verdict, run
from gradcheck_cli.records.report import Report

VAGUE = ("the gradient is wrong", "errors are amplified", "nor rounding explains", "leaves the range of")


@pytest.fixture(scope="module")
def report() -> Report:
    return run(PROBLEMS / "field.yaml")


def test_each_has_its_true_verdict(report: Report) -> None:
    assert [problem.name for problem in report.problems if not problem.passed] == []


def test_each_row_that_is_off_names_its_cause(report: Report) -> None:
    for problem in report.problems:
        for row in problem.checks:
            if row.verdict in (Verdict.MISMATCH, Verdict.UNSTABLE):
                assert row.blame is not None, problem.name
                assert not any(text in (row.note or "") for text in VAGUE), problem.name
