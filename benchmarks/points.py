"""Many points of one formula: a certified verdict at each, beside the usual NumPy check of the same points."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
import warnings

from benchmarks.alternatives import ATOL, RTOL
from benchmarks.report import Bar, Options, Section
from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Verdict

RUNS = 3
FORMULAS = {
    "8*x**4 + 3*x**3": "8*x**4 + 3*x**3",
    "tanh(x)/(1 + x**2)": "torch.tanh(x)/(1 + x**2)",
    "sin(3*x)*exp(-x**2/2)": "torch.sin(3*x)*torch.exp(-x**2/2)",
    "log(1 + exp(-x)) + sqrt(1 + x**2)": "torch.log(1 + torch.exp(-x)) + torch.sqrt(1 + x**2)",
}
"""The formula, and what one writes for it in torch."""


def measure(options: Options) -> Section:
    """Both ways in turns, for each formula; then how the time grows, and how much memory a process takes."""
    most = 100_000 if options.quick else 1_000_000
    rows = []
    bars = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text, in_torch in FORMULAS.items():
            pairs = []
            ours(text, 1_000), usual(text, in_torch, 1_000)
            for _ in range(RUNS):
                mine = ours(text, most)
                other, alarms = usual(text, in_torch, most)
                pairs.append((mine, other))
            ratios = " ".join(f"{a / b:.2f}" for a, b in pairs)
            mine, other = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
            rows.append([text, f"{most:,}", f"{mine:.3f}", f"{other:.3f}", ratios, f"{alarms:,}"])
            if not bars:
                bars = [Bar("gradcheck", mine, ours=True), Bar("the usual NumPy check", other)]
        text = next(iter(FORMULAS))
        for count in (1_000, 10_000, 100_000, 1_000_000, 10_000_000):
            if count <= most * 10:
                took = ours(text, count)
                rows.append([text, f"{count:,}", f"{took:.3f}", "", "", ""])
        remarks = [torch_gradcheck(1_000 if options.quick else 3_000)]
    remarks.append(f"A whole process that checks {most:,} points takes at most {memory(most):,.0f} MB of memory.")
    return Section(
        "Many points",
        f"Seconds for N points of one formula, from its text to a verdict at each point. The usual check: SymPy's "
        f"derivative by lambdify on a NumPy array, autograd on a tensor, |a - r| <= atol + rtol*|r|, which certifies "
        f"nothing. The ratio in each of {RUNS} runs; all gradients are right, and gradcheck finds them so.",
        ["formula", "points", "gradcheck", "usual", "gradcheck / usual", "false alarms of the usual"],
        rows,
        remarks=remarks,
        bars=bars,
        unit=f"seconds for {most:,} points",
    )


def ours(text: str, count: int) -> float:
    started = time.perf_counter()
    result = check_expression(Request(text, at=(f"x=-3:3:{count}",), derivatives=False, keep=100))
    took = time.perf_counter() - started
    assert set(result.counts) == {Verdict.MATCH}
    assert result.checks_total == count
    return took


def usual(text: str, in_torch: str, count: int) -> tuple[float, int]:
    """(seconds, points that are found wrong though they are right: the derivative is rounded, too)."""
    import numpy as np
    import sympy
    import torch

    started = time.perf_counter()
    symbol = sympy.Symbol("x", real=True)
    derivative = sympy.lambdify(symbol, sympy.diff(sympy.sympify(text, locals={"x": symbol}), symbol), "numpy")
    points = np.linspace(-3, 3, count)
    exact = derivative(points)
    x = torch.tensor(points, requires_grad=True)
    eval(in_torch, {"torch": torch, "x": x}).sum().backward()  # noqa: S307  our own formula
    assert x.grad is not None
    wrong = np.abs(x.grad.numpy() - exact) > ATOL + RTOL * np.abs(exact)
    alarms = int(wrong.sum())
    return time.perf_counter() - started, alarms


def torch_gradcheck(count: int) -> str:
    """What torch.autograd.gradcheck takes for as many points in one tensor: its Jacobian is quadratic."""
    import torch

    times = []
    for points in (count // 2, count):
        x = torch.linspace(-3, 3, points, dtype=torch.float64, requires_grad=True)
        started = time.perf_counter()
        torch.autograd.gradcheck(lambda x: 8 * x**4 + 3 * x**3, [x], raise_exception=False)
        times.append(time.perf_counter() - started)
    mine = ours(next(iter(FORMULAS)), count)
    return (
        f"torch.autograd.gradcheck takes {times[0]:.2f} s for {count // 2:,} points in one tensor and {times[1]:.2f} s "
        f"for {count:,}: it grows with the square; gradcheck takes {mine:.3f} s."
    )


def memory(count: int) -> float:
    """The largest resident size of a whole process, in MB."""
    command = [sys.executable, "-m", "gradcheck_cli", next(iter(FORMULAS)), "--at", f"x=-3:3:{count}"]
    script = f"import subprocess; subprocess.run({command!r}, capture_output=True)\n" + (
        "import resource; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return float(done.stdout) / unit
