"""From the words of a line to what may stand next: a command, an option, or a value of one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from gradcheck_cli.cli.arguments import may_follow
from gradcheck_cli.cli.completion.shells import Candidate, Typed
from gradcheck_cli.cli.words import DEFAULT_COMMAND, with_command
from gradcheck_cli.errors import UsageError
from gradcheck_cli.problem_files.find import SUFFIXES

Commands = Mapping[str, Any]
"""Typer's, by name."""


def candidates(typed: Typed, commands: Commands) -> list[Candidate]:
    """What the last word may become."""
    name, words = _command(typed, commands)
    if name is None:
        return list(_named(commands, typed.incomplete))
    found = _Line(commands[name], words).candidates(typed)
    if typed.words or typed.quote:
        return found
    return [*_named(commands, typed.incomplete), *_files(typed.incomplete), *found]


def _command(typed: Typed, commands: Commands) -> tuple[str | None, Sequence[str]]:
    """Which command is meant, and the words after it; None where nothing but its name may come next."""
    words = typed.words
    if words and words[0] in commands:
        return words[0], words[1:]
    if list(words) == ["help"] or not (words or typed.incomplete or typed.quote):
        return None, ()
    if not words and typed.incomplete in commands:
        return DEFAULT_COMMAND, words
    try:
        return with_command([*words, typed.incomplete], commands)[0], words
    except UsageError:  # it is told once the command is run
        return DEFAULT_COMMAND, words


def _named(commands: Commands, beginning: str) -> Iterator[Candidate]:
    for name, command in commands.items():
        if name.startswith(beginning):
            yield Candidate(name, _sentence(command.help))


def _files(beginning: str) -> Iterator[Candidate]:
    """Those that may stand in place of a command. The shell names none where there are other candidates."""
    if beginning:
        suffixes = (*SUFFIXES, ".py")
        yield from (
            Candidate(name) for name in sorted(os.listdir()) if name.startswith(beginning) and name.endswith(suffixes)
        )


class _Line:
    """The words after a command, each as what it is.

    awaited: the option whose value comes next. may: whether it need not come. only_texts: whether no option may follow.
    """

    def __init__(self, command: Any, words: Sequence[str]) -> None:
        self.context = typer.Context(command, info_name=command.name, resilient_parsing=True)
        parameters = command.get_params(self.context)
        self.arguments = [one for one in parameters if one.param_type_name == "argument"]
        self.options = [one for one in parameters if one.param_type_name == "option"]
        self.by_name = {name: one for one in self.options for name in (*one.opts, *one.secondary_opts)}
        self.typed: dict[str, list[str]] = {}
        self.texts = 0
        self.awaited: Any = None
        self.may = self.only_texts = False
        for word in words:
            self._take(word)

    def _take(self, word: str) -> None:
        name, equals, value = word.partition("=")
        option, self.awaited = self.awaited, None
        if option is not None and (not self.may or may_follow(option.metavar, word)):
            self._is(option, word)
        elif self.only_texts or not word.startswith("-"):
            self._text(word)
        elif word == "--":
            self.only_texts = True
        elif word in self.by_name:
            option = self.by_name[word]
            if option.is_flag:
                self._is(option, word)
            else:
                self.awaited, self.may = option, str(option.metavar).startswith("[")
        elif equals and name in self.by_name:
            self._is(self.by_name[name], value)
        elif not word.startswith("--"):
            self._text(word)

    def _text(self, word: str) -> None:
        if (argument := self._argument()) is not None:
            self._is(argument, word)
        self.texts += 1

    def _is(self, parameter: Any, text: str) -> None:
        self.typed.setdefault(parameter.name, []).append(text)

    def _argument(self) -> Any:
        """The one that the next text is for; None where there is none."""
        if self.texts < len(self.arguments):
            return self.arguments[self.texts]
        last = self.arguments[-1] if self.arguments else None
        return last if last is not None and last.nargs == -1 else None

    def candidates(self, typed: Typed) -> list[Candidate]:
        self.context.params = dict(self.typed)
        self.context.obj = typed.quote
        text = typed.incomplete
        name, equals, value = text.partition("=")
        if self.awaited is not None and not self.may:
            return self._values(self.awaited, text)
        if self.awaited is not None and (found := self._values(self.awaited, text)):
            return found
        if equals and name in self.by_name and not self.by_name[name].is_flag and not self.only_texts:
            return self._values(self.by_name[name], value, f"{name}=")
        options = [] if self.only_texts else list(self._options(text))
        if text.startswith("-") and options:
            return options
        argument = self._argument()
        if argument is None:
            return [] if text else options
        files = "FILE" in argument.metavar  # which the shell names where there is nothing else
        return self._values(argument, text) or ([] if text or files else options)

    def _values(self, parameter: Any, text: str, before: str = "") -> list[Candidate]:
        found = parameter.shell_complete(self.context, text)
        return [Candidate(f"{before}{one.value}", _sentence(one.help)) for one in found]

    def _options(self, beginning: str) -> Iterator[Candidate]:
        """Those that begin like that and may still be given, each by the first of its names that does."""
        for option in self.options:
            if option.name in self.typed and not option.multiple:
                continue
            for names in (option.opts, option.secondary_opts):
                fitting = [name for name in names if name.startswith(beginning)]
                if fitting:
                    yield Candidate(fitting[0], _sentence(option.help))


def _sentence(text: str | None) -> str:
    """The first sentence, on one line."""
    first = " ".join((text or "").replace("\b", "").split()).partition(". ")[0]
    return first.removesuffix(".")
