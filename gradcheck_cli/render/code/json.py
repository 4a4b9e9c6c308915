"""The parts of a result of code as plain data."""

from __future__ import annotations

from dataclasses import asdict

from gradcheck_cli.records.code import Block, CodeResult, Entry
from gradcheck_cli.records.results import Verdict

Json = dict[str, object]


def fields(result: CodeResult) -> Json:
    """What code has and a formula has not."""
    return {
        "subject": result.subject,
        "place": result.place,
        "inputs": [asdict(given) for given in result.inputs],
        "operations": result.operations,
        "findings": [{**asdict(finding), "cause": finding.cause.value} for finding in result.findings],
        "held": [asdict(held) for held in result.held],
        "values": [asdict(value) for value in result.values],
        "blocks": [_block(block) for block in result.blocks],
        "checks": [entry(check) for check in result.checks],
    }


def _block(block: Block) -> Json:
    return {
        "output": block.output,
        "input": block.input,
        "mode": block.mode,
        "shape": {"output": list(block.shape[0]), "input": list(block.shape[1])},
        "entries": block.entries,
        "counts": {verdict.value: block.counts.get(verdict, 0) for verdict in Verdict},
        "worst": block.worst,
        "cotangents": block.cotangents,
        "verdict": block.verdict.value,
        "passed": block.passed,
    }


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
