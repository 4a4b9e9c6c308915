"""An explanation as JSON."""

from __future__ import annotations

from dataclasses import asdict

from gradcheck_cli.records.explanation import Chain, Explanation, Flow, StepRecord
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.json import Json, dump, problem
from gradcheck_cli.versions import versions


def render_explanation_json(explanation: Explanation, display: Display) -> str:
    """One JSON document; `problem` is the check of the expression as `gradcheck EXPR --output-format json` has it."""
    return dump({"versions": versions(), **document(explanation)}, indent=2) + "\n"


def document(explanation: Explanation) -> Json:
    return {
        "result": explanation.name,
        "point": explanation.point,
        "steps": [_step(step) for step in explanation.steps],
        "chains": [_chain(one) for one in explanation.chains],
        "partings": [asdict(parting) for parting in explanation.partings],
        "notices": explanation.notices,
        "problem": problem(explanation.result),
    }


def _step(step: StepRecord) -> Json:
    return {
        "name": step.name,
        "expression": step.text,
        "value": step.value,
        "undefined": step.undefined,
        "beyond": step.beyond,
        "value_autograd": step.value_autograd,
        "local_derivatives": [
            {"wrt": local.by, "expression": local.text, "value": local.value, "beyond": local.beyond}
            for local in step.locals
        ],
        "adjoint": _flow(step.adjoint),
        "tangents": {by: _flow(flow) for by, flow in step.tangents.items()},
        "autograd_float64": step.reference,
        "grad_fn": step.grad_fn,
        "blamed": bool(step.blamed),
    }


def _flow(flow: Flow | None) -> Json | None:
    return None if flow is None else asdict(flow)


def _chain(chain: Chain) -> Json:
    """`paths` is empty where there are more than can be listed."""
    return {"wrt": chain.by, "path_count": chain.count, "paths": [path.steps for path in chain.paths]}
