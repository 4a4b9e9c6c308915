"""check_code: a function of tensors in, a frozen record of every entry's verdict out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gradcheck_cli.errors import GradcheckError, TorchRefusal
from gradcheck_cli.real_code.asked import MODES, Asked, Options
from gradcheck_cli.real_code.causes.explain import explained
from gradcheck_cli.real_code.checked import checked, identity
from gradcheck_cli.real_code.subject import BadInput, Subject, UserError
from gradcheck_cli.real_code.user_frames import raised
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tracing.surrogates import BadSurrogate, Surrogates
from gradcheck_cli.tracing.tensors import FLOATS


def check_code(
    function: Callable[..., Any], inputs: Any, *, named: Mapping[str, Any] | None = None,
    wrt: Sequence[str] | None = None, everything: bool = True, seed: int = 0, mode: str = "reverse",
    rtol: float | None = None, atol: float | None = None, strict: bool = False, through_detach: bool = False,
    cotangents: str = "auto", reference: Callable[..., Any] | None = None, order: int = 1,
    grad_outputs: Sequence[Any] | None = None, surrogate: Surrogates | None = None, nondet_tol: float = 0.0,
    explain: bool = True, names: Sequence[str] | None = None, arrays: int = 0,
) -> CodeResult:  # fmt: skip
    """Check the gradient of a function of tensors.

    inputs: its positional arguments (one that is no tuple or list is the only one); named: by keyword. everything:
    differentiate by all floating tensors, or only by those that require grad; wrt: only by those named. reference: a
    function of plain torch operations that computes the same, to be recorded instead. order: 2 checks the gradients of
    the gradients, by the inputs and by the cotangents `grad_outputs` (random ones where they are not given).
    surrogate: for each `autograd.Function` class of which it is so, the function whose derivative it is meant to have.
    nondet_tol: how far two runs may differ without a notice. explain: find out why entries are wrong, which runs the
    code a few times more. names: of the positional arguments, where the function's own will not do. arrays: entries
    of a block up to which the result has all of its numbers. A result without a verdict has an `error`.
    """
    asked = Asked(
        function, inputs, named, wrt, everything, seed, reference, order, grad_outputs, surrogate=surrogate, names=names
    )
    options = Options(MODES[mode], rtol, atol, strict, through_detach, cotangents, nondet_tol=nondet_tol, arrays=arrays)
    return check_asked(asked, options, explain=explain)


def check_asked(asked: Asked, options: Options, *, explain: bool = True) -> CodeResult:
    """The same of what is asked, with all the options there are."""
    subject = asked.subject()
    started = time.perf_counter()
    try:
        result, check = checked(asked, subject, options)
        if explain:
            result = explained(result, check, asked, options)
    except GradcheckError as error:
        result = _failed(subject, options, error)
    return replace(result, seconds=time.perf_counter() - started)


def _failed(subject: Subject, options: Options, error: GradcheckError) -> CodeResult:
    """No verdict at all."""
    dtype = FLOATS[subject.wanted[0].tensor.dtype]
    bad = not isinstance(error, TorchRefusal) and isinstance(error, (BadInput, BadSurrogate))
    text = str(error)
    if isinstance(error, UserError):
        bad, text = True, raised(subject.name, error)
    elif isinstance(error, BadInput):
        text = f"{subject.name}{f' ({subject.place})' if subject.place else ''}: {text}"
    return CodeResult(
        **identity(subject, options, dtype), verdict=Verdict.ERROR, passed=False, error=text, bad_input=bad
    )
