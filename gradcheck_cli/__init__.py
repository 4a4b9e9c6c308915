"""Says whether a gradient is right: PyTorch's autograd against the exact derivative, certified.

    from gradcheck_cli import check

    result = check("8*x**4 + 3*x**3", at=2)
    assert result.passed, result.verdict

The heavy libraries are loaded on first use.
"""

from gradcheck_cli.api import check, explain, run
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records import Check, Claim, ClaimStatus, ProblemResult, Report, Verdict
from gradcheck_cli.version import __version__

__all__ = [
    "Check",
    "Claim",
    "ClaimStatus",
    "GradcheckError",
    "ProblemResult",
    "Report",
    "Verdict",
    "__version__",
    "check",
    "explain",
    "run",
]
