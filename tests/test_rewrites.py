"""What the notes advise: each form is equal to what it replaces, and cures what it is named for."""

from __future__ import annotations

import pytest

from gradcheck_cli import Verdict, check
from gradcheck_cli.rewrites import REWRITES


@pytest.mark.parametrize(("pattern", "better"), REWRITES)
def test_a_rewrite_is_equal_to_its_pattern(pattern: str, better: str) -> None:
    """The difference has value and gradient 0, certified, where both are defined."""
    for point in ("u=0.7,v=1.3", "u=2.1,v=0.4"):
        row = check(f"{pattern} - ({better}) + 0*u + 0*v", at=point, derivatives=False).checks[0]
        assert (row.value, row.analytical) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("unstable", "at", "cure"),
    [
        ("log(1 + exp(x))", 800, "softplus(x)"),
        ("log(exp(x) + 1)", 800, "softplus(x)"),
        ("log(exp(x) + exp(2*x))", -800, "logaddexp(x, 2*x)"),
        ("1/(1 + exp(-x))", -800, "sigmoid(x)"),
        ("log(sigmoid(x))", -800, "logsigmoid(x)"),
        ("log(cosh(x))", 800, "abs(x) + log1p(exp(-2*abs(x))) - log(2)"),
        ("sqrt(x*x + 4*x*x)", 1e200, None),
        ("log(1 + x) + (exp(x)-1)/x", 1e-9, "expm1(x)"),
        ("exp(x)/(exp(x) + exp(3))", 800, "sigmoid(x - 3)"),
    ],
)
def test_a_rewrite_cures(unstable: str, at: float, cure: str | None) -> None:
    assert check(unstable, at=at).verdict is Verdict.UNSTABLE
    note = check(unstable, at=at).checks[0].note
    assert note is not None
    assert (note.split("; write ")[1].split(" for ")[0] if "; write " in note else None) == cure
    if cure:
        assert check(cure, at=at).verdict is Verdict.MATCH


@pytest.mark.parametrize(
    ("leaking", "at"),
    [("where(x > 0, sqrt(x), 0)", -1), ("where(x == 0, 1, sin(x)/x)", 0), ("where(x < 10, exp(x), x)", 1000)],
)
def test_the_repair_of_the_where_trap_is_one(leaking: str, at: float) -> None:
    """What the note advises matches."""
    note = check(leaking, at=at).checks[0].note
    assert note is not None
    assert check(note.split("guard its argument too: ")[1], at=at).verdict is Verdict.MATCH
