"""What people paste is read as what it stands for, and read again from what is shown it is the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language.pasted import READ, TWO_READINGS

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression.nodes import variables
from gradcheck_cli.language.printer import to_text
from gradcheck_cli.language.script import Script, read_script


def read(text: str, names: str = "") -> Script:
    known = set(filter(None, names.split(",")))
    return read_script(text, given=known, names=known)


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


FRAGMENTS = [
    *("y = ", "f(x) = ", "def f(x):", " return ", "lambda x: ", "x = torch.tensor(2.)", "y.backward()", "print(x)"),
    *(
        "# c",
        ";",
        "\n",
        "\n  ",
        "x",
        "y",
        "f(x)",
        "f(",
        ")",
        "|",
        "sin ",
        "√",
        "²",
        "2",
        "½",
        " + ",
        "-",
        "*",
        "'",
        '"',
    ),
    *("\\", "θ", "theta ", "sin^-1", "log_", "{2}", "=", ",", ":"),
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    found = None
    try:
        read_script(text)
    except ExpressionError as error:
        found = error
    if found is not None:
        assert 0 <= found.start < found.end
        assert str(found)


def test_no_text_is_there_twice() -> None:
    texts = [(row[0], row[2:]) for row in READ]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(("text", "readings"), TWO_READINGS, ids=[text for text, _ in TWO_READINGS])
def test_two_readings_are_both_shown(text: str, readings: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    assert caught.value.message.endswith(f": write {readings}.")
