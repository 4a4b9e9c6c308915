"""What is known about why entries are wrong: who is to blame first, then what was done wrong."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.asked import Asked, Options
from gradcheck_cli.real_code.causes.functions import Functions, calls_of, failures, mismatches
from gradcheck_cli.real_code.causes.mistakes import mistakes
from gradcheck_cli.real_code.causes.nan import with_notes
from gradcheck_cli.real_code.causes.nan_enters import is_nan, nan_enters
from gradcheck_cli.real_code.causes.needed import needed
from gradcheck_cli.real_code.causes.operations import operations, wrong_operations
from gradcheck_cli.real_code.causes.samples import Code
from gradcheck_cli.real_code.causes.surroundings import cut, hook
from gradcheck_cli.real_code.causes.wording import worded
from gradcheck_cli.real_code.checked import Check
from gradcheck_cli.real_code.generators import generators_kept
from gradcheck_cli.records.code import Cause, CodeFinding, CodeResult
from gradcheck_cli.records.results import Verdict


def explained(result: CodeResult, check: Check, asked: Asked, options: Options) -> CodeResult:
    """The result with findings, where entries are a mismatch."""
    if not failures(result):
        return result
    with generators_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        findings: list[CodeFinding] = []
        with suppress(GradcheckError):  # what is known stays, where the code cannot be run once more
            for finding in _findings(result, check, asked, options):
                findings.append(worded(finding))
        return with_notes(replace(result, findings=tuple(findings)), check)


def _findings(result: CodeResult, check: Check, asked: Asked, options: Options) -> Iterator[CodeFinding]:
    if any(leaf.tensor._backward_hooks for leaf in check.subject.wanted):
        hooked = list(hook(asked, options))
        yield from hooked
        if hooked:
            return
    mode = failures(result)[0].mode
    functions = Functions(calls_of(asked.subject()), check, asked, options, mode)
    blamed = functions.wrong(result)
    for one in blamed:
        yield one.finding
        if one.finding.cause is Cause.FUNCTION:
            code = Code(one.asked, one.mode)
            yield from mistakes(code)
            yield from needed(code)
    if blamed or not mismatches(result):
        return
    around = [*cut(options, check), *hook(asked, options)]
    all_nan = all(map(is_nan, (one for one in result.checks if one.verdict is Verdict.MISMATCH)))
    if not around and (entered := nan_enters(result, asked, check)) is not None:
        yield entered
        if all_nan:
            return
    ran = operations(asked.subject()) if not around else []
    wrong, count = wrong_operations(ran, mode)
    if around or wrong:
        yield from (*around, *wrong)
        return
    if functions.checked + count and not (all_nan and asked.order > 1):  # the first derivative may have made it
        yield CodeFinding(Cause.SOUND, numbers={"functions": float(functions.checked), "operations": float(count)})
    if asked.order == 1:
        yield from mistakes(Code(asked, mode, through_detach=options.through_detach))
