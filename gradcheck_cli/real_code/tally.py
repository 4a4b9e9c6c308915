"""The counts of a block of the Jacobian, and the entries of it that are listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.real_code.judge import CODE, VERDICTS, Column, Detail, Judged
from gradcheck_cli.real_code.subject import Output
from gradcheck_cli.records.code import Block, Entry
from gradcheck_cli.records.results import MOST_ROWS, Verdict
from gradcheck_cli.verdict import errors

Floats = NDArray[np.float64]
LISTED = 20
"""Entries of a block that are listed although they match."""


class Tally:
    """The counts of a block, while it comes in rows. keeps: whether its numbers are wanted as well."""

    def __init__(self, column: Column, *, keeps: bool = False) -> None:
        self.column, self.counts = column, Counter[Verdict]()
        self.worst: float | None = None
        self.numbers: tuple[list[float | None], list[float | None]] | None = ([], []) if keeps else None

    def add(self, judged: Judged, autograd: Floats) -> None:
        for code, count in zip(*np.unique(judged.codes, return_counts=True), strict=True):
            self.counts[VERDICTS[code]] += int(count)
        wrong = np.isin(judged.codes, [CODE[Verdict.MISMATCH], CODE[Verdict.UNSTABLE]])
        comparable = (judged.codes == CODE[Verdict.MATCH]) | wrong
        if comparable.any():
            relative = np.where(comparable & (judged.truth != 0), _relative(judged, autograd), 0.0)
            relative = np.where(wrong & ((judged.truth == 0) | ~np.isfinite(autograd)), np.inf, relative)
            self.worst = max(self.worst or 0.0, float(relative.max()))
        if self.numbers is not None:
            for (row, place), truth in np.ndenumerate(judged.truth):
                exists = judged.details.get((row, place), Detail()).has_value
                self.numbers[0].append(_rounded(float(truth), self.column.dtype) if exists else None)
            self.numbers[1].extend(autograd.reshape(-1).tolist())

    def block(self, output: Output, shape: tuple[int, ...], mode: str, strict: bool, cotangents: str) -> Block:
        verdict = Verdict.worst(self.counts) if self.counts else Verdict.MATCH
        return Block(
            output.name, self.column.name, mode, (tuple(output.tensor.shape), shape), verdict,
            verdict is Verdict.MATCH if strict else all(v.passes for v in self.counts), dict(self.counts), self.worst,
            cotangents, *(map(tuple, self.numbers) if self.numbers is not None and cotangents == "one-hot" else ()),
        )  # fmt: skip


def listed(
    labels: Sequence[str], column: Column, judged: Judged, autograd: Floats, mode: str, *, strict: bool
) -> Iterator[Entry]:
    """What did not match, and the worst of what did. labels: of the rows."""
    odd = judged.codes != CODE[Verdict.MATCH]
    chosen = np.argwhere(odd)[:MOST_ROWS]
    if len(chosen) < LISTED:
        worst = np.argsort(-_relative(judged, autograd), axis=None)[:LISTED]
        more = np.stack(np.unravel_index(worst, odd.shape), axis=1)
        chosen = np.concatenate([chosen, [place for place in more if not odd[tuple(place)]] or np.zeros((0, 2), int)])
    names, scale = column.names, judged.scale
    for row, place in chosen.tolist():
        detail = judged.details.get((row, place), Detail())
        verdict = VERDICTS[judged.codes[row, place]]
        truth = float(judged.truth[row, place]) if detail.has_value else None
        truth = None if truth is None else _rounded(truth, column.dtype)
        number = float(autograd[row, place])
        off = errors(truth, number, column.dtype)
        yield Entry(
            labels[row], (names[place],), mode, verdict, passes(verdict, strict=strict), truth, number,
            detail.left, detail.right, off.absolute, off.relative, off.ulps, float(scale[row]), detail.note,
        )  # fmt: skip


def _rounded(truth: float, dtype: Dtype) -> float:
    return dtype.round(truth) if np.isfinite(truth) else truth


def passes(verdict: Verdict, *, strict: bool) -> bool:
    return verdict is Verdict.MATCH if strict else verdict.passes


def _relative(judged: Judged, autograd: Floats) -> Floats:
    with np.errstate(all="ignore"):
        off = np.abs(autograd - judged.truth)
        relative = np.where(off == 0, 0.0, off / np.abs(judged.truth))
    return np.where(np.isnan(relative), 0.0, relative)
