"""The pointwise losses of torch.nn.functional, of one number each: rows of the table (functions.py).

Of one number all reductions are the same; what is run is torch's own, without one, so that many points at once stay
many. Where torch clamps (log at -100, a variance at eps), the function is the clamped one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradcheck_cli.expression.function import Function

_PAIR = ((0.3, 0.7), (1.4, -0.6))
_PROBABILITIES = ((0.3, 0.7), (0.85, 0.2))
_LOG = "where(x > exp(-100) or x < 0, log(x), -100)"
_LOG1M = "where(x < 1 - exp(-100) or x > 1, log1p(-x), -100)"
_ENTROPY_BY_X = (
    "where(x < 1 - exp(-100) or x > 1, (1 - target)/(1 - x), 0) - where(x > exp(-100) or x < 0, target/x, 0)"
)
_CLAMPED = "where(var > eps or var < 0, var, eps)"
_STIRLING = "where(target > 1, target*log(target) - target + log(2*pi*target)/2, 0)"
_STIRLING_BY_TARGET = "where(target > 1, log(target) + 1/(2*target), 0)"


def _loss(
    name: str,
    signature: str,
    doc: str,
    *,
    torch: str = "",
    options: Mapping[str, Mapping[str, str]] | None = None,
    keywords: Mapping[str, str | bool] | None = None,
    reductions: tuple[str, ...] = ("none", "mean", "sum"),
    **columns: Any,
) -> Function:
    """A row. torch: the name below torch.nn.functional where that is another."""
    return Function(
        name,
        signature,
        doc,
        group="loss",
        torch=f"nn.functional.{torch or name}",
        method=False,
        one_shape=True,
        options={"reduction": dict.fromkeys(reductions, name), **(options or {})},
        keywords={**(keywords or {}), "reduction": "none"},
        **columns,
    )


def _entropy(name: str, signature: str, mixed: str = "", **columns: Any) -> Function:
    return _loss(name, signature, mixed=mixed, torch=name.removesuffix("_weighted"), **columns)


def _gaussian(name: str, full: bool, constant: str, doc: str) -> Function:
    variants = {"False": "gaussian_nll_loss", "True": "gaussian_nll_loss_full"}
    return _loss(
        name, "x, target, var, *eps=1e-6", doc, torch="gaussian_nll_loss", mixed="ttn tnt tnn",
        definition=f"(log({_CLAMPED}) + (x - target)**2/{_CLAMPED}){constant}",
        partials=(f"(x - target)/{_CLAMPED}", f"(target - x)/{_CLAMPED}",
                  "where(var > eps, (var - (x - target)**2)/(2*var**2), 0)"),
        domain="var >= 0", seams=("var - eps", "var"), points=((0.3, 0.7, 2, 1e-6), (-1.1, 0.6, 0.5, 1e-6)),
        options={"full": variants}, keywords={"full": full})  # fmt: skip


def _poisson(name: str, log_input: bool, full: bool, doc: str) -> Function:
    stem = "poisson_nll_loss"
    linear, stirling = "" if log_input else "_linear", "_full" if full else ""
    value = "exp(x) - target*x" if log_input else "x - target*log(x + eps)"
    by_x = "exp(x) - target" if log_input else "1 - target/(x + eps)"
    by_target = "-x" if log_input else "-log(x + eps)"
    return _loss(
        name, "x, target, *eps=1e-8", doc, torch=stem,
        definition=f"{value} + {_STIRLING}" if full else value,
        partials=(by_x, f"{by_target} + {_STIRLING_BY_TARGET}" if full else by_target),
        domain="" if log_input else "x + eps > 0", seams=("target - 1",) if full else (),
        jumps=full, points=((0.3, 2.7, 1e-8), (1.4, 0.6, 1e-8)),
        options={"log_input": {"True": stem + stirling, "False": f"{stem}_linear{stirling}"},
                 "full": {"True": f"{stem}{linear}_full", "False": stem + linear}},
        keywords={"log_input": log_input, "full": full})  # fmt: skip


def _divergence(name: str, log_target: bool, doc: str, **columns: Any) -> Function:
    variants = {"False": "kl_div", "True": "kl_div_log_target"}
    return _loss(name, "x, target", doc, torch="kl_div", reductions=("none", "mean", "sum", "batchmean"),
                 options={"log_target": variants}, keywords={"log_target": log_target}, **columns)  # fmt: skip


LOSSES = (
    _loss("mse_loss", "x, target", "(x - target)**2", definition="(x - target)**2",
          partials=("2*(x - target)", "2*(target - x)"), points=_PAIR),
    _loss("l1_loss", "x, target", "abs(x - target)", definition="abs(x - target)",
          partials=("where(x > target, 1, where(x < target, -1, 0))", "where(x > target, -1, where(x < target, 1, 0))"),
          seams=("x - target",), points=_PAIR),
    _loss("huber_loss", "x, target, *delta=1", "(x - target)**2/2, and linear where abs(x - target) > delta",
          definition="where(abs(x - target) <= delta, (x - target)**2/2, delta*(abs(x - target) - delta/2))",
          partials=("where(x - target > delta, delta, where(x - target < -delta, -delta, x - target))",
                    "where(x - target > delta, -delta, where(x - target < -delta, delta, target - x))"),
          seams=("x - target - delta", "x - target + delta"), points=((0.3, 0.7, 1), (1.4, -0.6, 1), (0.3, 0.7, 0.2))),
    _loss("smooth_l1_loss", "x, target, *beta=1", "(x - target)**2/(2*beta) where abs(x - target) < beta, else linear",
          definition="where(abs(x - target) < beta, (x - target)**2/(2*beta), abs(x - target) - beta/2)",
          partials=("where(abs(x - target) < beta, (x - target)/beta, where(x > target, 1, where(x < target, -1, 0)))",
                    "where(abs(x - target) < beta, (target - x)/beta, where(x > target, -1, where(x < target, 1, 0)))"),
          seams=("x - target - beta", "x - target + beta"), points=((0.3, 0.7, 1), (1.4, -0.6, 1), (0.3, 0.7, 0.2))),
    _entropy("binary_cross_entropy", "x, target", doc="-target*log(x) - (1 - target)*log(1 - x), logs from -100 up",
             definition=f"(target - 1)*{_LOG1M} - target*{_LOG}", partials=(_ENTROPY_BY_X, f"{_LOG1M} - {_LOG}"),
             domain="x >= 0 and x <= 1", seams=("x", "1 - x", "x - exp(-100)", "1 - x - exp(-100)"),
             points=_PROBABILITIES, overloads=("binary_cross_entropy_weighted",)),
    _entropy("binary_cross_entropy_weighted", "x, target, weight", doc="weight*binary_cross_entropy(x, target)",
             definition="weight*binary_cross_entropy(x, target)",
             partials=(f"weight*({_ENTROPY_BY_X})", f"weight*({_LOG1M} - {_LOG})", "binary_cross_entropy(x, target)"),
             domain="x >= 0 and x <= 1", seams=("x", "1 - x", "x - exp(-100)", "1 - x - exp(-100)"),
             points=((0.3, 0.7, 2), (0.85, 0.2, 0.4))),
    _loss("binary_cross_entropy_with_logits", "x, target", "binary_cross_entropy(sigmoid(x), target), without overflow",
          definition="(1 - target)*x + logaddexp(0, -x)", partials=("sigmoid(x) - target", "-x"), points=_PAIR,
          overloads=("binary_cross_entropy_with_logits_weighted", "binary_cross_entropy_with_logits_by_class",
                     "binary_cross_entropy_with_logits_both")),
    _loss("binary_cross_entropy_with_logits_weighted", "x, target, weight",
          "weight*binary_cross_entropy_with_logits(x, target)", torch="binary_cross_entropy_with_logits",
          definition="weight*((1 - target)*x + logaddexp(0, -x))",
          partials=("weight*(sigmoid(x) - target)", "-weight*x", "(1 - target)*x + logaddexp(0, -x)"),
          points=((0.3, 0.7, 2), (1.4, -0.6, 0.4))),
    _loss("binary_cross_entropy_with_logits_by_class", "x, target, *pos_weight",
          "binary_cross_entropy_with_logits with pos_weight", torch="binary_cross_entropy_with_logits",
          definition="(1 - target)*x + (1 + (pos_weight - 1)*target)*logaddexp(0, -x)",
          partials=("1 - target - (1 + (pos_weight - 1)*target)*sigmoid(-x)",
                    "(pos_weight - 1)*logaddexp(0, -x) - x", "target*logaddexp(0, -x)"),
          points=((0.3, 0.7, 2), (1.4, 0.2, 0.4))),
    _loss("binary_cross_entropy_with_logits_both", "x, target, weight, *pos_weight",
          "weight*binary_cross_entropy_with_logits with pos_weight", torch="binary_cross_entropy_with_logits",
          definition="weight*((1 - target)*x + (1 + (pos_weight - 1)*target)*logaddexp(0, -x))",
          partials=("weight*(1 - target - (1 + (pos_weight - 1)*target)*sigmoid(-x))",
                    "weight*((pos_weight - 1)*logaddexp(0, -x) - x)",
                    "(1 - target)*x + (1 + (pos_weight - 1)*target)*logaddexp(0, -x)",
                    "weight*target*logaddexp(0, -x)"),
          points=((0.3, 0.7, 2, 3), (1.4, 0.2, 0.4, 0.5))),
    _divergence("kl_div", False, "target*(log(target) - x), x a logarithm",
                definition="xlogy(target, target) - target*x",
                partials=("-target", "log(target) + 1 - x"), domain="target >= 0", seams=("target",),
                points=((-0.3, 0.7), (-1.4, 0.2))),
    _divergence("kl_div_log_target", True, "exp(target)*(target - x), both logarithms",
                definition="exp(target)*(target - x)", partials=("-exp(target)", "exp(target)*(target - x + 1)"),
                points=((-0.3, -0.7), (-1.4, -0.2))),
    _gaussian("gaussian_nll_loss", False, "/2", "(log(var) + (x - target)**2/var)/2, var from eps up"),
    _gaussian("gaussian_nll_loss_full", True, "/2 + log(2*pi)/2", "gaussian_nll_loss + log(2*pi)/2"),
    _poisson("poisson_nll_loss", True, False, "exp(x) - target*x"),
    _poisson("poisson_nll_loss_full", True, True, "poisson_nll_loss and Stirling's term of target, where that is > 1"),
    _poisson("poisson_nll_loss_linear", False, False, "x - target*log(x + eps)"),
    _poisson("poisson_nll_loss_linear_full", False, True, "poisson_nll_loss_linear and Stirling's term"),
    _loss("soft_margin_loss", "x, target", "log(1 + exp(-target*x))", definition="logaddexp(0, -target*x)",
          partials=("-target*sigmoid(-target*x)", "-x*sigmoid(-target*x)"), points=((0.3, 1), (1.4, -1)),
          bounds=(0, float("inf"))),
)  # fmt: skip
