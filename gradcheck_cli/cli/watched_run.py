"""`gradcheck run --watch`: the files are read again each time, and of their problems those are checked that changed."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gradcheck_cli.batch.resume import problem_key
from gradcheck_cli.batch.workers import Workers
from gradcheck_cli.cli.emit import reporting, unread
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.problem_run import Asked, Selection, check_and_report, select
from gradcheck_cli.cli.problems import Files
from gradcheck_cli.cli.streams import complain, say
from gradcheck_cli.cli.watch import Known, Round, heading
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.problem_files.find import SUFFIXES, places
from gradcheck_cli.problem_files.pyproject import FILE as PYPROJECT
from gradcheck_cli.problem_files.pyproject import nearest
from gradcheck_cli.text_files import DEFAULT_FILE


class Rounds:
    """What one round after another does, and what it needs to know of those before."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.names = asked.files or [DEFAULT_FILE]
        self.begun = False
        self.last = Round(ExitCode.PASSED, ())

    def once(self, workers: Workers, known: Known) -> Round:
        """Says nothing where all is as it was."""
        since = time.time()
        asked = replace(self.asked, where=replace(self.asked.where, workers=workers))
        try:
            selection = select(asked)
        except GradcheckError as error:
            if known.is_news((), (), str(error)):
                with suppress(GradcheckError), reporting(asked.output, unread):
                    raise
                complain(str(error))
            self.last = replace(self.last, code=ExitCode.BAD_INPUT)
            return self._with_files(Selection([], Files()), known)
        specs, found = selection.specs, selection.found
        stands = known.results()
        again = [spec.name for spec in specs if problem_key(spec) not in stands]
        if known.is_news(specs, stands, (found.troubles, found.headings, found.others)):
            if self.begun and not asked.output.quiet:
                waited_for = dict.fromkeys(trouble.file for trouble in found.troubles if trouble.file is not None)
                say(heading(again, len(specs), list(waited_for)))
            self.begun = True
            selection.tell(quiet=asked.output.quiet)
            report, code = check_and_report(asked, selection, stands, whole=True)
            known.keep(report.problems, since, and_others=bool(found.troubles))
            self.last = replace(self.last, code=code, ended=report.interrupted)
        return self._with_files(selection, known)

    def _with_files(self, selection: Selection, known: Known) -> Round:
        """The last round, with the files as they are now."""
        folders: set[str] = set()
        for name in self.names:
            with suppress(GradcheckError):  # there are too many
                folders.update(places(name))
        here = Path.cwd()
        options = {str(file) for file in (here / PYPROJECT, nearest(here)) if file is not None}
        files = {*self.last.files, *known.files(selection.specs), *selection.found.sources, *options}
        self.last = replace(self.last, files=files, folders=folders, suffixes=(*SUFFIXES, ".py"))
        return self.last
