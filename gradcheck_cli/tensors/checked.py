"""A formula of arrays that has been read, checked: the gradient or Jacobian, the Hessian, and the claims."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from gradcheck_cli.errors import UsageError
from gradcheck_cli.picturing.matrix import with_matrices
from gradcheck_cli.real_code.asked import MODES, Asked, Options
from gradcheck_cli.real_code.check import check_asked
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.surfaces import Option
from gradcheck_cli.tensors.claims import judged_claims
from gradcheck_cli.tensors.expected import with_expectations
from gradcheck_cli.tensors.question import Question
from gradcheck_cli.tensors.running import Formula, arguments

KEPT = 10_000
"""Entries of a Jacobian up to which the record has all its numbers."""


def check_question(question: Question) -> CodeResult:
    """Its record, without a chain rule. Raises UsageError for what cannot be asked of it."""
    started = time.perf_counter()
    request = question.request
    order = request.order
    if order > 2:
        raise UsageError(Option("order", str(order)), ": of arrays, the orders are 1 and 2")
    shape = tuple(question.value.shape)
    if order == 2 and question.value.numel() != 1:
        sized = "x".join(map(str, shape))
        raise UsageError(
            Option("order", "2"), f" is the Hessian of a function with one value, and {question.name} is {sized}: "
            f"take an element or sum({question.name})"
        )  # fmt: skip
    asked = Asked(
        Formula(question), (), arguments(question), wrt=[w.name for w in question.wanted], seed=request.seed,
        order=order, grad_outputs=None if order == 1 else [torch.ones(shape, dtype=question.dtype)],
        by_cotangents=False,
    )  # fmt: skip
    options = Options(MODES[request.mode], request.rtol, request.atol, request.strict, constant=True, arrays=KEPT)
    result = check_asked(asked, options)
    result = _named(result, question)
    claims = judged_claims(question, order) if request.claims and result.error is None else ()
    result = replace(result, claims=claims)
    if request.picture:
        result = with_matrices(result)
    result = with_expectations(result, request)
    passed = result.passed and all(claim.passed for claim in result.claims)
    return replace(
        result, passed=passed, seconds=time.perf_counter() - started,
        bad_input=result.bad_input or any(claim.status.value == "unreadable" for claim in claims),
        notices=(*question.notices, *result.notices, *(_symmetry(result) if order == 2 else ())),
        expression=request.expression.strip(), formula=question.formula, lets=question.definitions, source="",
    )  # fmt: skip


def _named(result: CodeResult, question: Question) -> CodeResult:
    """The result in the terms of the formula: its name for what it gives."""
    name = question.name
    error = result.error and result.error.removeprefix(f"{result.subject} ({result.place}): ")
    if error == "no output requires grad":
        error = f"{name} depends on nothing that it is differentiated by: all its derivatives are 0"
    if result.order == 1:
        names = {"out": name}
    else:
        names = {f"grad_{w.name}": f"∂{name}/∂{w.name}" for w in question.wanted}
    return replace(
        result, subject=name, place="", error=error,
        blocks=tuple(replace(block, output=_renamed(block.output, names)) for block in result.blocks),
        checks=tuple(replace(entry, output=_renamed(entry.output, names)) for entry in result.checks),
        values=tuple(replace(value, output=_renamed(value.output, names)) for value in result.values),
    )  # fmt: skip


def _renamed(output: str, names: Mapping[str, str]) -> str:
    """`out[2]` -> `f[2]`."""
    stem = next((old for old in names if output == old or output.startswith(f"{old}[")), None)
    return output if stem is None else names[stem] + output[len(stem) :]


def _symmetry(result: CodeResult) -> list[str]:
    """Whether autograd's Hessian is symmetric, as the true one is."""
    if not result.blocks:
        return []
    blocks = [b for b in result.blocks if b.mode == result.blocks[0].mode]
    outputs, inputs = (list(dict.fromkeys(names)) for names in zip(*((b.output, b.input) for b in blocks), strict=True))
    by_pair = {(b.output, b.input): b for b in blocks}
    rows = []
    for output in outputs:
        row = []
        for given in inputs:
            block = by_pair[output, given]
            if block.autograd is None:
                return []
            numbers = np.array([np.nan if x is None else x for x in block.autograd])
            row.append(numbers.reshape(math.prod(block.shape[0]), math.prod(block.shape[1])))
        rows.append(row)
    hessian = np.block(rows)
    with np.errstate(invalid="ignore"):
        worst = float(np.abs(hessian - hessian.T).max())
    if not worst < np.inf:
        return []
    if worst == 0:
        return ["autograd's Hessian is symmetric"]
    is_rounding = worst <= 1e-3 * float(np.abs(hessian).max())
    said = "symmetric but for rounding" if is_rounding else "not symmetric"
    return [f"autograd's Hessian is {said}: its halves differ by up to {worst:.2g}"]
