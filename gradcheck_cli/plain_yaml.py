"""YAML text to plain data that knows its places in the text.

Scalars stay text: what `1e-3`, `on` or `1:30` means is for the field that reads it, so the traps of YAML 1.1 cannot
spring. PyYAML parses, with libyaml where it is there; its stream of events is put together here, since that is faster
than its own composer, needs no recursion, and lets nesting and aliases be bounded.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml

from gradcheck_cli.errors import GradcheckError

MAX_DEPTH = 20
MAX_SIZE = 2_000_000
"""Nodes, aliases counted as what they stand for."""

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = (None, "!", "tag:yaml.org,2002:str")


class Place(NamedTuple):
    """From 1."""

    line: int
    column: int


class YamlError(GradcheckError):
    """A text that is no plain YAML. message: what is wrong and what to do."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message, self.place = message, place


class Text(str):
    """A scalar, as it is written."""

    mark: Any
    plain: bool

    @property
    def place(self) -> Place:
        return _place(self.mark)

    @property
    def is_null(self) -> bool:
        return self.plain and self in ("", "~", "null", "Null", "NULL")


class Items(list["Data"]):
    """A sequence."""

    mark: Any
    size: int

    @property
    def place(self) -> Place:
        return _place(self.mark)


class Table(dict[str, "Data"]):
    """A mapping. names: its keys, which know where they stand."""

    mark: Any
    size: int
    names: dict[str, Text]

    @property
    def place(self) -> Place:
        return _place(self.mark)

    def place_of(self, key: str) -> Place:
        return self.names[key].place


Data = Text | Items | Table


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def read_yaml(text: str) -> Data | None:
    """The one document of a text; None where there is none. Raises YamlError."""
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise YamlError(f"the character U+{ord(found[0]):04X} is not allowed in YAML", Place(line, column))
    composer = _Composer()
    try:
        for event in yaml.parse(text, Loader=Loader):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        said = " ".join(filter(None, (error.problem, error.context)))
        raise YamlError(f"this is not YAML: {said}", place) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlError(f"this is not YAML: {error}", Place(1, 1)) from None
    return composer.root


class _Composer:
    """Events in, data out."""

    def __init__(self) -> None:
        self.root: Data | None = None
        self.documents = 0
        self.open: list[tuple[Items | Table, str | None]] = []
        self.keys: list[Text | None] = []  # for each open container, the key that waits for its value
        self.anchors: dict[str, Data | None] = {}  # None: still open

    def take(self, event: Any) -> None:
        kind, mark = type(event), event.start_mark
        if kind is yaml.ScalarEvent:
            self._refuse_tag(event.tag, mark)
            text = Text(event.value)
            text.mark, text.plain = mark, event.style is None
            self._add(text, event.anchor)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._refuse_tag(event.tag, mark)
            self._start(Table() if kind is yaml.MappingStartEvent else Items(), event.anchor, mark)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            container, anchor = self.open.pop()
            self.keys.pop()
            self._add(container, anchor)
        elif kind is yaml.AliasEvent:
            self._add(self._anchored(event.anchor, _place(mark)), None)
        elif kind is yaml.DocumentStartEvent:
            self.documents += 1
            if self.documents > 1:
                raise YamlError("a second document begins here: a file holds one", _place(mark))

    def _start(self, container: Items | Table, anchor: str | None, mark: Any) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise YamlError(f"lists and mappings are nested more than {MAX_DEPTH} deep", _place(mark))
        if self.open and isinstance(self.open[-1][0], Table) and self.keys[-1] is None:
            raise YamlError("a key must be a name, not a list or a mapping", _place(mark))
        container.mark, container.size = mark, 1
        if isinstance(container, Table):
            container.names = {}
        if anchor:
            self.anchors[anchor] = None
        self.open.append((container, anchor))
        self.keys.append(None)

    def _add(self, node: Data, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        container, _ = self.open[-1]
        container.size += 1 if isinstance(node, Text) else node.size
        if container.size > MAX_SIZE:
            raise YamlError(f"with its aliases written out, this has more than {MAX_SIZE:,} parts", container.place)
        if isinstance(container, Items):
            container.append(node)
        elif (key := self.keys[-1]) is not None:
            container[key] = node
            self.keys[-1] = None
        else:
            self.keys[-1] = self._key(node, container)

    def _key(self, node: Data, container: Table) -> Text:
        if not isinstance(node, Text):
            raise YamlError("a key must be a name, not a list or a mapping", node.place)
        if node == "<<" and node.plain:
            raise YamlError("merge keys (<<) are not read: what problems share goes under defaults:", node.place)
        if node in container.names:
            first = container.place_of(node).line
            raise YamlError(f"the key {node} is there twice, first in line {first}", node.place)
        container.names[node] = node
        return node

    def _anchored(self, name: Any, place: Place) -> Data:
        if name not in self.anchors:
            raise YamlError(f"*{name} stands for nothing: there is no &{name} before it", place)
        node = self.anchors[name]
        if node is None:
            raise YamlError(f"*{name} stands inside of what it stands for", place)
        return node

    def _refuse_tag(self, tag: str | None, mark: Any) -> None:
        if tag not in _TAGS:
            shown = str(tag).replace("tag:yaml.org,2002:", "!!")
            raise YamlError(f"the tag {shown} is not read: problem files are plain data", _place(mark))
