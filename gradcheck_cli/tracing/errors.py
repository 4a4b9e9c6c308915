"""What cannot be recorded."""

from __future__ import annotations

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.tape.tape import Origin


class Opaque(GradcheckError):
    """An operation whose operands depend on the inputs and that cannot be taken apart. Never taken for a constant."""

    def __init__(self, origin: Origin, why: str = "it has no rule, and torch has no decomposition of it") -> None:
        where = f" ({origin.place})" if origin.place else ""
        super().__init__(
            f"{origin.operation.removeprefix('aten::')}{where} cannot be differentiated exactly: {why}; give"
            " reference=, a function of plain torch operations that computes the same"
        )
        self.origin, self.why = origin, why
