"""A question, resolved: every text is read and every option checked, before anything is evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gradcheck_cli.checking.expectations import Expected
from gradcheck_cli.checking.points.texts import DEFAULT_COUNT, Points, Ranges, read_ranges
from gradcheck_cli.checking.reading import Reading, read
from gradcheck_cli.claims.claimed import ClaimedDerivative, unreadable
from gradcheck_cli.claims.reading import Unreadable
from gradcheck_cli.dtypes import DTYPES, Dtype
from gradcheck_cli.errors import UsageError
from gradcheck_cli.expression.literals import rounded_constant
from gradcheck_cli.expression.nodes import Constant, Expr, free_name, topological
from gradcheck_cli.number_text import exact
from gradcheck_cli.pytorch.devices import Device, resolve_device
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Claim
from gradcheck_cli.runtime.stopwatch import phase
from gradcheck_cli.surfaces import Option, Words
from gradcheck_cli.verdict import Tolerance

MODES = {"reverse": ("reverse",), "forward": ("forward",), "both": ("reverse", "forward")}

T = TypeVar("T")


@dataclass(frozen=True)
class Samples:
    """Points to be drawn. seed, ranges: as for points.sample_points."""

    count: int
    seed: int
    ranges: Ranges


@dataclass(frozen=True)
class Wanted:
    """What a result is to hold, beside the verdicts.

    closed_forms: of the derivatives. formula: the expression as it was read, also where the problem passes. keep: how
    many rows.
    """

    closed_forms: bool
    formula: bool
    keep: int


@dataclass(frozen=True)
class Plan:
    """What is to be checked.

    text: as it was typed. function_name: what it calls the function; None where it does not. definitions: what is made
    on the way, as in language/script.py. expression: with the intermediate results in it, which `lets` has by name.
    rows: the derivatives asked for. points: those asked for; samples: to be drawn after them, None where none are.
    claims: one that cannot be read is a record already. notices: what there is to say before anything is evaluated;
    words: how that, and what comes later, calls the options.
    """

    text: str
    function_name: str | None
    definitions: Mapping[str, tuple[str, Expr]]
    expression: Expr
    lets: Mapping[str, Expr]
    variables: tuple[str, ...]
    rows: tuple[Derivative, ...]
    order: int
    modes: tuple[str, ...]
    dtype: Dtype
    device: Device
    tolerance: Tolerance
    claim_tolerance: Tolerance
    strict: bool
    points: Points
    samples: Samples | None
    expected: Expected
    claims: tuple[ClaimedDerivative | Claim, ...]
    notices: tuple[str, ...]
    wanted: Wanted
    words: Words

    @property
    def result_name(self) -> str:
        """What the function is called, as in every report."""
        return self.function_name or free_name(
            {*self.variables, *(label.partition("(")[0] for label in self.definitions)}
        )


def make_plan(request: Request, reading: Reading | None = None) -> Plan:
    """The plan of a request. reading: of the same, where it has been read already. Raises GradcheckError."""
    if reading is None:
        with phase("parsing"):
            reading = read(request)
    request = reading.request
    dtype = _choice(DTYPES, request.dtype, "dtype")
    modes = _choice(MODES, request.mode, "mode")
    tolerance = _tolerance(request, dtype)
    device = resolve_device(request.device)
    points = reading.points
    claims = tuple(
        unreadable(claim, request.words)
        if isinstance(claim, Unreadable)
        else ClaimedDerivative(claim, reading.expression, points.others)
        for claim in reading.claims
    )
    expected = Expected(request.expectation, reading.rows, modes, tolerance, dtype)
    expected.require_claims([claim.derivative for claim in claims])
    underflows = _underflows(reading.expression, dtype)
    return Plan(
        text=request.expression.strip(),
        function_name=reading.function_name,
        definitions=reading.definitions,
        expression=reading.expression,
        lets=reading.lets,
        variables=reading.variables,
        rows=reading.rows,
        order=request.order,
        modes=modes,
        dtype=dtype,
        device=device,
        tolerance=tolerance,
        claim_tolerance=Tolerance(request.claim_rtol, tolerance.atol),
        strict=request.strict,
        points=points,
        samples=_samples(request, points, reading.variables),
        expected=expected,
        claims=claims,
        notices=(*reading.notices, *underflows, *points.notices, *_beside(points, request.words)),
        wanted=Wanted(request.derivatives, request.formula, request.keep),
        words=request.words,
    )


def _choice(table: Mapping[str, T], name: str, what: str) -> T:
    if name not in table:
        raise UsageError(Option(what, name), f": there are {', '.join(table)}")
    return table[name]


def _tolerance(request: Request, dtype: Dtype) -> Tolerance:
    rtol = dtype.rtol if request.rtol is None else request.rtol
    atol = dtype.atol if request.atol is None else request.atol
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not 0 <= value < float("inf"):
            raise UsageError(Option(name), f" is a number from 0, not {value}")
    return Tolerance(rtol, atol)


def _beside(points: Points, words: Words) -> list[str]:
    """What to say of values for what the function does not depend on."""
    if not points.others:
        return []
    names = " and ".join(points.others)
    count = "its value counts" if len(points.others) == 1 else "their values count"
    return [f"the function does not depend on {names}: {count} in {words(Option('claim'))} alone"]


def _underflows(expression: Expr, dtype: Dtype) -> list[str]:
    """What to say of constants that the working dtype has 0 for. Raises UsageError where one overflows."""
    said = []
    for node in topological(expression):
        if isinstance(node, Constant):
            rounded = rounded_constant(node, dtype)
            if rounded in (float("inf"), float("-inf")):
                raise UsageError(
                    f"{_number(node)} overflows {dtype.name}, whose largest number is {exact(dtype.max, dtype)}"
                )
            if not rounded and node.value:
                said.append(f"{_number(node)} underflows to 0 in {dtype.name}")
    return said


def _number(node: Constant) -> str:
    return node.value if isinstance(node.value, str) else exact(float(node.value))


def _samples(request: Request, points: Points, variables: Sequence[str]) -> Samples | None:
    if points.counted or (request.samples is None and request.at):
        if request.names("ranges") and points.counted:
            even = " is where to sample, but the points of ", Option("at"), " are evenly spaced: leave one of them out"
            raise UsageError(Option("range"), *even)
        if request.names("ranges"):
            needs = " is where to sample: give ", Option("samples", "N"), " as well, or leave out ", Option("at")
            raise UsageError(Option("range"), *needs)
        return None
    count = DEFAULT_COUNT if request.samples is None else request.samples
    passed_over = set(points.optional)
    ranges = read_ranges(request.ranges)
    if not request.names("ranges"):
        passed_over |= {name for name in ranges if name is not None and name not in variables}
    return Samples(count, request.seed, {name: one for name, one in ranges.items() if name not in passed_over})
