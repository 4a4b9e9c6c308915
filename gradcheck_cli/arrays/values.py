"""From what a text says to numbers: arrays of NumPy, lists, numbers and texts of Python, tensors of files of torch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.arrays.nodes import ArrayText, File, Items, Made, Node, Plain
from gradcheck_cli.errors import ExpressionError, UsageError

Array = NDArray[Any]


def plain_value(text: ArrayText, name: str, seed: int = 0, folder: str = "") -> Any:
    """What is written, as Python has it: lists stay lists, numbers numbers; makers and files give arrays.

    Numbers that are drawn depend on `name` and `seed` only. folder: where the names of files begin.
    """
    return _Values(text, name, seed, folder).plain(text.node)


def array_value(text: ArrayText, name: str, seed: int = 0, folder: str = "") -> Any:
    """The same with each list of numbers as an array, and each number as one without dimensions.

    Whole numbers make integers, true and false truth values. A list that holds arrays or texts stays a list.
    """
    return _Values(text, name, seed, folder).array(text.node)


def generator(name: str, seed: int) -> np.random.Generator:
    """The same numbers for the same name and seed, whatever else is drawn."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


class _Values:
    def __init__(self, text: ArrayText, name: str, seed: int, folder: str) -> None:
        self.source, self.folder = text.source, folder
        self.generator = generator(name, seed)

    def plain(self, node: Node) -> Any:
        match node:
            case Plain():
                return node.value
            case Items():
                items = [self.plain(item) for item in node.items]
                return tuple(items) if node.is_tuple else items
            case Made():
                return self.made(node)
            case File():
                return self.file(node)

    def array(self, node: Node) -> Any:
        if isinstance(node, Plain):
            is_number = isinstance(node.value, int | float) and not (node.of_python or isinstance(node.value, bool))
            return self.of_numbers(node.value, node) if is_number else node.value
        if isinstance(node, Items) and _holds_numbers(node):
            self.require_shape(node)
            return self.of_numbers(self.plain(node), node)
        if isinstance(node, Items):
            items = [self.array(item) for item in node.items]
            return tuple(items) if node.is_tuple else items
        return self.plain(node)

    def of_numbers(self, value: Any, node: Node) -> Array:
        try:
            found = np.array(value)
        except OverflowError:
            found = np.array(None)
        if found.dtype == object or found.dtype == np.uint64:
            raise ExpressionError("a whole number here does not fit into 64 bits", self.source, node.start, node.end)
        return found.astype(np.float64) if found.size == 0 else found

    def require_shape(self, node: Items) -> tuple[int, ...]:
        """The shape of nested lists; an error where they have none."""
        shapes = [self.require_shape(item) if isinstance(item, Items) else () for item in node.items]
        for item, shape in zip(node.items, shapes, strict=True):
            if shape != shapes[0]:
                raise ExpressionError(
                    f"this has {_sized(shape)}, and the first one {_sized(shapes[0])}: all rows are equally long",
                    self.source, item.start, item.end,
                )  # fmt: skip
        return (len(shapes), *(shapes[0] if shapes else ()))

    def made(self, node: Made) -> Array:
        draw, numbers, shape = self.generator, node.numbers, node.shape
        match node.maker:
            case "randn":
                found: Array = draw.standard_normal(shape)
            case "rand":
                found = draw.random(shape)
            case "uniform":
                found = draw.uniform(numbers[0], numbers[1], shape)
            case "randint":
                found = draw.integers(int(numbers[0]), int(numbers[1]), shape)
            case "zeros" | "ones":
                found = np.full(shape, float(node.maker == "ones"))
            case "full":
                found = np.full(shape, self.of_numbers(numbers[0], node))
            case "eye":
                found = np.eye(shape[0], shape[1])
            case "arange":
                found = numbers[0] + self.of_numbers(numbers[1], node) * np.arange(shape[0])
            case _:
                found = np.linspace(numbers[0], numbers[1], shape[0])
        if found.dtype == np.int64 and isinstance(node.factor, int):
            largest = max((abs(int(found.max())), abs(int(found.min()))) if found.size else (0,))
            if largest * abs(node.factor) >= 2**63:
                raise ExpressionError("its numbers do not fit into 64 bits", self.source, node.start, node.end)
        return np.asarray(found) if node.factor == 1 else np.asarray(node.factor * found)

    def file(self, node: File) -> Any:
        name = os.path.join(self.folder, node.name)
        found = read_npy(name) if name.lower().endswith(".npy") else read_pt(name)
        return found if node.factor == 1 else node.factor * found


def _holds_numbers(node: Items) -> bool:
    """Whether nested lists have nothing but numbers in them, or nothing but truth values."""
    kinds = set(_kinds(node))
    return bool(kinds) and (kinds <= {int, float} or kinds == {bool})


def _kinds(node: Items) -> Sequence[type]:
    kinds: list[type] = []
    for item in node.items:
        if isinstance(item, Items):
            kinds.extend(_kinds(item))
        else:
            kinds.append(type(item.value) if isinstance(item, Plain) and not item.of_python else type(item))
    return kinds


def _sized(shape: tuple[int, ...]) -> str:
    return "one number" if not shape else f"the shape {shape}"


def read_npy(name: str) -> Array:
    """The array of a file of NumPy, without pickle."""
    try:
        found = np.load(name, allow_pickle=False)
    except OSError as error:
        raise _unreadable(name, error.strerror or str(error)) from None
    except (ValueError, EOFError) as error:
        raise _unreadable(name, f"it is no array of NumPy: {error}") from None
    if not isinstance(found, np.ndarray):
        raise _unreadable(name, "it holds several arrays, and no single one")
    return found.astype(found.dtype.newbyteorder("="))


def read_pt(name: str) -> Any:
    """The tensor of a file of torch, without pickle of anything else."""
    import torch

    if not Path(name).exists():
        raise _unreadable(name, "there is no such file")
    try:
        found = torch.load(name, weights_only=True, map_location="cpu")
    except Exception as error:  # noqa: BLE001  torch raises what it likes for a file that is not its own
        reason = str(error).split("\n")[0][:200]
        raise _unreadable(name, f"torch cannot load it as a tensor: {reason}") from None
    if not isinstance(found, torch.Tensor):
        raise _unreadable(name, f"it holds {type(found).__name__}, and no tensor")
    return found.detach()


def _unreadable(name: str, why: str) -> UsageError:
    return UsageError(f"@{name} cannot be read: {why}")
