"""What a literal of a formula is in the working dtype: the same number on both sides of a row."""

from __future__ import annotations

import math
from functools import lru_cache

from gradcheck_cli.dtypes import Dtype, to_double
from gradcheck_cli.expression.nodes import Constant


@lru_cache(maxsize=4096)
def rounded_constant(node: Constant, dtype: Dtype) -> float:
    """A literal or a constant as both sides of a row get it: rounded to a double and then to the working dtype."""
    if isinstance(node.value, str):
        return dtype.round(getattr(math, node.value))
    double = to_double(node.value)
    return dtype.round(double) if math.isfinite(double) else double
