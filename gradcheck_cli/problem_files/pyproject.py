"""Options that come as data: the table [tool.gradcheck] of pyproject.toml, and the keywords of run() from Python."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gradcheck_cli.errors import UsageError
from gradcheck_cli.problem_files.load import fields_of_request, mistakes_of
from gradcheck_cli.problem_files.models import Options
from gradcheck_cli.problem_files.plain_yaml import Node, YamlList, YamlMapping, YamlText
from gradcheck_cli.text_files import read_source

FILE = "pyproject.toml"


def read_pyproject(start: Path) -> dict[str, object]:
    """The options in the table [tool.gradcheck] of the pyproject.toml in `start` or the nearest folder above it.

    They are fields of Request. Raises UsageError that names file and key.
    """
    found = nearest(start)
    if found is None:
        return {}
    path = str(found)
    try:
        data = tomllib.loads(read_source(path))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {str(error)[:1].lower()}{str(error)[1:]}") from None
    except RecursionError:
        raise UsageError(f"{path} is nested too deeply") from None
    tool = data.get("tool")
    table = tool.get("gradcheck") if isinstance(tool, dict) else None
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise UsageError(f"{path}: tool.gradcheck is not a table: write [tool.gradcheck] and options below it")
    return read_options(table, FILE, f"{path}: [tool.gradcheck]")


def nearest(start: Path) -> Path | None:
    """The pyproject.toml in `start` or the nearest folder above it."""
    start = start.absolute()
    return next((one / FILE for one in (start, *start.parents) if os.path.isfile(one / FILE)), None)


def read_options(table: dict[str, Any], owner: str, where: str) -> dict[str, object]:
    """Options that come as data, not as YAML, as fields of Request. Raises UsageError.

    owner: whose keys they are; where: what messages begin with.
    """
    node = _as_node(table)
    assert isinstance(node, YamlMapping)
    try:
        return fields_of_request(Options.model_validate(node))
    except ValidationError as error:
        mistakes = mistakes_of(error, node, owner)
        raise UsageError("\n".join(f"{where}: {mistake.message}" for mistake in mistakes)) from None


def _as_node(value: object) -> Node:
    """What tomllib found, as what the readers of problem files take. It has no places."""
    if isinstance(value, dict):
        mapping = YamlMapping()
        mapping.update({YamlText(key): _as_node(item) for key, item in value.items()})
        return mapping
    if isinstance(value, list | tuple):
        sequence = YamlList()
        sequence.extend(_as_node(item) for item in value)
        return sequence
    return YamlText(str(value).lower() if isinstance(value, bool) else str(value), plain=False)
