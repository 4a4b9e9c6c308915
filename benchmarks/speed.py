"""How long a check takes, against what one would do without gradcheck, on the same problems in the same run.

    python benchmarks/speed.py [REPEATS]

Three ways, each from text or function to a verdict at one point for every variable: gradcheck (parse, derive, certify,
autograd, compare); torch.autograd.gradcheck (finite differences against autograd); and the usual script (sympy.diff,
evalf and autograd of a lambda). Ratios are what counts: machines are noisy.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import sympy
import torch
from sympy.core.cache import clear_cache

from gradcheck_cli.autograd import TorchFunction
from gradcheck_cli.checker import check_expression
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.parser import parse
from gradcheck_cli.request import Request

PROBLEMS: list[tuple[str, dict[str, float]]] = [
    ("8*x**4 + 3*x**3 + 7*x**2 + 6*x + 3", {"x": 2.0}),
    ("1/(1 + exp(-x))", {"x": 2.0}),
    ("sin(x)*exp(-x**2/2)", {"x": 0.7}),
    ("tanh(w*x + b)", {"w": 0.5, "x": 1.5, "b": -0.25}),
    ("log(exp(x) + exp(y))", {"x": 0.3, "y": -1.2}),
    ("sqrt(x**2 + y**2)*atan2(y, x)", {"x": 1.5, "y": 0.8}),
    ("(a - x)**2 + 100*(y - x**2)**2", {"a": 1.0, "x": -1.2, "y": 1.0}),
    ("x*erfc(-x/sqrt(2))/2", {"x": 0.9}),
]


def ours(text: str, point: dict[str, float]) -> None:
    at = ",".join(f"{name}={value!r}" for name, value in point.items())
    assert check_expression(Request(text, at=(at,), derivatives=False)).passed


def finite_differences(text: str, point: dict[str, float]) -> None:
    function = TorchFunction(parse(text), DTYPES["float64"], torch.device("cpu"))
    inputs = tuple(torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point.values())
    assert torch.autograd.gradcheck(lambda *xs: function(dict(zip(point, xs, strict=True)))[0], inputs)


def usual_script(text: str, point: dict[str, float]) -> None:
    clear_cache()  # a script is run once: what SymPy remembers of the last repeat does not count
    symbols = {name: sympy.Symbol(name, real=True) for name in point}
    formula = sympy.sympify(text, locals=symbols)
    values = {symbols[name]: value for name, value in point.items()}
    exact = [float(sympy.diff(formula, symbol).evalf(subs=values)) for symbol in symbols.values()]
    inputs = {name: torch.tensor(x, dtype=torch.float64, requires_grad=True) for name, x in point.items()}
    function = TorchFunction(parse(text), DTYPES["float64"], torch.device("cpu"))
    gradients = torch.autograd.grad(function(inputs)[0], list(inputs.values()))
    assert all(abs(float(g) - e) <= 1e-9 * abs(e) + 1e-12 for g, e in zip(gradients, exact, strict=True))


def milliseconds(way: Callable[[str, dict[str, float]], None], repeats: int) -> float:
    """The mean over the problems of each one's median time."""
    medians = []
    for text, point in PROBLEMS:
        way(text, point)
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            way(text, point)
            times.append(time.perf_counter() - started)
        medians.append(statistics.median(times))
    return 1e3 * statistics.mean(medians)


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    base = milliseconds(ours, repeats)
    print(f"gradcheck                 {base:8.2f} ms a problem")
    for name, way in (("torch.autograd.gradcheck", finite_differences), ("SymPy script", usual_script)):
        other = milliseconds(way, repeats)
        print(f"{name:25} {other:8.2f} ms a problem, {other / base:.1f} times gradcheck's")


if __name__ == "__main__":
    main()
