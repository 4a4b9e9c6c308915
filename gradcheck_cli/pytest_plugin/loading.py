"""Loading what checks need, while a test is set up: no test is charged with it. Hypothesis gives an example 200 ms."""

from __future__ import annotations


def load(*, symbolic: bool) -> None:
    """symbolic: with SymPy, which closed forms need."""
    import gradcheck_cli.checking.checker
    import gradcheck_cli.user_code.callables

    if symbolic:
        import gradcheck_cli.symbolic.closed_form  # noqa: F401
