"""What a problem file expects of code, held against its blocks.

An expectation is of the verdict of the whole, which is its worst, or of the blocks of one input or one mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gradcheck_cli.errors import UsageError
from gradcheck_cli.real_code.tally import passes
from gradcheck_cli.records.code import Block, CodeResult
from gradcheck_cli.records.results import Verdict


def with_expectations(result: CodeResult, wanted: Mapping[str, tuple[Verdict, ...]], *, strict: bool) -> CodeResult:
    """wanted: input, mode or "" -> the verdicts that pass, and only they. Raises UsageError for other keys."""
    if not wanted or result.bad_input or result.bug:
        return result
    if result.error is not None and (not result.blocks or list(wanted) == [""]):
        return replace(result, passed=Verdict.ERROR in wanted.get("", ()))
    outcomes: dict[str, bool] = {}
    notices, unexpected = [], []
    for key, verdicts in wanted.items():
        mine = [block for block in result.blocks if key in _keys(block)]
        if not mine and result.blocks:
            known = ", ".join(dict.fromkeys(one for block in result.blocks for one in _keys(block) if one))
            raise UsageError(f"expect: {key} is not checked here; there is {known}")
        verdict = Verdict.worst(block.verdict for block in mine) if mine else result.verdict
        outcomes[key] = verdict in verdicts
        if not outcomes[key]:
            unexpected.append(verdict)
            names = " or ".join(one.value for one in verdicts)
            notices.append(f"expected{f' of {key}' if key else ''}: {names}; it is {verdict.value}")
    blocks = tuple(_judged(block, outcomes) for block in result.blocks)
    passed = {(block.output, block.input, block.mode) for block in blocks if block.passed}
    checks = tuple(
        replace(entry, passed=entry.passed or (_output(entry.output), _input(entry.wrt), entry.mode) in passed)
        for entry in result.checks
    )
    return replace(
        result,
        passed=all(outcomes.values()) and all(block.passed for block in blocks),
        blocks=blocks,
        checks=checks,
        checks_failed=sum(
            count for block in blocks if not block.passed
            for verdict, count in block.counts.items() if not passes(verdict, strict=strict)
        ),
        notices=(*result.notices, *notices),
        unexpected=Verdict.worst(unexpected) if unexpected else None,
    )  # fmt: skip


def _keys(block: Block) -> tuple[str, ...]:
    return "", block.input, block.mode


def _judged(block: Block, outcomes: Mapping[str, bool]) -> Block:
    found = [outcomes[key] for key in _keys(block) if key in outcomes]
    return replace(block, passed=True) if found and all(found) else block


def _output(label: str) -> str:
    """The output of an entry: `out` of `out[2]`, and of `out · cotangent 1`."""
    return label.partition("[")[0].partition(" ")[0]


def _input(wrt: tuple[str, ...]) -> str:
    return wrt[0].rpartition("[")[0] or wrt[0]
