"""Functions as people publish them, with a backward by hand: each right, and with its usual mistakes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.records.code import Cause
from helpers.hand_written import Case, Mistake, changed, negated, nothing, one_row, twice


def standard(x: Tensor) -> tuple[Tensor, Tensor]:
    off = x - x.mean(-1, keepdim=True)
    scale = 1 / (off.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return off * scale, scale


def layer_norm(g: Tensor, x: Tensor, w: Tensor, b: Tensor) -> Any:
    n, scale = standard(x)
    t = g * w
    inner = t - t.mean(-1, keepdim=True) - n * (t * n).mean(-1, keepdim=True)
    return scale * inner, (g * n).sum(0), g.sum(0)


def layer_norm_without_mean(g: Tensor, x: Tensor, w: Tensor, b: Tensor) -> Any:
    n, scale = standard(x)
    t = g * w
    return scale * (t - n * (t * n).mean(-1, keepdim=True)), (g * n).sum(0), g.sum(0)


def layer_norm_without_scale(g: Tensor, x: Tensor, w: Tensor, b: Tensor) -> Any:
    dx, dw, db = layer_norm(g, x, w, b)
    return dx / standard(x)[1], dw, db


def layer_norm_eps_outside(g: Tensor, x: Tensor, w: Tensor, b: Tensor) -> Any:
    off = x - x.mean(-1, keepdim=True)
    scale = 1 / (off.square().mean(-1, keepdim=True).sqrt() + 1e-2)
    n, t = off * scale, g * w
    inner = t - t.mean(-1, keepdim=True) - n * (t * n).mean(-1, keepdim=True)
    return scale * inner, layer_norm(g, x, w, b)[1], g.sum(0)


def rms(x: Tensor) -> Tensor:
    return 1 / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()


def rms_norm(g: Tensor, x: Tensor, w: Tensor) -> Any:
    r = rms(x)
    t = g * w
    return r * t - r**3 * x * (t * x).mean(-1, keepdim=True), (g * x * r).sum(0)


def swish(g: Tensor, x: Tensor, beta: Tensor) -> Any:
    s = torch.sigmoid(beta * x)
    return g * (s + beta * x * s * (1 - s)), (g * x * x * s * (1 - s)).sum()


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.softmax(q @ k.T / math.sqrt(q.shape[-1]), -1) @ v


def attention_back(g: Tensor, q: Tensor, k: Tensor, v: Tensor) -> Any:
    scale = 1 / math.sqrt(q.shape[-1])
    p = torch.softmax(q @ k.T * scale, -1)
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(-1, keepdim=True)) * scale
    return ds @ k, ds.T @ q, p.T @ g


def attention_without_scale(g: Tensor, q: Tensor, k: Tensor, v: Tensor) -> Any:
    dq, dk, dv = attention_back(g, q, k, v)
    scale = math.sqrt(q.shape[-1])
    return dq * scale, dk * scale, dv


def attention_without_row_sum(g: Tensor, q: Tensor, k: Tensor, v: Tensor) -> Any:
    scale = 1 / math.sqrt(q.shape[-1])
    p = torch.softmax(q @ k.T * scale, -1)
    ds = p * (g @ v.T) * scale
    return ds @ k, ds.T @ q, p.T @ g


TARGET = torch.tensor([2, 0, 1, 3])


def cross_entropy(z: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(z, TARGET)


def cross_entropy_back(g: Tensor, z: Tensor) -> Tensor:
    p = torch.softmax(z, -1)
    return g * (p - torch.nn.functional.one_hot(TARGET, z.shape[1])) / len(z)


def recurrence(x: Tensor, a: Tensor) -> Tensor:
    h = torch.zeros_like(x[:, 0])
    for t in range(x.shape[1]):
        h = torch.tanh(a * h + x[:, t])
    return h


def recurrence_back(g: Tensor, x: Tensor, a: Tensor) -> Any:
    states = [torch.zeros_like(x[:, 0])]
    for t in range(x.shape[1]):
        states.append(torch.tanh(a * states[-1] + x[:, t]))
    dx, da = torch.zeros_like(x), torch.zeros_like(a)
    for t in range(x.shape[1] - 1, -1, -1):
        g = g * (1 - states[t + 1] ** 2)
        dx[:, t] = g
        da = da + (g * states[t]).sum()
        g = g * a
    return dx, da


def recurrence_truncated(g: Tensor, x: Tensor, a: Tensor) -> Any:
    dx, da = recurrence_back(g, x, a)
    dx[:, 0] = 0
    return dx, da


def normalise_back(g: Tensor, x: Tensor) -> Tensor:
    n = x.norm(dim=-1, keepdim=True)
    y = x / n
    return (g - y * (g * y).sum(-1, keepdim=True)) / n


def focal(z: Tensor) -> Tensor:
    p = torch.sigmoid(z)
    return -((1 - p) ** 2 * torch.log(p)).mean()


def focal_back(g: Tensor, z: Tensor) -> Tensor:
    p = torch.sigmoid(z)
    return g * (2 * (1 - p) ** 2 * p * torch.log(p) - (1 - p) ** 3) / z.numel()


def glu_back(g: Tensor, a: Tensor, b: Tensor) -> Any:
    s = torch.sigmoid(b)
    return g * s, g * a * s * (1 - s)


def rotated(x: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    return torch.cat([-x[..., half:], x[..., :half]], -1)


COS = torch.cos(torch.arange(8.0).reshape(2, 4) / 3)
SIN = torch.sin(torch.arange(8.0).reshape(2, 4) / 3)
PAIR_COS, PAIR_SIN = torch.cat([COS[:, :2]] * 2, -1), torch.cat([SIN[:, :2]] * 2, -1)


def rotary(x: Tensor) -> Tensor:
    return x * PAIR_COS.to(x.dtype) + rotated(x) * PAIR_SIN.to(x.dtype)


def rotary_back(g: Tensor, x: Tensor) -> Tensor:
    return g * PAIR_COS.to(g.dtype) - rotated(g) * PAIR_SIN.to(g.dtype)


def sinkhorn(c: Tensor) -> Tensor:
    k = torch.exp(-c)
    for _ in range(2):
        k = k / k.sum(1, keepdim=True)
        k = k / k.sum(0, keepdim=True)
    return k


def sinkhorn_back(g: Tensor, c: Tensor) -> Tensor:
    with torch.enable_grad():
        again = c.detach().requires_grad_()
        return torch.autograd.grad(sinkhorn(again), again, g)[0]


def euler(y: Tensor, k: Tensor) -> Tensor:
    for _ in range(3):
        y = y + 0.5 * torch.sin(k * y)
    return y


def euler_back(g: Tensor, y: Tensor, k: Tensor) -> Any:
    path = [y]
    for _ in range(2):
        path.append(path[-1] + 0.5 * torch.sin(k * path[-1]))
    dk = torch.zeros_like(k)
    for state in reversed(path):
        slope = 0.5 * torch.cos(k * state)
        dk = dk + (g * slope * state).sum()
        g = g + g * slope * k
    return g, dk


def euler_one_step(g: Tensor, y: Tensor, k: Tensor) -> Any:
    dy, _ = euler_back(g, y, k)
    return dy, (g * 0.5 * torch.cos(k * y) * y).sum()


def soft_rank(x: Tensor) -> Tensor:
    return torch.sigmoid(x[:, None] - x[None]).sum(1)


def soft_rank_back(g: Tensor, x: Tensor) -> Tensor:
    s = torch.sigmoid(x[:, None] - x[None])
    d = s * (1 - s)
    return g * d.sum(1) - d.T @ g


def crf(e: Tensor, t: Tensor) -> Tensor:
    """The log partition of a linear chain."""
    alpha = e[0]
    for emission in e[1:]:
        alpha = torch.logsumexp(alpha[:, None] + t, 0) + emission
    return torch.logsumexp(alpha, 0)


def crf_back(g: Tensor, e: Tensor, t: Tensor) -> Any:
    alphas = [e[0]]
    for emission in e[1:]:
        alphas.append(torch.logsumexp(alphas[-1][:, None] + t, 0) + emission)
    beta = torch.softmax(alphas[-1], 0)
    de, dt = torch.zeros_like(e), torch.zeros_like(t)
    for k in range(len(e) - 1, 0, -1):
        de[k] = beta
        joint = torch.softmax(alphas[k - 1][:, None] + t, 0) * beta
        dt = dt + joint
        beta = joint.sum(1)
    de[0] = beta
    return g * de, g * dt


def group_norm(x: Tensor) -> Tensor:
    return torch.nn.functional.group_norm(x, 2, eps=1e-5)


def group_norm_back(g: Tensor, x: Tensor) -> Tensor:
    rows, gr = x.reshape(len(x), 2, -1), g.reshape(len(x), 2, -1)
    n, scale = standard(rows)
    inner = gr - gr.mean(-1, keepdim=True) - n * (gr * n).mean(-1, keepdim=True)
    return (scale * inner).reshape(x.shape)


def linear_cross_entropy(h: Tensor, w: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(h @ w.T, TARGET, reduction="sum")


def linear_cross_entropy_back(g: Tensor, h: Tensor, w: Tensor) -> Any:
    d = torch.softmax(h @ w.T, -1) - torch.nn.functional.one_hot(TARGET, len(w))
    return g * d @ w, (g * d).T @ h


def temperature_back(g: Tensor, z: Tensor, t: Tensor) -> Any:
    p = torch.softmax(z / t, -1)
    d = p * (g - (g * p).sum(-1, keepdim=True))
    return d / t, -(d * z).sum() / t**2


CASES = (
    Case("layer_norm", lambda x, w, b: standard(x)[0] * w + b, layer_norm, {
        "without the mean": Mistake(layer_norm_without_mean, "x", Cause.TERM),
        "without the scale": Mistake(layer_norm_without_scale, "x", Cause.FACTOR_ALONG),
        "eps outside of the root": Mistake(layer_norm_eps_outside, "x"),
        "one row of w": Mistake(one_row(layer_norm, 1), "w", Cause.ONE_SUMMAND),
        "one row of b": Mistake(one_row(layer_norm, 2), "b", Cause.ONE_SUMMAND)}, ((4, 6), (6,), (6,))),
    Case("rms_norm", lambda x, w: x * rms(x) * w, rms_norm, {
        "the direct term only": Mistake(lambda g, x, w: (rms(x) * g * w, (g * x * rms(x)).sum(0)), "x", Cause.TERM),
        "one row of w": Mistake(one_row(rms_norm, 1), "w", Cause.ONE_SUMMAND),
        "w twice": Mistake(changed(rms_norm, 1, twice), "w", Cause.FACTOR)}, ((4, 6), (6,))),
    Case("swish", lambda x, beta: x * torch.sigmoid(beta * x), swish, {
        "beta is forgotten": Mistake(lambda g, x, b: (
            g * (torch.sigmoid(b * x) * (1 + x * (1 - torch.sigmoid(b * x)))), swish(g, x, b)[1]), "x"),
        "no gradient of beta": Mistake(changed(swish, 1, nothing), "beta", Cause.ZERO),
        "sign": Mistake(changed(swish, 0, negated), "x", Cause.FACTOR)}, ((5,), ())),
    Case("attention", attention, attention_back, {
        "without the scale": Mistake(attention_without_scale, "q and k", Cause.FACTOR),
        "without the row sum": Mistake(attention_without_row_sum, "q and k"),
        "k and v exchanged": Mistake(
            lambda g, q, k, v: (attention_back(g, q, k, v)[0], *attention_back(g, q, k, v)[:0:-1]), "k and v",
            Cause.ANOTHER)}, ((4, 3), (4, 3), (4, 3))),
    Case("cross_entropy", cross_entropy, cross_entropy_back, {
        "without the mean": Mistake(lambda g, z: cross_entropy_back(g, z) * len(z), "z", Cause.FACTOR),
        "without the one-hot": Mistake(lambda g, z: g * torch.softmax(z, -1) / len(z), "z", Cause.OFFSET),
        "sign": Mistake(changed(cross_entropy_back, 0, negated), "z", Cause.FACTOR)}, ((4, 5),)),
    Case("recurrence", recurrence, recurrence_back, {
        "truncated": Mistake(recurrence_truncated, "x", Cause.ZERO),
        "no gradient of a": Mistake(changed(recurrence_back, 1, nothing), "a", Cause.ZERO),
        "a twice": Mistake(changed(recurrence_back, 1, twice), "a", Cause.FACTOR)}, ((3, 4), ())),
    Case("normalise", lambda x: x / x.norm(dim=-1, keepdim=True), normalise_back, {
        "no projection": Mistake(lambda g, x: g / x.norm(dim=-1, keepdim=True), "x", Cause.TERM),
        "not divided": Mistake(
            lambda g, x: normalise_back(g, x) * x.norm(dim=-1, keepdim=True), "x", Cause.FACTOR)}, ((3, 4),)),
    Case("focal", focal, focal_back, {
        "exponent forgotten": Mistake(lambda g, z: focal_back(g, z) - g * (
            (1 - torch.sigmoid(z)) ** 2 * torch.sigmoid(z) * torch.log(torch.sigmoid(z))) / z.numel(), "z"),
        "sum for mean": Mistake(lambda g, z: focal_back(g, z) * z.numel(), "z", Cause.FACTOR)}, ((6,),)),
    Case("glu", lambda a, b: a * torch.sigmoid(b), glu_back, {
        "s for s(1-s)": Mistake(
            lambda g, a, b: (g * torch.sigmoid(b), g * a * torch.sigmoid(b)), "b", Cause.FACTOR),
        "exchanged": Mistake(lambda g, a, b: glu_back(g, a, b)[::-1], "a and b", Cause.ANOTHER)}, ((5,), (5,))),
    Case("rotary", rotary, rotary_back, {
        "rotated the wrong way": Mistake(
            lambda g, x: g * PAIR_COS.to(g.dtype) + rotated(g) * PAIR_SIN.to(g.dtype), "x", Cause.FACTOR),
        "cosine only": Mistake(lambda g, x: g * PAIR_COS.to(g.dtype), "x", Cause.ZERO)}, ((2, 4),)),
    Case("sinkhorn", sinkhorn, sinkhorn_back, {
        "one iteration": Mistake(lambda g, c: -g * sinkhorn(c), "c"),
        "sign": Mistake(changed(sinkhorn_back, 0, negated), "c", Cause.FACTOR)}, ((3, 3),)),
    Case("euler", euler, euler_back, {
        "one step of k": Mistake(euler_one_step, "k"),
        "y is passed on": Mistake(lambda g, y, k: (g, euler_back(g, y, k)[1]), "y", Cause.PASSED_ON)}, ((4,), ())),
    Case("soft_rank", soft_rank, soft_rank_back, {
        "half of it": Mistake(lambda g, x: g * (
            torch.sigmoid(x[:, None] - x[None]) * torch.sigmoid(x[None] - x[:, None])).sum(1), "x"),
        "sign": Mistake(lambda g, x: -soft_rank_back(g, x), "x", Cause.FACTOR)}, ((5,),)),
    Case("crf", crf, crf_back, {
        "transposed transitions": Mistake(changed(crf_back, 1, lambda x: x.T), "t", Cause.PERMUTED),
        "no transitions": Mistake(changed(crf_back, 1, nothing), "t", Cause.ZERO),
        "shifted emissions": Mistake(changed(crf_back, 0, lambda x: x.roll(1, 0)), "e", Cause.PERMUTED)},
        ((4, 3), (3, 3))),
    Case("group_norm", group_norm, group_norm_back, {
        "as layer norm": Mistake(lambda g, x: standard(x.reshape(len(x), -1))[1].reshape(-1, 1, 1) * g, "x"),
        "without the variance": Mistake(lambda g, x: (
            standard(x.reshape(len(x), 2, -1))[1] * (
                g.reshape(len(x), 2, -1) - g.reshape(len(x), 2, -1).mean(-1, keepdim=True))).reshape(x.shape),
            "x", Cause.TERM)}, ((2, 4, 3),)),
    Case("linear_cross_entropy", linear_cross_entropy, linear_cross_entropy_back, {
        "mean for sum": Mistake(
            lambda g, h, w: tuple(d / 4 for d in linear_cross_entropy_back(g, h, w)), "h and w", Cause.FACTOR),
        "w not transposed": Mistake(
            changed(linear_cross_entropy_back, 1, lambda x: x.T.reshape(x.shape)), "w", Cause.PERMUTED)},
        ((4, 3), (5, 3))),
    Case("linear", lambda x, w, b: x @ w.T + b, lambda g, x, w, b: (g @ w, g.T @ x, g.sum(0)), {
        "one row of the bias": Mistake(lambda g, x, w, b: (g @ w, g.T @ x, g[0]), "b", Cause.ONE_SUMMAND),
        "mean over the batch": Mistake(
            lambda g, x, w, b: (g @ w, g.T @ x / len(x), g.sum(0)), "w", Cause.FACTOR)}, ((4, 3), (5, 3), (5,))),
    Case("huber", lambda x: torch.where(x.abs() < 1, x * x / 2, x.abs() - 0.5).sum(),
         lambda g, x: g * x.clamp(-1, 1), {
        "not clipped": Mistake(lambda g, x: g * x, "x", Cause.FACTOR),
        "the sign only": Mistake(lambda g, x: g * x.sign(), "x", Cause.SIGN_ONLY)}, ((7,),)),
    Case("logsumexp", lambda x: torch.logsumexp(x, -1), lambda g, x: g[:, None] * torch.softmax(x, -1), {
        "not weighted": Mistake(lambda g, x: g[:, None].expand(x.shape) / x.shape[1], "x"),
        "along the other dimension": Mistake(lambda g, x: g[:, None] * torch.softmax(x, 0), "x")}, ((3, 4),)),
    Case("variance", lambda x: x.var(-1),
         lambda g, x: g[:, None] * 2 * (x - x.mean(-1, keepdim=True)) / (x.shape[1] - 1), {
        "biased": Mistake(
            lambda g, x: g[:, None] * 2 * (x - x.mean(-1, keepdim=True)) / x.shape[1], "x", Cause.FACTOR),
        "not centred": Mistake(lambda g, x: g[:, None] * 2 * x / (x.shape[1] - 1), "x", Cause.TERM)}, ((3, 4),)),
    Case("cumprod", lambda x: torch.cumprod(x, 0),
         lambda g, x: (g * torch.cumprod(x, 0)).flip(0).cumsum(0).flip(0) / x, {
        "not summed": Mistake(lambda g, x: g * torch.cumprod(x, 0) / x, "x", Cause.ZERO),
        "summed the wrong way": Mistake(lambda g, x: (g * torch.cumprod(x, 0)).cumsum(0) / x, "x")}, ((5,),),
        positive=True),
    Case("temperature", lambda z, t: torch.softmax(z / t, -1), temperature_back, {
        "t is forgotten": Mistake(
            lambda g, z, t: (temperature_back(g, z, t)[0] * t, temperature_back(g, z, t)[1]), "z", Cause.FACTOR),
        "sign of t": Mistake(changed(temperature_back, 1, negated), "t", Cause.FACTOR)}, ((2, 4), ()), positive=True),
)  # fmt: skip
