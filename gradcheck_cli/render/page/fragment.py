"""The report of one record as HTML that stands alone: what a notebook shows. Its style reaches nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck_cli.records.array_explanation import ArrayExplanation
from gradcheck_cli.records.explanation import Explained, Explanation
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.page import blocks
from gradcheck_cli.render.page.blocks import Block
from gradcheck_cli.render.page.explanations import of_array_explanation, of_explanation
from gradcheck_cli.render.page.templates import template

Record = Explanation | Explained | ArrayExplanation | Report | AnyResult
MOST = 20
"""Problems of a batch that are shown whole: the first that failed."""


def fragment(record: Record, summary: str) -> str:
    """summary: the last line, as every form of the record has it."""
    display = Display()
    return template("fragment.html").render(blocks=blocks_of(record, display), summary=summary).strip() + "\n"


def blocks_of(record: Record, display: Display) -> Sequence[Block]:
    """What a record consists of."""
    match record:
        case Explanation():
            return [of_explanation(record, display)]
        case ArrayExplanation():
            return [of_array_explanation(record, display)]
        case Explained():
            shown = [of_explanation(one, display) for one in record.explanations]
            whole = record.of_higher_order or record.result.claims
            return [*shown, *([blocks.of_result(record.result, display)] if whole else [])]
        case Report(problems=(only,)) if not record.is_batch and not record.troubles:
            return [blocks.of_result(only, display)]
        case Report():
            failed = [result for result in record.problems if not result.passed][:MOST]
            return [blocks.of_batch(record, display), *(blocks.of_result(result, display) for result in failed)]
    return [blocks.of_result(record, display)]
