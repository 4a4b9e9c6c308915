"""The whole process, from the command to its end, for one formula, beside the usual script."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.report import Bar, Options, Section

RUNS = 3
CONSOLE_SCRIPT = "from gradcheck_cli.__main__ import process; process()"
FORMULA = ["8*x**4+3*x**3", "--at", "2"]
USUAL = "the usual script"


def commands() -> dict[str, list[str]]:
    ours = [sys.executable, "-c", CONSOLE_SCRIPT]
    return {
        USUAL: [sys.executable, str(Path(__file__).parent / "usual_script.py")],
        'gradcheck "8*x**4+3*x**3" --at 2': [*ours, *FORMULA],
        "the same, --no-derivatives": [*ours, *FORMULA, "--no-derivatives"],
        "gradcheck --help": [*ours, "--help"],
        "gradcheck --version": [*ours, "--version"],
        'gradcheck "sin(x" --at 2 (an error)': [*ours, "sin(x", "--at", "2"],
    }


def measure(options: Options) -> Section:
    """Each command once to warm the disk; then RUNS runs, in each of which all commands take turns."""
    rounds = 1 if options.quick else 5
    every = commands()
    for command in every.values():
        seconds(command)
    runs: list[dict[str, float]] = []
    for _ in range(RUNS):
        times: dict[str, list[float]] = {name: [] for name in every}
        for _ in range(rounds):
            for name, command in every.items():
                times[name].append(seconds(command))
        runs.append({name: statistics.median(found) for name, found in times.items()})
    rows = []
    for name in every:
        ratios = " ".join(f"{run[name] / run[USUAL]:.2f}" for run in runs)
        rows.append([name, f"{statistics.median(run[name] for run in runs):.2f}", ratios])
    bars = [Bar(name, statistics.median(run[name] for run in runs), name != USUAL) for name in every]
    return Section(
        "The whole process",
        "Seconds from start to end; the ratio to the usual script (import torch and sympy, sympify, diff, lambdify, "
        f"backward, print) in each of {RUNS} runs, each the median of {rounds} in turns.",
        ["command", "seconds", "of the usual script"],
        rows,
        bars=[bars[0], *bars[1:2], *bars[3:4]],
        unit="seconds",
    )


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - started
