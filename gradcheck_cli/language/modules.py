"""The modules of torch.nn that are functions of numbers: nn.Softplus(beta=2)(x) is softplus(x, beta=2)."""

from __future__ import annotations

from typing import NamedTuple

from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language.libraries import words


class Module(NamedTuple):
    """row: what it computes. parameters: what it is made with, by the names that the row has, in torch's order."""

    row: Function
    parameters: tuple[str, ...] = ()

    def arguments(self) -> tuple[str, ...]:
        """What it is called with, by the names that the row has."""
        return tuple(a.name for a in self.row.arguments if a.kind == "real" and a.name not in self.parameters)


def _modules(text: str) -> dict[str, Module]:
    """One a line: `Name(parameters) function`."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        usage, _, function = line.rpartition(" ")
        name, _, parameters = usage.removesuffix(")").partition("(")
        found[name] = Module(FUNCTIONS[function], tuple(filter(None, parameters.split(", "))))
    return found


def _formula(signature: str, definition: str) -> Module:
    row = Function("module", signature, doc=definition, torch=None, definition=definition)
    return Module(row, tuple(argument.name for argument in row.arguments[1:]))


MODULES = _modules("""
    CELU(alpha, inplace) celu
    ELU(alpha, inplace) elu
    GELU() gelu
    Hardshrink(lambd) hardshrink
    Hardsigmoid(inplace) hardsigmoid
    Hardswish(inplace) hardswish
    Hardtanh(min_val, max_val, inplace) hardtanh
    LeakyReLU(negative_slope, inplace) leaky_relu
    LogSigmoid() logsigmoid
    Mish(inplace) mish
    ReLU(inplace) relu
    ReLU6(inplace) relu6
    SELU(inplace) selu
    SiLU(inplace) silu
    Sigmoid() sigmoid
    Softplus(beta, threshold) softplus
    Softshrink(lambd) softshrink
    Softsign() softsign
    Tanh() tanh
    Tanhshrink() tanhshrink
    Threshold(threshold, value, inplace) threshold
    MSELoss() mse_loss
    L1Loss() l1_loss
    HuberLoss() huber_loss
    SmoothL1Loss() smooth_l1_loss
    BCELoss(weight) binary_cross_entropy
    BCEWithLogitsLoss(weight) binary_cross_entropy_with_logits
    KLDivLoss() kl_div
    GaussianNLLLoss() gaussian_nll_loss
    PoissonNLLLoss() poisson_nll_loss
    SoftMarginLoss() soft_margin_loss
    """) | {
    "Identity": _formula("x", "x"),
    "PReLU": _formula("x, num_parameters=1, init=0.25", "prelu(x, as_tensor(init))"),
}
_TENSORS = """
    Linear Bilinear Conv1d Conv2d Conv3d Softmax LogSoftmax Softmin LayerNorm BatchNorm1d BatchNorm2d GroupNorm
    Sequential Embedding LSTM GRU RNN Transformer MultiheadAttention MaxPool1d MaxPool2d AvgPool2d CrossEntropyLoss
    NLLLoss NLLLoss2d CosineSimilarity Module GLU Softmax2d MultiLabelMarginLoss MultiMarginLoss CosineEmbeddingLoss
    TripletMarginLoss MultiLabelSoftMarginLoss CTCLoss
    """
REFUSED = {
    **dict.fromkeys(
        words(_TENSORS), "it is one of tensors: for such code there is gradcheck(function, inputs) in Python."
    ),
    **dict.fromkeys(("Dropout", "AlphaDropout", "RReLU"), "it is random: leave it out, as in evaluation."),
}
