"""Ramps of colours whose lightness changes evenly. That of numbers reads in grey and to the colour-blind: cividis, by
three of its colours (Nuñez, Anderton and Renslow 2018)."""

from __future__ import annotations

WHITE = bytes((255, 255, 255, 255))
_STOPS = ((0, 34, 78), (124, 123, 120), (254, 232, 56))


def colour(place: float) -> bytes:
    """Red, green, blue and opacity at a place from 0 to 1; beyond, of the end."""
    scaled = min(max(place, 0.0), 1.0) * (len(_STOPS) - 1)
    index = min(int(scaled), len(_STOPS) - 2)
    part = scaled - index
    mixed = (round(a + (b - a) * part) for a, b in zip(_STOPS[index], _STOPS[index + 1], strict=True))
    return bytes((*mixed, 255))


def grey(place: float) -> bytes:
    """The same from light to so dark that a sign is seen on it."""
    lightness = round(235 - 135 * min(max(place, 0.0), 1.0))
    return bytes((lightness, lightness, lightness, 255))
