"""Which derivative: what a row is about, and the key of everything that is known of it."""

from __future__ import annotations

from typing import NamedTuple


class Derivative(NamedTuple):
    """A derivative by one name per order, in turn; without a name, the value itself.

    of: the output that it is a derivative of; "" where there is only one.
    """

    wrt: tuple[str, ...] = ()
    of: str = ""

    @property
    def order(self) -> int:
        return len(self.wrt)

    @property
    def label(self) -> str:
        """The names, as one writes them in files: "x,y"."""
        return ",".join(self.wrt)

    @property
    def last(self) -> str:
        """The name by which `before` is differentiated."""
        return self.wrt[-1]

    @property
    def before(self) -> Derivative:
        """The derivative that this one is the derivative of."""
        return Derivative(self.wrt[:-1], self.of)

    def by(self, name: str) -> Derivative:
        """The derivative of this one by a name."""
        return Derivative((*self.wrt, name), self.of)

    def up_to(self, order: int) -> Derivative:
        """The derivative by the first names only."""
        return self if order >= len(self.wrt) else Derivative(self.wrt[:order], self.of)


VALUE = Derivative()
