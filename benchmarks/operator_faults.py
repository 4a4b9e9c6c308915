"""Why some operators of torch's database do not pass: what is known of each, so that a new failure shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """torchs: whether what is found is so: torch's derivative is not that of what it computes."""

    why: str
    torchs: bool = True


_UNPOOL = Fault("what is written several times into one place gets the gradient of that place each time")
_NOISE = Fault("the derivatives of a draw by its mean and its deviation are 0; those of mean + std * noise are not")
_ROUNDING = Fault("unstable: where the truth is (nearly) 0, rounding leaves more than the tolerance", torchs=False)

FAULTS: dict[str, Fault] = {
    "nn.functional.max_unpool1d": _UNPOOL,
    "nn.functional.max_unpool2d": _UNPOOL,
    "nn.functional.max_unpool3d": _UNPOOL,
    "normal": _NOISE,
    "normal.number_mean": _NOISE,
    "as_strided_scatter": Fault("numbers that are overwritten get a gradient"),
    "native_group_norm": Fault("the gradients of its second and third output (mean, 1 / deviation) are dropped"),
    "native_layer_norm": Fault("without a weight, the double backward drops the gradient of the bias"),
    "nn.functional.hardsigmoid": Fault("its backward has a sixth in float32, 3e-8 off in float64"),
    "nn.functional.linear_cross_entropy.chunked": Fault("its gradient is a constant: the second derivative is 0"),
    "masked.logaddexp": Fault("a masked number is -inf, and its second derivative NaN, where the truth is 0"),
    "linalg.householder_product": Fault("the backward inverts the reflections, and leaves 1e-11 where the truth is 0"),
    "cov": _ROUNDING,
    "nn.functional.normalize": _ROUNDING,
    "nn.functional.multi_head_attention_forward": _ROUNDING,
    "torch.ops.aten._safe_softmax.default": Fault("inputs are -inf: there is no derivative by them", torchs=False),
    "__rpow__": Fault("a negative number to a fractional power: the function has no value", torchs=False),
    "linalg.norm.subgradients_at_zero": Fault(
        "at 0, negative powers have no value, and the singular values are not distinct", torchs=False
    ),
}
