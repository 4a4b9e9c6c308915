"""Batches of problems with claims: the rate from first to last, the memory, and what a second process brings."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.report import Bar, Options, Section

KINDS = (
    ("{a}*x**{n} + {b}*x", "{a}*{n}*x**({n} - 1) + {b}"),
    ("sin({a}*x)*exp(-{b}*x)", "exp(-{b}*x)*({a}*cos({a}*x) - {b}*sin({a}*x))"),
    ("log(1 + {a}*x**2)", "2*{a}*x/(1 + {a}*x**2)"),
    ("x/({a} + x)", "{a}/({a} + x)**2"),
    ("tanh({a}*x)", "{a}*(1 - tanh({a}*x)**2)"),
    ("1/(1 + exp(-{a}*x))", "{a}*exp(-{a}*x)/(1 + exp(-{a}*x))**2"),
)
"""Functions and right derivatives, with different numbers each time."""
RUNS = 3


def measure(options: Options) -> Section:
    """One long run with claims, of which each tenth is timed; then runs with one and with two workers, in turns."""
    count, pair_count = (300, 600) if options.quick else (30_000, 5_000)
    rows, remarks = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "problems.yaml"
        write(file, count, claims=True)
        rates, peak = steady(file, count)
        remarks.append(
            f"{count:,} problems with claims, streamed as JSON Lines: {rates[0]:.0f} a second in the first tenth, "
            f"{min(rates[1:]):.0f} to {max(rates[1:]):.0f} in the others, {rates[-1]:.0f} in the last; the "
            f"command itself took at most {peak:,.0f} MB."
        )
        write(file, pair_count, claims=False)
        for _ in range(1 if options.quick else RUNS):
            rows.append(pair(f"{pair_count:,} problems", file)[0])
        if not options.quick:
            write(file, 4 * pair_count, claims=False)
            rows.append(pair(f"{4 * pair_count:,} problems", file)[0])
        write(file, pair_count, claims=True)
        row, one, two = pair(f"{pair_count:,} with claims", file)
        rows.append(row)
        remarks.append(
            "What comes before the first check, torch's import above all, takes a second, however many workers "
            "there are: small batches gain less."
        )
    return Section(
        "A batch",
        "Seconds of a whole `gradcheck run` with one worker and with two (--jobs 2), its start included.",
        ["batch", "--jobs 1", "--jobs 2", "times faster"],
        rows,
        remarks=remarks,
        bars=[Bar("--jobs 1", one, ours=True), Bar("--jobs 2", two, ours=True)],
        unit=f"seconds for {pair_count:,} problems with claims",
    )


def write(file: Path, count: int, *, claims: bool) -> None:
    rng = random.Random(0)
    with file.open("w", encoding="utf-8") as stream:
        stream.write("problems:\n")
        for i in range(count):
            numbers = {"a": rng.randint(1, 400) / 16, "b": rng.randint(1, 400) / 16, "n": rng.randint(2, 9)}
            formula, claim = (text.format(**numbers) for text in KINDS[i % len(KINDS)])
            claimed = f", claim: '{claim}'" if claims else ""
            stream.write(f"  - {{name: p{i}, expression: '{formula}', at: {rng.randint(1, 40) / 64}{claimed}}}\n")


def command(file: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "gradcheck_cli", "run", str(file), *options]


def pair(label: str, file: Path) -> tuple[list[str], float, float]:
    """(a row of the table, seconds with one worker, seconds with two)."""
    one, two = seconds(file, 1), seconds(file, 2)
    return [label, f"{one:.2f}", f"{two:.2f}", f"{one / two:.2f}"], one, two


def seconds(file: Path, jobs: int) -> float:
    started = time.perf_counter()
    subprocess.run(command(file, "--jobs", str(jobs), "-q"), check=True, capture_output=True)
    return time.perf_counter() - started


def steady(file: Path, count: int) -> tuple[list[float], float]:
    """(problems a second in each tenth of a run, the largest resident size of the command in MB)."""
    script = (
        "import resource, subprocess, sys\n"
        f"code = subprocess.call({command(file, '--output-format', 'json-lines', '--no-derivatives', '-q')!r})\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n"
        "sys.exit(code)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    tenth, times = count // 10, []
    for number, line in enumerate(process.stdout):
        if number >= 1 and (number - 1) % tenth == 0:
            times.append(time.perf_counter())
        last = line
    assert json.loads(last)["summary"]["checks"] == count
    peak = float(process.stderr.read().split()[-1]) / (1e6 if sys.platform == "darwin" else 1e3)
    assert process.wait() == 0
    return [tenth / (after - before) for before, after in pairwise(times)], peak
