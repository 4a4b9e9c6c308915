"""Cases that take seconds: processes of their own that import torch, and tables that others like them cover as well.

They run with `-m slow`, as the gate does.
"""

from typing import Any

import pytest


def slow(*values: Any) -> Any:
    """A row of a parametrised test that runs only when it is asked for."""
    return pytest.param(*values, marks=pytest.mark.slow)
