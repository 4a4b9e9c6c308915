"""More of them: activations, masks, distances, convolutions, gates, tables of vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.records.code import Cause
from helpers.hand_written import Case, Mistake, changed, negated, one_row

KEPT = torch.tensor([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]])
INDEX = torch.tensor([2, 0, 2, 1, 2])
SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0])


def sigmoid_back(g: Tensor, x: Tensor) -> Tensor:
    y = torch.sigmoid(x)
    return g * y * (1 - y)


def mse(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).square().mean()


def mse_back(g: Tensor, x: Tensor, y: Tensor) -> Any:
    d = 2 * g * (x - y) / x.numel()
    return d, -d


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))


def cosine_back(g: Tensor, a: Tensor, b: Tensor) -> Any:
    u, v = (x / x.norm(dim=-1, keepdim=True) for x in (a, b))
    c = (u * v).sum(-1, keepdim=True)
    g = g[..., None]
    return g * (v - c * u) / a.norm(dim=-1, keepdim=True), g * (u - c * v) / b.norm(dim=-1, keepdim=True)


def cosine_without_projection(g: Tensor, a: Tensor, b: Tensor) -> Any:
    scale = g[..., None] / (a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True))
    return scale * b, cosine_back(g, a, b)[1]


def affine_back(g: Tensor, x: Tensor, w: Tensor, b: Tensor) -> Any:
    return g * w, (g * x).sum((0, 1)), g.sum((0, 1))


def convolution(x: Tensor, w: Tensor) -> Tensor:
    """Of a signal by a kernel, as large as the signal."""
    return torch.nn.functional.conv1d(x[None, None], w[None, None], padding=1)[0, 0]


def convolution_back(g: Tensor, x: Tensor, w: Tensor) -> Any:
    padded = torch.nn.functional.pad(x, (1, 1))
    dw = torch.stack([(g * padded[k : k + len(g)]).sum() for k in range(len(w))])
    return convolution(g, w.flip(0)), dw


def pool(x: Tensor) -> Tensor:
    return x.reshape(-1, 2).amax(1)


def pool_back(g: Tensor, x: Tensor) -> Tensor:
    pairs = x.reshape(-1, 2)
    first = (pairs[:, 0] > pairs[:, 1]).to(g.dtype)
    return (g[:, None] * torch.stack([first, 1 - first], 1)).reshape(x.shape)


def gate_back(g: Tensor, z: Tensor, h: Tensor, n: Tensor) -> Any:
    return g * (n - h), g * (1 - z), g * z


def looked_up_back(g: Tensor, table: Tensor) -> Tensor:
    return torch.zeros_like(table).index_add(0, INDEX, g)


def assigned(g: Tensor, table: Tensor) -> Tensor:
    """What `grad[INDEX] = g` leaves: of several rows for one place, the last."""
    found = torch.zeros_like(table)
    for row, index in enumerate(INDEX.tolist()):
        found[index] = g[row]
    return found


def hinge_back(g: Tensor, x: Tensor) -> Tensor:
    signs = SIGNS.to(x.dtype)
    return -g * signs * (signs * x < 0.25) / len(x)


MORE = (
    Case("relu", lambda x: x.relu(), lambda g, x: g * (x > 0), {
        "no mask": Mistake(lambda g, x: g, "x", Cause.PASSED_ON),
        "inverted mask": Mistake(lambda g, x: g * (x <= 0), "x", Cause.ELSEWHERE)}, ((6,),)),
    Case("dropout", lambda x: x * KEPT.to(x.dtype) / 0.75, lambda g, x: g * KEPT.to(g.dtype) / 0.75, {
        "no mask": Mistake(lambda g, x: g / 0.75, "x", Cause.NOT_ZERO),
        "not scaled": Mistake(lambda g, x: g * KEPT.to(g.dtype), "x", Cause.FACTOR)}, ((2, 4),)),
    Case("clamped_exp", lambda x: x.clamp(max=0.5).exp(), lambda g, x: g * x.exp() * (x < 0.5), {
        "no mask": Mistake(lambda g, x: g * x.clamp(max=0.5).exp(), "x", Cause.NOT_ZERO),
        "the output is forgotten": Mistake(lambda g, x: g * (x < 0.5), "x", Cause.SIGN_ONLY)}, ((6,),)),
    Case("tanh", lambda x: x.tanh(), lambda g, x: g * (1 - x.tanh() ** 2), {
        "input for output": Mistake(lambda g, x: g * (1 - x * x), "x", Cause.OF_THE_OUTPUT),
        "output for input": Mistake(lambda g, x: g * (1 - x.tanh().tanh() ** 2), "x", Cause.ELSEWHERE),
        "not squared": Mistake(lambda g, x: g * (1 - x.tanh()), "x")}, ((5,),)),
    Case("sigmoid", lambda x: x.sigmoid(), sigmoid_back, {
        "the output only": Mistake(lambda g, x: g * torch.sigmoid(x), "x", Cause.FACTOR),
        "the cotangent is forgotten": Mistake(lambda g, x: sigmoid_back(torch.ones_like(g), x), "x",
                                              Cause.COTANGENT)}, ((5,),)),
    Case("product", lambda a, b: a @ b, lambda g, a, b: (g @ b.T, a.T @ g), {
        "b not transposed": Mistake(lambda g, a, b: (g @ b, a.T @ g), "a", Cause.ELSEWHERE),
        "a not transposed": Mistake(lambda g, a, b: (g @ b.T, a @ g), "b", Cause.ELSEWHERE),
        "b's gradient transposed": Mistake(lambda g, a, b: (g @ b.T, g.T @ a), "b", Cause.PERMUTED)},
        ((3, 3), (3, 3))),
    Case("mse", mse, mse_back, {
        "without the 2": Mistake(lambda g, x, y: tuple(d / 2 for d in mse_back(g, x, y)), "x and y", Cause.FACTOR),
        "the sign of the target": Mistake(changed(mse_back, 1, negated), "y", Cause.FACTOR),
        "the cotangent is forgotten": Mistake(
            lambda g, x, y: mse_back(torch.ones_like(g), x, y), "x and y", Cause.COTANGENT),
        "of the target": Mistake(lambda g, x, y: mse_back(g, x, y)[::-1], "x and y", Cause.FACTOR)}, ((2, 3), (2, 3))),
    Case("cosine", cosine, cosine_back, {
        "no projection": Mistake(cosine_without_projection, "a", Cause.TERM),
        "one norm only": Mistake(lambda g, a, b: (
            cosine_back(g, a, b)[0] * a.norm(dim=-1, keepdim=True), cosine_back(g, a, b)[1]), "a", Cause.FACTOR)},
        ((3, 4), (3, 4))),
    Case("l1", lambda x: x.abs().mean(), lambda g, x: g * x.sign() / x.numel(), {
        "without the sign": Mistake(lambda g, x: (g / x.numel()).expand(x.shape), "x", Cause.FACTOR),
        "not divided": Mistake(lambda g, x: g * x.sign(), "x", Cause.FACTOR)}, ((3, 2),)),
    Case("affine", lambda x, w, b: x * w + b, affine_back, {
        "w summed over one dimension": Mistake(
            lambda g, x, w, b: (g * w, (g * x)[:, 0].sum(0), g.sum((0, 1))), "w", Cause.ONE_SUMMAND),
        "one row of b": Mistake(one_row(affine_back, 2), "b", Cause.ONE_SUMMAND),
        "b averaged": Mistake(lambda g, x, w, b: (g * w, (g * x).sum((0, 1)), g.mean((0, 1))), "b", Cause.FACTOR)},
        ((3, 2, 4), (4,), (4,))),
    Case("convolution", convolution, convolution_back, {
        "kernel not flipped": Mistake(
            lambda g, x, w: (convolution(g, w), convolution_back(g, x, w)[1]), "x", Cause.ELSEWHERE),
        "kernel's gradient flipped": Mistake(changed(convolution_back, 1, lambda d: d.flip(0)), "w", Cause.PERMUTED),
        "kernel's gradient shifted": Mistake(changed(convolution_back, 1, lambda d: d.roll(1)), "w", Cause.PERMUTED)},
        ((5,), (3,))),
    Case("pool", pool, pool_back, {
        "to both": Mistake(lambda g, x: g.repeat_interleave(2), "x", Cause.NOT_ZERO),
        "to the other": Mistake(lambda g, x: pool_back(g, -x), "x", Cause.ELSEWHERE)}, ((6,),)),
    Case("gate", lambda z, h, n: (1 - z) * h + z * n, gate_back, {
        "z for 1 - z": Mistake(lambda g, z, h, n: (g * (n - h), g * z, g * z), "h", Cause.ANOTHER),
        "h is passed on": Mistake(lambda g, z, h, n: (g * (n - h), g, g * z), "h", Cause.PASSED_ON),
        "h and n exchanged": Mistake(
            lambda g, z, h, n: (g * (n - h), g * z, g * (1 - z)), "h and n", Cause.ANOTHER)}, ((4,), (4,), (4,))),
    Case("looked_up", lambda table: table[INDEX], looked_up_back, {
        "assigned for added": Mistake(assigned, "table", Cause.ZERO)}, ((3, 2),)),
    Case("hinge", lambda x: (0.25 - SIGNS.to(x.dtype) * x).relu().mean(), hinge_back, {
        "no mask": Mistake(lambda g, x: -g * SIGNS.to(x.dtype) / len(x), "x", Cause.NOT_ZERO),
        "sign": Mistake(changed(hinge_back, 0, negated), "x", Cause.FACTOR),
        "the sum": Mistake(lambda g, x: hinge_back(g, x) * len(x), "x", Cause.FACTOR)}, ((5,),)),
)  # fmt: skip
