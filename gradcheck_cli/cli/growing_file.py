"""Reports that are written as they come: each piece is there at once, and a kill at any moment loses none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from gradcheck_cli.cli.streams import write_report
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Check
from gradcheck_cli.render.json_lines import first_line, last_line, problem_line, row_line
from gradcheck_cli.text_files import cannot_write, replace_file, replaceable
from gradcheck_cli.versions import versions


class Growing:
    """Where a report grows: a file, opened once, since a pipe would end with every close; None: standard output.

    begin: what it starts with. A regular file that exists holds what it held until that is written.
    """

    def __init__(self, file: Path | None, begin: Iterable[str]) -> None:
        self.file = file
        self._stream: TextIO | None = None
        if file is None:
            write_report("".join(begin))
            return
        try:
            if (regular := replaceable(file)) is not None:
                replace_file(regular, begin)
                self._stream = regular.open("a", encoding="utf-8")
            else:
                self._stream = file.open("w", encoding="utf-8")
                self._write("".join(begin))
        except OSError as error:
            raise cannot_write(file, error) from error

    def add(self, text: str) -> None:
        if self.file is None:
            write_report(text)
            return
        try:
            self._write(text)
        except OSError as error:
            raise cannot_write(self.file, error) from error

    def end(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):  # all is written, and add() has complained where it could not be
                self._stream.close()

    def _write(self, text: str) -> None:
        assert self._stream is not None
        self._stream.write(text)
        self._stream.flush()


class GrowingLines:
    """A report as JSON Lines that grows: by rows, by problems, and by its summary, which is the end.

    options: for the first line. kept: problems that it begins with.
    """

    def __init__(self, file: Path | None, options: Mapping[str, object], kept: Iterable[AnyResult] = ()) -> None:
        self._lines = Growing(file, (first_line(versions(), options), *map(problem_line, kept)))

    def row(self, check: Check) -> None:
        self._lines.add(row_line(check))

    def problem(self, result: AnyResult) -> None:
        self._lines.add(problem_line(result))

    def end(self, report: Report) -> None:
        self._lines.add(last_line(report))
        self._lines.end()

    def whole(self, report: Report) -> None:
        """The problems and the summary, where only rows have been written."""
        for result in report.problems:
            self.problem(result)
        self.end(report)
