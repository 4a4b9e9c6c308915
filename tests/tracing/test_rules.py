"""THE table of torch's operations, row by row: each rule gives the exact derivative of what torch computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.real_code.recorded import record
from gradcheck_cli.real_code.subject import Subject
from gradcheck_cli.tape.rows import COMPARISONS
from gradcheck_cli.tracing.plans import Kind, plan_of
from gradcheck_cli.tracing.rules.pointwise import OTHER_NAME, SAME_NAME
from gradcheck_cli.tracing.table import MOVES, RULES, qualified

aten = torch.ops.aten
INDEX = torch.tensor([2, 0, 1])
MASK = torch.tensor([[True, False, True, False], [False, True, True, False], [True, True, False, False]])
BOTH = torch.tensor([[0, 2, 1, 0], [1, 1, 2, 0], [2, 0, 0, 1]])
NUMBERS_ONLY = {"polygamma", "mvlgamma", "round_decimals"}

Row = tuple[str, Callable[..., Any], tuple[tuple[int, ...], ...]]

M, V, B, I4, I5 = (3, 4), (4,), (2, 3, 4), (2, 2, 4, 4), (1, 2, 3, 4, 4)


def spd(x: Tensor) -> Tensor:
    return x @ x.mT + torch.eye(x.shape[-1], dtype=x.dtype)


ROWS: list[Row] = [
    ("mul", lambda x: x * (2 * x) * ((x > 0) * (x < 1)), (M,)),
    ("add", lambda x, y: aten.add(x, y, alpha=2), (M, M)),
    ("sub", lambda x, y: aten.sub(x, y, alpha=3), (M, M)),
    ("rsub", lambda x: aten.rsub(x, 2.5, 3), (M,)),
    ("div", lambda x, y: x / y, (M, M)),
    ("div", lambda x, y: aten.div(x, y, rounding_mode="floor") * x, (M, M)),
    ("true_divide", lambda x, y: aten.true_divide(x, y), (M, M)),
    ("addcmul", lambda x, y, z: aten.addcmul(x, y, z, value=2), (M, M, M)),
    ("addcdiv", lambda x, y, z: aten.addcdiv(x, y, z, value=2), (M, M, M)),
    ("clamp", lambda x: aten.clamp(x, -0.5, 0.7), (M,)),
    ("clamp", lambda x: aten.clamp(x, min=0.1), (M,)),
    ("clip", lambda x: aten.clip(x, max=0.1), (M,)),
    ("gelu", lambda x: F.gelu(x) + F.gelu(x, approximate="tanh"), (M,)),
    ("softplus", lambda x: F.softplus(x, 2, 1), (M,)),
    ("log_sigmoid_forward", F.logsigmoid, (M,)),
    ("leaky_relu", lambda x: F.leaky_relu(x, 0.2), (M,)),
    ("elu", lambda x: F.elu(x, 1.5) + F.selu(x), (M,)),
    ("celu", lambda x: F.celu(x, 0.5), (M,)),
    ("hardtanh", lambda x: F.hardtanh(x, -0.3, 0.6), (M,)),
    ("hardshrink", lambda x: F.hardshrink(x, 0.3), (M,)),
    ("softshrink", lambda x: F.softshrink(x, 0.3), (M,)),
    ("rrelu_with_noise", lambda x: F.rrelu(x, training=True), (M,)),
    ("rrelu_with_noise", lambda x: F.rrelu(x), (M,)),
    ("rrelu_with_noise_functional", lambda x: aten.rrelu_with_noise_functional(x, torch.ones_like(x))[0], (M,)),
    ("logit", lambda x: torch.logit(torch.sigmoid(x), 0.3), (M,)),
    ("special_logit", lambda x: aten.special_logit(torch.sigmoid(x)), (M,)),
    ("nan_to_num", lambda x: torch.nan_to_num(x.masked_fill(MASK, float("inf")), posinf=2.0), (M,)),
    ("round.decimals", lambda x: torch.round(x, decimals=2) * x, (M,)),
    ("special_round.decimals", lambda x: aten.special_round(x, decimals=2) * x, (M,)),
    ("to", lambda x: x.to(torch.float32).to(torch.float64) * (x > 0).to(x.dtype), (M,)),
    ("_to_copy", lambda x: x.float().double(), (M,)),
    ("_autocast_to_reduced_precision", lambda x: x * 1, (M,)),
    ("where", lambda x, y: torch.where(x > y, x * y, y), (M, M)),
    ("masked_fill", lambda x: x.masked_fill(MASK, 2.0) * x.masked_fill(MASK, float("-inf")).softmax(1), (M,)),
    ("logical_and", lambda x, y: torch.where((x > 0) & torch.logical_and(y > 0, x > y) | (y < -1), x, y), (M, M)),
    ("logical_or", lambda x, y: torch.where(torch.logical_or(x > 0, y > 0), x, y), (M, M)),
    ("logical_not", lambda x, y: torch.where(~(x > 0), x, y * torch.logical_not(y > 0)), (M, M)),
    ("logical_xor", lambda x, y: torch.where((x > 0) ^ torch.logical_xor(y > 0, x > y), x, y), (M, M)),
    ("native_dropout", lambda x: torch.native_dropout(x, 0.4, True)[0] + torch.native_dropout(x, 0.4, False)[0], (M,)),
    ("frexp", lambda x: torch.frexp(x)[0], (M,)),
    # moves
    ("embedding", lambda w: F.embedding(BOTH, w), (M,)),
    ("masked_scatter", lambda x, y: x.masked_scatter(MASK, y), (M, (3, 4))),
    ("index_fill", lambda x: x.index_fill(0, INDEX[:2], 3.0) * x.index_fill(1, INDEX, x[0, 0]), (M,)),
    ("as_strided_copy", lambda x: torch.as_strided_copy(x, (2, 2), (1, 2)) * 2, (M,)),
    ("as_strided_scatter", lambda y: aten.as_strided_scatter(torch.ones(3, 4).double(), y, (2, 2), (4, 1)), ((2, 2),)),
    # reductions
    ("sum", lambda x: x.sum(1, keepdim=True) * x.sum() + x.sum((0, 1)), (M,)),
    ("nansum", lambda x: torch.nansum(x, 0), (M,)),
    ("mean", lambda x: x.mean(0) * x.mean(), (M,)),
    ("prod", lambda x: x.prod(1) * x.prod(), (M,)),
    ("amax", lambda x: x.amax((0, 1)) * x.amin(1, keepdim=True), (M,)),
    ("amin", lambda x: x.amin(0), (M,)),
    ("max", lambda x: x.max() * x.max(1)[0] * torch.max(x, x.flip(0)).sum(), (M,)),
    ("min", lambda x: x.min() * x.min(0, keepdim=True)[0] * torch.min(x, x.flip(1)).sum(), (M,)),
    ("aminmax", lambda x: torch.aminmax(x, dim=1), (M,)),
    ("var.correction", lambda x: x.var(1) + x.var(), (M,)),
    ("std.correction", lambda x: x.std(0, correction=0), (M,)),
    ("var_mean.correction", lambda x: torch.var_mean(x, 1), (M,)),
    ("std_mean.correction", lambda x: torch.std_mean(x, 1, keepdim=True), (M,)),
    ("linalg_vector_norm",
     lambda x: sum(torch.linalg.vector_norm(x, p, 1) for p in (0, 1, 2, 3, 0.5, float("inf"))), (M,)),
    ("norm", lambda x: x.norm(3) + x.norm(dim=1).sum(), (M,)),
    ("dist", lambda x, y: torch.dist(x, y, 3), (M, M)),
    ("_cdist_forward", lambda x, y: torch.cdist(x, y, 1.5) * torch.cdist(x, y), (M, (2, 4))),
    ("_euclidean_dist", lambda x, y: torch.cdist(x, y, compute_mode="use_mm_for_euclid_dist"), (M, (2, 4))),
    ("_pdist_forward", lambda x: F.pdist(x, 3), (M,)),
    ("_softmax", lambda x: x.softmax(1) * x.softmax(0), (M,)),
    ("_safe_softmax", lambda x: aten._safe_softmax(x, 1), (M,)),
    ("_log_softmax", lambda x: x.log_softmax(-1), (M,)),
    ("logsumexp", lambda x: torch.logsumexp(x, (0, 1)) * torch.logsumexp(x, 1), (M,)),
    ("cumsum", lambda x: x.cumsum(1), (M,)),
    ("cumprod", lambda x: x.cumprod(0), (M,)),
    ("cummax", lambda x: x.cummax(1)[0], (M,)),
    ("cummin", lambda x: x.cummin(1)[0], (M,)),
    ("logcumsumexp", lambda x: x.logcumsumexp(1), (M,)),
    ("trace", lambda x: x.trace(), ((3, 3),)),
    # products
    ("mm", lambda x, y: x @ y, (M, (4, 2))),
    ("bmm", lambda x, y: torch.bmm(x, y), (B, (2, 4, 2))),
    ("mv", lambda x, y: torch.mv(x, y), (M, V)),
    ("dot", lambda x, y: torch.dot(x, y), (V, V)),
    ("vdot", lambda x, y: torch.vdot(x, y), (V, V)),
    ("addmm", lambda c, x, y: torch.addmm(c, x, y, beta=0.5, alpha=2), ((3, 2), M, (4, 2))),
    ("baddbmm", lambda c, x, y: torch.baddbmm(c, x, y), ((2, 3, 2), B, (2, 4, 2))),
    ("addmv", lambda c, x, y: torch.addmv(c, x, y), ((3,), M, V)),
    ("addr", lambda c, x, y: torch.addr(c, x, y), (M, (3,), V)),
    ("addbmm", lambda c, x, y: torch.addbmm(c, x, y), ((3, 2), B, (2, 4, 2))),
    ("_trilinear", lambda x, y, w: F.bilinear(x, y, w), ((2, 3), (2, 2), (2, 3, 2))),
    ("linalg_cross", lambda x, y: torch.linalg.cross(x, y), ((2, 3), (2, 3))),
    ("convolution", lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1, groups=2), (I4, (4, 1, 3, 3), V)),
    ("convolution", lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1), (I4, (2, 3, 3, 3))),
    ("convolution", lambda x, w: F.conv1d(x, w, dilation=2), ((2, 3, 5), (2, 3, 2))),
    ("_scaled_dot_product_flash_attention_for_cpu",
     lambda q, k: F.scaled_dot_product_attention(q, k, k, is_causal=True), ((1, 1, 3, 4), (1, 1, 3, 4))),
    # selection
    ("sort.default", lambda x: x.sort(0, descending=True)[0], (M,)),
    ("sort.stable", lambda x: x.sort(dim=1, stable=True)[0], (M,)),
    ("topk", lambda x: x.topk(2, 1)[0], (M,)),
    ("median.dim", lambda x: x.median(1)[0], (M,)),
    ("nanmedian.dim", lambda x: x.nanmedian(1, keepdim=True)[0], (M,)),
    ("mode", lambda x: x.mode(1)[0], (M,)),
    ("kthvalue", lambda x: x.kthvalue(2, 0)[0], (M,)),
    ("median", lambda x: x.median(), (M,)),
    ("nanmedian", lambda x: x.nanmedian(), (M,)),
    # windows
    ("max_pool2d_with_indices", lambda x: F.max_pool2d(x, 3, 2, 1), (I4,)),
    ("max_pool3d_with_indices", lambda x: F.max_pool3d(x, 2, 1), (I5,)),
    ("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, 3), (I4,)),
    ("adaptive_max_pool3d", lambda x: F.adaptive_max_pool3d(x, 2), (I5,)),
    ("fractional_max_pool2d", lambda x: F.fractional_max_pool2d(x, 2, output_size=2), (I4,)),
    ("fractional_max_pool3d", lambda x: F.fractional_max_pool3d(x, 2, output_size=2), ((1, 1, 4, 4, 4),)),
    ("_adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, 3), (I4,)),
    ("_adaptive_avg_pool3d", lambda x: F.adaptive_avg_pool3d(x, 2), (I5,)),
    ("adaptive_avg_pool1d", lambda x: aten.adaptive_avg_pool1d(x, [2]), (B,)),
    ("avg_pool1d", lambda x: aten.avg_pool1d(x, [2]), (B,)),
    ("avg_pool2d", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False) * F.avg_pool2d(x, 3, 2, 1), (I4,)),
    ("avg_pool3d", lambda x: F.avg_pool3d(x, 2, divisor_override=3), (I5,)),
    ("grid_sampler_3d", lambda x, g: F.grid_sample(x, 0.7 * torch.tanh(g), align_corners=False), (I5, (1, 2, 2, 1, 3))),
    ("grid_sampler_3d",
     lambda x, g: F.grid_sample(x, g, padding_mode="border", align_corners=True) * F.grid_sample(x, g, "nearest"),
     (I5, (1, 2, 2, 1, 3))),
    ("grid_sampler_3d",
     lambda x, g: F.grid_sample(x, 3 * g, padding_mode="reflection", align_corners=True)
     + F.grid_sample(x, 3 * g, padding_mode="reflection", align_corners=False),
     (I5, (1, 2, 2, 1, 3))),
    ("grid_sampler_2d",
     lambda x, g: sum(F.grid_sample(x, 2 * g, mode, padding, align_corners=align) for mode in ("bilinear", "bicubic")
     for padding in ("zeros", "border", "reflection") for align in (True, False)), ((1, 1, 3, 4), (1, 2, 1, 2))),
    ("col2im", lambda x: F.fold(x, (3, 4), 2), ((1, 4, 6),)),
    # places
    ("scatter_add", lambda x, y: x.scatter_add(0, BOTH, y), (M, M)),
    ("scatter_reduce",
     lambda x, y: x.scatter_reduce(0, BOTH, y, "prod") + x.scatter_reduce(0, BOTH, y, "amax"), (M, M)),
    ("scatter_reduce", lambda x, y: x.scatter_reduce(1, BOTH, y, "mean", include_self=False), (M, M)),
    ("scatter.src", lambda x, y: x.scatter(0, torch.tensor([[0, 1, 2, 0], [1, 0, 0, 2], [2, 2, 1, 1]]), y), (M, M)),
    ("scatter.value", lambda x: x.scatter(0, BOTH, 2.0), (M,)),
    ("index_add", lambda x, y: x.index_add(0, torch.tensor([0, 0, 1]), y, alpha=2), (M, M)),
    ("index_reduce", lambda x, y: x.index_reduce(0, torch.tensor([0, 0, 1]), y, "amin"), (M, M)),
    ("index_put", lambda x, y: x.index_put((INDEX,), y) * x.index_put((INDEX[:2],), y[0], accumulate=True), (M, M)),
    ("put", lambda x, y: x.put(torch.tensor([1, 1, 5]), y[0, :3], accumulate=True), (M, M)),
    ("_embedding_bag", lambda w: torch.cat([F.embedding_bag(torch.tensor([1, 0, 2, 2]), w, torch.tensor([0, 2, 2]),
     mode=mode) for mode in ("sum", "mean", "max")]), (M,)),
    ("_embedding_bag",
     lambda w, x: F.embedding_bag(torch.tensor([[1, 0], [2, 2]]), w, per_sample_weights=x, mode="sum", padding_idx=1),
     (M, (2, 2))),
    ("_embedding_bag",
     lambda w: F.embedding_bag(torch.tensor([1, 0, 2]), w, torch.tensor([0, 1, 3]), include_last_offset=True), (M,)),
    ("segment_reduce", lambda x: torch.cat([torch.segment_reduce(x, reduce, lengths=torch.tensor([2, 0, 1]),
     unsafe=True, initial=1) for reduce in ("sum", "mean", "max", "min", "prod")]), (M,)),
    ("segment_reduce",
     lambda x: torch.segment_reduce(x, "sum", offsets=torch.tensor([[0, 1, 4]] * 3), axis=1), (M,)),
    # linear algebra
    ("linalg_cholesky_ex",
     lambda x: torch.linalg.cholesky(spd(x)) + torch.linalg.cholesky(spd(x), upper=True), ((3, 3),)),
    ("cholesky", lambda x: aten.cholesky(spd(x)), ((3, 3),)),
    ("linalg_solve_triangular", lambda a, b: torch.linalg.solve_triangular(spd(a), b, upper=True), ((3, 3), (3, 2))),
    ("linalg_solve_triangular",
     lambda a, b: torch.linalg.solve_triangular(spd(a), b, upper=False, left=False, unitriangular=True), ((3, 3), (2,
     3))),
    ("triangular_solve", lambda a, b: torch.triangular_solve(b, spd(a), transpose=True)[0], ((3, 3), (3, 2))),
    ("cholesky_solve", lambda a, b: torch.cholesky_solve(b, torch.linalg.cholesky(spd(a))), ((3, 3), (3, 2))),
    ("cholesky_inverse", lambda a: torch.cholesky_inverse(torch.linalg.cholesky(spd(a))), ((3, 3),)),
    ("linalg_lu_factor_ex", lambda a: torch.linalg.lu_factor(a)[0], ((3, 3),)),
    ("linalg_lu", lambda a: torch.linalg.lu(a)[1:], ((3, 4),)),
    ("lu_unpack", lambda a: torch.lu_unpack(*torch.linalg.lu_factor(a))[1:], ((3, 3),)),
    ("linalg_lu_solve",
     lambda a, b: torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b, adjoint=True), ((3, 3), (3, 2))),
    ("_linalg_solve_ex",
     lambda a, b: torch.linalg.solve(a, b) * torch.linalg.solve(a, b.mT, left=False).mT, ((3, 3), (3, 2))),
    ("linalg_inv_ex", lambda a: torch.linalg.inv(a), ((2, 3, 3),)),
    ("_linalg_det", lambda a: torch.linalg.det(a), ((2, 3, 3),)),
    ("_linalg_slogdet", lambda a: torch.linalg.slogdet(a)[1], ((3, 3),)),
    ("linalg_qr", lambda a: torch.linalg.qr(a), ((4, 3),)),
    ("linalg_qr", lambda a: torch.linalg.qr(a[:0], mode="complete")[0] + a[:0, :0], ((4, 3),)),
    ("linalg_householder_product", lambda a, t: torch.linalg.householder_product(a, t), ((4, 3), (2,))),
    ("ormqr", lambda a, t, x: torch.ormqr(a, t, x) * torch.ormqr(a, t, x, transpose=True)
     * torch.ormqr(a, t, x.mT, left=False).mT * torch.ormqr(a, t, x.mT, left=False, transpose=True).mT,
     ((4, 3), (3,), (4, 2))),
    ("_linalg_eigh", lambda a: torch.linalg.eigh(spd(a)), ((3, 3),)),
    ("_linalg_svd", lambda a: torch.linalg.svd(a, full_matrices=False), ((3, 2),)),
    ("_linalg_svd", lambda a: torch.linalg.svd(a)[0][:, :2] * torch.linalg.svdvals(a), ((3, 2),)),
    ("_linalg_svd", lambda a: torch.linalg.svdvals(torch.block_diag(a, 0 * a))[:3], ((3, 3),)),
    ("linalg_lstsq", lambda a, b: torch.linalg.lstsq(a, b)[0], ((4, 3), (4, 2))),
    ("linalg_pinv.atol_rtol_tensor", lambda a: torch.linalg.pinv(a), ((4, 3),)),
    ("linalg_pinv.atol_rtol_tensor", lambda a: torch.linalg.pinv(spd(a), hermitian=True), ((3, 3),)),
    ("linalg_pinv.atol_rtol_tensor", lambda a: torch.linalg.pinv(a, rtol=1.0) + a, ((3, 3),)),
    ("linalg_matrix_exp", lambda a: torch.linalg.matrix_exp(a), ((2, 3, 3),)),
    # norms and losses
    ("native_layer_norm", lambda x, w, b: F.layer_norm(x, (4,), w, b), (M, V, V)),
    ("native_group_norm", lambda x, w, b: F.group_norm(x, 2, w, b), ((2, 4, 3), V, V)),
    ("native_batch_norm", lambda x, w: F.batch_norm(x, None, None, w, training=True), ((4, 3, 2), (3,))),
    ("_native_batch_norm_legit",
     lambda x, w: aten._native_batch_norm_legit(x, w, None, torch.zeros(3).double(), torch.ones(3).double(), True,
     0.1, 1e-5)[0],
     ((4, 3, 2), (3,))),
    ("_native_batch_norm_legit.no_stats",
     lambda x, w: aten._native_batch_norm_legit.no_stats(x, w, None, True, 0.1, 1e-5)[0], ((4, 3, 2), (3,))),
    ("rms_norm", lambda x, w: F.rms_norm(x, (4,), w, 1e-3), (M, V)),
    ("mse_loss", lambda x, y: F.mse_loss(x, y) + F.mse_loss(x, y, reduction="sum"), (M, M)),
    ("huber_loss", lambda x, y: F.huber_loss(x, y, delta=0.7, reduction="none"), (M, M)),
    ("smooth_l1_loss", lambda x, y: F.smooth_l1_loss(x, y, beta=0.7) + F.smooth_l1_loss(x, y, beta=0), (M, M)),
    ("nll_loss_forward",
     lambda x: F.nll_loss(x, torch.tensor([1, 0, 3]), torch.arange(1.0, 5, dtype=x.dtype), ignore_index=0), (M,)),
    ("nll_loss2d_forward", lambda x: F.nll_loss(x, torch.tensor([[1, 0], [2, 1]]), reduction="none"), ((2, 3, 2),)),
    ("binary_cross_entropy", lambda x: F.binary_cross_entropy(torch.sigmoid(x), torch.full_like(x, 0.3)), (M,)),
]  # fmt: skip

ALIASES = {
    "prims::convert_element_type", "prims::var", "_autocast_to_full_precision", "_convolution", "matmul", "bitwise_and",
    "bitwise_or", "bitwise_not", "bitwise_xor", "__and__", "__or__", "_fused_rms_norm", "_unsafe_index_put",
    "index_put_impl", "scatter.value_reduce", "_embedding_bag_forward_only", "_batch_norm_with_update",
    "_native_batch_norm_legit_no_training", "_native_batch_norm_legit_functional", "_batch_norm_no_update",
    "prims::sum", "scatter.reduce", "max.other", "min.other", "_autocast_to_reduced_precision", "_thnn_fused_lstm_cell",
    "_thnn_fused_gru_cell", "_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
}  # fmt: skip
"""Other names of rules that have a row: torch runs them under it on some builds or devices only."""


def drawn(shapes: tuple[tuple[int, ...], ...]) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(5)
    return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)


@pytest.mark.parametrize(("name", "function", "shapes"), ROWS, ids=[f"{k}-{row[0]}" for k, row in enumerate(ROWS)])
@pytest.mark.filterwarnings("ignore")
def test_a_rule(name: str, function: Callable[..., Any], shapes: tuple[tuple[int, ...], ...]) -> None:
    result = check_code(function, drawn(shapes))
    assert result.error is None
    assert result.passed, [check for check in result.checks if not check.passed][:3]
    assert all(value.verdict.passes for value in result.values), result.values


def pointwise() -> Iterator[tuple[str, str]]:
    yield from ((name, name) for name in SAME_NAME if name in FUNCTIONS)
    yield from OTHER_NAME.items()


@pytest.mark.parametrize(("name", "row"), list(pointwise()))
def test_a_pointwise_rule_computes_what_torch_computes(name: str, row: str) -> None:
    """At the interior points of the row, with all its real arguments as inputs."""
    function, operation = FUNCTIONS[row], getattr(aten, name)
    points = function.points or ((0.3,), (1.2,))
    columns = [torch.tensor(column, dtype=torch.float64) for column in zip(*points, strict=True)]
    for k, argument in enumerate(function.arguments):
        if k >= len(columns):
            break
        if argument.kind != "real":
            columns[k] = columns[k][:1]
    given: list[Any] = [
        column if argument.kind == "real" else _number(argument.kind, float(column[0]))
        for column, argument in zip(columns, function.arguments, strict=False)
    ]
    places = [k for k, value in enumerate(given) if isinstance(value, Tensor)]

    def code(*tensors: Tensor) -> Any:
        now = list(given)
        for place, tensor in zip(places, tensors, strict=True):
            now[place] = tensor
        return operation(*now)

    found = record(Subject(code, [given[k] for k in places]))
    if found.outputs:
        from gradcheck_cli.real_code.output_values import judge_values
        from gradcheck_cli.real_code.reference import Truths

        truths, elements = Truths(found.recorder.tape), found.elements[0].reshape(-1)
        value = judge_values(truths, elements, found.outputs[0], DTYPES["float64"])
        assert value.verdict.passes or value.worst < 2e-8, value  # torch's own Bessel functions have eight digits


def _number(kind: str, value: float) -> Any:
    return int(value) if kind == "integer" else value


def test_every_rule_has_a_row() -> None:
    tested = (
        {qualified(name) for name, _, _ in ROWS}
        | set(map(qualified, COMPARISONS))
        | {qualified(name) for name, _ in pointwise()}
    )
    assert set(RULES) - tested - {qualified(name) for name in ALIASES} == set()


MOVED: list[tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = [
    (lambda x: x.T.reshape(-1).flip(0).roll(2).reshape(2, 6), (M,)),
    (lambda x, y: torch.cat([x, y], 1)[:, ::2].gather(0, BOTH), (M, M)),
    (lambda x, y: torch.stack([x, y]).index_select(1, INDEX).repeat(2, 1, 1), (M, M)),
    (lambda x: F.pad(x, (1, 2), value=0.5) * F.pad(x[None], (1, 2), mode="reflect")[0], (M,)),
    (lambda x: F.pad(x, (1, 1, 1, 1), mode="replicate"), (I4,)),
    (lambda x: F.pixel_shuffle(x, 2), ((1, 4, 2, 2),)),
    (lambda x: x.tril() + x.triu(1) + torch.diag_embed(x[0])[:3], (M,)),
    (lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), (I4,)),
    (lambda x: torch.take(x, BOTH) * x.rot90(2) * x.masked_select(MASK).sum(), (M,)),
    (lambda x: F.unfold(x, 2), (I4,)),
    (lambda x: torch.repeat_interleave(x, 2, 1), (M,)),
    (lambda x, y: x.slice_scatter(y[:, :2], 1, 0, 2).select_scatter(y[0], 0, 1).diagonal_scatter(y[0, :3]), (M, M)),
    (lambda x: torch.block_diag(x, x[:2]), (M,)),
    (lambda x: x.expand(2, 3, 4).contiguous().unfold(2, 2, 1), (M,)),
]  # fmt: skip


@pytest.mark.parametrize("k", range(len(MOVED)))
def test_what_only_moves_numbers_needs_no_rule(k: int) -> None:
    function, shapes = MOVED[k]
    result = check_code(function, drawn(shapes))
    assert result.passed, (result.error, result.checks[:2])


def test_no_operation_is_both_a_rule_and_a_move() -> None:
    assert not MOVES & set(RULES)


def test_plans_of_operations() -> None:
    kinds = {aten.relu_.default: Kind.WRITE, aten.mm.out: Kind.WRITE, aten.view.default: Kind.VIEW,
             aten.normal_.default: Kind.FORGET, aten.zeros_like.default: Kind.PLAIN, aten.mm.default: Kind.RULE,
             aten.gather.default: Kind.MOVE, aten.hypot.default: Kind.RULE}  # fmt: skip
    assert {operation: plan_of(operation).kind for operation in kinds} == kinds
