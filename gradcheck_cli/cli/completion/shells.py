"""How the scripts of Typer ask, and how they are answered, for each shell.

Typer's own answers would be given for the words as they stand, where a command is yet to be found, and those to zsh are
evaluated there with what a file may call its problems. So what is written here is safe to evaluate: each shell has one
reader, from the environment to a Typed, and one writer.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CUT = re.compile("[:=]+")


@dataclass(frozen=True)
class Typed:
    """words: those before the cursor, without the name of the program. incomplete: what is to be completed. quote: the
    one that is open there, or "". replaced: the end of `incomplete` that bash replaces, as typed."""

    words: Sequence[str]
    incomplete: str
    quote: str = ""
    replaced: str = ""


@dataclass(frozen=True)
class Candidate:
    value: str
    help: str = ""


@dataclass(frozen=True)
class Shell:
    """write: the text, and the exit code."""

    read: Callable[[Mapping[str, str]], Typed]
    write: Callable[[Typed, Sequence[Candidate], Mapping[str, str]], tuple[str, int]]


def _from_bash(environment: Mapping[str, str]) -> Typed:
    """A word a line, as typed. bash cuts words at colons and equals signs, and replaces what follows the last one."""
    typed = list(_whole(environment.get("COMP_WORDS", "").split("\n")))
    place = int(environment.get("COMP_CWORD", "0"))
    words: list[str] = []
    quote = last = ""
    joined = False
    for last in [*typed, ""][: place + 1]:
        cut = _CUT.fullmatch(last) is not None
        text, quote = _unquoted(last)
        if words and (cut or joined):
            words[-1] += text
        else:
            words.append(text)
        joined = cut
    replaced = last.rpartition(quote)[2] if quote else "" if joined else last
    return Typed(words[1:-1], words[-1] if words[1:] else "", quote, replaced)


def _whole(lines: Sequence[str]) -> Iterator[str]:
    """The words: one that has a line feed within quotes is several lines."""
    word = ""
    for line in lines:
        word += line
        if _unquoted(word)[1]:
            word += "\n"
        else:
            yield word
            word = ""
    if word:
        yield word.removesuffix("\n")


def _from_line(environment: Mapping[str, str]) -> Typed:
    """The line up to the cursor, as typed."""
    line = environment.get("_TYPER_COMPLETE_ARGS", "")
    lexer: Any = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    quote = ""
    try:
        for word in lexer:
            words.append(word)
        if line[-1:].isspace():
            words.append("")
    except ValueError:  # a quote is open
        words.append(lexer.token)
        quote = lexer.state if lexer.state in ("'", '"') else ""
    return Typed(words[1:-1], words[-1] if words[1:] else "", quote)


def _unquoted(word: str) -> tuple[str, str]:
    """The text of a word as typed, and the quote that it leaves open."""
    lexer: Any = shlex.shlex(word, posix=True)
    lexer.whitespace_split, lexer.whitespace, lexer.commenters = True, "", ""
    try:
        return lexer.get_token() or "", ""
    except ValueError:
        return lexer.token, lexer.state if lexer.state in ("'", '"') else ""


def _to_bash(typed: Typed, found: Sequence[Candidate], _: Mapping[str, str]) -> tuple[str, int]:
    """What was typed stays as it was, and what is new is quoted as it has to be there."""
    new = [one.value[len(typed.incomplete) :] for one in found]
    if typed.quote == "'":
        new = [text for text in new if "'" not in text]
    else:
        special = r'([\\"$`])' if typed.quote else r"([^\w@%+:,./=^-])"
        new = [re.sub(special, r"\\\1", text) for text in new]
    return "\n".join(typed.replaced + text for text in new), 0


def _to_zsh(typed: Typed, found: Sequence[Candidate], environment: Mapping[str, str]) -> tuple[str, int]:
    """Commands, which are evaluated, with the bytes of each text as codes. Of a word that is a pattern, for want of
    quotes, there is nothing to complete: zsh would look for files."""
    if not found or (not typed.quote and re.search(r"[*?\[(<^#~]", typed.incomplete)):
        return "_files", 0
    rows = []
    for one in found:
        value = one.value.replace("\\", "\\\\").replace(":", "\\:")
        rows.append(_coded(f"{value}:{one.help}" if one.help else value))
    return f"local -a found; found=({' '.join(rows)}); _describe gradcheck found", 0


def _coded(text: str) -> str:
    codes = (f"\\x{byte:02x}" for byte in text.encode(errors="surrogateescape"))
    return f"$'{''.join(codes)}'"


def _to_fish(_: Typed, found: Sequence[Candidate], environment: Mapping[str, str]) -> tuple[str, int]:
    if environment.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":  # whether files are no candidates
        return "", 0 if found else 1
    return "\n".join(f"{one.value}\t{one.help}" if one.help else one.value for one in found), 0


def _to_powershell(_: Typed, found: Sequence[Candidate], environment: Mapping[str, str]) -> tuple[str, int]:
    return "\n".join(f"{_as_word(one.value)}:::{one.help or ' '}" for one in found), 0


def _as_word(value: str) -> str:
    if re.fullmatch(r"[\w.:=/\\-]+", value):
        return value
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _from_powershell(environment: Mapping[str, str]) -> Typed:
    """The word to be completed has a variable of its own, and is not part of the line where it is empty."""
    word = environment.get("_TYPER_COMPLETE_WORD_TO_COMPLETE", "")
    line = environment.get("_TYPER_COMPLETE_ARGS", "")
    return _from_line({"_TYPER_COMPLETE_ARGS": line if word else f"{line} "})


SHELLS = {
    "bash": Shell(_from_bash, _to_bash),
    "zsh": Shell(_from_line, _to_zsh),
    "fish": Shell(_from_line, _to_fish),
    "powershell": Shell(_from_powershell, _to_powershell),
}
