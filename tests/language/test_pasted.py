"""What people paste is read as what it stands for, and read again from what is shown it is the same."""

from __future__ import annotations

import pytest
from language.pasted import READ, TWO_READINGS

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression.nodes import variables
from gradcheck_cli.language.printer import to_text
from gradcheck_cli.language.script import Script, read_script


def read(text: str, names: str = "") -> Script:
    given = set(filter(None, names.split(",")))
    return read_script(text, given=given, names=given)


def reading(script: Script) -> str:
    """As pasted.py writes it."""
    parts = [f"{label} = {to_text(expression)}" for label, (_, expression) in script.definitions.items()]
    name = f"{script.function_name} = " if script.function_name else ""
    text = "; ".join([*parts, name + to_text(script.expression)])
    return " ".join([text, *(["@", *script.at] if script.at else ()), *(f"| {notice}" for notice in script.notices)])


@pytest.mark.parametrize("row", READ, ids=[repr(row[0]) for row in READ])
def test_what_is_pasted(row: tuple[str, ...]) -> None:
    text, wanted, *names = row
    script = read(text, *names)
    shown = reading(script)
    assert shown == wanted
    written = shown.partition(" |")[0].partition(" @")[0]
    again = read_script(written, names=variables(script.expression))
    assert again.expression is script.expression


def test_no_text_is_there_twice() -> None:
    texts = [(row[0], row[2:]) for row in READ]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(("text", "readings"), TWO_READINGS, ids=[text for text, _ in TWO_READINGS])
def test_two_readings_are_both_shown(text: str, readings: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    assert caught.value.message.endswith(f": write {readings}.")
