"""Greek letters and their names: θ and theta are one name."""

from __future__ import annotations

_LOWER = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau"
_LAST = "upsilon phi chi psi omega"
_UPPER = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = (*_LOWER.split(), *_LAST.split(), *_UPPER.split())
LETTERS = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", GREEK, strict=True))
TWINS = {**LETTERS, **{name: letter for letter, name in LETTERS.items()}}
"""A letter or a name of one -> the other spelling."""
