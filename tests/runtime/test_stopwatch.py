"""--profile: where the time went."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradcheck_cli.cli.app import run_command
from gradcheck_cli.render.profile import render_profile
from gradcheck_cli.runtime import stopwatch
from gradcheck_cli.runtime.stopwatch import measuring, phase


class Clock:
    """Time that passes when it is told to."""

    now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(stopwatch, "time", clock)
    return clock


def test_a_moment_counts_for_the_innermost_phase(clock: Clock) -> None:
    with measuring() as seconds:
        with phase("closed forms"):
            clock.now += 2
            with phase("imports"):
                clock.now += 16
            clock.now += 4
        clock.now += 1
    assert seconds == {"closed forms": 6, "imports": 16, "other": 1}


def test_a_phase_that_fails_has_ended(clock: Clock) -> None:
    with measuring() as seconds:
        with pytest.raises(ValueError, match="no"), phase("balls"):
            raise ValueError("no")
        clock.now += 3
    assert seconds["other"] == 3


def test_nothing_is_measured_unless_asked_for() -> None:
    with measuring(wanted=False) as seconds, phase("balls"):
        pass
    assert not seconds
    assert phase("balls") is phase("autograd")


def test_the_start_of_the_process_counts_once(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(stopwatch, "process_started", clock.now - 5)
    with measuring() as seconds:
        pass
    assert seconds["imports"] == 5
    with measuring() as seconds:
        pass
    assert "imports" not in seconds


def test_the_table() -> None:
    assert render_profile({"balls": 0.25, "imports": 0.75}, 0.8) == (
        "\n"
        "phase             seconds   share\n"
        "imports             0.750   75.0%\n"
        "balls               0.250   25.0%\n"
        "together            1.000\n"
        "passed              0.800   the checks ran in a process of their own, beside this one\n"
    )


def test_of_a_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["x**2", "--at", "1", "--claim", "2*x", "--profile"]) == 0
    out, err = capsys.readouterr()
    assert "phase" not in out
    summary, _, *lines = err.splitlines()
    assert summary.startswith("1 check: 1 match")
    names = [line[:16].strip() for line in lines]
    assert names[0] == "phase"
    assert {"parsing", "derivative", "closed forms", "balls", "autograd", "claims", "rendering"} < set(names)
    shares = [float(share) for share in re.findall(r"([\d.]+)%", err)]
    assert sum(shares) == pytest.approx(100, abs=1)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["x**2", "--at", "1"], ["run", "problems.yaml"]])
def test_of_a_process(arguments: list[str], tmp_path: Path) -> None:
    """What was imported, in this process and in the worker, counts; the time of all phases is the whole."""
    (tmp_path / "problems.yaml").write_text("problems:\n  - {name: a, expression: x**2, at: 1, gradient: 2}\n")
    command = [sys.executable, "-m", "gradcheck_cli", *arguments, "--profile"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^([a-z0-9 ]+?) +([\d.]+)\b", done.stderr, re.MULTILINE)
    seconds = {name: float(number) for name, number in rows}
    together = seconds.pop("together")
    seconds.pop("passed", None)
    assert {"imports", "parsing", "balls", "autograd"} <= set(seconds)
    assert all(value > 0 for name, value in seconds.items() if name == "imports")
    assert sum(seconds.values()) == pytest.approx(together, abs=0.001 * len(seconds))
