"""The numbers that are written beside an axis."""

from __future__ import annotations

import math
from typing import NamedTuple

from gradcheck_cli.records.picture import Axis, Scale


class Tick(NamedTuple):
    number: float
    label: str


def ticks(axis: Axis, most: int) -> list[Tick]:
    """Round numbers on the axis, from low to high, at most so many, at least one where one fits."""
    if axis.scale is Scale.LINEAR:
        return _linear(axis, most)
    decades = _decades(axis)
    stride = max(1, math.ceil(len(decades) / max(1, most)))
    if axis.scale is Scale.LOG:
        chosen = [number for number in decades if round(math.log10(number)) % stride == 0]
        return [Tick(number, _power(number)) for number in chosen or decades[:1]]
    # 0 stays, and so do the same powers on both sides
    sides = [(number, round(math.log10(abs(number) / axis.linear))) for number in decades if number]
    chosen = [number for number, power in sides if power % stride == stride - 1]
    return [Tick(number, _power(number)) for number in sorted([*chosen, 0.0]) if axis.low <= number <= axis.high]


def _linear(axis: Axis, most: int) -> list[Tick]:
    span = axis.high - axis.low
    exponent = math.floor(math.log10(span / max(1, most)))
    for power, digit in ((exponent + more, digit) for more in (0, 1, 2) for digit in (1, 2, 5)):
        first, last = (end / digit / math.pow(10.0, power) for end in (axis.low, axis.high))
        whole = range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1) if max(abs(first), abs(last)) < 1e15 else ()
        if len(whole) <= most:
            return [_tick(i * digit, power) for i in whole]
    return []


def _tick(count: int, power: int) -> Tick:
    """count times 10**power."""
    number = float(f"{count}e{power}")
    if not count:
        return Tick(0.0, "0")
    if power >= 0 and abs(number) < 1e6:
        return Tick(number, f"{number:.0f}")
    if power < 0 and 1e-4 <= abs(number) < 1e6 and power > -8:
        return Tick(number, f"{number:.{-power}f}")
    digits = max(0, math.floor(math.log10(abs(number)) + 1e-9) - power)
    mantissa, _, exponent = f"{number:.{digits}e}".partition("e")
    return Tick(number, f"{mantissa}e{int(exponent)}")


def _decades(axis: Axis) -> list[float]:
    """The powers of ten on the axis, and their negatives."""
    largest = max(abs(axis.low), abs(axis.high))
    smallest = axis.low if axis.scale is Scale.LOG else axis.linear
    first, last = math.ceil(math.log10(smallest) - 1e-9), math.floor(math.log10(largest) + 1e-9)
    powers = [float(f"1e{power}") for power in range(first, last + 1)]
    if axis.scale is Scale.LOG:
        return powers
    return [number for number in (*(-p for p in reversed(powers)), *powers) if axis.low <= number <= axis.high]


def _power(number: float) -> str:
    if not number:
        return "0"
    exponent = round(math.log10(abs(number)))
    sign = "-" if number < 0 else ""
    return f"{sign}{abs(number):g}" if -4 < exponent < 5 else f"{sign}1e{exponent}"
