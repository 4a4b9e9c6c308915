"""The record of code of which nothing could be compared."""

from __future__ import annotations

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.request import CodeRequest
from gradcheck_cli.records.results import Verdict


def code_failure(
    request: CodeRequest, error: str, *, bad_input: bool = False, bug: bool = False, seconds: float = 0.0
) -> CodeResult:
    """error: why, as a sentence."""
    return CodeResult(
        subject=request.code.strip(), place="", inputs=(), verdict=Verdict.ERROR, passed=False, dtype=request.dtype,
        device=request.device, rtol=request.rtol, atol=request.atol, order=request.order, error=error,
        bad_input=bad_input, bug=bug, seconds=seconds,
    )  # fmt: skip
