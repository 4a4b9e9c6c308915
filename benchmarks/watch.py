"""From saving a file to its verdict: a command that watches, beside one that is started anew each time."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchmarks.report import Bar, Options, Section

COMMAND = [sys.executable, "-u", "-m", "gradcheck_cli"]
RUNS = 3
FORMULA = "problems:\n  - {{name: one, expression: {a}*x**4 + 3*x**3, at: 2, claim: 4*{a}*x**3 + 9*x**2}}\n"
MORE = "  - {{{{name: n{n}, expression: sin({n}*x)*exp(-x), at: 1}}}}\n"
CODE = """\
import torch

class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        s = torch.sigmoid({a}*x)
        ctx.save_for_backward(x, s)
        return x * s

    @staticmethod
    def backward(ctx, g):
        x, s = ctx.saved_tensors
        return g * (s + {a} * x * s * (1 - s))
"""
CASES = {
    "a formula": (["run"], "problems.yaml", FORMULA),
    "a formula of 1,000": (["run"], "problems.yaml", FORMULA + "".join(MORE.format(n=n) for n in range(1, 1_000))),
    "a backward by hand": (["code", "swish.py::Swish", "randn(4)"], "swish.py", CODE),
}
"""What is checked -> the command, the file that is saved, and its text, in which {a} is another number each time."""
SETTLE = 0.5
"""Seconds between a verdict and the next time that the file is saved."""


def measure(options: Options) -> Section:
    """Each case RUNS times, in turns with the whole command."""
    count = 3 if options.quick else 10
    rows, bars = [], []
    for name, (command, file, text) in CASES.items():
        found = []
        for _ in range(1 if options.quick else RUNS):
            with tempfile.TemporaryDirectory() as folder, watching(command, Path(folder, file), text) as stream:
                times = []
                for number in range(count):
                    started = time.perf_counter()
                    save(Path(folder, file), text, number + 2)
                    wait_for_summary(stream)
                    times.append(time.perf_counter() - started)
                    time.sleep(SETTLE)
                started = time.perf_counter()
                subprocess.run([*COMMAND, *command], cwd=folder, capture_output=True, check=True)
                found.append((statistics.median(times), max(times), time.perf_counter() - started))
        middle, most = statistics.median(one for one, _, _ in found), max(one for _, one, _ in found)
        anew = statistics.median(one for _, _, one in found)
        ratios = " ".join(f"{one / whole:.2f}" for one, _, whole in found)
        rows.append([name, f"{1e3 * middle:.0f} ms", f"{1e3 * most:.0f} ms", f"{1e3 * anew:.0f} ms", ratios])
        bars += [Bar(name, middle, ours=True), Bar(f"{name}, started anew", anew, ours=False)]
    return Section(
        "Saving a file",
        f"From saving a file to the last line of the report, --watch beside the command started anew; {count} times "
        f"each, in {1 if options.quick else RUNS} runs.",
        ["saved", "median", "longest", "started anew", "ratios"],
        rows,
        bars=bars,
        unit="seconds",
    )


@contextmanager
def watching(command: list[str], file: Path, text: str) -> Iterator[IO[str]]:
    """The output of the command, once it has checked and waits."""
    save(file, text, 1)
    process = subprocess.Popen(
        [*COMMAND, *command, "--watch"], cwd=file.parent, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        wait_for_summary(process.stdout)
        time.sleep(2 * SETTLE)
        yield process.stdout
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def save(file: Path, text: str, number: int) -> None:
    file.write_text(text.replace("{a}", str(number)).replace("{{", "{").replace("}}", "}"), encoding="utf-8")


def wait_for_summary(stream: IO[str]) -> None:
    """The summary is the last line of a report, and says which torch it was."""
    for line in stream:
        if "torch" in line and "match" in line:
            return
    raise RuntimeError("the command ended")
