"""Operations that take each number by itself: nearly all are rows of the table under torch's own name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.table import RULES, UNDIFFERENTIATED, NotHere, Rule, qualified, rule, words
from gradcheck_cli.tracing.tensors import numbers

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

# Rows of the table under the name that torch's operation has.
SAME_NAME = words(
    """exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square reciprocal deg2rad rad2deg sin cos tan asin acos atan sinc
    sinh cosh tanh asinh acosh atanh sigmoid relu relu6 silu mish hardsigmoid hardswish abs sign
    floor ceil trunc frac erf erfc erfinv lgamma digamma neg positive i0 angle maximum minimum fmax fmin atan2
    hypot logaddexp logaddexp2 xlogy remainder fmod heaviside lerp ldexp pow copysign igamma igammac leaky_relu celu
    hardtanh hardshrink softshrink threshold polygamma mvlgamma lt le gt ge eq ne softplus"""
)

# torch's operation: the row.
OTHER_NAME = {
    **{f"special_{name}": name for name in words(
    """erfcx ndtri log_ndtr i1 i1e i0e entr xlog1py zeta"""
)},
    **{name: name.removeprefix("special_") for name in map("special_{}".format, FUNCTIONS)
       if f"{name}" not in ("special_polygamma",) and hasattr(torch.ops.aten, name)},
    "sgn": "sign", "round": "round", "clamp_min": "clamp_min", "clamp_max": "clamp_max", "_prelu_kernel": "prelu",
    "floor_divide": "div_floor",
}  # fmt: skip

UNDIFFERENTIATED.update(qualified(name) for name, row in OTHER_NAME.items() if not FUNCTIONS[row].differentiable)
UNDIFFERENTIATED.add("aten::heaviside")

LOGICAL = {
    "logical_and": "and",
    "logical_or": "or",
    "bitwise_and": "and",
    "bitwise_or": "or",
    "__and__": "and",
    "__or__": "or",
}


def row_rule(name: str) -> Rule:
    def apply(r: Recorder, out: Any, *args: Any, **_: Any) -> Elements:
        return r.call(name, *args)

    return apply


for _name in SAME_NAME:
    RULES[qualified(_name)] = row_rule(_name)
for _name, _function in OTHER_NAME.items():
    RULES[qualified(_name)] = row_rule(_function)


@rule("sub")
def sub(r: Recorder, out: Tensor, x: Any, y: Any, alpha: float = 1) -> Elements:
    return r.call("sub", x, r.scaled(y, alpha))


@rule("rsub")
def rsub(r: Recorder, out: Tensor, x: Any, y: Any, alpha: float = 1) -> Elements:
    return r.call("sub", y, r.scaled(x, alpha))


@rule("mul")
def mul(r: Recorder, out: Tensor, x: Any, y: Any) -> Elements:
    if out.dtype is torch.bool:
        return r.tape.call("and", condition(r, x), condition(r, y))
    return r.call("mul", x, y)


@rule("add")
def add(r: Recorder, out: Tensor, x: Any, y: Any, alpha: float = 1) -> Elements:
    if out.dtype is torch.bool:
        return r.tape.call("or", condition(r, x), condition(r, y)) if alpha else condition(r, x)
    return r.call("add", x, r.scaled(y, alpha))


@rule("div", "true_divide")
def div(r: Recorder, out: Tensor, x: Any, y: Any, rounding_mode: str | None = None) -> Elements:
    return r.call("div" if rounding_mode is None else f"div_{rounding_mode}", x, y)


@rule("addcmul")
def addcmul(r: Recorder, out: Tensor, x: Any, a: Any, b: Any, *, value: float = 1) -> Elements:
    return r.call("add", x, r.scaled(r.call("mul", a, b), value))


@rule("addcdiv")
def addcdiv(r: Recorder, out: Tensor, x: Any, a: Any, b: Any, *, value: float = 1) -> Elements:
    return r.call("add", x, r.scaled(r.call("div", a, b), value))


@rule("clamp", "clip")
def clamp(r: Recorder, out: Tensor, x: Any, min: Any = None, max: Any = None) -> Elements:
    if min is None:
        return r.call("clamp_max", x, max)
    return r.call("clamp_min", x, min) if max is None else r.call("clamp", x, min, max)


@rule("gelu")
def gelu(r: Recorder, out: Tensor, x: Any, *, approximate: str = "none") -> Elements:
    return r.call("gelu" if approximate == "none" else "gelu_tanh", x)


@rule("softplus")
def softplus(r: Recorder, out: Tensor, x: Any, beta: float = 1, threshold: float = 20) -> Elements:
    return r.call("softplus", x, beta, threshold)


@rule("log_sigmoid_forward")
def log_sigmoid(r: Recorder, out: Any, x: Any) -> tuple[Elements, None]:
    return r.call("logsigmoid", x), None


@rule("leaky_relu")
def leaky_relu(r: Recorder, out: Tensor, x: Any, slope: float = 0.01) -> Elements:
    return r.call("leaky_relu", x, slope)


@rule("elu")
def elu(r: Recorder, out: Tensor, x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Elements:
    if input_scale == 1:
        return r.scaled(r.call("elu", x, alpha), scale)
    low = r.call("mul", alpha, r.call("expm1", r.scaled(x, input_scale)))
    return r.scaled(r.call("where", r.call("gt", x, 0.0), x, low), scale)


@rule("celu")
def celu(r: Recorder, out: Tensor, x: Any, alpha: float = 1) -> Elements:
    return r.call("celu", x, alpha)


@rule("hardtanh")
def hardtanh(r: Recorder, out: Tensor, x: Any, low: float = -1, high: float = 1) -> Elements:
    return r.call("hardtanh", x, low, high)


@rule("hardshrink")
def hard_shrink(r: Recorder, out: Tensor, x: Any, lambd: float = 0.5) -> Elements:
    return r.call("hardshrink", x, lambd)


@rule("softshrink")
def soft_shrink(r: Recorder, out: Tensor, x: Any, lambd: float = 0.5) -> Elements:
    return r.call("softshrink", x, lambd)


@rule("rrelu_with_noise", "rrelu_with_noise_functional")
def rrelu(r: Recorder, out: Any, x: Any, noise: Tensor, lower: float = 1 / 8, upper: float = 1 / 3,
          training: bool = False, generator: Any = None) -> Any:  # fmt: skip
    value = r.call("mul", x, noise) if training else r.call("leaky_relu", x, (lower + upper) / 2)
    return (value, None) if isinstance(out, tuple) else value


@rule("logit", "special_logit")
def logit(r: Recorder, out: Tensor, x: Any, eps: float | None = None) -> Elements:
    return r.call("logit", x) if eps is None else r.call("logit_clamped", x, eps)


@rule("nan_to_num")
def nan_to_num(
    r: Recorder, out: Tensor, x: Tensor, nan: Any = None, posinf: Any = None, neginf: Any = None
) -> Elements:
    replaced = ~np.isfinite(numbers(x))
    return np.where(replaced, r.tape.constants(numbers(out)), r.of(x)) if replaced.any() else r.of(x)


@rule("round.decimals", "special_round.decimals")
def round_decimals(r: Recorder, out: Tensor, x: Any, *, decimals: int) -> Elements:
    return r.call("round_decimals", x, decimals)


@rule("_to_copy", "to", "_autocast_to_reduced_precision", "_autocast_to_full_precision", "prims::convert_element_type")
def to(r: Recorder, out: Tensor, x: Tensor, *_: Any, **__: Any) -> Elements:
    if out.is_floating_point() and not x.is_floating_point():
        r.from_decisions(out)
    return r.converted(x, out.dtype, r.raw(x) if out.dtype is torch.bool else r.of(x))


@rule("where")
def where(r: Recorder, out: Tensor, chosen: Tensor, x: Any, y: Any) -> Elements:
    if out.dtype is torch.bool:
        return r.tape.call("where", r.raw(chosen), r.raw(x), r.raw(y))
    return r.tape.call("where", condition(r, chosen), r.of(x), r.of(y))


def condition(r: Recorder, x: Any) -> Elements:
    """A mask as conditions."""
    return r.raw(x) if isinstance(x, Tensor) and x.dtype is torch.bool else r.call("ne", x, 0.0)


@rule("masked_fill")
def masked_fill(r: Recorder, out: Tensor, x: Any, mask: Tensor, value: Any) -> Elements:
    return r.tape.call("where", condition(r, mask), r.of(value), r.of(x))


def _logical(function: str) -> Rule:
    def apply(r: Recorder, out: Tensor, x: Any, y: Any) -> Elements:
        if out.dtype is not torch.bool:
            raise NotHere
        return r.tape.call(function, condition(r, x), condition(r, y))

    return apply


for _name, _function in LOGICAL.items():
    RULES[qualified(_name)] = _logical(_function)


@rule("logical_not", "bitwise_not")
def logical_not(r: Recorder, out: Tensor, x: Any) -> Elements:
    if out.dtype is not torch.bool:
        raise NotHere
    return r.tape.call("not", condition(r, x))


@rule("logical_xor", "bitwise_xor")
def logical_xor(r: Recorder, out: Tensor, x: Any, y: Any) -> Elements:
    if out.dtype is not torch.bool:
        raise NotHere
    a, b = condition(r, x), condition(r, y)
    return r.tape.call("where", a, r.tape.call("not", b), b)


@rule("native_dropout")
def dropout(r: Recorder, out: Any, x: Any, p: float, train: bool | None) -> tuple[Elements, None]:
    if not train:
        return r.of(x), None
    kept = numbers(out[1]) * (1 / (1 - p) if p < 1 else 0.0)
    return r.call("mul", x, r.tape.constants(kept)), None


@rule("frexp")
def frexp(r: Recorder, out: Any, x: Any) -> tuple[Elements, None]:
    """The mantissa: x over the power of two that ran."""
    return r.call("mul", x, r.tape.constants(np.exp2(-numbers(out[1])))), None
