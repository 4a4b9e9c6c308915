"""check_arrays: a formula of arrays in, a frozen record out."""

from __future__ import annotations

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.request import Request
from gradcheck_cli.tensors.checked import check_question
from gradcheck_cli.tensors.question import read_question


def check_arrays(request: Request) -> CodeResult:
    """Check the gradient of a formula of arrays by all its variables, or those of `wrt`.

    Raises UsageError and ExpressionError for what cannot be read. A result without a verdict has an `error`.
    """
    question = read_question(request)
    result = check_question(question)
    if request.explains(passed=result.passed):
        from gradcheck_cli.tensors.explain import with_chain

        return with_chain(result, question)
    return result
