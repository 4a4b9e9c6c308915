"""Hold the quick tier against balls alone, on every formula of a folder of corpora, over a range around its point.

    python benchmarks/tiers.py FOLDER [POINTS]

Both get the same numbers of torch. Printed is every formula whose verdicts differ; the exit code is 1 if there is any.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.corpora import NAMES, rows
from gradcheck_cli.certified.float_filter import settle
from gradcheck_cli.checking import problem
from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.expression.nodes import variables
from gradcheck_cli.language.parser import parse
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Verdict

is_possible = settle.FirstTier.is_possible


def requests(folder: Path, count: int) -> Iterator[tuple[str, Request]]:
    for name in NAMES:
        for identifier, formula, points, wrt in rows(folder / f"{name}.jsonl"):
            try:
                used = variables(parse(formula, names=set(points[0])))
            except GradcheckError:
                continue
            if not used:
                continue
            moved = wrt[0] if wrt and wrt[0] in used else used[0]
            at = []
            for variable in used:
                centre = float(points[0][variable])
                reach = 2 + abs(centre)
                low, high = centre - reach, centre + reach
                at.append(f"{variable}={low!r}:{high!r}:{count}" if variable == moved else f"{variable}={centre!r}")
            by = (moved,) if wrt else ()
            yield identifier, Request(formula, at=(",".join(at),), wrt=by, derivatives=False, keep=3, timeout=60)


def counts(request: Request, *, quick: bool) -> dict[Verdict, int]:
    settle.FirstTier.is_possible = staticmethod(is_possible if quick else lambda _: False)  # type: ignore[method-assign]
    return dict(check_expression(request).counts)


def main() -> int:
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 41
    problem.MANY = 1
    compared = different = 0
    for identifier, request in requests(folder, count):
        quick, alone = counts(request, quick=True), counts(request, quick=False)
        compared += 1
        if quick != alone:
            different += 1
            print(f"{identifier} {request.expression} {request.at}: {quick}, balls alone {alone}")
    print(f"{compared:,} formulas at {count} points each: {different} differ")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
