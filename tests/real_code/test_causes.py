"""Who is to blame for wrong entries: the function and the argument, checked by itself."""

from __future__ import annotations

import os
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.code import Cause

HERE = os.path.basename(__file__)


class Scaled(torch.autograd.Function):
    """a * x, wrong by a."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor) -> Tensor:
        ctx.save_for_backward(x, a)
        return a * x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, a = ctx.saved_tensors
        return g * a, g * x * 3

    @staticmethod
    def jvp(ctx: Any, dx: Tensor, da: Tensor) -> Any:
        return dx


class Right(torch.autograd.Function):
    """x ** 2; its backward is right once only."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.x = x.detach()
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return 2 * ctx.x * g


class Outer(torch.autograd.Function):
    """Its forward calls another function, whose backward has no part in it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return Scaled.apply(x, torch.tensor(2.0, dtype=x.dtype))  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return -2 * g


class Cached(torch.autograd.Function):
    """x ** 2, with its operand in the class."""

    kept = torch.zeros(0)

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        Cached.kept = x.detach()
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return 2 * Cached.kept * g


def line_of(function: Any) -> str:
    return f"{HERE}:{function.__code__.co_firstlineno + 1}"


def leaf(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64, requires_grad=True)


def found(function: Any, *inputs: Tensor, **options: Any) -> list[Any]:
    result = check_code(function, inputs, **options)
    assert result.error is None
    assert not result.passed
    return list(result.findings)


def test_the_function_and_the_argument_are_named() -> None:
    first = found(lambda x, a: Right.apply(Scaled.apply(x.sin(), a)).sum(), leaf(1.0, 2.0), leaf(0.5, 3.0))[0]
    assert first.cause is Cause.FUNCTION
    assert (first.function, first.place, first.argument) == ("Scaled.backward", line_of(Scaled.backward), "a")
    assert first.text == f"Scaled.backward ({line_of(Scaled.backward)}) is wrong by a; it is right by x"


def test_the_function_itself_is_the_whole() -> None:
    assert found(Scaled.apply, leaf(1.0, 2.0), leaf(0.5, 3.0))[0].argument == "a"


def test_forward_mode_blames_the_jvp() -> None:
    first, *rest = found(lambda x, a: Scaled.apply(x, a).sin(), leaf(1.0, 2.0), leaf(0.5, 3.0), mode="forward")
    assert [one.cause for one in rest] == [Cause.PASSED_ON, Cause.ZERO]
    assert (first.function, first.place, first.argument) == ("Scaled.jvp", line_of(Scaled.jvp), "x and a")


def test_second_order_blames_the_backward_that_cannot_be_differentiated() -> None:
    first = found(lambda x: Right.apply(x.sin()), leaf(1.0, 2.0), order=2)[0]
    assert (first.cause, first.function) == (Cause.DOUBLE_BACKWARD, "Right.backward")
    assert first.argument == "∂grad_x/∂x"


def test_second_order_blames_a_wrong_backward_as_such() -> None:
    first = found(lambda x, a: Scaled.apply(x.sin(), a), leaf(1.0, 2.0), leaf(0.5, 3.0), order=2)[0]
    assert (first.cause, first.function, first.argument) == (Cause.FUNCTION, "Scaled.backward", "a")


def test_of_nested_functions_the_outer_is_blamed() -> None:
    blamed = [one.function for one in found(lambda x: Outer.apply(x).exp(), leaf(1.0, 2.0)) if one.function]
    assert blamed == ["Outer.backward"]


def test_a_backward_that_takes_what_a_later_call_left() -> None:
    first = found(lambda x: Cached.apply(x.sin()) + Cached.apply(x.cos()), leaf(1.0, 2.0))[0]
    assert (first.cause, first.function) == (Cause.STALE, "Cached.backward")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_in_every_dtype(dtype: torch.dtype) -> None:
    x, a = (t.detach().to(dtype).requires_grad_() for t in (leaf(1.0, 2.0), leaf(0.5, 3.0)))
    assert found(lambda x, a: Scaled.apply(x, a).sum(), x, a)[0].argument == "a"


def test_a_backward_that_forgets_its_cotangent_is_right_for_one_only() -> None:
    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return (x * x).sum()

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return 2 * ctx.saved_tensors[0]

    result = check_code(Loss.apply, leaf(1.0, 2.0))
    assert [entry.output for entry in result.checks if not entry.passed] == ["out · another cotangent"] * 2
    assert [one.cause for one in result.findings] == [Cause.FUNCTION, Cause.COTANGENT]
    assert result.findings[1].text == (
        "the gradient of x is the same for twice the incoming gradient: is that forgotten?"
    )
    assert [one.cause for one in found(lambda x: 3 * Loss.apply(x), leaf(1.0, 2.0))] == [
        Cause.FUNCTION, Cause.COTANGENT]  # fmt: skip


def test_a_backward_that_writes_into_its_cotangent() -> None:
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return g.mul_(2)

    def function(x: Tensor) -> Tensor:
        y = x.sin()
        return Doubled.apply(y) + y

    causes = {one.cause for one in found(function, leaf(1.0, 2.0, 0.5))}
    assert Cause.COTANGENT_CHANGED in causes


class Kept(torch.autograd.Function):
    """exp(x), with its result in ctx, which the backward multiplies."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.y = x.exp()
        return ctx.y.clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return ctx.y.mul_(g)


class Saved(torch.autograd.Function):
    """x * w, with a backward that changes x behind autograd's back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(w, x)
        return x * w

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        w, x = ctx.saved_tensors
        return g * w, g * x.data.mul_(2)


class Drawn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return g * torch.rand_like(g)


@pytest.mark.parametrize(
    ("function", "inputs", "said"),
    [
        (Kept.apply, (leaf(1.0, 2.0),), "the backward changes ctx.y in place: "),
        (lambda x: Kept.apply(x).sum(), (leaf(1.0, 2.0),), "the backward changes ctx.y in place: "),
        (Kept.apply, (torch.tensor(1.0, dtype=torch.float64),), "the backward changes ctx.y in place: "),
        (Saved.apply, (leaf(1.0, 2.0), leaf(0.5, 3.0)), "the backward changes ctx.saved_tensors[1] in place: "),
        (Drawn.apply, (leaf(1.0, 2.0),), "the gradient of x is another one each time the backward runs, "),
    ],
    ids=["in ctx", "in other code", "with one backward a check", "saved", "random"],
)
def test_a_backward_that_gives_something_else_when_it_runs_again(function: Any, inputs: Any, said: str) -> None:
    first, second = found(function, *inputs)
    assert (first.cause, second.cause) == (Cause.FUNCTION, Cause.SAVED_CHANGED)
    assert second.text.startswith(said)


def test_a_hook_that_changes_the_gradient() -> None:
    def halved(gradient: Tensor) -> Tensor:
        return gradient / 2

    def function(x: Tensor) -> Tensor:
        y = x.exp()
        y.register_hook(halved)
        return y.sin()

    first = found(function, leaf(1.0, 2.0))[0]
    assert (first.cause, first.place) == (Cause.HOOK, f"{HERE}:{halved.__code__.co_firstlineno}")


def test_a_hook_of_a_module() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh())
    module[1].register_full_backward_hook(lambda module, given, gradients: tuple(-g for g in given))
    first = found(module, torch.randn(3, 2, generator=torch.Generator().manual_seed(0)))[0]
    assert first.cause is Cause.HOOK
    assert module[1]._backward_hooks


def test_a_cut_graph_says_where() -> None:
    def function(x: Tensor) -> Tensor:
        return (x.exp().detach() * x).sum()

    first = found(function, leaf(1.0, 2.0), through_detach=True)[0]
    assert first.cause is Cause.CUT
    line = function.__code__.co_firstlineno + 1
    assert first.text == f"every wrong entry is what it is where the graph is cut: {HERE}:{line} (detach)"


def test_a_custom_operation_is_named() -> None:
    @torch.library.custom_op("gradcheck_tests::cube", mutates_args=())
    def cube(x: Tensor) -> Tensor:
        return x * x * x

    cube.register_autograd(
        lambda ctx, g: g * 2 * ctx.saved_tensors[0] ** 2,
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    )
    first = found(lambda x: cube(x.sin()).sum(), leaf(1.0, 2.0))[0]
    assert (first.cause, first.function, first.argument) == (Cause.OPERATION, "gradcheck_tests::cube", "x")
    assert first.text.startswith(f"the derivative of the operation gradcheck_tests::cube ({HERE}:")


def test_torchs_own_derivative_is_named_as_such() -> None:
    """hardsigmoid's sixth is one of float32."""
    first = found(lambda x: torch.nn.functional.hardsigmoid(x.sin()).sum(), leaf(1.0, 2.0))[0]
    assert first.text.startswith(f"torch's own derivative of hardsigmoid ({HERE}:")


def test_what_is_wrong_in_its_surroundings_only_is_said_to_be_right_by_itself() -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.kept = x  # not by save_for_backward, so that autograd does not see what becomes of it
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return 2 * ctx.kept * g

    def function(x: Tensor) -> Tensor:
        y = x + 1
        z = Square.apply(y)
        with torch.no_grad():
            y.mul_(3)
        return z.sin()

    first = found(function, leaf(0.1, 0.2))[0]
    assert first.cause is Cause.SOUND
    assert first.text.startswith("1 function and 2 operations that ran are right by themselves: ")


def test_nan_of_one_hot_cotangents_says_what_it_means() -> None:
    result = check_code(lambda x: x.sqrt(), leaf(4.0, 0.0))
    notes = {(entry.output, entry.wrt): entry.note for entry in result.checks if not entry.passed}
    assert notes == {("out[0]", ("x[1]",)): "a loss that ignores out[1] gets NaN at x[1]"}
    assert result.findings[0].text.startswith(f"NaN enters at sqrt ({HERE}:")


class Leaky(torch.autograd.Function):
    """A plain number is an argument, and the backward is one of `vjp`."""

    @staticmethod
    def forward(x: Tensor, slope: float) -> Any:
        return slope * x, x + 1

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def vjp(ctx: Any, g: Tensor, h: Tensor) -> Any:
        return 9 * g + h, None


def test_a_factor_that_is_a_plain_number_and_one_of_several_outputs() -> None:
    first, second = found(lambda x: torch.cat(Leaky.apply(x, 3.0)), leaf(1.0, -2.0, 0.5))
    assert (first.function, first.place) == ("Leaky.vjp", line_of(Leaky.vjp))
    assert second.text == "every wrong entry of out0 by x is 3 times the truth, which is slope"


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        a, b = ctx.saved_tensors
        return g @ b.T, 2 * (a.T @ g)


def test_of_a_large_call_the_rows_are_added_up() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(12, 12, generator=generator) for _ in range(2))
    first, second = found(lambda a, b: Product.apply(a, b).sum(), a, b)
    assert (first.argument, first.texts["right"], second.numbers["factor"]) == ("b", "a", 2.0)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_no_known_mistake_is_not_given_a_name(seed: int) -> None:
    """The gradient of each argument times a tensor of random numbers."""
    generator = torch.Generator().manual_seed(seed)

    class Random(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
            ctx.save_for_backward(x, w)
            return (x * w).tanh()

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            x, w = ctx.saved_tensors
            d = g * (1 - (x * w).tanh() ** 2)
            noise = 0.5 + torch.rand(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)
            return d * w * noise, (d * x * noise).sum(0)

    x, w = torch.randn(3, 4, generator=generator), torch.randn(4, generator=generator)
    assert [one.cause for one in found(Random.apply, x, w)] == [Cause.FUNCTION]


class Wrapped(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, w: Tensor) -> Tensor:
        return x * w

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        w = ctx.saved_tensors[1]
        return g * w, g * w


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w: torch.func.grad(lambda x: Wrapped.apply(x, w).sin().sum())(x),
        lambda x, w: checkpoint(lambda x, w: Wrapped.apply(x, w).sin(), x, w, use_reentrant=True),
        lambda x, w: sum(Wrapped.apply(k * x, w) for k in range(12)),
    ],
    ids=["inside torch.func", "inside a checkpoint", "called often"],
)
def test_a_function_is_found_wherever_it_ran(function: Any) -> None:
    first, second = found(function, leaf(1.0, 2.0), leaf(0.5, -3.0))
    assert (first.function, first.argument) == ("Wrapped.backward", "w")
    assert second.text == "the gradient of w is that of x"


def test_under_vmap_wrong_entries_are_found() -> None:
    assert found(lambda x, w: torch.func.vmap(Wrapped.apply)(x, w), leaf(1.0, 2.0), leaf(0.5, -3.0))


def test_a_backward_that_returns_none() -> None:
    class Constant(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
            ctx.save_for_backward(w)
            return x * w

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return g * ctx.saved_tensors[0], None

    second = found(Constant.apply, leaf(1.0, 2.0), leaf(0.5, 3.0))[1]
    assert second.text == "every wrong entry by w is 0 where the truth is not: there is no gradient (None)"


ODD = [(), (0,), (1, 1), (2, 3)]
SPOILT = [lambda g: None, lambda g: g * float("nan"), lambda g: g.abs() + 1]


@pytest.mark.parametrize("number", [0.0, float("inf"), 1e30, -1.0])
@pytest.mark.parametrize("spoil", SPOILT, ids=["None", "NaN", "nonlinear"])
def test_an_explanation_ends_well_at_odd_inputs(spoil: Any, number: float) -> None:
    class Spoilt(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            x, w = ctx.saved_tensors
            return spoil(g * w), g * x

    for shape in ODD:
        x, w = torch.full(shape, 0.5), torch.full(shape, number, dtype=torch.float32)
        result = check_code(Spoilt.apply, (x, w))
        assert all(finding.text for finding in result.findings)


@pytest.mark.parametrize(
    ("function", "inputs", "said"),
    [
        (lambda x: x.pow(2).sqrt(), (0.0,),
         "at pow ({here}): local derivative 0 times incoming inf, which comes from sqrt ({here})"),
        (lambda x: x.pow(2).sum().sqrt() ** 2, (0.0, 0.0),
         "at sqrt ({here}): a local derivative that is not finite times incoming 0"),
        (lambda x: torch.where(x > 0, x.sqrt(), 0 * x).sum(), (1.0, -1.0),
         "at sqrt ({here}): a local derivative that is not finite times incoming 0"),
        (lambda x: x.sqrt() - x.sqrt(), (0.0,), "where the contributions to the gradient of x are added: inf and -inf"),
        (lambda x: (lambda y: y.sqrt() - y.sqrt())(x * 1), (0.0,),
         "where the contributions to the gradient of what mul ({here}) gives are added: inf and -inf"),
        (lambda x: (torch.cat([x, x]).abs() ** 0.5)[:1] ** 2, (0.0,),
         "at pow ({here}): a local derivative that is not finite times incoming 0"),
    ],
)  # fmt: skip
def test_nan_enters_between_operations_that_are_right(function: Any, inputs: tuple[float, ...], said: str) -> None:
    (finding,) = found(function, leaf(*inputs))
    assert finding.cause is Cause.NAN
    place = f"{HERE}:{function.__code__.co_firstlineno}"
    assert said.format(here=place) in finding.text


def test_nan_that_a_hook_makes_is_the_hook_s() -> None:
    def function(x: Tensor) -> Tensor:
        y = x * 1
        y.register_hook(lambda gradient: gradient * float("nan"))
        return y.sum()

    assert [one.cause for one in found(function, leaf(1.0, 2.0))] == [Cause.HOOK]
