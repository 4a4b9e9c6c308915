"""Functions of tensors, beside torch.autograd.gradcheck in both of its modes; and how the cost grows with size."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.code_functions import FUNCTIONS, CodeFunction
from benchmarks.report import Bar, Options, Section
from benchmarks.speed import resting_collector
from gradcheck_cli import gradcheck
from gradcheck_cli.real_code.check import check_code

WAYS: dict[str, Callable[..., bool]] = {
    "gradcheck": gradcheck,
    "slow": torch.autograd.gradcheck,
    "fast": lambda function, inputs: torch.autograd.gradcheck(function, inputs, fast_mode=True),
}
LARGE = 500
"""Input elements from which a quarter of the time is the bar."""
SECONDS = 2.0
SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)


def measure(options: Options) -> Section:
    torch.set_num_threads(1)  # threads that wait for each other would be most of what is measured
    rows, ratios, large, bars = [], [], [], []
    with resting_collector(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in FUNCTIONS:
            mine, slow, fast = turns(function, SECONDS / 10 if options.quick else SECONDS)
            ratios.append(mine / slow)
            large += [mine / slow] if function.elements >= LARGE else []
            cells = [f"{1e3 * seconds:.2f}" for seconds in (mine, slow, fast)]
            rows.append([function.name, str(function.elements), *cells, f"{mine / slow:.2f}", f"{mine / fast:.1f}"])
            bars += [Bar(f"{function.name}: gradcheck", 1e3 * mine, ours=True), Bar("torch", 1e3 * slow)]
    growth = [grown(kind, size) for kind in KINDS for size in SIZES[: 4 if options.quick else None]]
    return Section(
        "Functions of tensors",
        "Milliseconds of processor time to check all entries of the Jacobian in float64, ours and"
        " torch.autograd.gradcheck's in turns in one process with one thread, the shortest time of each.",
        ["function", "input elements", "gradcheck", "torch, slow mode", "torch, fast mode", "of slow", "of fast"],
        rows,
        remarks=[
            f"Of the time of torch's slow mode gradcheck takes {statistics.median(ratios):.2f} in the median, at most"
            f" {max(ratios):.2f}, and at most {max(large):.2f} from {LARGE} input elements on.",
            *growth,
        ],
        bars=bars if len(bars) < 10 else (),
        unit="milliseconds",
    )


def turns(function: CodeFunction, seconds: float) -> Sequence[float]:
    """The shortest processor time of each way, in turns for about so long; where there is time for more than one, the
    first turn warms up."""
    inputs = function.inputs()
    times: list[list[float]] = []
    while sum(map(sum, times)) < seconds:
        times.append([])
        for name, check in WAYS.items():
            started = time.process_time()
            assert check(function.function, inputs), (name, function.name)
            times[-1].append(time.process_time() - started)
    return [min(each) for each in zip(*(times[1:] or times), strict=True)]


def elementwise(operations: int) -> tuple[Callable[..., Any], tuple[Tensor, ...]]:
    """A loss of as many numbers as there are fives in the number of operations."""
    x = torch.linspace(-2, 2, max(operations // 5, 2), dtype=torch.float64)
    return lambda x: (torch.sin(x) * torch.exp(-x * x)).sum(), (x,)


def product(operations: int) -> tuple[Callable[..., Any], tuple[Tensor, ...]]:
    """A product of two matrices, and a loss of it."""
    side = max(round((operations / 2) ** (1 / 3)), 2)
    generator = torch.Generator().manual_seed(0)
    x, w = (torch.randn(side, side, generator=generator, dtype=torch.float64) for _ in range(2))
    return lambda x, w: torch.tanh(x @ w / side).square().mean(), (x, w)


KINDS: dict[str, Callable[[int], tuple[Callable[..., Any], tuple[Tensor, ...]]]] = {
    "elementwise": elementwise,
    "product of matrices": product,
}


def grown(kind: str, operations: int) -> str:
    """One check in a process of its own, as a sentence."""
    command = [sys.executable, "-m", "benchmarks.code", kind, str(operations)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return (
        f"{kind}, {found['operations']:,} scalar operations, {found['elements']:,} input elements:"
        f" {found['seconds']:.3g} s, {found['megabytes']:.0f} MB; {found['entries']:,} entries, {found['verdict']}."
    )


def one(kind: str, operations: int) -> dict[str, Any]:
    """Seconds of the second of two checks, and how far the first has raised the process's memory."""
    torch.set_num_threads(1)
    function, inputs = KINDS[kind](operations)
    check_code(lambda x: x * x, (inputs[0][:1],))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    check_code(function, inputs)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    result = check_code(function, inputs)
    return {
        "operations": result.operations, "elements": sum(x.numel() for x in inputs),
        "seconds": time.process_time() - started,
        "megabytes": (after - before) / 1024, "entries": result.checks_total, "verdict": result.verdict.value,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(one(sys.argv[1], int(sys.argv[2]))))
