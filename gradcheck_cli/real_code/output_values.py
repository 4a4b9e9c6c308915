"""What the function returned, against what was recorded, evaluated exactly."""

from __future__ import annotations

import numpy as np

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.real_code.judge import CODE, VERDICTS
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.real_code.subject import Output
from gradcheck_cli.records.code import ValueBlock
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.tensors import numbers


def judge_values(truths: Truths, elements: Elements, output: Output, dtype: Dtype, kept: int = 0) -> ValueBlock:
    """dtype: the narrowest on the way. kept: elements up to which the record has the numbers."""
    real, unexplained = numbers(output.tensor).reshape(-1), 0.0
    value, radius = truths.values.value[elements], truths.values.radius[elements]
    with np.errstate(all="ignore"):
        off = np.abs(real - value)
        codes = np.where(off + radius <= dtype.rtol * np.abs(value), CODE[Verdict.MATCH], -1)
        codes = np.where(
            (codes < 0) & ((real == value) | (np.isnan(real) & np.isnan(value))), CODE[Verdict.MATCH], codes
        )
        if (codes < 0).any():
            middle, reach = truths.value_enclosure(elements)
            explained = ~(np.abs(real - middle) > reach + 16 * dtype.unit_roundoff)
            small = off <= dtype.atol + dtype.rtol * np.max(np.abs(value), initial=0.0, where=np.isfinite(value))
            verdict = np.where(
                explained, np.where(small, CODE[Verdict.IMPRECISE], CODE[Verdict.UNSTABLE]), CODE[Verdict.MISMATCH]
            )
            wrong = np.where((codes < 0) & ~explained & np.isfinite(off), off, 0.0).max()
            unexplained = float(wrong / max(np.max(np.abs(value), initial=0.0, where=np.isfinite(value)), 1e-300))
            codes = np.where(codes < 0, verdict, codes)
        relative = np.where(off == 0, 0.0, off / np.abs(value))
    shape, name = tuple(output.tensor.shape), str(output.tensor.dtype).removeprefix("torch.")
    worst = float(np.nanmax(relative)) if relative.size and not np.isnan(relative).all() else None
    returned = tuple(real.tolist()) if real.size <= kept else None
    return ValueBlock(output.name, shape, name, VERDICTS[codes.max(initial=0)], worst, unexplained, returned)
