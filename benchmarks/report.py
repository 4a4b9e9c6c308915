"""What a benchmark is told and what it gives back, and how that is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """quick: about a minute for all benchmarks together. corpora: a folder of JSON Lines with formulas to use. shard:
    (k, n), the k-th of n parts of what is long; results: where the results of that are gathered."""

    quick: bool = False
    corpora: Path | None = None
    shard: tuple[int, int] = (1, 1)
    results: Path = Path("operators.jsonl")

    def is_mine(self, index: int) -> bool:
        """Whether a piece of work is in the shard."""
        return index % self.shard[1] == self.shard[0] - 1


@dataclass(frozen=True)
class Bar:
    """A bar of the plot. ours: whether it is gradcheck's."""

    label: str
    value: float
    ours: bool = False


@dataclass(frozen=True)
class Section:
    """The results of one benchmark.

    about: what was measured, as sentences. rows: as texts, one for each of the columns. remarks: what else there is to
    say. bars: for the plot, in `unit`.
    """

    title: str
    about: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    remarks: Sequence[str] = ()
    bars: Sequence[Bar] = ()
    unit: str = ""


def markdown(section: Section) -> str:
    """The section for RESULTS.md."""
    lines = [f"## {section.title}", "", section.about, ""]
    lines += [f"| {' | '.join(cells)} |" for cells in (section.columns, ["---"] * len(section.columns), *section.rows)]
    lines += ["", *(f"- {remark}" for remark in section.remarks)] if section.remarks else []
    return "\n".join(lines) + "\n"


def plain(section: Section) -> str:
    """The section for the terminal."""
    table = [section.columns, *section.rows]
    widths = [max(len(cells[i]) for cells in table) for i in range(len(section.columns))]
    lines = [section.title, section.about, ""]
    for cells in table:
        first, *rest = (
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        lines.append("  ".join([first, *rest]))
    lines += [f"* {remark}" for remark in section.remarks]
    return "\n".join(lines) + "\n"
