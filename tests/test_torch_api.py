"""gradcheck and gradgradcheck: torch's own function with one import changed."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import Tensor

from gradcheck_cli import GradcheckError, check
from gradcheck_cli.torch_api import GradientMismatch, gradcheck, gradgradcheck


def leaf(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


class Double(torch.autograd.Function):
    """2 x, with a backward that can be spoilt."""

    spoilt = ""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        match Double.spoilt:
            case "factor":
                return 2.002 * g
            case "dtype":
                return (2 * g).float()
            case "noise":
                return 2 * g + 1e-14 * torch.rand_like(g)
            case "batch":
                return 2 * g * (1 if float(g.sum()) > -1e9 else 0)
        return 2 * g


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda how: monkeypatch.setattr(Double, "spoilt", how)


@pytest.mark.parametrize("ours", [gradcheck, gradgradcheck])
def test_every_keyword_of_torch_is_taken(ours: Any) -> None:
    theirs = getattr(torch.autograd, ours.__name__)
    assert set(inspect.signature(theirs).parameters) <= set(inspect.signature(ours).parameters)


def test_a_right_backward_is_true() -> None:
    assert gradcheck(Double.apply, leaf(3)) is True
    assert gradcheck(lambda x, y: x * y, (leaf(3), torch.ones(3)), check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(lambda x: x.sin() * x, (leaf(3),), check_fwd_over_rev=False)
    assert gradcheck(torch.sin, (leaf(3),), fast_mode=True, eps=1e-3, masked=True)


def test_a_wrong_backward_raises_the_report(spoil: Any) -> None:
    spoil("factor")
    with pytest.raises(GradientMismatch, match="mismatch") as caught:
        gradcheck(Double.apply, (leaf(2),))
    assert isinstance(caught.value, (RuntimeError, AssertionError))
    assert "analytical 2" in str(caught.value)
    assert caught.value.result is not None
    assert gradcheck(Double.apply, (leaf(2),), raise_exception=False) is False
    assert gradcheck(Double.apply, (leaf(2),), rtol=0.01) is True


def test_what_is_wrong_in_the_second_order_only() -> None:
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            square = x * x
            ctx.save_for_backward(square)
            return square * x

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return 3 * ctx.saved_tensors[0] * g

    assert gradcheck(Cube.apply, (leaf(3),))
    with pytest.raises(GradientMismatch, match="autograd 0"):
        gradgradcheck(Cube.apply, (leaf(3),))


def test_the_dtype_of_a_gradient_is_checked_where_that_is_asked_for() -> None:
    def narrow(x: Tensor) -> Tensor:
        return x.float().double() * 2

    assert gradcheck(narrow, (leaf(2),), check_grad_dtypes=True)


def test_a_backward_that_is_not_deterministic(spoil: Any) -> None:
    spoil("noise")
    with pytest.raises(GradientMismatch, match="not deterministic"):
        gradcheck(Double.apply, (leaf(2),))
    assert gradcheck(Double.apply, (leaf(2),), nondet_tol=1e-12)


def test_a_backward_that_cannot_be_batched_gives_the_same_verdict_one_by_one(spoil: Any) -> None:
    spoil("batch")
    assert gradcheck(Double.apply, (leaf(6),))
    with pytest.raises(GradientMismatch, match="batched by vmap"):
        gradcheck(Double.apply, (leaf(6),), check_batched_grad=True)


def test_undefined_cotangents() -> None:
    class Two(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Any:
            ctx.set_materialize_grads(False)
            return 2 * x, 3 * x

        @staticmethod
        def backward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
            return 2 * a + 3 * b

    with pytest.raises(GradientMismatch):
        gradcheck(Two.apply, (leaf(2),))


def test_inputs_that_do_not_require_grad_are_refused_as_torch_does() -> None:
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(torch.sin, (torch.ones(2),))


def test_an_output_that_does_not_depend_on_the_inputs_is_right() -> None:
    assert gradcheck(lambda x: torch.ones(2, dtype=torch.float64), (leaf(2),))


def test_the_own_exception_of_the_code_is_raised() -> None:
    def broken(x: Tensor) -> Tensor:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        gradcheck(broken, (leaf(2),))


class Branching(torch.autograd.Function):
    """3 x, whose jvp decides on a number of the tangent, which vmap does not allow."""

    generate_vmap_rule = True
    decides = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return 3 * x

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return 3 * g

    @staticmethod
    def jvp(ctx: Any, dx: Tensor) -> Tensor:
        return 3 * dx if not Branching.decides or float(dx.sum()) > -1e9 else dx


def test_forward_mode_is_batched_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gradcheck(Branching.apply, (leaf(3),), check_forward_ad=True)
    with pytest.raises(GradientMismatch, match="forward mode cannot be batched by vmap"):
        gradcheck(Branching.apply, (leaf(3),), check_forward_ad=True, check_batched_forward_grad=True)
    monkeypatch.setattr(Branching, "decides", False)
    assert gradcheck(Branching.apply, (leaf(3),), check_forward_ad=True, check_batched_forward_grad=True)
    assert gradcheck(
        lambda x, y: (x @ y, x.exp()), (leaf(3, 3), leaf(3)), check_forward_ad=True, check_batched_forward_grad=True
    )


@pytest.mark.parametrize(
    "options",
    [
        {"check_batched_forward_grad": True},
        {"check_batched_grad": True, "check_backward_ad": False, "check_forward_ad": True},
    ],
)
def test_what_is_to_be_batched_must_be_checked(options: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="needs check_"):
        gradcheck(torch.sin, (leaf(3),), **options)


def test_a_backward_that_changes_what_it_has_saved_is_not_deterministic() -> None:
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.slope = torch.full_like(x, 2)
            return 2 * x

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            result = g * ctx.slope
            ctx.slope += 1e-13
            return result

    with pytest.raises(GradientMismatch, match=r"not deterministic: run again .* does it change what it has saved"):
        gradcheck(Once.apply, (leaf(2),))


@pytest.mark.parametrize("raises", [True, False])
@pytest.mark.parametrize("given", [torch.randn(2, dtype=torch.complex128), torch.eye(2).double().to_sparse()])
def test_what_is_not_checked_is_not_called_wrong(given: torch.Tensor, raises: bool) -> None:
    with pytest.raises(GradcheckError, match="are checked") as raised:
        gradcheck(lambda z: z * z, (given.requires_grad_(),), raise_exception=raises)
    assert not isinstance(raised.value, GradientMismatch)


def test_a_surrogate_that_is_no_mapping_is_a_sentence() -> None:
    with pytest.raises(GradcheckError, match="is no mapping: it says of which"):
        check(lambda x: x, (torch.ones(2),), surrogate=lambda x: x)  # type: ignore[call-overload]
