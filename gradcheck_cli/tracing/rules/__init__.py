"""The rules, family by family. A rule is a row of THE table of operations (see `tracing/table.py`)."""

from gradcheck_cli.tracing.rules import (  # noqa: F401
    attention,
    complex_numbers,
    eigen,
    linear_algebra,
    losses,
    moves,
    normalisation,
    pointwise,
    products,
    recurrent,
    reductions,
    reflections,
    sampling,
    scatter,
    selection,
    windows,
)
