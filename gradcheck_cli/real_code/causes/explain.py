"""What is known about why entries are wrong: who is to blame first, then what was done wrong."""

from __future__ import annotations

import warnings
from dataclasses import replace

from gradcheck_cli.real_code.asked import Asked, Options
from gradcheck_cli.real_code.causes.functions import Functions, calls_of, mismatches
from gradcheck_cli.real_code.causes.wording import worded
from gradcheck_cli.real_code.checked import Check
from gradcheck_cli.records.code import CodeResult


def explained(result: CodeResult, check: Check, asked: Asked, options: Options) -> CodeResult:
    """The result with findings, where entries are a mismatch."""
    wrong = mismatches(result)
    if not wrong:
        return result
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calls = calls_of(asked.subject())
        functions = Functions(calls, check, asked, options, wrong[0].mode)
        blamed = functions.wrong(result)
    return replace(result, findings=tuple(worded(one.finding) for one in blamed))
