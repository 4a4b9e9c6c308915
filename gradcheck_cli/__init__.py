"""Says whether a gradient is right: PyTorch's autograd against the exact derivative, certified.

    from gradcheck_cli import check

    result = check("8*x**4 + 3*x**3", at=2)
    assert result.passed, result.verdict

Everything is loaded on first use. Nothing is imported here: for `python -m gradcheck_cli`, Python runs this file while
the current folder is still on its path.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gradcheck_cli.api import check, explain, run
    from gradcheck_cli.errors import GradcheckError
    from gradcheck_cli.records.code import CodeResult
    from gradcheck_cli.records.report import Report
    from gradcheck_cli.records.results import Check, Claim, ClaimStatus, ProblemResult, Verdict
    from gradcheck_cli.torch_api import GradientMismatch, gradcheck, gradgradcheck
    from gradcheck_cli.versions import __version__

__all__ = [
    "Check",
    "Claim",
    "ClaimStatus",
    "CodeResult",
    "GradcheckError",
    "GradientMismatch",
    "ProblemResult",
    "Report",
    "Verdict",
    "__version__",
    "check",
    "explain",
    "gradcheck",
    "gradgradcheck",
    "run",
]

_MODULES = {
    "api": ("check", "explain", "run"),
    "errors": ("GradcheckError",),
    "notebook.extension": ("load_ipython_extension",),
    "torch_api": ("GradientMismatch", "gradcheck", "gradgradcheck"),
    "records.code": ("CodeResult",),
    "records.report": ("Report",),
    "records.results": ("Check", "Claim", "ClaimStatus", "ProblemResult", "Verdict"),
    "versions": ("__version__",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
