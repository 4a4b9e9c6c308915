"""`gradcheck code --watch`: the code is imported and checked anew whenever a file that it came from is saved."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

from gradcheck_cli.batch.resume import problem_key
from gradcheck_cli.batch.run import Where
from gradcheck_cli.batch.workers import Workers
from gradcheck_cli.cli.emit import Output, emit
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.streams import complain, say
from gradcheck_cli.cli.watch import Known, Round, heading
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.request import CodeRequest, ProblemSpec


class CodeRounds:
    """What one round after another does. check: makes the report of the request; raises GradcheckError."""

    def __init__(self, request: CodeRequest, output: Output, check: Callable[[Where], Report]) -> None:
        self.request, self.output, self.check = request, output, check
        self.begun = False
        self.code = ExitCode.PASSED

    def once(self, workers: Workers, known: Known) -> Round:
        """Says nothing where all is as it was."""
        since, spec = time.time(), ProblemSpec(self.request.code, "", 0, self.request)
        if known.is_news([spec], known.results()):
            if self.begun and not self.output.quiet:
                say(heading([spec.name], 1))
            self.begun = True
            try:
                report = self.check(Where(workers=workers))
            except GradcheckError as error:
                complain(str(error))
                self.code = ExitCode.BAD_INPUT
            else:
                self.code = emit(report, self.output)
                known.keep([replace(result, key=problem_key(spec)) for result in report.problems], since)
        return Round(self.code, known.files([spec]), [os.getcwd()])
