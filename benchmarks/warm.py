"""A command that is run by the process of `gradcheck warm`, beside the same command by itself."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Bar, Options, Section

COMMAND = [sys.executable, "-m", "gradcheck_cli"]
RUNS = 3
CODE = "def square(x):\n    return x * x\n"
PROBLEMS = "problems:\n" + "".join(f"  - {{name: n{n}, expression: sin({n}*x)*exp(-x), at: 1}}\n" for n in range(20))
CASES = {
    'gradcheck "8*x**4+3*x**3" --at 2': ["8*x**4+3*x**3", "--at", "2"],
    "the same with a claim that is wrong": ["8*x**4+3*x**3", "--at", "2", "--claim", "32*x**2 + 9*x**2"],
    "gradcheck code square.py::square": ["code", "square.py::square", "randn(3)"],
    "gradcheck run, 20 problems": ["run"],
    "gradcheck --help": ["--help"],
}


def measure(options: Options) -> Section:
    """Each command in turns, RUNS times; one by itself is one to which nothing may be handed over."""
    rounds = 2 if options.quick else 7
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        environment = {**os.environ, "XDG_RUNTIME_DIR": folder}
        Path(folder, "square.py").write_text(CODE, encoding="utf-8")
        Path(folder, "problems.yaml").write_text(PROBLEMS, encoding="utf-8")
        subprocess.run([*COMMAND, "warm"], env=environment, check=True, capture_output=True)
        try:
            for _ in range(1 if options.quick else RUNS):
                for name, arguments in CASES.items():
                    warm, cold = [], []
                    for _ in range(rounds):
                        warm.append(seconds(arguments, environment, folder))
                        cold.append(seconds(arguments, {**environment, "GRADCHECK_WARM": "0"}, folder))
                    found[name].append((statistics.median(warm), max(warm), statistics.median(cold)))
        finally:
            subprocess.run([*COMMAND, "warm", "--stop"], env=environment, check=True, capture_output=True)
    rows = []
    for name, runs in found.items():
        warm_time, most, cold_time = (statistics.median(run[place] for run in runs) for place in range(3))
        ratios = " ".join(f"{run[0] / run[2]:.2f}" for run in runs)
        rows.append([name, f"{1e3 * warm_time:.0f} ms", f"{1e3 * most:.0f} ms", f"{1e3 * cold_time:.0f} ms", ratios])
    first, *_ = found.values()
    return Section(
        "A command after `gradcheck warm`",
        f"Milliseconds from start to end, run by the kept process and by itself, {rounds} times each, in turns; the "
        f"ratio in each of {len(first)} runs.",
        ["command", "warm", "longest", "by itself", "ratios"],
        rows,
        bars=[
            Bar("warm", statistics.median(run[0] for run in first), ours=True),
            Bar("by itself", statistics.median(run[2] for run in first), ours=False),
        ],
        unit="seconds for one formula",
    )


def seconds(arguments: list[str], environment: dict[str, str], folder: str) -> float:
    started = time.perf_counter()
    subprocess.run(
        [*COMMAND, *arguments], env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip
    return time.perf_counter() - started
