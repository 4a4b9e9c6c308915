"""`check` of functions, modules and autograd.Functions from Python."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
import torch
from helpers.hand_written import by_hand
from torch.autograd.function import once_differentiable

from gradcheck_cli import CodeResult, GradcheckError, Verdict, check


def silu_back(g: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    s = torch.sigmoid(x)
    return g * (s + x * s * (1 - s))


def mse(x: torch.Tensor, y: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
    return scale * ((x - y) ** 2).mean()


class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
        return g


X = torch.tensor([[1.0, -2.0, 0.5]])


def derivatives(result: CodeResult) -> set[str]:
    return {f"{block.output}/{block.input} {block.mode}" for block in result.blocks}


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        ((mse, {"x": X, "y": X + 1}), {}, {"out/x reverse", "out/y reverse"}),
        ((mse, {"y": X, "x": X, "scale": 2.0}), {"wrt": "x", "mode": "both"}, {"out/x reverse", "out/x forward"}),
        ((mse, (X, X)), {"names": ["a", "b"], "wrt": ["b"]}, {"out/b reverse"}),
        ((mse, [X, X]), {"order": 2, "wrt": "x"}, {"grad_x/x reverse", "grad_x/grad_out reverse"}),
        ((torch.sin, X), {"cotangents": "random", "seed": 3}, {"out/x0 reverse"}),
        ((torch.nn.Linear(3, 2), (X,)), {"dtype": torch.float64}, {
            "out/input reverse", "out/weight reverse", "out/bias reverse"}),
        ((Round, (X,)), {"surrogate": {Round: lambda x: x}}, {"out/x reverse"}),
        ((Round.apply, (X,)), {"surrogate": {Round: lambda x: x}, "dtype": "float16"}, {"out/x reverse"}),
        ((by_hand(torch.nn.functional.silu, silu_back), X), {"reference": torch.nn.functional.silu}, None),
        ((mse, {"x": X, "y": X.long()}), {"stress": True}, {"out/x reverse"}),
        ((mse, (X.clone().requires_grad_(), X)), {"only_requires_grad": True}, {"out/x reverse"}),
    ],
)  # fmt: skip
def test_what_is_right_passes(arguments: Any, options: Any, expected: set[str] | None) -> None:
    result = check(*arguments, **options)
    assert isinstance(result, CodeResult)
    assert result.passed, result.error
    assert expected is None or derivatives(result) == expected


def test_inputs_under_stress_require_grad_as_those_given_do() -> None:
    inputs = (X.clone().requires_grad_(), X + 1)
    marked = check(mse, inputs, only_requires_grad=True, stress=True)
    named = check(mse, tuple(x.detach() for x in inputs), wrt="x", stress=True)
    assert marked.checks_total == named.checks_total > 10 * 3


def test_what_is_wrong_has_a_record_that_says_so() -> None:
    result = check(by_hand(torch.nn.functional.silu, lambda g, x: g * torch.sigmoid(x)), X, dtype="float64")
    assert (result.passed, result.verdict, result.dtype) == (False, Verdict.MISMATCH, "float64")
    assert [entry.wrt for entry in result.checks if not entry.passed]
    assert "ByHand.backward" in result.findings[0].text
    assert str(result).startswith("1 function, 9 entries (3 failed): 6 match, 3 mismatch")


def test_a_mode_that_torch_refuses_leaves_what_the_other_found() -> None:
    result = check(by_hand(torch.nn.functional.silu, silu_back), X, mode="both")
    assert [(block.mode, block.passed) for block in result.blocks] == [("reverse", True)]
    assert (result.passed, result.verdict) == (False, Verdict.ERROR)
    assert (result.error or "").startswith("forward mode raises NotImplementedError: You must implement the jvp")


def test_a_module_is_left_as_it_was() -> None:
    module = torch.nn.BatchNorm1d(3)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    assert check(module, (torch.randn(4, 3),), dtype="float64").dtype == "float64"
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.weight.dtype is torch.float32


def endless(x: torch.Tensor) -> torch.Tensor:
    while True:
        x = x + 1


def refuses(x: torch.Tensor) -> torch.Tensor:
    raise ValueError("no")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((mse, {"x": X}), {}, "the argument y is missing: inputs needs it; mse takes (x, y, scale=1.0)"),
        ((mse, {"x": X, "z": X}), {}, "inputs z: there is no such argument: mse takes (x, y, scale=1.0)"),
        ((mse, (X, X)), {"wrt": "z"}, "wrt='z': there is no such input; there are x, y"),
        ((mse, (X, X.long())), {"wrt": "y"}, "wrt='y': it is int64, and is not differentiated"),
        ((mse, (X, X)), {"order": 3}, "order=3: of a function, first and second derivatives are checked"),
        ((mse, (X, X)), {"mode": "back"}, "mode"),
        ((mse, (X, X)), {"claim": "2*x"}, "claim is for an expression, and what is checked is a function"),
        ((mse, (X.long(), X.long())), {}, "there is nothing to differentiate by"),
        ((mse, (X, X)), {"only_requires_grad": True}, "there is nothing to differentiate by"),
        ((torch.nn.Linear, (X,)), {}, "Linear is a class: give an instance of it"),
        ((refuses, X), {}, "refuses raises ValueError: no\n  test_check_code.py:"),
        (("x**2", 2), {"stress": True}, "stress is for a function of tensors, and what is checked is an expression"),
    ],
)
def test_bad_input_is_a_sentence(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises(GradcheckError, match=re.escape(message)):
        check(*arguments, **options)


def test_a_time_limit_ends_it() -> None:
    result = check(endless, X, timeout=0.3)
    assert (result.passed, result.error) == (False, "no verdict within the time limit of 0.3 s: timeout= allows more")


class Exponential(torch.autograd.Function):
    """Its backward is right, or not, or it raises; each decorated as people do."""

    right: Any = True

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu")
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.exp()

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    @once_differentiable
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        if Exponential.right is None:
            raise ValueError("no backward today")
        return g * (x.exp() if Exponential.right else x)


@pytest.mark.parametrize(
    ("right", "order", "said"),
    [
        (False, 1, r"Exponential\.backward \(test_check_code\.py:LINE\) is wrong by x"),
        (True, 2, r"Exponential\.backward \(test_check_code\.py:LINE\) is right, and marked @once_differentiable"),
        (None, 1, r"the backward raises ValueError: no backward today\n  test_check_code\.py:\d+, in backward: raise"),
    ],
)
def test_a_decorated_backward_is_named_where_it_is_written(
    right: bool | None, order: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Exponential, "right", right)
    result = check(Exponential, (X.double(),), order=order)
    line = inspect.unwrap(Exponential.backward).__code__.co_firstlineno + 3  # the line of its def
    told = "\n".join([result.error or "", *(finding.text for finding in result.findings)])
    assert re.search(said.replace("LINE", str(line)), told), told


def test_a_lazy_module_sees_its_first_inputs() -> None:
    layers = torch.nn.Sequential(torch.nn.LazyLinear(2), torch.nn.LazyBatchNorm1d())
    result = check(layers, (torch.randn(4, 3),), wrt="input")
    assert result.passed
    assert result.checks_total == 4 * 2 * 4 * 3
    with pytest.raises(GradcheckError, match="Sequential as float64 raises ValueError"):
        check(torch.nn.Sequential(torch.nn.LazyBatchNorm1d()), (X,), dtype="float64")
    with pytest.raises(GradcheckError, match="LazyConv1d raises RuntimeError"):
        check(torch.nn.LazyConv1d(2, 1), (torch.randn(4),))
