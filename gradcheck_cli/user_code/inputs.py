"""The inputs of a call as texts, read before any heavy library loads, so that a typing error answers at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gradcheck_cli.arrays.nodes import ArrayText, Made, Plain, leaves
from gradcheck_cli.arrays.reader import read_arguments, read_array
from gradcheck_cli.errors import ExpressionError, UsageError
from gradcheck_cli.records.request import CodeInput


@dataclass(frozen=True)
class Inputs:
    """Texts, read. by_position, by_name: as they were given. folder: where the names of files begin."""

    by_position: tuple[ArrayText, ...]
    by_name: Mapping[str, ArrayText]
    folder: str = ""

    @property
    def are_drawn(self) -> bool:
        texts = (*self.by_position, *self.by_name.values())
        return any(isinstance(leaf, Made) and leaf.is_drawn for text in texts for leaf in leaves(text.node))


def read_inputs(given: Sequence[CodeInput], folder: str = "") -> Inputs:
    """Raises ExpressionError for a text that cannot be read, UsageError for a name that comes twice."""
    by_name: dict[str, ArrayText] = {}
    for name, text in given:
        if name is not None and name in by_name:
            raise UsageError(f"the input {name} is given twice")
        if name is not None:
            by_name[name] = _read(name, text)
    return Inputs(tuple(_read("", text) for name, text in given if name is None), by_name, folder)


def read_init(text: str) -> list[tuple[str | None, ArrayText]]:
    """The arguments of a class, each with its name where it has one."""
    found = read_arguments(text)
    names = [name for name, _ in found]
    for place, name in enumerate(names):
        if name is None and any(names[:place]):
            raise UsageError(f"init {text}: an argument without a name comes before those with one")
        if name is not None and name in names[:place]:
            raise UsageError(f"init {text}: {name} is given twice")
    return found


def input_of(text: str) -> CodeInput:
    """`x=randn(3)` or `randn(3)`, apart."""
    found = re.fullmatch(r"\s*([^\W\d]\w*)\s*=(?!=)(.*)", text, re.DOTALL)
    return (found[1], found[2].strip()) if found else (None, text.strip())


def is_tensor_of_a_number(text: ArrayText) -> bool:
    """Whether it is a number that makes a tensor, unless the signature says that the argument is one of Python."""
    node = text.node
    is_number = isinstance(node, Plain) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return is_number and isinstance(node, Plain) and not node.of_python


def _read(name: str, text: str) -> ArrayText:
    try:
        return read_array(text)
    except ExpressionError as error:
        if not name:
            raise
        raise ExpressionError(f"{name}: {error.message}", error.source, error.start, error.end) from None
