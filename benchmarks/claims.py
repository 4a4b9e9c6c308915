"""Judge every claim of a folder of corpora, and mutants of the right ones, and count what came out.

    python benchmarks/claims.py FOLDER [--proofs SECONDS] [--mutants N] [NAME ...]

The folder holds JSON Lines files: rubi and drills (f, claim, var, points, verdict) and testfuncs (f, claims,
start_point, verdict by variable). A right claim that is refuted, a wrong one that is not, and a mutant that is not
although mpmath finds it wrong, are printed; the exit code is 1 if there is any. Mutants are made from right claims: a
sign, a coefficient, a factor of 1.0005, a term dropped, an exponent changed, an inner factor dropped. mpmath confirms
with 50 digits that a mutant differs, independently of the ball arithmetic that is under test.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import mpmath

from gradcheck_cli.claims.claimed import ClaimedDerivative
from gradcheck_cli.claims.judge import judge as judged
from gradcheck_cli.claims.reading import Subject, read_claim
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Call, Constant, Expr, call, constant, rebuild, topological, variables
from gradcheck_cli.language.parser import parse
from gradcheck_cli.language.printer import to_text
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.results import Claim, ClaimStatus
from gradcheck_cli.verdict import Tolerance

NAMES = ("rubi", "drills", "testfuncs")
TOLERANCE = Tolerance(1e-9, 1e-12)
Point = Mapping[str, float]


class Row(NamedTuple):
    id: str
    formula: str
    claim: str
    wrt: str
    points: Sequence[Point]
    verdict: str


def rows(path: Path) -> Iterator[Row]:
    for line in path.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        if "claims" in row:
            for name, claim in row["claims"].items():
                verdict = row["verdict"][name]
                yield Row(f"{row['id']}/{name}", row["f"], claim, name, [row["start_point"]], verdict)
        else:
            yield Row(row["id"], row["f"], row["claim"], row["var"], row["points"], row["verdict"])


def judge(row: Row, claim: str, seconds: float) -> Claim:
    names = {name for point in row.points for name in point}
    expression = parse(row.formula, names=names)
    claimed = ClaimedDerivative(read_claim(claim, Subject(expression, [Derivative((row.wrt,))])), expression)
    wanted = {*variables(expression), *claimed.extra}
    points = [{name: value for name, value in point.items() if name in wanted} for point in row.points]
    return judged(claimed, points, True, TOLERANCE, seconds)


def mutants(claim: Expr) -> Iterator[tuple[str, Expr]]:
    """(kind, a claim changed in one place)."""
    yield "sign", call(op.NEG, claim)
    yield "factor 1.0005", call(op.MUL, constant(Fraction(10005, 10000)), claim)
    for node in topological(claim):
        for kind, changed in _changes(node):
            yield kind, rebuild(claim, lambda old, _, node=node, changed=changed: changed if old is node else None)  # type: ignore[misc]


def _changes(node: Expr) -> Iterator[tuple[str, Expr]]:
    match node:
        case Constant(value=Fraction() as value):
            yield "coefficient", constant(value + 1)
        case Call(function=op.ADD, args=(a, b)):
            yield "sign", call(op.SUB, a, b)
            yield "dropped term", a
            yield "dropped term", b
        case Call(function=op.SUB, args=(a, b)):
            yield "sign", call(op.ADD, a, b)
            yield "dropped term", a
        case Call(function=op.MUL, args=(a, b)):
            yield "inner derivative", b
            yield "inner derivative", a
        case Call(function=op.POW, args=(a, b)):
            yield "exponent", call(op.POW, a, call(op.ADD, b, constant(1)))


def confirmed_wrong(right: Expr, wrong: Expr, points: Sequence[Point]) -> bool:
    """Whether mpmath finds the two different by more than 1e-8 at one of the points, both real and finite there."""
    with mpmath.workdps(50):
        for point in points:
            try:
                a, b = _evaluate(right, point), _evaluate(wrong, point)
            except (ZeroDivisionError, ValueError, OverflowError, KeyError):
                continue
            if all(isinstance(x, mpmath.mpf) and mpmath.isfinite(x) for x in (a, b)) and abs(a - b) > 1e-8 * abs(a):
                return True
    return False


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b, "neg": lambda a: -a, "abs": abs,
}  # fmt: skip
_CONSTANTS = {"pi": mpmath.pi, "e": mpmath.e, "tau": 2 * mpmath.pi}


def _evaluate(root: Expr, point: Point) -> Any:
    """The value by mpmath, or KeyError for a function that mpmath calls otherwise."""
    values: dict[Expr, Any] = {}
    for node in topological(root):
        match node:
            case Constant(value=Fraction() as number):
                values[node] = mpmath.mpf(number.numerator) / number.denominator
            case Constant(value=name):
                values[node] = +_CONSTANTS[str(name)]
            case Call(function=function, args=args):
                compute = _ARITHMETIC.get(function.name) or getattr(mpmath, function.name, None)
                if compute is None or function.role != "function":
                    raise KeyError(function.name)
                values[node] = compute(*[values[arg] for arg in args])
            case _:
                values[node] = mpmath.mpf(point[getattr(node, "name", "")])
        if not isinstance(values[node], mpmath.mpf):
            raise ValueError("not real")
    return values[root]


def check_mutants(row: Row, most: int, counts: Counter[str]) -> int:
    """How many confirmed mutants of a right claim are not refuted; at most `most` are made."""
    right = parse(row.claim, names={name for point in row.points for name in point})
    missed = 0
    made = list(mutants(right))
    for kind, wrong in random.Random(row.id).sample(made, min(most, len(made))):
        if not confirmed_wrong(right, wrong, row.points):
            counts["unconfirmed"] += 1
            continue
        try:
            text = to_text(wrong)
            result = judge(row, text, 0.1)
        except (GradcheckError, ValueError):
            counts["unreadable"] += 1
            continue
        counts[f"{kind}: {result.status.value}"] += 1
        if result.status is not ClaimStatus.REFUTED:
            missed += 1
            print(f"{row.id} {kind} {result.status.value}: {row.formula}\n  {text}")
    return missed


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("names", nargs="*", default=NAMES)
    arguments.add_argument("--proofs", type=float, default=0.2)
    arguments.add_argument("--mutants", type=int, default=2)
    options = arguments.parse_args()
    wrong, slips = 0, 0
    mutant_counts: Counter[str] = Counter()
    for name in options.names:
        counts: Counter[str] = Counter()
        started = time.perf_counter()
        for row in rows(options.folder / f"{name}.jsonl"):
            try:
                result = judge(row, row.claim, options.proofs)
            except GradcheckError as error:
                wrong += 1
                print(f"{row.id}: {error}\n  {row.formula}\n  {row.claim}")
                continue
            counts[f"{row.verdict}: {result.status.value}"] += 1
            slips += result.status is ClaimStatus.REFUTED and result.note is not None
            expected = {"right": result.status.passes, "wrong": result.status is ClaimStatus.REFUTED}
            if not expected.get(row.verdict, True):
                wrong += 1
                print(f"{row.id} {row.verdict} {result.status.value}: {row.formula}\n  {row.claim}\n  {result}")
            if row.verdict == "right" and options.mutants:
                wrong += check_mutants(row, options.mutants, mutant_counts)
        print(f"{name}: {dict(sorted(counts.items()))} in {time.perf_counter() - started:.0f} s", flush=True)
    print(f"mutants: {dict(sorted(mutant_counts.items()))}; refuted claims with a cause named: {slips}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
