"""What was done wrong: the table of known mistakes, each verified on every wrong entry, here and at other inputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck_cli.real_code.causes import factors, indices, terms, values
from gradcheck_cli.real_code.causes.again import changed
from gradcheck_cli.real_code.causes.guess import Guess, Pattern
from gradcheck_cli.real_code.causes.samples import Code, Pair, Sample
from gradcheck_cli.records.code import Cause, CodeFinding

PATTERNS: tuple[Pattern, ...] = (
    indices.one_summand,
    values.passed_on,
    values.zero,
    factors.constant,
    indices.another,
    indices.moved,
    values.not_zero,
    values.reshaped,
    factors.named,
    terms.offset,
    terms.missing,
    values.at_other_numbers,
    indices.transposed_jacobian,
    factors.along,
)
"""The likeliest first: of what holds, the first is said."""
FEW = 3
"""Wrong entries that a pattern needs, where the code runs at no other inputs."""


def mistakes(code: Code) -> Iterator[CodeFinding]:
    """What is wrong with the gradient by each argument, where it is a known mistake."""
    found = _wrong_sample(code)
    if found is None:
        return
    spoilt = list(changed(found.code)) or list(_ignored_cotangents(found))
    if spoilt:
        yield from spoilt
        return
    others = list(found.code.elsewhere())
    is_constant = not any(pair.truth.any() for pair in found.pairs())  # but for its steps, as a quantiser is
    for pair in found.pairs():
        if not pair.wrong.any():
            continue
        beside = [there for other in others if (there := other.pair(pair.output, pair.argument)).wrong.any()]
        if (guess := _explanation(pair, beside)) is not None:
            texts = dict(guess.texts)
            if len(found.outputs) > 1:
                texts.setdefault("output", found.output_names[pair.output])
            if found.code.function is not None and is_constant and not found.code.asked.surrogate:
                texts["surrogate"] = found.code.function.__name__
            yield CodeFinding(guess.cause, argument=pair.name, numbers=guess.numbers, texts=texts)


def _wrong_sample(code: Code) -> Sample | None:
    """At the inputs given: in float64 if entries are wrong there too."""
    known = None
    for one in (code.in_double(), code):
        sample = one.here() if one.is_exact_enough else None
        if sample is not None and any(pair.wrong.any() for pair in sample.pairs()):
            return sample
        known = known or sample
    return known


def _ignored_cotangents(sample: Sample) -> Iterator[CodeFinding]:
    """A backward that gives the same for twice the cotangent, or something else than twice as much."""
    for pair in sample.pairs():
        rows = np.flatnonzero((pair.autograd != 0).any(axis=1) & np.isfinite(pair.autograd).all(axis=1))[:1]
        if sample.code.mode != "reverse" or not len(rows):
            continue
        doubled = sample.with_cotangent(pair, int(rows[0]), 2.0)
        once = pair.autograd[rows[0]]
        if np.allclose(doubled, 2 * once, rtol=sample.code.digits, atol=sample.code.digits * pair.scale):
            continue
        same = np.allclose(doubled, once, rtol=sample.code.digits, atol=sample.code.digits * pair.scale)
        yield CodeFinding(Cause.COTANGENT, argument=pair.name, texts={"how": "ignored" if same else "not linear"})


def _explanation(pair: Pair, others: list[Pair]) -> Guess | None:
    if not others and pair.wrong.sum() < FEW:
        return None
    for pattern in PATTERNS:
        for guess in pattern(pair):
            if all(map(guess.explains, (pair, *others))):
                return guess
    return None
