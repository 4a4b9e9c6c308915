"""Which elements have a derivative that may not exist: they rest on a seam, a tie, or a slope that is not finite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.tape.choices import PICKS, Choices
from gradcheck_cli.tape.formulas import real_arguments
from gradcheck_cli.tape.rows import CONDITIONS
from gradcheck_cli.tape.slopes import Slopes
from gradcheck_cli.tape.tape import SOURCES, Instruction

Bools = NDArray[np.bool_]


def doubtful(slopes: Slopes) -> Bools:
    """By element. Branches that are not taken, and operands that a maximum is far above, do not count."""
    tape = slopes.tape
    found = np.zeros(tape.size, bool)
    for instruction in tape.instructions:
        if instruction.function not in SOURCES and tape.depends[instruction.elements].any():
            found[instruction.elements] = _of(slopes, instruction, found)
    return found


def _of(slopes: Slopes, instruction: Instruction, below: Bools) -> Bools:
    choices, args = slopes.values.choices, instruction.args
    match instruction.function:
        case "sum" | "prod":
            return _any(below[args[0]])
        case "max" | "min":
            best, rivals = choices.rivals(instruction)
            return _any(rivals) | below[args[0][np.arange(len(best)), best]]
        case "dot":
            first, second = (np.any(below[arg], axis=2) for arg in args)
            products: Bools = (first[:, :, None] | second[:, None, :]).reshape(-1)
            return products
        case "where":
            truth, firm = choices.firm(args[0])
            return ~firm | np.where(truth, below[args[1]], below[args[2]])
        case function if function in CONDITIONS:
            return np.zeros(1, bool)
    found: Bools = np.zeros(instruction.stop - instruction.start, np.bool_)
    for index in real_arguments(instruction.function):
        local = slopes.local(instruction, index)
        if local is None:
            continue
        found[below[args[index]] & _rests(choices, instruction, index)] = True
        if local.doubt is not None:
            found[local.doubt != 0] = True
    return found


def _rests(choices: Choices, instruction: Instruction, index: int) -> Bools:
    if instruction.function in PICKS:
        return choices.rests_on(instruction, index)
    return np.ones(instruction.stop - instruction.start, np.bool_)


def _any(rows: Bools) -> Bools:
    found: Bools = np.any(rows, axis=1)
    return found
