"""The functions that formulas of arrays may call, besides those of numbers, which apply to each element.

A row says how torch calls it and what its arguments are. What is written as a method or with a prefix (x.sum(),
torch.sum(x), np.sum(x)) is the same row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ALIASES = {"axis": "dim", "keepdims": "keepdim", "a": "input", "axes": "dim"}
"""NumPy's names of keywords, and torch's."""


@dataclass(frozen=True)
class Parameter:
    """kind: "tensor" (an array or a number), "tensors" (a list of them), "dim", "dims" (one or several), "whole",
    "number", "flag", "text", "shape", "indices" (whole numbers: a class, or an array of them), or "targets" (these, or
    probabilities in the shape of the first argument)."""

    name: str
    kind: str = "tensor"
    default: object = None
    required: bool = True


def _parameter(text: str) -> Parameter:
    name, _, default = text.strip().partition("=")
    name, _, kind = name.partition(":")
    return Parameter(name, kind or "tensor", _DEFAULTS.get(default, default), not default)


_DEFAULTS: dict[str, object] = {"none": None, "true": True, "false": False}


@dataclass(frozen=True)
class TensorFunction:
    """torch: where torch has it, as a dotted name below `torch`, or a callable. also: other names. shapes: what these
    have to be, by its name in `tensors/requirements.py`; "" where torch's own words will do. by_position: torch takes
    all arguments by position. of_dtype: it is told the working dtype. adds_dim: dim may be one more than there are.
    example: of a call, where the signature does not say how it is written."""

    name: str
    signature: str
    torch: str | Callable[..., Any] = ""
    also: tuple[str, ...] = ()
    doc: str = ""
    shapes: str = ""
    by_position: bool = False
    of_dtype: bool = False
    adds_dim: bool = False
    example: str = ""
    parameters: tuple[Parameter, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(map(_parameter, self.signature.split(", "))))
        if not self.torch:
            object.__setattr__(self, "torch", self.name)

    def usage(self) -> str:
        """As it is shown to users: sum(input, dim, keepdim)."""
        return f"{self.name}({', '.join(p.name if p.required else f'{p.name}=' for p in self.parameters)})"


def _onehot(index: Any, count: int, dtype: Any) -> Any:
    import torch

    return torch.nn.functional.one_hot(torch.as_tensor(index), count).to(dtype)


def _norm(input: Any, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """torch.norm, which for a matrix without dim takes the square root of the sum of all squares, as p=2 here."""
    import torch

    return torch.norm(input, p, dim, keepdim)


def _largest(name: str) -> Callable[..., Any]:
    def call(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        import torch

        function = getattr(torch, name)
        return function(input) if dim is None else function(input, dim, keepdim).values

    return call


def _flip(input: Any, dims: Any) -> Any:
    """Also along one dimension, which torch takes as a list only."""
    return input.flip(dims)


def _dot(input: Any, other: Any) -> Any:
    """Of vectors; of matrices their product, as NumPy has it."""
    import torch

    return torch.dot(input, other) if input.ndim == other.ndim == 1 else torch.matmul(input, other)


_KEEP = "dim:dims=none, keepdim:flag=false"
_REDUCTION = "reduction:text=mean"
_F = "nn.functional."

TENSOR_FUNCTIONS: dict[str, TensorFunction] = {row.name: row for row in (
    # reductions
    TensorFunction("sum", f"input, {_KEEP}", doc="the sum of all elements, or along dim"),
    TensorFunction("mean", f"input, {_KEEP}", also=("average",), doc="the mean of all elements, or along dim"),
    TensorFunction("prod", "input, dim:dim=none, keepdim:flag=false", doc="the product of all elements, or along dim"),
    TensorFunction("amax", f"input, {_KEEP}", doc="the largest element; ties share the gradient"),
    TensorFunction("amin", f"input, {_KEEP}", doc="the smallest element; ties share the gradient"),
    TensorFunction("max", "input, dim:dim=none, keepdim:flag=false", _largest("max"), doc="the largest element"),
    TensorFunction("min", "input, dim:dim=none, keepdim:flag=false", _largest("min"), doc="the smallest element"),
    TensorFunction("norm", f"input, p:number=2, {_KEEP}", _norm, ("linalg.norm", "vector_norm", "linalg.vector_norm"),
                   "the square root of the sum of squares, or another p"),
    TensorFunction("var", "input, dim:dims=none, correction:number=1, keepdim:flag=false", doc="the variance"),
    TensorFunction("std", "input, dim:dims=none, correction:number=1, keepdim:flag=false",
                   doc="the standard deviation"),
    TensorFunction("logsumexp", "input, dim:dims=all, keepdim:flag=false", doc="log(sum(exp(x)))"),
    TensorFunction("softmax", "input, dim:dim=-1", doc="exp(x)/sum(exp(x)), along the last dimension or dim"),
    TensorFunction("log_softmax", "input, dim:dim=-1", doc="log(softmax(x))"),
    TensorFunction("softmin", "input, dim:dim=-1", f"{_F}softmin", doc="softmax(-x)"),
    TensorFunction("cumsum", "input, dim:dim=-1", doc="the running sum"),
    TensorFunction("cumprod", "input, dim:dim=-1", doc="the running product"),
    TensorFunction("logcumsumexp", "input, dim:dim=-1", doc="the running logsumexp"),
    # products
    TensorFunction("matmul", "input, other", also=("mm", "mv", "bmm"), doc="the matrix product: A @ B",
                   shapes="product"),
    TensorFunction("dot", "input, other", _dot, ("inner", "vdot"), "the inner product of vectors", shapes="dot"),
    TensorFunction("outer", "input, vec2", also=("ger",), doc="the matrix of all products of two vectors",
                   shapes="vectors"),
    TensorFunction("kron", "input, other", doc="the Kronecker product"),
    TensorFunction("cross", "input, other, dim:dim=-1", "linalg.cross", doc="the cross product of vectors of 3"),
    TensorFunction("einsum", "equation:text, operands:tensors", doc="sums of products: einsum('ij,j', A, x)",
                   by_position=True, example="einsum('ij,j', A, x)"),
    TensorFunction("trace", "input", doc="the sum of the diagonal", shapes="matrix"),
    TensorFunction("det", "input", also=("linalg.det",), doc="the determinant", shapes="square"),
    TensorFunction("logdet", "input", doc="log(det(A))", shapes="square"),
    TensorFunction("inv", "input", "linalg.inv", ("inverse", "linalg.inv"), "the inverse", shapes="square"),
    TensorFunction("solve", "A, B", "linalg.solve", ("linalg.solve",), "the X with A @ X = B"),
    TensorFunction("cholesky", "input", "linalg.cholesky", ("linalg.cholesky",), "the lower Cholesky factor",
                   shapes="square"),
    TensorFunction("matrix_power", "input, n:whole", also=("linalg.matrix_power",), doc="A @ A @ ... n times",
                   shapes="square"),
    # losses
    TensorFunction("mse_loss", f"input, target, {_REDUCTION}", f"{_F}mse_loss", doc="mean((input - target)**2)",
                   shapes="same"),
    TensorFunction("l1_loss", f"input, target, {_REDUCTION}", f"{_F}l1_loss", doc="mean(abs(input - target))",
                   shapes="same"),
    TensorFunction("huber_loss", f"input, target, {_REDUCTION}, delta:number=1", f"{_F}huber_loss", doc="Huber's loss",
                   shapes="same"),
    TensorFunction("smooth_l1_loss", f"input, target, {_REDUCTION}, beta:number=1", f"{_F}smooth_l1_loss",
                   doc="the smooth L1 loss", shapes="same"),
    TensorFunction("cross_entropy", f"input, target:targets, {_REDUCTION}, label_smoothing:number=0",
                   f"{_F}cross_entropy", doc="-log_softmax(z)[target], the mean over rows", shapes="classes"),
    TensorFunction("nll_loss", f"input, target:indices, {_REDUCTION}", f"{_F}nll_loss", doc="-input[target]",
                   shapes="classes"),
    TensorFunction("binary_cross_entropy", f"input, target, {_REDUCTION}", f"{_F}binary_cross_entropy",
                   doc="mean(-t*log(p) - (1 - t)*log(1 - p))"),
    TensorFunction("binary_cross_entropy_with_logits", f"input, target, {_REDUCTION}",
                   f"{_F}binary_cross_entropy_with_logits", doc="the same, of sigmoid(input)"),
    TensorFunction("kl_div", f"input, target, {_REDUCTION}, log_target:flag=false", f"{_F}kl_div",
                   doc="mean(target*(log(target) - input))", shapes="same"),
    TensorFunction("cosine_similarity", "x1, x2, dim:dim=-1, eps:number=1e-8", also=("cosine_sim",),
                   doc="the cosine of the angle between vectors"),
    # normalisation
    TensorFunction("layer_norm", "input, normalized_shape:shape=last, weight=none, bias=none, eps:number=1e-5",
                   f"{_F}layer_norm", doc="(x - mean)/sqrt(var + eps), over the last dimensions"),
    TensorFunction("rms_norm", "input, normalized_shape:shape=last, weight=none, eps:number=none", f"{_F}rms_norm",
                   doc="x/sqrt(mean(x**2) + eps), over the last dimensions"),
    TensorFunction("normalize", "input, p:number=2, dim:dim=-1, eps:number=1e-12", f"{_F}normalize",
                   doc="x/norm(x), along the last dimension or dim"),
    TensorFunction("linear", "input, weight, bias=none", f"{_F}linear", doc="x @ W.T + b"),
    # shapes
    TensorFunction("stack", "tensors:tensors, dim:dim=0", doc="arrays of one shape, beside each other",
                   by_position=True, adds_dim=True),
    TensorFunction("cat", "tensors:tensors, dim:dim=0", also=("concat", "concatenate"), doc="one after the other",
                   by_position=True),
    TensorFunction("transpose", "input, dim0:dim=-2, dim1:dim=-1", doc="two dimensions exchanged: A.T"),
    TensorFunction("t", "input", doc="the transposed matrix", shapes="transposable"),
    TensorFunction("reshape", "input, shape:shape", also=("view",), doc="the same elements in another shape",
                   shapes="elements", by_position=True),
    TensorFunction("flatten", "input", also=("ravel",), doc="all elements in a row"),
    TensorFunction("squeeze", "input, dim:dim=none", lambda input, dim=None: input.squeeze() if dim is None else
                   input.squeeze(dim), doc="without dimensions of size 1"),
    TensorFunction("unsqueeze", "input, dim:dim", doc="with a dimension of size 1 more", adds_dim=True),
    TensorFunction("diag", "input", doc="the diagonal of a matrix; the matrix with this diagonal"),
    TensorFunction("tril", "input, diagonal:whole=0", doc="the lower triangle"),
    TensorFunction("triu", "input, diagonal:whole=0", doc="the upper triangle"),
    TensorFunction("flip", "input, dims:dims", _flip, doc="in reverse order along dims", by_position=True),
    TensorFunction("sort", "input, dim:dim=-1, descending:flag=false",
                   lambda input, dim=-1, descending=False: input.sort(dim, descending).values, doc="sorted"),
    TensorFunction("onehot", "index:indices, n:whole", _onehot, ("one_hot",), "1 at an index, else 0: onehot(2, 5)",
                   shapes="onehot", by_position=True, of_dtype=True),
    TensorFunction("zeros_like", "input", doc="0 in the same shape"),
    TensorFunction("ones_like", "input", doc="1 in the same shape"),
)}  # fmt: skip

ATTRIBUTES = {"T": "the transpose", "mT": "the transpose of the last two dimensions"}
"""What may be taken from an array without a call."""

BY_NAME = {name: row for row in TENSOR_FUNCTIONS.values() for name in (row.name, *row.also)}
