"""How long a problem file takes to load, beside PyYAML's safe loader in C on the same text, which checks nothing.

python benchmarks/loading.py [PROBLEMS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import yaml

from gradcheck_cli.problem_files.load import load_problems
from gradcheck_cli.problem_files.plain_yaml import compose

PROBLEM = """\
  - name: problem-{0}
    expression: {0}*x**4 + 3*x**3 + 7*x**2
    at: {{x: {0}}}
    gradient: {0}.5
    claim: 4*{0}*x**3 + 9*x**2 + 14*x
    expect: match
"""
REPEATS = 5


def best(action: Callable[[], object]) -> float:
    """The shortest of some runs, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    text = "problems:\n" + "".join(PROBLEM.format(number) for number in range(count))
    assert all(spec.error is None for spec in load_problems(text, "problems.yaml", {}, {}).problems)
    ways: dict[str, Callable[[], object]] = {
        "load_problems": lambda: load_problems(text, "problems.yaml", {}, {}),
        "compose alone": lambda: compose(text),
        "yaml.load, CSafeLoader": lambda: yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)),
    }
    print(f"{count:,} problems of 6 keys, {len(text) / 2**20:.1f} MiB, best of {REPEATS}")
    for name, action in ways.items():
        print(f"{name:24}{best(action):8.3f} s")


if __name__ == "__main__":
    main()
