"""Which elements have a derivative that may not exist: they rest on a seam, a tie, or a slope that is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.tape.choices import PICKS
from gradcheck_cli.tape.formulas import real_arguments
from gradcheck_cli.tape.rows import CONDITIONS
from gradcheck_cli.tape.slopes import Slopes
from gradcheck_cli.tape.tape import SOURCES, Instruction

Levels = NDArray[np.int8]
CLEAR, BLURRED, TIED = range(3)


def doubts(slopes: Slopes) -> Levels:
    """By element: CLEAR, or BLURRED where more digits may tell, or TIED where what meets a seam is exactly there.
    Branches that are not taken, and operands that a maximum is far above, do not count."""
    tape = slopes.tape
    found = np.zeros(tape.size, np.int8)
    for instruction in tape.instructions:
        if instruction.function not in SOURCES and tape.depends[instruction.elements].any():
            found[instruction.elements] = _of(slopes, instruction, found)
    return found


def _of(slopes: Slopes, instruction: Instruction, below: Levels) -> Any:
    values, args = slopes.values, instruction.args
    choices = values.choices
    match instruction.function:
        case "sum" | "prod":
            return np.max(below[args[0]], axis=1)
        case "max" | "min":
            best, rivals = choices.rivals(instruction)
            reach = np.where(rivals, values.radius[args[0]], 0.0).sum(axis=1)
            own = np.where(rivals.any(axis=1), _level(reach), CLEAR)
            return np.maximum(own, below[args[0][np.arange(len(best)), best]])
        case "dot":
            first, second = (np.max(below[arg], axis=2) for arg in args)
            return np.maximum(first[:, :, None], second[:, None, :]).reshape(-1)
        case "where":
            truth, firm = choices.firm(args[0])
            own = np.where(firm, CLEAR, _level(values.radius[args[0]]))
            return np.maximum(own, np.where(truth, below[args[1]], below[args[2]]))
        case function if function in CONDITIONS:
            return CLEAR
    found = np.zeros(instruction.stop - instruction.start, np.int8)
    reach = sum(values.radius[arg] for arg in args)
    for index in real_arguments(instruction.function):
        local = slopes.local(instruction, index)
        if local is None:
            continue
        flows = below[args[index]]
        if instruction.function in PICKS:
            flows = np.where(choices.rests_on(instruction, index), flows, CLEAR)
        found = np.maximum(found, flows)
        if local.doubt is not None:
            found = np.maximum(found, np.where(local.doubt != 0, _level(reach), CLEAR))
    return found


def _level(reach: Any) -> Any:
    return np.where(reach == 0, TIED, BLURRED)
