"""What is asked, as people write it: points and claims, from their texts to the rows and verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck_cli import GradcheckError, check, run


@pytest.mark.parametrize(
    ("expression", "at", "points", "notice"),
    [
        ("x**2", "[1, 2, 3]", [{"x": 1}, {"x": 2}, {"x": 3}], None),
        ("x**2", "-1..1", [{"x": -1}, {"x": 0}, {"x": 1}], "-1..1 is read as -1:1:3: 3 points, evenly spaced"),
        ("x**2", "linspace(0, pi, 2)", [{"x": 0}, {"x": 3.141592653589793}], None),
        ("y*x", "(1, 2)", [{"y": 1, "x": 2}], "(1, 2) is read in the order of the variables: y=1, x=2"),
        ("x*y", "x=1;y=2", [{"x": 1, "y": 2}], None),
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


def test_ranges_that_samples_count_are_not_sampled_in_as_well() -> None:
    with pytest.raises(GradcheckError, match="range is where to sample, but the points of at are evenly spaced"):
        check("x", at="-1:1", range="0:1")
