"""The benchmarks that `python -m benchmarks` runs: a row each, in the order in which they run and are reported."""

from __future__ import annotations

from importlib import import_module

from benchmarks.report import Options, Section

BENCHMARKS = {
    "startup": "the whole process for one formula",
    "warm": "the same by the process that gradcheck warm keeps",
    "speed": "a thousand formulas",
    "points": "a million points of one formula",
    "depth": "deep expressions",
    "batch": "tens of thousands of problems",
    "watch": "from saving a file to its verdict",
    "arrays": "formulas of vectors and matrices",
    "code": "functions of tensors",
    "operators": "torch's own operators",
    "mistakes": "mistakes in backwards by hand",
}
"""Name of the module in this folder -> what it measures. The module has `measure(options) -> Section`."""


def measure(name: str, options: Options) -> Section:
    section: Section = import_module(f"benchmarks.{name}").measure(options)
    return section
