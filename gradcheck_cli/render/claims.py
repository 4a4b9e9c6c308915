"""What became of the claims, below the table: the user's derivative beside the true one."""

from __future__ import annotations

from collections.abc import Iterator

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck_cli import number_text
from gradcheck_cli.records.results import Claim, ClaimStatus, ProblemResult
from gradcheck_cli.render import labels, layout, plain
from gradcheck_cli.render.sentences import place_of

SIGNS = {
    ClaimStatus.PROVEN: "✓",
    ClaimStatus.AGREES: "✓",
    ClaimStatus.REFUTED: "✗",
    ClaimStatus.UNCHECKED: "∅",
    ClaimStatus.UNREADABLE: "!",
}
STYLES = {
    ClaimStatus.PROVEN: "green",
    ClaimStatus.AGREES: "green",
    ClaimStatus.REFUTED: "bold red",
    ClaimStatus.UNCHECKED: "magenta",
    ClaimStatus.UNREADABLE: "bold red",
}


def status(claim: Claim) -> Text:
    """`✓ proven`; where passing is not what the status alone says, that is said too."""
    surprise = "" if claim.passed == claim.status.passes else " (expected)" if claim.passed else " (fails)"
    style = STYLES[claim.status] if not surprise else "green" if claim.passed else "red"
    return Text(f"{SIGNS[claim.status]} {claim.status.value}{surprise}", style=style)


def claims(result: ProblemResult) -> Iterator[Padding]:
    """A block for each claim."""
    for claim in result.claims:
        yield Padding(_block(result, claim), (1, 0, 0, 0))


def _block(result: ProblemResult, claim: Claim) -> Table:
    derivative = labels.derivative(result, claim.wrt)
    formulas = [(f"claim: {derivative}", plain.one_line(claim.expression))]
    if claim.analytical is not None:
        formulas.append((f"truth: {derivative}", plain.one_line(claim.analytical)))
    found = status(claim)
    if claim.counterexample is not None:
        claimed, analytical = number_text.pair(claim.counterexample.claimed, claim.counterexample.analytical)
        point = place_of(result, claim.counterexample)
        found.append(f" at {point}: the claim is {claimed}, the derivative {analytical}", style="default")
    elif claim.points:
        compared = "agrees" if claim.status is ClaimStatus.PROVEN else "compared"
        points = f"{claim.points:,} {'point' if claim.points == 1 else 'points'}"
        found.append(f" ({compared} at {points})", style="default")
    rows = Table.grid()
    rows.add_column(overflow="fold")
    rows.add_row(layout.equations(formulas))
    rows.add_row(found)
    if claim.note:
        rows.add_row(layout.bullet("•", plain.lines(claim.note)))
    return rows
