"""NaN that comes from the zeros of a one-hot cotangent alone: 0 times an infinite local derivative."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck_cli.real_code.checked import Check
from gradcheck_cli.records.code import CodeResult, Entry
from gradcheck_cli.records.results import Verdict

MOST = 32
"""Elements of the inputs that are looked at."""


def with_notes(result: CodeResult, check: Check) -> CodeResult:
    """The result, whose entries that are NaN for that reason say so: `a loss that ignores out[1] gets NaN at x[0]`."""
    odd = [one for one in result.checks if _is_nan(one)]
    names = list(dict.fromkeys(one.wrt for one in odd))[:MOST]
    notes = dict(_notes(names, result, check))
    if not notes:
        return result
    checks = (replace(one, note=notes.get(one.wrt, one.note)) if _is_nan(one) else one for one in result.checks)
    return replace(result, checks=tuple(checks))


def _is_nan(entry: Entry) -> bool:
    return (
        entry.mode == "reverse"
        and entry.verdict is Verdict.MISMATCH
        and entry.autograd is not None
        and math.isnan(entry.autograd)
    )


def _notes(names: list[tuple[str, ...]], result: CodeResult, check: Check) -> Iterator[tuple[tuple[str, ...], str]]:
    columns: dict[tuple[str, ...], int] = {}
    first = 0
    for given in check.tape.inputs:
        columns.update({(given.label(k),): first + k for k in range(given.elements.size)})
        first += given.elements.size
    for name in names:
        for other in result.checks:
            if other.wrt == name and _has_no_finite_truth(other):
                where = element_of(other.output, check)
                if where is not None and _is_by_zeros(check, *where, columns[name]):
                    yield name, f"a loss that ignores {other.output} gets NaN at {name[0]}"
                    break


def _has_no_finite_truth(entry: Entry) -> bool:
    return entry.mode == "reverse" and (entry.analytical is None or not math.isfinite(entry.analytical))


def element_of(label: str, check: Check) -> tuple[int, int] | None:
    """(output, row) of an element by its label."""
    for k, output in enumerate(check.reverse.outputs):
        if label.partition("[")[0] == output.name:
            rows = (row for row in range(output.tensor.numel()) if output.label(row) == label)
            if (row := next(rows, None)) is not None:
                return k, row
    return None


def _is_by_zeros(check: Check, output: int, row: int, column: int) -> bool:
    """Whether autograd has NaN there if the cotangent of one element is 0, and not if it is 1 like all others."""
    weights = np.ones((1, check.reverse.outputs[output].tensor.numel()))
    everything = check.reverse.combined(output, weights)[0, column]
    weights[0, row] = 0.0
    return bool(np.isnan(check.reverse.combined(output, weights)[0, column]) and not np.isnan(everything))
