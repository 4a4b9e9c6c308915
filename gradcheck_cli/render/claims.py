"""What became of the claims, below the table: the user's derivative beside the true one."""

from __future__ import annotations

from collections.abc import Iterator

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.results import Claim
from gradcheck_cli.render import labels, layout, plain
from gradcheck_cli.render.formula import parts


def claims(result: AnyResult, width: int) -> Iterator[Padding]:
    """A block for each claim."""
    for claim in result.claims:
        yield Padding(_block(result, claim, width), (1, 0, 0, 0))


def _block(result: AnyResult, claim: Claim, width: int) -> Table:
    derivative = labels.derivative(result, claim.wrt)
    formulas = [(f"claim: {derivative}", plain.one_line(claim.expression))]
    if claim.analytical is not None:
        formulas.append((f"truth: {derivative}", plain.one_line(claim.analytical)))
    found = Text(*labels.claim_outcome(claim))
    found.append(parts.claim_detail(result, claim), style="default")
    rows = Table.grid()
    rows.add_column(overflow="fold")
    rows.add_row(layout.equations(formulas, width))
    rows.add_row(found)
    if claim.note:
        rows.add_row(layout.bullet("•", plain.lines(claim.note)))
    return rows
