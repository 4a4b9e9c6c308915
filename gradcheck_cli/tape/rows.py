"""The rows of the table by the names that instructions have."""

from __future__ import annotations

from collections.abc import Callable

from gradcheck_cli.certified.float_filter import kernels
from gradcheck_cli.certified.float_filter.kernels import Approx
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS

COMPARISONS = frozenset(row.name for row in op.COMPARISONS)
CONDITIONS = COMPARISONS | {row.name for row in (op.AND, op.OR, op.NOT, op.TRUE, op.FALSE)}
BRANCHES = frozenset({op.WHERE.name, op.IFELSE.name})
_FORMS = (*op.COMPARISONS, op.AND, op.OR, op.NOT, op.TRUE, op.FALSE, op.WHERE, op.IFELSE)
ROWS: dict[str, Function] = FUNCTIONS | {row.name: row for row in _FORMS}
KERNELS: dict[str, Callable[..., Approx]] = {row.name: kernel for row, kernel in kernels.KERNELS.items()}
