"""The parts of a result of code as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from gradcheck_cli.records.code import Block, CodeResult, Entry
from gradcheck_cli.records.results import Verdict

Json = dict[str, object]


def fields(result: CodeResult) -> Json:
    """What code has and a formula has not."""
    return {
        "subject": result.subject,
        "expression": result.expression,
        "lets": dict(result.lets),
        "place": result.place,
        "source": result.source,
        "sources": None if result.sources is None else dict(result.sources),
        "inputs": [asdict(given) for given in result.inputs],
        "operations": result.operations,
        "findings": [{**asdict(finding), "cause": finding.cause.value} for finding in result.findings],
        "wrong_numbers": result.wrong_numbers,
        "unexpected": None if result.unexpected is None else result.unexpected.value,
        "held": [asdict(held) for held in result.held],
        "values": [asdict(value) for value in result.values],
        "blocks": [block(found) for found in result.blocks],
        "checks": [entry(check) for check in result.checks],
    }


def block(found: Block) -> Json:
    return {
        "output": found.output,
        "input": found.input,
        "mode": found.mode,
        "shape": {"output": list(found.shape[0]), "input": list(found.shape[1])},
        "entries": found.entries,
        "counts": {verdict.value: found.counts.get(verdict, 0) for verdict in Verdict},
        "worst": found.worst,
        "cotangents": found.cotangents,
        "analytical": nested(found.analytical, found.shape[0] + found.shape[1]),
        "autograd": nested(found.autograd, found.shape[0] + found.shape[1]),
        "verdict": found.verdict.value,
        "passed": found.passed,
    }


def nested(numbers: Sequence[float | None] | None, shape: tuple[int, ...]) -> object:
    """An array as nested lists; None where its numbers were not asked for."""
    if numbers is None or not shape:
        return numbers if numbers is None else numbers[0]
    if len(shape) == 1:
        return list(numbers)
    size = len(numbers) // shape[0] if shape[0] else 0
    return [nested(numbers[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0])]


def entry(check: Entry) -> Json:
    """One entry of a Jacobian."""
    return {
        "output": check.output,
        "wrt": list(check.wrt),
        "mode": check.mode,
        "at": check.at,
        "analytical": check.analytical,
        "autograd": check.autograd,
        "left": check.left,
        "right": check.right,
        "abs_error": check.abs_error,
        "rel_error": check.rel_error,
        "ulps": check.ulps,
        "scale": check.scale,
        "verdict": check.verdict.value,
        "passed": check.passed,
        "note": check.note,
    }
