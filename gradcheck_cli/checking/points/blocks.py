"""The points of `--at` in blocks, as columns of doubles: the same points as those made one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice

from gradcheck_cli.certified.float_filter.columns import Columns, column, evenly_spaced, products
from gradcheck_cli.checking.points.texts import Axis, Points


def blocks(points: Points, size: int) -> Iterator[Columns]:
    """Blocks of at most `size` points; texts of one point each share a block."""
    for names, texts in groupby(points.texts, _names_of_one_point):
        if names is None:
            for axes in texts:
                yield from products(
                    {axis.name: evenly_spaced(axis.start, axis.stop, axis.count) for axis in axes}, size
                )
        while names is not None and (block := list(islice(texts, size))):
            yield {name: column(float(axes[i].start) for axes in block) for i, name in enumerate(names)}


def _names_of_one_point(axes: Sequence[Axis]) -> tuple[str, ...] | None:
    """The variables of a text that is one point; None where it has a range."""
    return tuple(axis.name for axis in axes) if all(axis.count == 1 for axis in axes) else None
