"""What a text says, before any number is made of it. start, end: its place in the text."""

from __future__ import annotations

from dataclasses import dataclass

Shape = tuple[int, ...]
Scalar = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Plain:
    """A number, true, false, none or a quoted text. of_python: a number that is not to be a tensor: `float(0.5)`."""

    value: Scalar
    start: int
    end: int
    of_python: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list, or a tuple."""

    items: tuple[Node, ...]
    is_tuple: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Made:
    """An array by a maker: `randn(4, 3)`. numbers: what the maker takes beside the shape; factor: in front of it."""

    maker: str
    shape: Shape
    numbers: tuple[int | float, ...]
    factor: int | float
    start: int
    end: int

    @property
    def is_drawn(self) -> bool:
        return self.maker in ("randn", "rand", "uniform", "randint")


@dataclass(frozen=True, slots=True)
class File:
    """An array of a file: `@data.npy`."""

    name: str
    factor: int | float
    start: int
    end: int


Node = Plain | Items | Made | File


@dataclass(frozen=True, slots=True)
class ArrayText:
    """A text that was read. source: for messages that show a place in it."""

    source: str
    node: Node


def leaves(node: Node) -> list[Node]:
    """All that is no list, in order."""
    if not isinstance(node, Items):
        return [node]
    return [leaf for item in node.items for leaf in leaves(item)]
