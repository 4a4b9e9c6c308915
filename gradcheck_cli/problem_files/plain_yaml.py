"""YAML as plain data with places: scalars stay texts, and what they mean is decided by whoever reads them.

So `1e-3`, `on`, `1:30` and `0o17` need no rules of YAML 1.1 or 1.2. The composer is a loop over the parser's events: no
recursion, no tags, no merge keys, one document; aliases share the node, and the size of all of it is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from gradcheck_cli.errors import GradcheckError

MAX_DEPTH = 20
MAX_NODES = 1_000_000
MAX_MISTAKES = 100

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_STRING_TAG = "tag:yaml.org,2002:str"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(GradcheckError):
    """What is wrong at a place of the text; lines and columns count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    @property
    def place(self) -> tuple[int, int]:
        return self.line, self.column

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


class YamlText(str):
    """A text with its place. plain: it stands without quotes."""

    __slots__ = ("column", "line", "plain")
    line: int
    column: int
    plain: bool

    def __new__(cls, text: str, line: int = 1, column: int = 1, plain: bool = True) -> YamlText:
        scalar = super().__new__(cls, text)
        scalar.line, scalar.column, scalar.plain = line, column, plain
        return scalar

    @property
    def is_null(self) -> bool:
        return self.plain and self in _NULLS

    @property
    def end(self) -> tuple[int, int]:
        return self.line, self.column + 1


class YamlList(list["Node"]):
    """A list with its place. end: where what follows it begins; size: how many nodes it has, itself included."""

    def __init__(self, line: int = 1, column: int = 1) -> None:
        super().__init__()
        self.line, self.column = line, column
        self.end = line, column
        self.size = 1


class YamlMapping(dict[str, "Node"]):
    """A dict with its place; end and size as above. Its keys are Scalars."""

    def __init__(self, line: int = 1, column: int = 1) -> None:
        super().__init__()
        self.line, self.column = line, column
        self.end = line, column
        self.size = 1

    def key(self, name: str) -> YamlText:
        """The key as it stands in the text, with its place."""
        return next(key for key, _ in self.entries() if key == name)

    def entries(self) -> Iterator[tuple[YamlText, Node]]:
        """Like items(); the keys have their places."""
        for key, value in self.items():
            yield (key if isinstance(key, YamlText) else YamlText(key)), value


Node: TypeAlias = YamlText | YamlList | YamlMapping


@dataclass(frozen=True)
class Document:
    """root: the data (an empty YamlText for a text without any). mistakes: what is wrong, short of its syntax."""

    root: Node
    mistakes: tuple[YamlError, ...] = ()


def compose(text: str) -> Document:
    """The data of a text. Raises YamlError where it is not YAML, is nested too deeply or is too large."""
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    _require_characters(text)
    composer = _Composer()
    for event in _events(text):
        composer.take(event)
    return Document(YamlText("") if composer.root is None else composer.root, tuple(composer.mistakes))


@dataclass
class _Composer:
    """Takes one event after the other; the containers that are open are on the stack."""

    root: Node | None = None
    mistakes: list[YamlError] = field(default_factory=list)
    stack: list[YamlList | YamlMapping] = field(default_factory=list)
    keys: list[YamlText | None] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    total: int = 0

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(event, YamlMapping(*_place(event)))
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(event, YamlList(*_place(event)))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise YamlError("a second document begins here: a file holds one, so delete the ---", *_place(event))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line, column = _place(event)
        plain = event.implicit[0]
        if plain and not event.value and self.stack and (key := self.keys[-1]) is not None:
            line, column = key.line, key.column
        scalar = YamlText(event.value, line, column, plain)
        if event.tag is not None or event.anchor is not None:
            self._properties(event.tag, event.anchor, scalar)
        self._count(1, scalar)
        self._add(scalar)

    def _open(self, event: yaml.CollectionStartEvent, node: YamlList | YamlMapping) -> None:
        if self.stack and isinstance(self.stack[-1], YamlMapping) and self.keys[-1] is None:
            found = "list" if isinstance(node, YamlList) else "mapping"
            raise YamlError(f"a key is a text, not a {found}: put a text with brackets in quotes", *_place(event))
        if len(self.stack) == MAX_DEPTH:
            raise YamlError(f"lists and mappings are nested more than {MAX_DEPTH} deep", *_place(event))
        self._properties(event.tag, event.anchor, node)
        self._add(node)
        self.starts.append(self.total)
        self._count(1, node)
        self.stack.append(node)
        self.keys.append(None)

    def _close(self, event: yaml.CollectionEndEvent) -> None:
        node = self.stack.pop()
        self.keys.pop()
        node.size = self.total - self.starts.pop()
        node.end = _place(event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line, column = _place(event)
        name = str(event.anchor)
        node = self.anchors.get(name)
        if node is None:
            message = f"there is no &{_short(name)} for this *{_short(name)}: a text that begins with * goes in quotes"
        elif any(node is container for container in self.stack):
            message = f"*{_short(name)} stands inside of &{_short(name)}: data cannot hold itself"
        else:
            self._count(1 if isinstance(node, YamlText) else node.size, YamlText("", line, column))
            self._add(node)
            return
        self._mistake(message, line, column)
        self._add(YamlText("", line, column))

    def _properties(self, tag: str | None, anchor: str | None, node: Node) -> None:
        if tag is not None and not (tag == _STRING_TAG and isinstance(node, YamlText)):
            shown = _short(tag.replace("tag:yaml.org,2002:", "!!"))
            message = f"there is a tag, {shown}, but files are plain data: a text that begins with ! goes in quotes"
            self._mistake(message, node.line, node.column)
        if anchor is not None:
            self.anchors[anchor] = node

    def _add(self, node: Node) -> None:
        """Put a node where it belongs: at the root, into the open list, or as key or value of the open mapping."""
        if not self.stack:
            self.root = node
            return
        container, key = self.stack[-1], self.keys[-1]
        if isinstance(container, YamlList):
            container.append(node)
        elif key is not None:
            self._set(container, key, node)
            self.keys[-1] = None
        elif isinstance(node, YamlText):
            self.keys[-1] = node
        else:
            raise YamlError("a key is a text, not an alias of a list or a mapping", node.line, node.column)

    def _set(self, container: YamlMapping, key: YamlText, node: Node) -> None:
        if key == "<<" and key.plain:
            message = "keys are not merged with <<: write what problems have in common under defaults:"
        elif key in container:
            message = f"the key {_short(key)} is here a second time: the first is in line {container.key(key).line}"
        else:
            container[key] = node
            return
        self._mistake(message, key.line, key.column)

    def _mistake(self, message: str, line: int, column: int) -> None:
        self.mistakes.append(YamlError(message, line, column))
        if len(self.mistakes) > MAX_MISTAKES:
            raise YamlError(f"{message} (and {MAX_MISTAKES} mistakes before)", line, column)

    def _count(self, nodes: int, node: Node) -> None:
        self.total += nodes
        if self.total > MAX_NODES:
            message = f"there are more than {MAX_NODES:,} values here (an alias counts as all that it stands for)"
            raise YamlError(message, node.line, node.column)


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _require_characters(text: str) -> None:
    found = _FORBIDDEN.search(text)
    if found:
        before = text[: found.start()].replace("\r\n", "\n").replace("\r", "\n")
        column = len(before) - before.rfind("\n")
        message = (
            f"the character U+{ord(found[0]):04X} is not text: delete it, or write it as an escape in double quotes"
        )
        raise YamlError(message, before.count("\n") + 1, column)


def _events(text: str) -> Iterator[yaml.Event]:
    """What PyYAML finds, its errors translated."""
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise _translated(error, text) from None
    except yaml.YAMLError as error:
        raise YamlError(f"this is not YAML: {str(error).partition(chr(10))[0]}") from None
    except (RecursionError, ValueError, OverflowError):
        # The loader in Python, which stands in for libyaml, has its own ways to fail.
        raise YamlError("this is not YAML that can be read") from None


_PLAIN_WORDS = (
    (r"nesting depth", f"lists and mappings are nested more than {MAX_DEPTH} deep"),  # seen before the events are
    (r"mapping values are not allowed", "a colon is not expected here: a text that has ': ' in it goes in quotes, and "
     "the keys of a mapping stand in one column"),
    (r"cannot start any token", "{character} cannot begin a value: put the text in quotes"),
    (r"unexpected end of stream", "the quote that opens in line {opened} is not closed"),
    (r"expected ',' or '\]'", "the list that begins with [ in line {opened} goes on without a comma or ]"),
    (r"expected ',' or '}'", "the mapping that begins with { in line {opened} goes on without a comma or }"),
    (r"expected key|expected <block end>.*'(?!-)", "this is neither a key in the column of the keys that begin in line "
     "{opened} nor part of a value: check the indentation, and put a text that has a special beginning in quotes"),
    (r"expected '-' indicator", "an item that begins with - is expected here, as in the list that begins in line "
     "{opened}: check the indentation"),
    (r"expected ':'", "there is no colon after the key that begins in line {opened}"),
    (r"unknown escape character|escape code|hexdecimal", "this escape is not known inside double quotes: use single "
     "quotes, or write \\\\ for a backslash"),
    (r"comment or line break|chomping or indentation|indentation indicator", "after | or > the line ends: a text "
     "that begins with | or > goes in quotes"),
    (r"expected <?document start", "the data has ended before this: put all of it into one mapping"),
    (r"alphabetic or numeric", "a text that begins with * or & goes in quotes"),
    (r"block sequence entries are not allowed|sequence entries are not allowed", "a list item is not expected here: "
     "put it in a line of its own, or put a text that begins with '- ' in quotes"),
    (r"incompatible|version", "this is for another version of YAML: delete the line that begins with %YAML"),
    (r"tag|URI", "there is a tag that cannot be read: a text that begins with ! goes in quotes"),
    (r"node content", "a value is missing here: a text that begins with a special character goes in quotes"),
)  # fmt: skip
"""What libyaml (and PyYAML) say, as a pattern -> what we say. opened: the line in which that thing begins."""


def _translated(error: yaml.MarkedYAMLError, text: str) -> YamlError:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return YamlError(f"this is not YAML: {error.problem}")
    opened = (error.context_mark or mark).line + 1
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    character = line[mark.column : mark.column + 1]
    problem = str(error.problem)
    message = next((words for pattern, words in _PLAIN_WORDS if re.search(pattern, problem)), f"not YAML: {problem}")
    if character == "\t":
        message = "there is a tab: lines are indented with spaces"
    message = message.replace("{opened}", str(opened)).replace("{character}", character or "this")
    return YamlError(message, mark.line + 1, mark.column + 1)
