"""What is known about why entries are wrong: who is to blame first, then what was done wrong."""

from __future__ import annotations

import warnings
from dataclasses import replace

from gradcheck_cli.real_code.asked import Asked, Options
from gradcheck_cli.real_code.causes.functions import Functions, calls_of, failures, mismatches
from gradcheck_cli.real_code.causes.mistakes import mistakes
from gradcheck_cli.real_code.causes.samples import Code
from gradcheck_cli.real_code.causes.wording import worded
from gradcheck_cli.real_code.checked import Check
from gradcheck_cli.real_code.generators import generators_kept
from gradcheck_cli.records.code import Cause, CodeFinding, CodeResult


def explained(result: CodeResult, check: Check, asked: Asked, options: Options) -> CodeResult:
    """The result with findings, where entries are a mismatch."""
    wrong = failures(result)
    if not wrong:
        return result
    with generators_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calls = calls_of(asked.subject())
        functions = Functions(calls, check, asked, options, wrong[0].mode)
        blamed = functions.wrong(result)
        findings: list[CodeFinding] = []
        for one in blamed:
            findings.append(one.finding)
            if one.finding.cause is Cause.FUNCTION:
                findings += mistakes(Code(one.asked, one.mode))
        if not blamed and asked.order == 1 and mismatches(result):
            findings += mistakes(Code(asked, wrong[0].mode, through_detach=options.through_detach))
    return replace(result, findings=tuple(map(worded, findings)))
