"""What is true of the derivatives of a tape, in tiers: float64 with bounds for all of them, expressions and balls for
what that leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.certified.ball import Numbers
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.references import References, references_at
from gradcheck_cli.certified.widened.rows import PointRounding, RowRounding
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Expr, call, variables
from gradcheck_cli.real_code.recorded import GradientOf
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.reference import Kind, Reference
from gradcheck_cli.tape.doubt import doubts
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.expressions import Expressions
from gradcheck_cli.tape.precise import PreciseSweep, PreciseValues
from gradcheck_cli.tape.slopes import Slopes
from gradcheck_cli.tape.sweep import ReverseSweep
from gradcheck_cli.tape.tape import Tape
from gradcheck_cli.tape.values import Values

Floats = NDArray[np.float64]
CELLS = 2**22
"""Adjoints of a sweep at once."""
EXPRESSION_SIZE = 20_000
"""Operations of an expression that is made for a single element."""
EXPRESSION_SIZES = 200_000
"""Operations of all expressions that are made."""


class Truths:
    """The derivatives of elements of a tape by its inputs. gradient_of: what these are, where they are a gradient."""

    def __init__(self, tape: Tape, gradient_of: GradientOf | None = None) -> None:
        self.tape, self.gradient_of = tape, gradient_of
        self._exact: dict[int, ExactRow] = {}
        self._last_enclosure: tuple[tuple[bytes, bytes, bool], tuple[Floats, Floats]] | None = None
        self.expression_sizes = 0
        self._last: tuple[tuple[bytes, bytes], tuple[Floats, Floats]] | None = None

    @cached_property
    def values(self) -> Values:
        return Values(self.tape)

    @cached_property
    def slopes(self) -> Slopes:
        return Slopes(self.values)

    @cached_property
    def rounded(self) -> Values:
        """The values with what rounding may do to them."""
        return Values(self.tape, rounding=True)

    @cached_property
    def _plain_slopes(self) -> Slopes:
        return Slopes(self.rounded)

    @cached_property
    def _slack_slopes(self) -> Slopes:
        return Slopes(self.rounded, slack=1.0)

    @cached_property
    def has_functions(self) -> bool:
        """Whether an `autograd.Function` is on the tape: then the rules of differentiation are not only torch's own."""
        return any(instruction.origin.function >= 0 for instruction in self.tape.instructions)

    @property
    def batch(self) -> int:
        """How many rows at once."""
        return max(1, CELLS // self.tape.size)

    def rows(self, elements: Elements, seeds: Floats | None = None) -> tuple[Floats, Floats]:
        """(derivatives, radii), a row for each element; or for each column of seeds, the weights of the elements."""
        return ReverseSweep(self.slopes, elements, seeds).by_inputs()

    def has_value(self, elements: Elements) -> NDArray[np.bool_]:
        """Where float64 shows that there is a finite value."""
        return np.isfinite(self.values.value[elements]) & np.isfinite(self.values.radius[elements])

    @cached_property
    def doubts(self) -> NDArray[np.int8]:
        """By element: whether a derivative of it may not exist (see `tape.doubt`)."""
        with np.errstate(all="ignore"):
            return doubts(self.slopes)

    def precise_rows(self, elements: Elements, seeds: Floats | None = None) -> tuple[Floats, Floats]:
        """The same with some 30 digits. The last answer is kept: the inputs of an output ask one after the other."""
        key = elements.tobytes(), b"" if seeds is None else seeds.tobytes()
        if self._last is None or self._last[0] != key:
            values = PreciseValues(self.values, elements)
            truth, radius = PreciseSweep(values, elements, seeds).by_inputs()
            found = values.at(elements)
            lost = ~np.isfinite(found.high + found.radius)
            radius[lost if seeds is None else (seeds[lost] != 0).any(axis=0)] = np.inf
            self._last = key, (truth, radius)
        return self._last[1]

    def enclosures(self, elements: Elements, seeds: Floats | None = None, *, slack: bool) -> tuple[Floats, Floats]:
        """What correctly working floating-point code could return: (middle, radius). slack: as for `imprecise`."""
        key = elements.tobytes(), b"" if seeds is None else seeds.tobytes(), slack
        if self._last_enclosure is None or self._last_enclosure[0] != key:
            slopes = self._slack_slopes if slack else self._plain_slopes
            self._last_enclosure = key, ReverseSweep(slopes, elements, seeds).by_inputs()
        return self._last_enclosure[1]

    def value_enclosure(self, elements: Elements) -> tuple[Floats, Floats]:
        return self.rounded.value[elements], self.rounded.radius[elements]

    @cached_property
    def expressions(self) -> Expressions:
        return Expressions(self.rounded)

    def exact(self, element: int) -> ExactRow:
        """The tier of last resort, for one element."""
        if element not in self._exact:
            self._exact[element] = ExactRow(self, element)
        return self._exact[element]


@dataclass
class ExactRow:
    """One element by expressions and balls: what is true of its derivatives, and what rounding could make of them."""

    truths: Truths
    element: int

    def __post_init__(self) -> None:
        self._found: dict[tuple[str, ...], Mapping[str, Reference]] = {}
        self.why_not: str | None = None
        self.too_large = False
        self.root: Expr | None = None
        self.by_function: set[str] = set()  # what is known as a second derivative of the function
        expressions = self.truths.expressions
        left = EXPRESSION_SIZES - self.truths.expression_sizes
        limit = min(EXPRESSION_SIZE, left)
        size = expressions.size(self.element, limit) if left > 0 else 1
        self.truths.expression_sizes += size
        if size > limit:
            self.too_large = True
            self.why_not = f"more than {EXPRESSION_SIZE} operations lead to it, too many for a doubtful entry"
            if limit < EXPRESSION_SIZE:
                self.why_not = f"more than {EXPRESSION_SIZES} operations lead to the doubtful entries: too many"
            return
        try:
            self.root = expressions.of(self.element)
        except NoReference as none:
            self.why_not = str(none)
        else:
            self.there = frozenset(variables(self.root))
            self.point = {name: number for name, number in expressions.point.items() if name in self.there}

    def references(self, names: Sequence[str], dtype: Dtype) -> dict[str, Reference]:
        """What is true of the derivatives by some variables."""
        found = self._own_references(names, dtype)
        lost = [name for name in names if found[name].kind in (Kind.UNDEFINED, Kind.NO_REFERENCE)]
        return {**found, **self._of_function(lost, dtype)} if lost else found

    def _of_function(self, names: Sequence[str], dtype: Dtype) -> dict[str, Reference]:
        """Where a formula of the gradient has no value, as that of norm(x)**2 at 0: as second derivatives."""
        known, expressions = self.truths.gradient_of, self.truths.expressions
        if known is None or self.element not in known.variables:
            return {}
        pairs = list(zip(known.weights.tolist(), known.outputs.tolist(), strict=True))
        if sum(expressions.size(e, EXPRESSION_SIZE) for pair in pairs for e in pair) > EXPRESSION_SIZE:
            return {}
        by = expressions.name(known.variables[self.element])
        try:
            terms = [call(op.MUL, expressions.of(weight), expressions.of(output)) for weight, output in pairs]
            function = reduce(lambda a, b: call(op.ADD, a, b), terms)
            there = [name for name in names if {name, by} <= set(variables(function))]
            rows = {name: Derivative((by, name)) for name in there}
            derivatives = Derivatives(function, list(rows.values()), Numbers(dtype), dtype)
            point = {name: expressions.point[name] for name in variables(function)}
            found = references_at(derivatives, point).rows
        except NoReference:
            return {}
        self.by_function.update(there)
        return {name: found[row] for name, row in rows.items()}

    def _own_references(self, names: Sequence[str], dtype: Dtype) -> dict[str, Reference]:
        if self.root is None:
            return {name: Reference(Kind.NO_REFERENCE, reason=self.why_not) for name in names}
        inside = [name for name in names if name in self.there]
        found = self._references(inside, dtype)
        outside = Reference(Kind.EXISTS, 0.0)
        if found.value is None:
            reason = "the function has no value there" if found.value_certified else "the value could not be certified"
            kind = Kind.UNDEFINED if found.value_certified else Kind.NO_REFERENCE
            outside = Reference(kind, reason=reason)
        return {name: found.rows[Derivative((name,))] if name in self.there else outside for name in names}

    def _references(self, names: Sequence[str], dtype: Dtype) -> References:
        assert self.root is not None
        try:
            rows = [Derivative((name,)) for name in names]
            return references_at(Derivatives(self.root, rows, Numbers(dtype), dtype), self.point)
        except (NoReference, AssertionError) as none:
            lost = Reference(Kind.NO_REFERENCE, reason=str(none))
            return References(None, False, {Derivative((name,)): lost for name in names})

    def rounding(self, name: str, mode: str, truth: Reference, dtype: Dtype) -> RowRounding:
        assert self.root is not None
        return RowRounding(self._sweeps(dtype), self.root, name, mode, truth, self.root)

    def _sweeps(self, dtype: Dtype) -> PointRounding:
        known: dict[str, PointRounding] = self.__dict__.setdefault("_by_dtype", {})
        if dtype.name not in known:
            known[dtype.name] = PointRounding(self.point, Numbers(dtype), dtype)
        return known[dtype.name]
