"""What is recorded: memory, not tensors; what torch holds constant, and where; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.real_code.recorded import record
from gradcheck_cli.real_code.subject import Subject
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.results import Verdict

X = torch.tensor([0.7, -1.3, 2.1, 0.4], dtype=torch.float64)


def views(x: Tensor) -> Tensor:
    y = x.clone()
    y[1:3].mul_(x[0])
    y.view(2, 2).T[0] += 1
    return y


def in_place(x: Tensor) -> Tensor:
    y = torch.zeros(4, dtype=x.dtype)
    y.copy_(x)
    y.sin_().add_(x).clamp_(-1, 1)
    y[0] = x[1] * x[2]
    y[2:] = 3
    return y


def out_argument(x: Tensor) -> Tensor:
    y = torch.empty(4, dtype=x.dtype)
    with torch.no_grad():
        torch.mul(x, 2, out=y)
    return x * y


def loop(x: Tensor) -> Tensor:
    for _ in range(3):
        x = torch.where(x > 0, x.sin(), x * 2)
    return x


def branch(x: Tensor) -> Tensor:
    return x * 2 if x.sum() > 0 else x * 3


def transforms(x: Tensor) -> Tensor:
    return torch.func.vmap(torch.func.grad(lambda t: t.sin() * t))(x)


def penalty(x: Tensor) -> Tensor:
    """A gradient inside of the function."""
    y = (x**3).sum()
    (slope,) = torch.autograd.grad(y, x, create_graph=True)
    return slope.square().sum()


@pytest.mark.parametrize("code", [views, in_place, loop, branch, transforms, penalty], ids=lambda f: f.__name__)
def test_code_of_many_sorts(code: Callable[[Tensor], Tensor]) -> None:
    result = check_code(code, (X,))
    assert result.passed, (result.error, result.checks[:2])
    assert not result.held


class Square(torch.autograd.Function):
    """Everything in a forward counts, also what it detaches."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        with torch.no_grad():
            return x.detach() * x.data

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return 2 * g * ctx.saved_tensors[0]


def test_the_forward_of_a_function_counts_wholly() -> None:
    result = check_code(Square.apply, (X,))
    assert result.passed
    assert not result.held


def test_what_is_held_when_it_is_given_to_a_forward_stays_held() -> None:
    assert check_code(lambda x: Square.apply(x.detach()) * x, (X,)).passed


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (lambda x: x * x.detach(), "detach"),
        (lambda x: x * x.data, "detach"),
        (out_argument, "no_grad"),
        (lambda x: x / x.norm().item(), ".item()"),
    ],
)
def test_what_torch_holds_constant_is_held(code: Callable[[Tensor], Tensor], how: str) -> None:
    result = check_code(code, (X,))
    assert result.passed, result.checks[:2]
    assert [held.how for held in result.held] == [how]
    assert result.held[0].place.startswith("test_recorder.py:")


def test_through_detach_differentiates_what_is_held() -> None:
    result = check_code(lambda x: x * x.detach(), (X,), through_detach=True)
    assert result.verdict is Verdict.MISMATCH
    assert not result.held


def test_what_torch_drops_silently_is_not_held() -> None:
    assert check_code(lambda x: torch.special.bessel_j0(x) * x, (X,)).verdict is Verdict.MISMATCH


def test_modules_are_checked_by_their_parameters_and_left_as_they_were() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.GELU()).double()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    result = check_code(module, (torch.randn(5, 4, dtype=torch.float64),))
    assert result.passed, (result.error, result.checks[:2])
    assert {given.name for given in result.inputs} == {"input", "0.weight", "0.bias", "1.weight", "1.bias"}
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_the_generators_are_left_as_they_were() -> None:
    torch.manual_seed(4)
    check_code(lambda x: F.dropout(x, 0.5), (X,))
    after = torch.rand(1)
    torch.manual_seed(4)
    assert torch.equal(after, torch.rand(1))


def test_outputs_of_any_shape_have_names() -> None:
    result = check_code(lambda x: {"loss": x.sum(), "rest": [x * 2, x.long()]}, (X,))
    assert [block.output for block in result.blocks] == ["out.loss", "out.rest.0"]
    assert result.passed


def numpy_inside(x: Tensor) -> Tensor:
    return x * torch.from_numpy(np.square(x.detach().numpy()))


class NumpyFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.from_numpy(np.sin(x.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * torch.cos(ctx.saved_tensors[0])


class ItemFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.scale = x.sum().item()
        return x * ctx.scale

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * ctx.scale


@pytest.mark.parametrize("code", [numpy_inside, NumpyFunction.apply, ItemFunction.apply])
def test_what_left_torch_is_found_and_no_verdict_is_given(code: Any) -> None:
    result = check_code(code, (X,))
    assert result.verdict is Verdict.ERROR
    assert result.error is not None
    assert "the record is not all that the code computes" in result.error


def test_a_reference_stands_in_for_what_left_torch() -> None:
    assert check_code(NumpyFunction.apply, (X,), reference=torch.sin).passed
    assert not check_code(NumpyFunction.apply, (X,), reference=torch.cos).passed


@pytest.mark.parametrize(
    ("code", "operation"),
    [
        (lambda x: torch.linalg.eigvals(x.reshape(2, 2)).real, "linalg_eig"),
        (lambda x: torch.complex(x, x).sqrt().real, "sqrt"),
        (lambda x: torch.complex(x, x).cumsum(0).real, "cumsum"),
    ],
)
def test_an_operation_without_a_rule_is_named_with_its_place(code: Callable[[Tensor], Tensor], operation: str) -> None:
    result = check_code(code, (X,))
    assert result.error is not None
    assert result.error.startswith(f"{operation} (test_recorder.py:")


def in_place_on_complex(x: Tensor) -> Tensor:
    z = torch.complex(x, x.flip(0))
    z[1:3] *= x[0]
    z.imag.add_(x)
    z.real[0] = x[2] * x[3]
    out = torch.empty_like(z)
    out.copy_(z.conj())
    return torch.view_as_real(out)[..., 1] + out.real


@pytest.mark.parametrize(
    "code",
    [
        lambda x: torch.fft.fft(x),
        lambda x: torch.fft.irfft(torch.fft.rfft(x, norm="ortho"), n=5),
        lambda x: torch.fft.hfft(torch.complex(x, x * x)),
        lambda x: (torch.fft.fft2(x.reshape(2, 2)) * torch.fft.fft2(x.reshape(2, 2)).conj()).real,
        lambda x: (z := torch.polar(x.square(), x)).conj().imag * z.conj().resolve_conj().real,
        lambda x: torch.complex(x, -x).conj()[[2, 0]].exp().log().reshape(2, 1).mT,
        lambda x: (torch.complex(x, x) / torch.complex(x * x, x[0] - x)).abs() + torch.complex(x, x).angle(),
        lambda x: torch.view_as_complex(x.reshape(2, 2)) ** 2 - 3j * x[:2] + (1 + 2j),
        lambda x: torch.cat([torch.complex(x, x).reshape(2, 2).conj() @ (x.reshape(2, 2) + 0j), x[:2, None] + 0j], 1),
        lambda x: torch.stft(x.repeat(3), 4, window=torch.hann_window(4).double(), return_complex=True).abs().square(),
        in_place_on_complex,
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_complex_numbers_on_the_way_and_as_results(code: Callable[[Tensor], Tensor]) -> None:
    result = check_code(code, (X,))
    assert result.passed, (result.error, [check for check in result.checks if not check.passed][:2])
    assert not result.held
    second = check_code(code, (X,), order=2)
    assert second.passed, (second.error, [check for check in second.checks if not check.passed][:2])


def test_a_wrong_backward_of_complex_numbers_fails() -> None:
    class Rotated(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return torch.complex(x, 2 * x)

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return g.real - 2 * g.imag

    assert check_code(Rotated.apply, (X,)).counts[Verdict.MISMATCH] == len(X)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (lambda x: torch.linalg.svd(x.reshape(4, 1))[0], "only complete a basis"),
        (lambda x: torch.linalg.svdvals(x.reshape(2, 2) * 0), "equal, or zero"),
        (lambda x: torch.linalg.eigvalsh(torch.eye(2, dtype=x.dtype) * x[0]).sum(), "equal, or zero"),
    ],
)
def test_what_has_more_than_one_solution_is_opaque_where_it_is_used(code: Callable[[Tensor], Tensor], why: str) -> None:
    result = check_code(code, (X,))
    assert result.verdict is Verdict.ERROR
    assert result.error is not None
    assert why in result.error


def test_a_rule_of_torchs_own_may_take_another_way_to_zero() -> None:
    """The second derivative of a product by one of its factors is 0: torch divides, and leaves a rounding error."""
    x = torch.tensor([3.7, -8.1, 5.3, -6.9, 7.7, 0.3], dtype=torch.float64)
    result = check_code(lambda x: x.reshape(2, 3).prod(1).prod(), (x,), order=2)
    assert result.counts[Verdict.MISMATCH] == 0
    assert result.passed


def test_what_torch_does_not_differentiate_is_not_compared_with_the_record() -> None:
    """The singular values that lstsq returns beside the solution."""
    a = torch.tensor([[1.0, 0.3], [0.2, -1.1], [0.7, 0.4]], dtype=torch.float64)
    assert check_code(lambda a, b: torch.linalg.lstsq(a, b, driver="gelss"), (a, a[:, :1].clone()), order=2).passed


def test_nan_that_is_left_out() -> None:
    x = torch.tensor([1.5, float("nan"), -0.3], dtype=torch.float64)
    result = check_code(lambda x: torch.nanmean(x) * torch.where(x.isnan(), 0, x).sum(), (x,))
    assert result.passed, (result.error, result.checks[:3])


def test_fused_attention_is_never_half_seen() -> None:
    q, k, v = (torch.randn(1, 2, 3, 4, dtype=torch.float64) for _ in range(3))
    result = check_code(lambda q, k, v: F.scaled_dot_product_attention(q, k, v), (q, k, v))
    assert result.passed


def test_a_conversion_is_the_identity_and_its_rounding_is_allowed_for() -> None:
    half = check_code(lambda x: x.bfloat16().float() * x, (X.float(),))
    assert half.passed
    assert half.counts[Verdict.MISMATCH] == 0
    exact = record(Subject(lambda x: x.float().double(), (X,)))
    assert exact.recorder.tape.operations == 4  # the narrowing, which rounds


def test_the_places_of_functions_are_known() -> None:
    recorder = record(Subject(lambda x: Square.apply(x) + 1, (X,))).recorder
    assert [call.function for call in recorder.places.calls] == [Square]
    operations = {i.origin.operation: i.origin for i in recorder.tape.instructions}
    assert operations["aten::mul"].function == 0
    assert operations["aten::add"].function == -1


def tied(x: Tensor) -> Tensor:
    return x * 2 if x.sum() > 0 else x * 3


class Tied(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return tied(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return 2 * g


def notices(result: CodeResult) -> str:
    return " ".join(result.notices)


def test_a_branch_at_a_tie_holds_on_one_side_and_the_other_branch_is_a_kink() -> None:
    zeros = torch.zeros(2, dtype=torch.float64)
    one, other = check_code(tied, (zeros,)), check_code(Tied.apply, (zeros,))
    assert one.verdict is Verdict.MATCH
    assert "one side only" in notices(one)
    assert other.verdict is Verdict.KINK
    assert check_code(Tied.apply, (zeros - 1,)).verdict is Verdict.MISMATCH


def test_noise_that_is_not_seeded_is_not_deterministic() -> None:
    generator = np.random.Generator(np.random.PCG64(1))
    result = check_code(lambda x: x * 2 + 1e-3 * float(generator.random()), (X,))
    assert "not deterministic" in notices(result)
    assert result.passed


@pytest.mark.parametrize("mode", ["reverse", "forward", "both"])
def test_modes(mode: str) -> None:
    result = check_code(lambda x: torch.exp(x).cumsum(0), (X,), mode=mode)
    assert result.passed
    assert {block.mode for block in result.blocks} == ({"reverse", "forward"} if mode == "both" else {mode})


@pytest.mark.parametrize("order", [1, 2])
def test_tangents_are_batched_where_the_code_allows_it(order: int) -> None:
    runs = []

    def code(x: Tensor) -> Tensor:
        runs.append(x)
        return torch.tanh(x) * x.sum()

    def by_number(x: Tensor) -> Tensor:
        return code(x) * (2 if float(x[0]) > 0 else 3)

    x = torch.linspace(-1, 1, 30, dtype=torch.float64)
    assert check_code(code, (x,), mode="forward", order=order).passed
    assert len(runs) < 10
    assert check_code(by_number, (x,), mode="forward", order=order).passed


def test_kinks_and_traps_mean_what_they_mean_for_formulas() -> None:
    zero = torch.zeros(1, dtype=torch.float64)
    assert check_code(F.relu, (zero,)).verdict is Verdict.KINK
    assert check_code(lambda x: F.relu(x) - F.relu(-x), (zero,)).verdict is Verdict.MISMATCH
    assert check_code(torch.log, (zero - 1,)).verdict is Verdict.UNDEFINED
    assert check_code(lambda x: torch.where(x > 0, x.sqrt(), 0 * x), (zero - 1,)).verdict is Verdict.MISMATCH
    assert check_code(lambda x: 1 / (1 + torch.exp(-x)), (zero - 800,)).verdict is Verdict.UNSTABLE


def test_a_large_jacobian_is_compared_by_random_cotangents() -> None:
    weight = torch.randn(400, 400, dtype=torch.float64)
    x = torch.randn(400, dtype=torch.float64)
    right = check_code(lambda x: torch.tanh(weight @ x), (x,))
    assert right.passed
    assert right.blocks[0].cotangents == "random"
    assert right.blocks[0].entries == 3 * 400

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return weight @ x

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            found = weight.T @ g
            found[7] = 0
            return found

    wrong = check_code(Wrong.apply, (x,))
    assert wrong.blocks[0].cotangents == "one-hot"
    assert wrong.counts[Verdict.MISMATCH] == 400


def test_masks_are_multiplied_and_added_as_conditions() -> None:
    """Their product has no rounding: what it chooses is certain."""
    x = torch.tensor([0.3, 0.7, -0.2], dtype=torch.float64)
    for mask in (lambda x: torch.isfinite(x), lambda x: (x > 0) * (x < 0.5), lambda x: (x > 0.5) + (x < 0)):
        result = check_code(lambda x, mask=mask: torch.where(mask(x), torch.floor(3 * x) * x, -x), (x,))
        assert result.counts[Verdict.MATCH] == 9
