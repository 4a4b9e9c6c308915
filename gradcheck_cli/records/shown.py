"""How records show themselves: printed, in a notebook, on Rich's console. A renderer reads them, and is loaded then."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType


class Shown:
    """A record of a check, of many, or of the chain rule."""

    __slots__ = ()

    def __repr__(self) -> str:
        """In a few words: assertions of pytest, debuggers and lists show records so."""
        return f"<{type(self).__name__} of {self._repr_words()}>"

    def _repr_words(self) -> str:
        """What it is of, and what came out."""
        raise NotImplementedError

    def __str__(self) -> str:
        """The summary, as the command line prints it."""
        from gradcheck_cli.render.shown import summary

        return summary(self)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> Mapping[str, str]:
        """The report, by media type, for Jupyter and what follows its protocol. include, exclude: of these types."""
        from gradcheck_cli.render.shown import bundle

        return bundle(self, include, exclude)

    def __rich__(self) -> RenderableType:
        """The report, as wide as the console on which Rich prints it."""
        from gradcheck_cli.render.shown import OnConsole

        return OnConsole(self)
