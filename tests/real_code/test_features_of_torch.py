"""Code that uses what torch has beside plain operations: transforms, checkpoints, hooks, parametrisations, autocast."""

from __future__ import annotations

import sys
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tracing import recorder

GENERATOR = torch.Generator().manual_seed(3)
X = torch.randn(3, 4, generator=GENERATOR, dtype=torch.float64)
W = torch.randn(4, 4, generator=GENERATOR, dtype=torch.float64)
Pair = namedtuple("Pair", "first rest")


def why(result: CodeResult) -> Any:
    return result.error, [check for check in result.checks if not check.passed][:2]


def loss(t: Tensor) -> Tensor:
    return (t.sin() * t).sum()


def per_sample(x: Tensor, w: Tensor) -> Tensor:
    return torch.func.vmap(torch.func.grad(lambda w, row: (w @ row).tanh().sum()), in_dims=(None, 0))(w, x)


def out_of_views(x: Tensor) -> Tensor:
    y = x.clone()
    y[:, :2].unfold(1, 2, 1).squeeze(1).mul_(x[:, 2:])
    y.T[3].add_(x.sum())
    y.view(-1)[::5].mul_(2)
    y[y > 5] = 0.5
    a, b = y.chunk(2, 1)
    return torch.addmm(a, y @ y.T, b)


def drawn_apart(x: Tensor) -> Tensor:
    return torch.func.vmap(lambda row: F.dropout(row, 0.5) * row, randomness="different")(x)


@pytest.mark.parametrize(
    "code",
    [
        lambda x: torch.func.vmap(lambda row: (row * row).sum().sin())(x),
        lambda x: torch.func.vmap(lambda row, w: w @ row, in_dims=(0, None))(x, W),
        drawn_apart,
        lambda x: torch.func.grad(loss)(x),
        lambda x: torch.func.jacrev(lambda t: t.sin() @ W)(x[0]),
        lambda x: torch.func.jacfwd(lambda t: t.sin() @ W)(x[0]),
        lambda x: torch.func.hessian(loss)(x[0]),
        lambda x: torch.func.jvp(torch.sin, (x,), (torch.ones_like(x),)),
        lambda x: torch.func.vjp(torch.sin, x)[1](x)[0],
        lambda x: per_sample(x, W),
        torch.func.functionalize(lambda x: x.clone().mul_(2).sin_()),
        out_of_views,
        lambda x: checkpoint(lambda a: (a @ W).sin(), x, use_reentrant=False),
        lambda x: checkpoint(lambda a: (a @ W).sin(), x, use_reentrant=True),
    ],
)
def test_transforms_views_and_checkpoints(code: Callable[[Tensor], Any]) -> None:
    result = check_code(code, (X,))
    assert result.passed, why(result)
    assert not result.held


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return 2 * g * ctx.saved_tensors[0]


def leaf_of_its_own(x: Tensor) -> Tensor:
    return x.detach().requires_grad_()


def penalty(x: Tensor) -> Tensor:
    y = leaf_of_its_own(x)
    (gradient,) = torch.autograd.grad((y**3).sum(), y, create_graph=True)
    return x * gradient


def written_into(x: Tensor) -> Tensor:
    buffer = torch.zeros(4, dtype=x.dtype, requires_grad=True)
    with torch.no_grad():
        buffer.copy_(x.mean(0))
    return x * buffer


@pytest.mark.parametrize(
    "code",
    [
        lambda x: x * leaf_of_its_own(x) ** 2,
        lambda x: x * leaf_of_its_own(x)[0] + leaf_of_its_own(x).T.reshape(3, 4).sin(),
        lambda x: x * Square.apply(leaf_of_its_own(x)),
        lambda x: x * nn.Parameter(x.detach().clone()),
        penalty,
        written_into,
    ],
)
def test_a_leaf_of_the_codes_own_is_a_constant(code: Callable[[Tensor], Any]) -> None:
    """Though it requires grad: backward ends there."""
    result = check_code(code, (X,))
    assert result.passed, why(result)
    assert result.held
    assert not check_code(code, (X,), through_detach=True).passed


@pytest.mark.parametrize(
    "code",
    [
        lambda x: torch.distributions.Normal(x, x.abs() + 0.1).rsample(),
        lambda x: torch.distributions.Gamma(x.abs() + 1, x.exp()).log_prob(x.new_full((3, 4), 0.7)),
        lambda x: torch.distributions.MultivariateNormal(x[0], scale_tril=torch.eye(4, dtype=x.dtype)).log_prob(x[1]),
        lambda x: torch.distributions.kl_divergence(
            torch.distributions.Categorical(logits=x), torch.distributions.Categorical(logits=x.roll(1, 0))
        ),
    ],
)
def test_distributions_that_validate_their_arguments(code: Callable[[Tensor], Any]) -> None:
    result = check_code(code, (X,))
    assert result.passed, why(result)


def test_inputs_and_outputs_of_any_structure() -> None:
    result = check_code(
        lambda d: Pair(d["a"]["x"] * d["b"][0], {"k": [d["b"][0].cos(), (d["a"]["x"].exp(),)]}),
        ({"a": {"x": X}, "b": [X.clone()]},),
    )
    assert result.passed, why(result)
    assert {block.output for block in result.blocks} == {"out.first", "out.rest.k.0", "out.rest.k.1.0"}
    assert {block.input for block in result.blocks} == {"d['a']['x']", "d['b'][0]"}


class RunningMean(nn.Module):
    """Its buffer is changed in each run, and a run starts from the same one."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(4, dtype=torch.float64))
        self.weight = nn.Parameter(W[0].clone())

    def forward(self, x: Tensor) -> Tensor:
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return (x - self.mean) * self.weight


class Symmetric(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.triu() + x.triu(1).T


def symmetric_layer() -> nn.Module:
    layer = nn.Linear(4, 4)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    return layer


def hooked_layer() -> nn.Module:
    layer = nn.Linear(4, 2)
    layer.register_forward_hook(lambda module, given, out: out * 2)
    layer.register_forward_pre_hook(lambda module, given: (given[0] + 1,))
    return layer


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, momentum=None), nn.Dropout(0.5)),
        RunningMean,
        lambda: parametrizations.weight_norm(nn.Linear(4, 2)),
        lambda: parametrizations.orthogonal(nn.Linear(4, 4), orthogonal_map="cayley"),
        symmetric_layer,
        hooked_layer,
    ],
)
def test_modules(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    result = check_code(make().double(), (X,))
    assert result.passed, why(result)


def test_what_torch_holds_constant_by_itself_is_said() -> None:
    torch.manual_seed(0)
    spectral = check_code(parametrizations.spectral_norm(nn.Linear(4, 3).double()), (X,))
    assert spectral.passed, why(spectral)
    assert [held.how for held in spectral.held] == ["no_grad"]
    padded = check_code(nn.Embedding(5, 3, padding_idx=0).double(), (torch.tensor([[0, 1], [2, 0]]),))
    assert padded.passed, why(padded)
    assert [(held.how, held.count) for held in padded.held] == [("padding_idx", 6)]


def test_a_hook_that_changes_a_gradient_makes_it_wrong() -> None:
    def scaled(x: Tensor) -> Tensor:
        y = x.sin()
        if y.requires_grad:
            y.register_hook(lambda g: 2 * g)
        return y

    assert check_code(scaled, (X,)).counts[Verdict.MISMATCH] == X.numel()
    layer = nn.Linear(4, 2).double()
    layer.register_full_backward_hook(lambda module, by_input, by_output: (2 * by_input[0],))
    verdicts = {block.input: block.verdict for block in check_code(layer, (X,)).blocks}
    assert verdicts == {"input": Verdict.MISMATCH, "weight": Verdict.MATCH, "bias": Verdict.MATCH}


def test_autocast_rounds_on_the_way() -> None:
    def half(x: Tensor, w: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return (x @ w).tanh().float()

    result = check_code(half, (X.float(), 0.3 * W.float()))
    assert result.passed, why(result)
    saturated = check_code(half, (X.float(), W.float()))  # 1 - tanh(x)**2 is 0 in bfloat16
    assert saturated.verdict is Verdict.UNSTABLE


class CutProducts(TorchDispatchMode):
    """Matrices of float32 are multiplied as cards do in TF32: of each operand 11 bits are read."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.mm.default and args[0].dtype is torch.float32:
            args = [(x.view(torch.int32) & ~0x1FFF).view(torch.float32) for x in (y.contiguous() for y in args)]
        return func(*args, **(kwargs or {}))


def multiplied(x: Tensor, w: Tensor) -> Tensor:
    return (x @ w).tanh()


def test_products_in_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    """They round as TF32 does; a product that is wrong beyond that is wrong."""
    given = X.float(), W.float() / 3
    with CutProducts():
        assert check_code(multiplied, given).verdict is Verdict.ERROR  # torch has not said that it does so
        monkeypatch.setattr(
            recorder, "tf32_setting", lambda operation, _: "the.setting" if operation == "aten::mm" else None
        )
        result = check_code(multiplied, given)
        wrong = check_code(lambda x, w: multiplied(Doubled.apply(x), w), given)
    assert result.passed, why(result)
    assert any("in TF32" in notice and 'the.setting = "ieee"' in notice for notice in result.notices)
    assert {b.input: b.verdict for b in wrong.blocks} == {"x": Verdict.MISMATCH, "w": result.blocks[1].verdict}


class Doubled(torch.autograd.Function):
    """The identity, with a wrong backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return 2 * g


@pytest.mark.slow  # torch._dynamo takes seconds to import
@pytest.mark.filterwarnings("ignore")
def test_compiled_code_is_recorded_as_written_and_is_itself_under_test() -> None:
    def code(x: Tensor, w: Tensor) -> Tensor:
        return torch.tanh(x @ w).sum(0)

    def wrong(graph: Any, inputs: Any) -> Any:
        return lambda *given: tuple(Doubled.apply(x) for x in graph(*given))

    for backend in ("eager", "aot_eager"):
        right = check_code(torch.compile(code, backend=backend), (X, W))
        assert right.passed, why(right)
        assert right.place.startswith("test_features_of_torch.py:")
    assert "torch._dynamo" in sys.modules
    torch._dynamo.reset()
    assert check_code(torch.compile(code, backend=wrong), (X, W)).counts[Verdict.MISMATCH] > 0
    module = torch.compile(nn.Sequential(nn.Linear(4, 3), nn.Tanh()).double(), backend="eager")
    found = check_code(module, (X,))
    assert found.passed, why(found)
    assert found.subject == "Sequential"
    assert [given.name for given in found.inputs] == ["input", "0.weight", "0.bias"]
