"""The report of one formula as LaTeX: amsmath's environments, which MathJax knows too, and lists of notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.language.latex import name, number, to_latex
from gradcheck_cli.language.parser import parse
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.results import Check, Claim, ProblemResult
from gradcheck_cli.render import cells, labels, plain
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formula import parts
from gradcheck_cli.render.latex_text import array, environment, interval, items, prose


def formula_report(result: ProblemResult, display: Display) -> Iterator[str]:
    """The lines: the formulas and the value, the rows, the notes, the claims."""
    checks = cells.select(result, display)
    notes, markers = cells.number_notes(checks, display)
    equations, more = parts.equations(result, display, room=len(str(result.variables)) + 10)
    rows = [f"{label(result, equation)} &= {formula(result, equation.text)}" for equation in equations]
    if (value := parts.value(result)) is not None:
        torch = "" if value.torch is None else rf" \quad \text{{(torch: }}{number(value.torch)}\text{{)}}"
        rows.append(f"{_function(result, point(result, result.checks[0]))} &= {number(value.value)}{torch}")
    yield from environment("align*", rows)
    if more:
        yield from ("", prose(more))
    if result.error is not None:
        yield from ("", prose(plain.in_short(result.error)))
    if checks:
        yield ""
        yield from _table(result, checks, markers, display)
        if rest := cells.rest(result, checks, display):
            yield from ("", prose(f"{rest}."))
    remarks = parts.remarks(result, checks, notes, markers, display)
    if remarks:
        yield ""
        marked = (("" if mark is None else f"[${{}}^{{{mark}}}$]", remark) for mark, remark in remarks)
        yield from items(marked, partial(_sentence, result))
    for claim in result.claims:
        yield ""
        yield from _claim(result, claim)


def formula(result: ProblemResult, text: str) -> str:
    """A formula for math mode; one that cannot be read as it stands, as it was typed."""
    try:
        return to_latex(_read(result, text))
    except GradcheckError:
        return rf"\texttt{{{prose(text)}}}"


def _sentence(result: ProblemResult, text: str) -> str:
    """A note, in which a word with a sign of multiplication is a formula, where it can be read as one. What is to be
    written in place of something stays as it is to be typed."""
    return "; ".join(
        prose(clause)
        if "write " in clause
        else " ".join(_word(result, word) if "*" in word else prose(word) for word in clause.split())
        for clause in plain.one_line(text).split("; ")
    )


def _word(result: ProblemResult, word: str) -> str:
    core = word.rstrip(",.;:")
    while core.count(")") > core.count("(") and core.endswith(")"):
        core = core[:-1]
    opened = 0
    while core[opened:].count("(") > core.count(")") and core[opened:].startswith("("):
        opened += 1
    core = core[opened:]
    try:
        written = f"${to_latex(_read(result, core))}$"
    except GradcheckError:
        return prose(word)
    return f"{prose(word[:opened])}{written}{prose(word[opened + len(core) :])}"


def _read(result: ProblemResult, text: str) -> Expr:
    return parse(text, names={*result.variables, *result.lets})


def label(result: ProblemResult, equation: parts.Equation) -> str:
    if equation.wrt:
        return derivative(result, equation.wrt)
    if equation.wrt is not None:
        return _function(result, ", ".join(map(name, result.variables)))
    head, _, arguments = equation.label.partition("(")
    own = rf"\left({', '.join(name(one.strip()) for one in arguments.rstrip(')').split(','))}\right)"
    return name(head) + (own if arguments else "")


def _function(result: ProblemResult, arguments: str) -> str:
    own = name(labels.function_name(result))
    return rf"{own}\left({arguments}\right)" if arguments else own


def derivative(result: ProblemResult, wrt: Sequence[str]) -> str:
    """f'(x), f^{(4)}(x), or a fraction of differentials."""
    f, order = name(labels.function_name(result)), len(wrt)
    if not order:
        return rf"\text{{a derivative of }}{f}"
    if labels.is_prime(result, wrt):
        primes = "'" * order if order <= 3 else f"^{{({order})}}"
        return rf"{f}{primes}\left({name(wrt[0])}\right)"
    d = "d" if len(result.variables) == 1 else r"\partial "
    runs = [(one, len(list(run))) for one, run in groupby(wrt)]
    below = r" \, ".join(f"{d}{name(one)}{f'^{{{times}}}' if times > 1 else ''}" for one, times in runs)
    above = f"{d.strip()}^{{{order}}} {f}" if order > 1 else f"{d}{f}"
    return rf"\frac{{{above}}}{{{below}}}"


def point(result: ProblemResult, check: Check) -> str:
    """2, or w = 2, x = 1."""
    if set(check.point) == set(result.variables) and len(check.point) == 1:
        return number(labels.point(result, check.point))
    texts = {one: labels.point(result, {one: value}).partition("=")[2] for one, value in check.point.items()}
    return r",\; ".join(f"{name(one)} = {number(text)}" for one, text in texts.items())


def _table(result: ProblemResult, checks: Sequence[Check], markers: dict[str, int], display: Display) -> Iterator[str]:
    """The rows, in the columns that the table has."""
    columns = cells.columns(result, checks, markers, display)
    heads, shown = [], []
    for column in columns:
        match column.header:
            case "derivative":
                texts = [derivative(result, check.wrt) for check in checks]
            case "point":
                texts = [point(result, check) for check in checks]
            case "mode":
                texts = [rf"\text{{{cell.plain}}}" for cell in column.cells]
            case "verdict":
                texts = [_outcome(check, markers) for check in checks]
            case _:
                texts = [interval(cell.plain) for cell in column.cells]
        is_name = column.header in result.variables and column is columns[0]
        heads.append(name(column.header) if is_name else rf"\text{{{column.header}}}")
        shown.append(texts)
    yield from array("".join("r" if column.right else "l" for column in columns), heads, list(zip(*shown, strict=True)))


def _outcome(check: Check, markers: dict[str, int]) -> str:
    mark = "" if check.note is None or check.note not in markers else f"^{{{markers[check.note]}}}"
    return rf"\text{{{labels.outcome_words(check)[1]}}}{mark}"


def claims_about_arrays(result: CodeResult) -> Iterator[str]:
    """What became of each claim, which stands as it was typed."""
    for claim in result.claims:
        _, _, status = labels.claim_outcome(claim)[0].partition(" ")
        left = prose(f"{labels.derivative(result, claim.wrt)} = {claim.expression}")
        yield ""
        yield rf"The claim \texttt{{{left}}} is {prose(status + parts.claim_detail(result, claim))}."
        if claim.note:
            yield from items([("", claim.note)])


def _claim(result: ProblemResult, claim: Claim) -> Iterator[str]:
    left = derivative(result, claim.wrt)
    _, _, status = labels.claim_outcome(claim)[0].partition(" ")
    found = prose(status + parts.claim_detail(result, claim))
    yield f"The claim ${left} = {formula(result, claim.expression)}$ is {found}."
    if claim.analytical is not None:
        yield f"The derivative is ${formula(result, claim.analytical)}$."
    if claim.note:
        yield from items([("", claim.note)], partial(_sentence, result))
