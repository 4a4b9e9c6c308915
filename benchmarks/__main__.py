"""Run the benchmarks: `python -m benchmarks [--quick] [--write] [--corpora FOLDER] [NAME ...]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from platform import python_version

from benchmarks.plot import svg
from benchmarks.registry import BENCHMARKS, measure
from benchmarks.report import Options, Section, markdown, plain

HERE = Path(__file__).parent
DISTRIBUTIONS = ("gradcheck-cli", "torch", "sympy", "python-flint", "numpy", "scipy", "jax", "numdifftools")
INTRODUCTION = """\
# Benchmarks

Written by `python -m benchmarks --write`, with the alternatives of `pip install -c constraints.txt -e ".[bench]"`. All
that is compared runs in turns on the same machine; the ratios count, the seconds are that machine's.
"""


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default")
    arguments.add_argument("--quick", action="store_true", help="about a minute: figures to look at, not to quote")
    arguments.add_argument("--write", action="store_true", help="write RESULTS.md, or the sections of NAMEs")
    arguments.add_argument("--corpora", type=Path, metavar="FOLDER", help="formulas from JSON Lines, as in corpora.py")
    arguments.add_argument("--shard", type=shard, default=(1, 1), metavar="K/N", help="of operators: a part of them")
    arguments.add_argument("--results", type=Path, default=Path("operators.jsonl"), metavar="FILE", help="of operators")
    given = arguments.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        arguments.error(f"there is no benchmark {', '.join(sorted(unknown))}: there are {', '.join(BENCHMARKS)}")
    sections = []
    for name in given.names or BENCHMARKS:
        started = time.perf_counter()
        print(f"{name}: {BENCHMARKS[name]} ...", file=sys.stderr, flush=True)
        sections.append(measure(name, Options(given.quick, given.corpora, given.shard, given.results)))
        print(f"{plain(sections[-1])}({time.perf_counter() - started:.0f} s)\n", flush=True)
    if given.write and given.names:
        results = (HERE / "RESULTS.md").read_text(encoding="utf-8")
        (HERE / "RESULTS.md").write_text(replaced(results, sections), encoding="utf-8")
    elif given.write:
        parts = [INTRODUCTION, versions(), *(markdown(section) for section in sections)]
        (HERE / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")
        (HERE / "results.svg").write_text(svg(sections), encoding="utf-8")
    return 0


def replaced(results: str, sections: Sequence[Section]) -> str:
    """The results with some sections new; a section that was not there comes last."""
    head, *old = results.split("\n## ")
    by_title = {text.partition("\n")[0]: text.rstrip("\n") + "\n" for text in old}
    by_title |= {section.title: markdown(section).removeprefix("## ") for section in sections}
    return "\n## ".join([head, *by_title.values()])


def shard(text: str) -> tuple[int, int]:
    """K/N."""
    part, _, parts = text.partition("/")
    return int(part), int(parts)


def versions() -> str:
    """A line with the versions of all that took part."""
    found = [f"Python {python_version()}"]
    for name in DISTRIBUTIONS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return f"{', '.join(found)}.\n"


if __name__ == "__main__":
    sys.exit(main())
