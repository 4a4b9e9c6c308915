"""Check every formula of a folder of corpora at its points, and count the verdicts.

    python benchmarks/corpora.py FOLDER [--forms] [NAME ...]

The folder holds JSON Lines files: rubi and drills (f, var, points, verdict of the claim), feynman (expr, point) and
testfuncs (f, start_point). Rows that neither match nor are imprecise are printed; the exit code is 1 if any is a
mismatch or an error. --forms makes the closed forms as well, and so checks that they agree at every point.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.expression.nodes import variables
from gradcheck_cli.language.parser import parse
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Verdict

NAMES = ("rubi", "drills", "feynman", "testfuncs")
Row = tuple[str, str, Sequence[Mapping[str, float]], tuple[str, ...]]


def rows(path: Path) -> Iterator[Row]:
    """(id, formula, points, variables of differentiation) of each row whose claim is right, or that has none."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        if path.stem == "feynman":
            yield row["id"], row["expr"], [row["point"]], ()
        elif path.stem == "testfuncs":
            yield row["id"], row["f"], [row["start_point"]], ()
        elif row["verdict"] in ("right", "partial"):
            yield row["id"], row["f"], row["points"], (row["var"],)


def request(row: Row, *, forms: bool) -> Request:
    """A row as a request. The corpora give values to parameters that only the claim uses: these are left out."""
    _, formula, points, wrt = row
    names = {name for point in points for name in point}
    used = set(variables(parse(formula, names=names)))
    texts = tuple(",".join(f"{name}={value!r}" for name, value in p.items() if name in used) for p in points)
    return Request(formula, at=texts, wrt=wrt, derivatives=forms)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("names", nargs="*", default=NAMES)
    arguments.add_argument("--forms", action="store_true")
    options = arguments.parse_args()
    failed = False
    for name in options.names:
        counts: Counter[str] = Counter()
        started = time.perf_counter()
        for row in rows(options.folder / f"{name}.jsonl"):
            try:
                result = check_expression(request(row, forms=options.forms))
            except GradcheckError as error:
                counts["bad input"] += 1
                failed = True
                print(f"{row[0]}: {error}\n  {row[1]}")
                continue
            for check in result.checks:
                counts[check.verdict.value] += 1
                failed = failed or check.verdict in (Verdict.MISMATCH, Verdict.ERROR)
                if check.verdict not in (Verdict.MATCH, Verdict.IMPRECISE):
                    print(f"{row[0]} {check.verdict.value} d/d{','.join(check.wrt)} at {dict(check.point)}")
                    print(f"  {row[1]}\n  analytical {check.analytical}, autograd {check.autograd}: {check.note}")
        print(f"{name}: {dict(counts)} in {time.perf_counter() - started:.1f} s")
    return failed


if __name__ == "__main__":
    sys.exit(main())
