"""Whether LaTeX is well formed, without LaTeX."""

from __future__ import annotations

import re

from gradcheck_cli.language.latex import GREEK

KNOWN = {
    "begin", "end", "frac", "left", "right", "cdot", "quad", "text", "operatorname", "sqrt", "partial", "hline",
    "infty", "exp", "log", "sin", "cos", "tan", "sec", "csc", "cot", "arcsin", "arccos", "arctan", "sinh",
    "cosh", "tanh", "coth", "max", "min", "Gamma", "le", "ge", "ne", "land", "lor", "lnot", "lvert", "rvert",
    "lfloor", "rfloor", "lceil", "rceil", "mathit", "pi", "tau", "item", "texttt",
    "textbackslash", "textasciitilde", "textasciicircum", "ldots", "times",
    "to", "paragraph", "section", "subsection", "endhead", *GREEK,
}  # fmt: skip
ENVIRONMENTS = {"align*", "equation*", "array", "cases", "itemize", "pmatrix", "longtable"}
FRAGMENT = "% for the body of a document that has \\usepackage{amsmath,amssymb,longtable}\n"


def require_well_formed(text: str) -> None:
    """Braces, \\left and \\right, environments and columns balance; only known commands occur."""
    assert text.startswith(FRAGMENT) or not text.startswith("%")
    text = text.removeprefix(FRAGMENT)
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= KNOWN
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left(?![a-z])", text)) == len(re.findall(r"\\right(?![a-z])", text))
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", text):
        assert name in ENVIRONMENTS
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    assert re.search(r"(?<!\\)[_^](?!\{)", text) is None
    assert text.isascii()
    for block in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", text, re.S):
        while r"\begin{cases}" in block:  # the innermost first
            block = re.sub(r"\\begin\{cases\}(?:(?!\\begin\{cases\}).)*?\\end\{cases\}", "", block)
        for line in block.split("\n"):
            assert len(re.findall(r"(?<!\\)&", line)) in (1, 3), line
    text = text.replace("\n\\endhead\n", "\n")
    for _, alignment, rows in re.findall(r"\\begin\{(array|longtable)\}\{(\w+)\}\n(.*?)\\end\{\1\}", text, re.S):
        for line in re.sub(r"\\begin\{cases\}.*\\end\{cases\}", "", rows).splitlines():
            assert len(re.findall(r"(?<!\\)&", line)) == len(alignment) - 1, line
