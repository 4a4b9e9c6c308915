"""Workflow commands of GitHub Actions: an annotation on the line of each problem that did not pass, or of its code."""

from __future__ import annotations

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.render.code.words import brief
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.issues import places_of
from gradcheck_cli.render.plain import in_short, one_line
from gradcheck_cli.render.sentences import headline, title
from gradcheck_cli.render.summary import summary_line
from gradcheck_cli.text_files import in_repository

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render_github(report: Report, display: Display) -> str:
    """A line a problem that did not pass, a line a file that could not be read, and the summary as a notice."""
    lines = [
        _command(
            "error", in_short(it.message), file=it.file and in_repository(it.file), line=it.line, title="gradcheck"
        )
        for it in report.troubles
    ]
    lines += [_annotation(result) for result in report.problems if not result.passed]
    lines.append(_command("notice", summary_line(report, display).strip(), title="gradcheck"))
    return "".join(f"{line}\n" for line in lines)


def _annotation(result: AnyResult) -> str:
    message = headline(result)
    if isinstance(result, CodeResult) and result.error is None:
        told = [*(one_line(one.text) for one in result.findings[1:]), *brief(result)]
        message = "\n".join([message, *(one for one in told if one not in message)])
    file, line = next(((place.file, place.line) for place in places_of(result)), (None, None))
    return _command("error", message, file=file, line=line, title=f"gradcheck: {title(result)}")


def _command(command: str, message: str, **properties: object) -> str:
    given = [f"{key}={str(value).translate(_PROPERTY)}" for key, value in properties.items() if value is not None]
    return f"::{command}{' ' if given else ''}{','.join(given)}::{message.translate(_DATA)}"
