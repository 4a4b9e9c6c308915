"""What is expected of a formula of arrays, held against its record: verdicts, numbers entry by entry, claims."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gradcheck_cli.checking.expectations import claim_as_expected, expected_number, require_claims
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import UsageError
from gradcheck_cli.number_text import brief
from gradcheck_cli.records.code import Block, CodeResult
from gradcheck_cli.records.request import Request
from gradcheck_cli.render.plain import counted
from gradcheck_cli.surfaces import Option
from gradcheck_cli.user_code.expected import with_expectations as with_verdicts
from gradcheck_cli.verdict import Tolerance

NAMED = 3
"""Wrong numbers that are told one by one."""


def with_expectations(result: CodeResult, request: Request) -> CodeResult:
    """The record with what was expected of it.

    Raises UsageError for names that the problem does not have, and for numbers that are too many or too few.
    """
    expected = request.expectation
    require_claims(expected.claims, [claim.derivative for claim in result.claims])
    result = with_verdicts(result, expected.verdicts, strict=request.strict)
    if result.error is not None and not result.blocks:
        return result
    dtype = DTYPES[request.dtype]
    tolerance = Tolerance(
        dtype.rtol if request.rtol is None else request.rtol, dtype.atol if request.atol is None else request.atol
    )
    wrong = [
        *_wrong_entries(
            result, {key: _numbers("gradient", texts) for key, texts in expected.gradient.items()}, tolerance
        ),
        *_wrong_values(result, _numbers("value", expected.value), tolerance),
    ]
    claims = tuple(claim_as_expected(claim, expected.claims) for claim in result.claims)
    return replace(
        result,
        claims=claims,
        passed=result.passed and not wrong,
        wrong_numbers=len(wrong),
        notices=(*result.notices, *_told(wrong)),
    )


def _numbers(what: str, texts: Sequence[str]) -> list[float]:
    return [expected_number(what, text) for text in texts]


def _wrong_entries(result: CodeResult, expected: dict[str, list[float]], tolerance: Tolerance) -> Iterator[str]:
    if expected and result.order > 1:
        raise UsageError(Option("gradient"), ": of arrays, it is compared in order 1")
    blocks = {block.input: block for block in result.blocks}
    for key, numbers in expected.items():
        if not key and len(blocks) > 1:
            raise UsageError(
                Option("gradient"), f": there are several derivatives, so say which is which, by {', '.join(blocks)}"
            )
        block = blocks.get(key) if key else next(iter(blocks.values()))
        if block is None:
            raise UsageError(Option("gradient"), f": {key} is not checked here; there is {', '.join(blocks)}")
        truths = block.analytical or ()
        _require_as_many(Option("gradient"), f"the derivative by {block.input}", numbers, len(truths))
        for name, number, truth in zip(_entries(block), numbers, truths, strict=True):
            if truth is None:
                yield f"{name} is expected to be {brief(number)}, and has no certified value"
            elif not tolerance.allows(number, truth):
                yield f"{name} is expected to be {brief(number)}, and is {brief(truth)}"


def _wrong_values(result: CodeResult, numbers: list[float], tolerance: Tolerance) -> Iterator[str]:
    if not numbers:
        return
    if result.order > 1:
        raise UsageError(Option("value"), ": of arrays, it is compared in order 1")
    value = result.values[0]
    _require_as_many(Option("value"), value.output, numbers, len(value.numbers or ()))
    for name, number, found in zip(_names(value.output, value.shape), numbers, value.numbers or (), strict=True):
        if not tolerance.allows(number, found):
            yield f"{name} is expected to be {brief(number)}, and is {brief(found)}"


def _require_as_many(this: Option, what: str, numbers: Sequence[float], entries: int) -> None:
    if len(numbers) != entries:
        given = f"{len(numbers)} {'number' if len(numbers) == 1 else 'numbers'}"
        has = f"{entries} {'entry' if entries == 1 else 'entries'}"
        raise UsageError(this, f": {given} for {what}, which has {has}")


def _entries(block: Block) -> Iterator[str]:
    """`∂f/∂x[1]`, row by row."""
    outputs, inputs = _names(block.output, block.shape[0]), list(_names(block.input, block.shape[1]))
    return (f"∂{output}/∂{place}" for output in outputs for place in inputs)


def _names(name: str, shape: Sequence[int]) -> Iterator[str]:
    """`W[0,1]`, row by row; of a number its name alone."""
    for places in itertools.product(*map(range, shape)):
        yield f"{name}[{','.join(map(str, places))}]" if places else name


def _told(wrong: Sequence[str]) -> Iterator[str]:
    yield from wrong[:NAMED]
    if (more := len(wrong) - NAMED) > 0:
        yield f"and {counted(more, 'more expected number')}: wrong"
