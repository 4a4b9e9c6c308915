"""Several explanations, one after the other, and what became of the claims about the function."""

from __future__ import annotations

from gradcheck_cli.records.explanation import Explained
from gradcheck_cli.records.report import Report
from gradcheck_cli.render import EXPLANATIONS, RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.versions import versions


def render_explained(name: str, explained: Explained, display: Display) -> str:
    """In one of the formats of explanations."""
    if name == "json":
        return _json(explained, display)
    texts = [EXPLANATIONS[name](one, display) for one in explained.explanations]
    if explained.of_higher_order or (explained.result.claims and name != "table"):
        texts.append(RENDERERS[name](Report((explained.result,), versions()), display))
    elif explained.result.claims:
        texts[-1] += _claims(explained, display)
    return "\n".join(texts)


def _json(explained: Explained, display: Display) -> str:
    """One explanation is a document of its own; of several, `problem` is the check of them all."""
    from gradcheck_cli.render.explanation.json import document
    from gradcheck_cli.render.json import dump, problem

    if len(explained.explanations) == 1 and not explained.of_higher_order:
        return EXPLANATIONS["json"](explained.explanations[0], display)
    documents = [document(one) for one in explained.explanations]
    together = {"versions": versions(), "explanations": documents, "problem": problem(explained.result)}
    return dump(together, indent=2) + "\n"


def _claims(explained: Explained, display: Display) -> str:
    from gradcheck_cli.render.claims import claims
    from gradcheck_cli.render.console import to_text

    return to_text(list(claims(explained.result, display.width)), display)
