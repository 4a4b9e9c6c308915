"""A check that is asserted in a test: what fails shows the user's line and the report, and no frame of ours."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from gradcheck_cli.api import check
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.pytest_plugin.reports import report_of
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.render.sentences import headline

_MARGIN = len("E       ")  # before each line of a message
_OF_TORCH = frozenset({
    "eps", "raise_exception", "nondet_tol", "check_undefined_grad", "check_grad_dtypes", "check_batched_grad",
    "check_batched_forward_grad", "check_forward_ad", "check_backward_ad", "fast_mode", "masked",
})  # fmt: skip


def asserted(width: int, subject: tuple[Any, ...], options: Mapping[str, Any]) -> AnyResult:
    """The result of check(*subject, **options), which has passed. Raises GradientMismatch where it has not, and
    GradcheckError for what cannot be read or done."""
    __tracebackhide__ = True
    _require_known(subject, options)
    try:
        result: AnyResult = check(*subject, **{**_as_marked(subject, options), **options})
    except GradcheckError as error:
        raise error.with_traceback(None) from None
    if result.passed:
        return result
    from gradcheck_cli.torch_api import GradientMismatch

    raise GradientMismatch(f"{headline(result)}\n\n{report_of(result, width - _MARGIN)}", result)


def _as_marked(subject: tuple[Any, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    """Where some inputs require grad, those are meant, as in a test by torch's gradcheck; where none does, all."""
    if not callable(subject[0]) or len(subject) < 2 or {"wrt", "only_requires_grad"} & set(options):
        return {}
    from gradcheck_cli.user_code.callables import some_require_grad

    return {"only_requires_grad": True} if some_require_grad(subject[1]) else {}


def _require_known(subject: tuple[Any, ...], options: Mapping[str, Any]) -> None:
    __tracebackhide__ = True
    try:
        inspect.signature(check).bind(*subject, **options)
    except TypeError as error:
        theirs = sorted(_OF_TORCH.intersection(options))
        advice = f"; {theirs[0]} is for gradcheck_cli.gradcheck, as for torch's" if theirs else ""
        raise TypeError(f"gradcheck() takes what gradcheck_cli.check takes: {error}{advice}") from None
