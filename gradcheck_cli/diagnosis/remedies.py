"""Rewrites, verified: proposed only after they were found, here and now, to be equal and to have the right gradient.

Equal: the same certified value and derivative at the point, and at others of the domain. Right: autograd of the
rewritten expression matches its certified derivative at the point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain, islice

from gradcheck_cli.certified.ball import Numbers
from gradcheck_cli.certified.comparison import TwoForms
from gradcheck_cli.certified.comparison_points import sample
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.references import references_at
from gradcheck_cli.diagnosis.matching import Candidate, candidates
from gradcheck_cli.diagnosis.rewrite_rules import replaced
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, rebuild, topological, variables
from gradcheck_cli.language.printer import text_within
from gradcheck_cli.pytorch.devices import Device
from gradcheck_cli.pytorch.gradients import Gradients, gradients_of
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.reference import Kind, Reference
from gradcheck_cli.records.results import Remedy
from gradcheck_cli.records.row_comparison import RowComparison
from gradcheck_cli.verdict import Tolerance

Point = Mapping[str, float]

TRIED = 120
"""Rewritten expressions that are run in torch, for one row."""
LARGEST = 300
"""Nodes of an expression that rewrites are looked for in."""
LONGEST = 160
"""Characters of a part, and of what to write for it: more is no advice."""
SAMPLED, NEEDED = 24, 3
"""Other points of the domain, and at how many of them both must be defined."""
NAMED = 8
"""Numbers of the expression that are tried as the value of each variable."""
STRICTER = 1e-3
"""Of rtol: how near the rewritten expression must be to the original one. Most are equal; a series is not quite."""


class Remedies:
    """The rewrites of one expression. What helped at one point is tried first at the next."""

    def __init__(self, root: Expr, numbers: Numbers, dtype: Dtype, device: Device, tolerance: Tolerance) -> None:
        self.root = rebuild(root, lambda node, args: args[0] if isinstance(node, Named) else None)
        self.numbers, self.dtype, self.device, self.tolerance = numbers, dtype, device, tolerance
        self._helped: list[Candidate] = []
        self._equal_ones: set[tuple[Expr, Derivative]] = set()
        self._sides: dict[tuple[Expr, Derivative, str], Gradients] = {}
        self._derivatives: dict[tuple[Expr, Derivative], Derivatives] = {}

    def find(self, wanted: RowComparison, blamed: Sequence[Expr] = ()) -> Remedy | None:
        """The first rewrite that helps at a row; None where none does.

        wanted: the row; its value is what the function should have, also where that is the limit of a removable
        singularity.
        """
        names = variables(self.root)
        if not set(wanted.derivative.wrt) <= set(names) or len(topological(self.root)) > LARGEST:
            return None
        truth = self._aim(wanted)
        if truth is None:
            return None
        for candidate in islice(self._candidates(blamed), TRIED):
            found = self._autograd(candidate.root, wanted)
            if found is not None and self._right(found, truth) and self._equal(candidate.root, wanted, truth):
                shown, rewritten = _shown(self.root, candidate), text_within(candidate.root, 10 * LONGEST)
                if shown is None or rewritten is None:
                    continue
                remedy = Remedy(*shown, rewritten, found, wanted.autograd)
                if candidate not in self._helped:
                    self._helped.insert(0, candidate)
                    self._equal_ones.add((candidate.root, wanted.derivative))
                return remedy
        return None

    def _candidates(self, blamed: Sequence[Expr]) -> Iterator[Candidate]:
        """Those that helped before, one rewrite, two rewrites."""
        yield from self._helped
        first = list(islice(candidates(self.root, blamed), TRIED))
        yield from first
        for one in first:
            for two in candidates(one.root, [one.better]):
                yield Candidate(two.rewrite, self.root, two.root, two.root)

    def _aim(self, wanted: RowComparison) -> Reference | None:
        """What the derivative should be; at a removable singularity, that of the function with its limit put in."""
        truth = wanted.reference
        if truth.kind in (Kind.EXISTS, Kind.KINK):
            return truth
        return Reference(Kind.EXISTS) if truth.kind is Kind.UNDEFINED and truth.limit is not None else None

    def _autograd(self, root: Expr, wanted: RowComparison) -> float | None:
        if set(variables(root)) != set(variables(self.root)):
            return None
        key = root, wanted.derivative, wanted.mode
        side = self._sides.get(key) or gradients_of(root, [wanted.derivative], wanted.mode, self.dtype, self.device)
        if any(root is helped.root for helped in self._helped):
            self._sides[key] = side
        found = side.at(wanted.point)
        if wanted.value is not None and not self.tolerance.allows_with_atol(_number(found.value), wanted.value):
            return None
        return found.derivatives.get(wanted.derivative)

    def _right(self, found: float, truth: Reference) -> bool:
        if truth.value is not None:
            return self.tolerance.allows(found, truth.value)
        if truth.left is not None and truth.right is not None:
            return self.tolerance.within(found, min(truth.left, truth.right), max(truth.left, truth.right))
        return not math.isnan(found)

    def _equal(self, root: Expr, wanted: RowComparison, truth: Reference) -> bool:
        """Whether the rewritten expression has the same value and derivative, here and elsewhere."""
        key = root, wanted.derivative
        derivatives = self._derivatives.get(key) or Derivatives(root, [wanted.derivative], self.numbers, self.dtype)
        if key in self._equal_ones:
            self._derivatives[key] = derivatives
        references = references_at(derivatives, wanted.point)
        found = references.rows[wanted.derivative]
        if wanted.reference.kind is Kind.UNDEFINED:
            here = self._autograd(root, wanted)
            if found.value is None or here is None or not self.tolerance.allows(here, found.value):
                return False
        elif found.kind is not truth.kind or not all(
            self._near(a, b) for a, b in zip(found.numbers, truth.numbers, strict=True)
        ):
            return False
        if wanted.value is None or references.value is None or not self._near(references.value, wanted.value):
            return False
        return key in self._equal_ones or self._equal_elsewhere(root, wanted)

    def _equal_elsewhere(self, root: Expr, wanted: RowComparison) -> bool:
        try:
            forms = TwoForms(self.root, root, wanted.derivative.wrt, self.numbers)
        except NoReference:
            return False
        compared = 0
        sampled = islice(sample(variables(self.root), [wanted.point]), SAMPLED)
        for point in chain(self._special_points(wanted), sampled):
            rounded = {name: self.dtype.round(value) for name, value in point.items()}
            same = forms.are_same(rounded, STRICTER * self.tolerance.rtol)
            if same is False:
                return False
            compared += same is True
        return compared >= NEEDED

    def _special_points(self, wanted: RowComparison) -> Iterator[Point]:
        """A variable at a number that the expression names, where a branch may be decided."""
        numbers = {
            float(node.value)
            for node in topological(self.root)
            if isinstance(node, Constant) and isinstance(node.value, Fraction)
        }
        for name in variables(self.root):
            for number in sorted({*numbers, 0.0})[:NAMED]:
                yield {**wanted.point, name: number}

    def _near(self, found: float, wanted: float) -> bool:
        if found == wanted:
            return True
        return math.isfinite(found) and abs(found - wanted) <= max(
            STRICTER * self.tolerance.rtol, 4 * self.dtype.unit_roundoff
        ) * abs(wanted)


def _shown(root: Expr, candidate: Candidate) -> tuple[str, str] | None:
    """What to write for what: the part and the better one, or what differs in them where that is too long.

    None where all of that is too long, or where the part stands elsewhere as well.
    """
    part, better = candidate.part, candidate.better
    while True:
        old, new = text_within(part, LONGEST), text_within(better, LONGEST)
        if old is not None and new is not None:
            return old, new
        inner = _difference(part, better)
        if inner is None or replaced(root, *inner) is not candidate.root:
            return None
        part, better = inner


def _difference(part: Expr, better: Expr) -> tuple[Expr, Expr] | None:
    """The one operand in which two calls of a function differ."""
    match part, better:
        case Call(function=f, args=old), Call(function=g, args=new) if f == g and len(old) == len(new):
            pairs = [(a, b) for a, b in zip(old, new, strict=True) if a is not b]
            return pairs[0] if len(pairs) == 1 else None
    return None


def _number(value: float | None) -> float:
    return math.nan if value is None else value
