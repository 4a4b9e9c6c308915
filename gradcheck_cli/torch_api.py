"""`gradcheck` and `gradgradcheck` with the signatures of torch.autograd's, so that a test suite changes one import."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.errors import ForUsers, GradcheckError, frames_of_others
from gradcheck_cli.python_arguments import with_its_arguments
from gradcheck_cli.real_code.asked import Asked, Options
from gradcheck_cli.real_code.causes.explain import explained
from gradcheck_cli.real_code.checked import checked
from gradcheck_cli.real_code.side import Forward, Reverse
from gradcheck_cli.real_code.subject import NoCheckOfThis, UserError
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.runtime.one_at_a_time import one_at_a_time
from gradcheck_cli.tracing.surrogates import Surrogates
from gradcheck_cli.tracing.tensors import numbers


class GradientMismatch(ForUsers, RuntimeError, AssertionError):
    """A gradient is wrong, or could not be checked. Its text is the report; result: the record, where there is one."""

    __module__ = "gradcheck_cli"  # where it is imported from, and what a traceback calls it

    def __init__(self, text: str, result: AnyResult | None = None) -> None:
        super().__init__(text)
        self.result = result


@with_its_arguments
@one_at_a_time
def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float | None = None, rtol: float | None = None,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False,
    masked: bool | None = None, surrogate: Surrogates | None = None,
) -> bool:  # fmt: skip
    """Whether the gradients of `func` at `inputs` are right, by all inputs that require grad.

    As torch.autograd.gradcheck, but against the exact derivative of what `func` computes. Where `atol` and `rtol` are
    not given, they follow the dtype; `atol` is for derivatives that are 0, and for what rounding explains. `eps` and
    `masked` are taken and do nothing: nothing is perturbed. `fast_mode` compares the products with three random
    cotangents, for every element of the inputs, instead of each entry.
    `surrogate` is not in torch: `surrogate={Round: lambda x: x}` says whose derivative an autograd.Function is meant to
    have.
    Raises GradientMismatch, or returns False where `raise_exception` is False; of complex and sparse inputs, which
    are not checked, GradcheckError in either case.
    """
    __tracebackhide__ = True
    modes = ("reverse",) * check_backward_ad + ("forward",) * check_forward_ad
    if not modes:
        raise ValueError("gradcheck needs check_backward_ad or check_forward_ad")
    if check_batched_grad and not check_backward_ad:
        raise ValueError("check_batched_grad=True needs check_backward_ad=True")
    if check_batched_forward_grad and not check_forward_ad:
        raise ValueError("check_batched_forward_grad=True needs check_forward_ad=True")
    return _check(
        func, _inputs(inputs), raise_exception, nondet_tol, order=1, atol=atol, rtol=rtol, modes=modes,
        fast=fast_mode, undefined=check_undefined_grad and check_backward_ad, dtypes=check_grad_dtypes,
        batched=check_batched_grad, batched_forward=check_batched_forward_grad, surrogate=surrogate,
    )  # fmt: skip


@with_its_arguments
@one_at_a_time
def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float | None = None,
    rtol: float | None = None, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
    nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
    fast_mode: bool = False, masked: bool = False, surrogate: Surrogates | None = None,
) -> bool:  # fmt: skip
    """Whether the gradients of the gradients are right: by the inputs, and by the cotangents of the outputs.

    As torch.autograd.gradgradcheck, against the exact second derivative of what `func` computes. `grad_outputs`: the
    cotangents; random ones where they are not given. The other arguments are those of `gradcheck`;
    `gen_non_contig_grad_outputs` does nothing, since numbers are compared.
    """
    __tracebackhide__ = True
    modes = ("reverse",) * check_rev_over_rev + ("forward",) * check_fwd_over_rev
    cotangents = None if grad_outputs is None else _inputs(grad_outputs)
    return _check(
        func, _inputs(inputs), raise_exception, nondet_tol, order=2, atol=atol, rtol=rtol, modes=modes, fast=fast_mode,
        dtypes=check_grad_dtypes, batched=check_batched_grad, cotangents=cotangents, surrogate=surrogate,
    )  # fmt: skip


def _inputs(inputs: Any) -> tuple[Any, ...]:
    __tracebackhide__ = True
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if not any(isinstance(x, Tensor) and x.requires_grad for x in _flat(given)):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True"
        )
    return given


def _flat(inputs: Sequence[Any]) -> list[Any]:
    from torch.utils._pytree import tree_leaves

    return tree_leaves(list(inputs))


def _check(
    func: Callable[..., Any], inputs: tuple[Any, ...], raises: bool, nondet_tol: float, *, order: int,
    atol: float | None, rtol: float | None, modes: tuple[str, ...], fast: bool = False, undefined: bool = False,
    dtypes: bool = False, batched: bool = False, batched_forward: bool = False, cotangents: Any = None,
    surrogate: Surrogates | None = None,
) -> bool:  # fmt: skip
    __tracebackhide__ = True
    result = None
    try:
        asked = Asked(func, inputs, everything=False, order=order, grad_outputs=cotangents, surrogate=surrogate)
        random = "random" if fast else "auto"
        options = Options(modes, rtol, atol, cotangents=random, nondet_tol=nondet_tol, constant=True)
        result, check = checked(asked, asked.subject(), options)
        if raises:
            result = explained(result, check, asked, options)
        problem = None if result.passed or _has_nothing_to_check(result) else _report(result)
        if problem is None and order == 1 and "reverse" in modes:
            problem = _other_checks(check.reverse, nondet_tol, undefined, dtypes, batched)
        if problem is None and order == 1 and batched_forward:
            problem = _batched_forward(check.reverse)
    except UserError as error:
        if not raises:
            return False
        cause = error.__cause__ or error
        raise cause.with_traceback(frames_of_others(cause.__traceback__)) from None
    except NoCheckOfThis:
        raise
    except GradcheckError as error:
        problem = str(error)
    if problem is None:
        return True
    if raises:
        raise GradientMismatch(problem, result)
    return False


def _report(result: CodeResult) -> str:
    """As on the command line, in plain text."""
    from gradcheck_cli.records.report import Report
    from gradcheck_cli.render.display import Display
    from gradcheck_cli.render.summary import summary_line
    from gradcheck_cli.render.table import render_table
    from gradcheck_cli.versions import versions

    report = Report((result,), versions())
    return (render_table(report, Display()) + summary_line(report, Display())).rstrip("\n")


def _has_nothing_to_check(result: CodeResult) -> bool:
    """No output depends on the inputs: that is right, not wrong."""
    return result.error is None and not result.blocks


def _other_checks(side: Reverse, nondet_tol: float, undefined: bool, dtypes: bool, batched: bool) -> str | None:
    """What torch's function checks beside the Jacobian. None: all is well."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        several = [k for k, output in enumerate(side.outputs) if output.tensor.requires_grad]
        if not several:
            return None
        trouble = _not_repeatable(side, several[0], nondet_tol)
        if trouble is None and undefined:
            trouble = _undefined(side, several, nondet_tol)
        if trouble is None and batched:
            trouble = _batched(side, several)
    if trouble is None and dtypes and side.troubles:
        trouble = side.troubles[0]
    return trouble


def _not_repeatable(side: Reverse, k: int, nondet_tol: float) -> str | None:
    weights = np.random.default_rng(0).standard_normal((1, side.outputs[k].tensor.numel()))
    first, second = side.combined(k, weights), side.combined(k, weights)
    off = float(np.nanmax(np.abs(first - second), initial=0.0)) if first.size else 0.0
    if off <= nondet_tol:
        return None
    return (
        f"the backward is not deterministic: run again with the same cotangent, it differs by {off:.3g}; does it change"
        " what it has saved, or draw random numbers? (set nondet_tol where that is meant)"
    )


def _undefined(side: Reverse, outputs: Sequence[int], nondet_tol: float) -> str | None:
    """A backward gets None for a cotangent where an output is not used: it must count as zeros."""
    drop = torch._C._functions.UndefinedGrad()
    for dropped in [list(outputs), *([k] for k in outputs if len(outputs) > 1)]:
        kept = [k for k in outputs if k not in dropped]
        tensors = [side.outputs[k].tensor for k in outputs]
        through: list[Any] = [drop(t) if k in dropped else t for k, t in zip(outputs, tensors, strict=True)]
        ones = [torch.ones_like(t) for t in tensors]
        zeros = [
            torch.ones_like(t) if k in kept else torch.zeros_like(t) for k, t in zip(outputs, tensors, strict=True)
        ]
        try:
            got = side.gradients(through, ones)
            want = side.gradients(tensors, zeros)
        except Exception as error:  # noqa: BLE001 - whatever the backward raises is what is reported
            return f"the backward does not take an undefined cotangent (None): {type(error).__name__}: {error}"
        for leaf, a, b in zip(side.subject.wanted, got, want, strict=True):
            if a is None and b is None:
                continue
            here, there = (np.zeros(tuple(leaf.tensor.shape)) if g is None else numbers(g) for g in (a, b))
            if not (here == there).all() and not np.allclose(here, there, rtol=1e-6, atol=nondet_tol, equal_nan=True):
                return f"with an undefined cotangent (None), the gradient of {leaf.name} is not that of zeros"
    return None


def _batched(side: Reverse, outputs: Sequence[int]) -> str | None:
    """The backward under vmap gives what it gives one by one."""
    for k in outputs:
        tensor = side.outputs[k].tensor
        rows = np.arange(min(tensor.numel(), 2))
        try:
            found = side.batch(k, rows)
        except Exception as error:  # noqa: BLE001 - whatever keeps the backward from being batched is what is reported
            return f"the backward cannot be batched by vmap: {type(error).__name__}: {error}"
        if not np.allclose(found, side.one_by_one(k, rows), equal_nan=True):
            return f"the backward of {side.outputs[k].name} gives other numbers when it is batched by vmap"
    return None


def _batched_forward(side: Reverse) -> str | None:
    """Dual numbers under vmap give what they give one by one."""
    subject, forward = side.subject, Forward(side.subject, side.outputs)
    bases, first = [x.detach() for x in subject.fresh()], 0
    for place, (leaf, base) in enumerate(zip(subject.wanted, bases, strict=True)):
        chunk = range(min(base.numel(), 2))
        try:
            found = forward.batch(bases, place, chunk)
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being batched is what is reported
            cause = error.__cause__ or error
            return f"forward mode cannot be batched by vmap: {type(cause).__name__}: {cause}"
        for k, (output, batch) in enumerate(zip(side.outputs, found, strict=True)):
            columns = forward.one_by_one(k, np.arange(output.tensor.numel()))[:, first : first + len(chunk)]
            if not np.allclose(batch.T, columns, equal_nan=True):
                return f"the tangent of {output.name} by {leaf.name} is another one when it is batched by vmap"
        first += base.numel()
    return None
