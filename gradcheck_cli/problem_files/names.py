"""What the problems of a file are called, and their tags, whatever else is right or wrong in it: for completion."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck_cli.problem_files.fields import Misread, texts
from gradcheck_cli.problem_files.plain_yaml import Node, YamlError, YamlMapping, YamlText, compose


@dataclass(frozen=True)
class Named:
    name: str
    tags: tuple[str, ...]


def named_in(text: str) -> list[Named]:
    """The problems of a text, in order; none where it is no YAML or has no list of them."""
    try:
        root = compose(text).root
    except YamlError:
        return []
    if not isinstance(root, YamlMapping) or not isinstance(problems := root.get("problems"), list):
        return []
    of_all = _tags_of(root.get("defaults"))
    return [Named(name_of(node, place), (*of_all, *_tags_of(node))) for place, node in enumerate(problems, 1)]


def name_of(node: Node, place: int) -> str:
    """The name of a problem, be the rest as it may. place: in its list, from 1."""
    name = node.get("name") if isinstance(node, YamlMapping) else None
    found = str(name).strip() if isinstance(name, YamlText) and not name.is_null else ""
    return found if found and found.isprintable() else f"problem {place}"


def _tags_of(node: Node | None) -> tuple[str, ...]:
    tags = node.get("tags") if isinstance(node, YamlMapping) else None
    try:
        return () if tags is None else texts("tags", tags)
    except Misread:
        return ()
