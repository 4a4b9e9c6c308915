"""As JSON: the steps with all their numbers."""

from __future__ import annotations

from dataclasses import asdict

from gradcheck_cli.records.array_explanation import ArrayExplanation, ArrayStep
from gradcheck_cli.render.code.json import block, nested
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.json import Json, dump, problem
from gradcheck_cli.versions import versions


def render_arrays_json(explanation: ArrayExplanation, display: Display) -> str:
    """One JSON document; `problem` is the check of the formula."""
    document: Json = {
        "versions": versions(),
        "result": explanation.name,
        "summed": explanation.summed,
        "steps": [_step(step) for step in explanation.steps],
        "notices": list(explanation.sentences),
        "problem": problem(explanation.result),
    }
    return dump(document, indent=2) + "\n"


def _step(step: ArrayStep) -> Json:
    return {
        "name": step.name,
        "expression": step.formula,
        "shape": list(step.shape),
        "value": nested(step.numbers, step.shape),
        "adjoint": None if step.adjoint is None else block(step.adjoint),
        "contributions": [asdict(one) for one in step.contributions],
        "grad_fn": step.grad_fn,
        "blamed": step.blamed,
    }
