"""`{x}` on the line of a magic: the numbers that a variable of the notebook has.

Formulas keep their braces, which LaTeX has as well: nothing in EXPR, --let and --claim is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gradcheck_cli import python_arguments
from gradcheck_cli.errors import UsageError

_VARIABLE = re.compile(r"\{([^\W\d]\w*)\}")
FORMULAS = ("--let", "--claim")


def with_numbers(texts: Sequence[str], names: Mapping[str, Any], *, formula_first: bool) -> list[str]:
    """The words with numbers in place of variables. names: those of the notebook. Raises UsageError for a name that has
    no numbers."""

    def replaced() -> Iterator[str]:
        before = ""
        for index, text in enumerate(texts):
            is_formula = (formula_first and not index) or before in FORMULAS or text.startswith(_WITH_FORMULA)
            before = text
            yield text if is_formula else _VARIABLE.sub(lambda found: _numbers(found[1], names), text)

    return list(replaced())


_WITH_FORMULA = tuple(f"{option}=" for option in FORMULAS)


def _numbers(name: str, names: Mapping[str, Any]) -> str:
    if name not in names:
        raise UsageError(f"{{{name}}}: the notebook has no variable {name}")
    return python_arguments.array(name, names[name])
