"""After the manner of suites that check gradients through one function of a base class, with one import changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradcheck_cli import GradientMismatch, gradcheck, gradgradcheck

DOUBLE = torch.float64


class Tester:
    """Inputs become float64 and require grad, all of them or those that are named by `requires_grad`."""

    def gradcheck(
        self, function: Callable[..., Any], inputs: Sequence[Any], *, raise_exception: bool = True,
        fast_mode: bool = True, requires_grad: Sequence[bool] = (), **kwargs: Any,
    ) -> bool:  # fmt: skip
        wanted = requires_grad or [True] * len(inputs)
        given = [
            x.detach().to(DOUBLE).requires_grad_(flag) if isinstance(x, Tensor) and x.is_floating_point() else x
            for x, flag in zip(inputs, wanted, strict=True)
        ]
        return gradcheck(function, given, raise_exception=raise_exception, fast_mode=fast_mode, **kwargs)


def image(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(7))


class TestColours(Tester):
    @staticmethod
    def to_hsv(rgb: Tensor) -> Tensor:
        """The largest channel is compared with the channels that it is made of, and the hue wraps around."""
        value, low = rgb.amax(-3), rgb.amin(-3)
        span = value - low
        r, g, b = rgb.unbind(-3)
        sector = torch.where(r == value, g - b, torch.where(g == value, b - r + 2 * span, r - g + 4 * span))
        hue = (sector / (6 * span + 1e-8)) % 1.0
        return torch.stack([hue, span / (value + 1e-8), value], dim=-3)

    @staticmethod
    def from_hsv(hsv: Tensor) -> Tensor:
        """The sextant is chosen by masks of whole numbers."""
        h, s, v = hsv.unbind(-3)
        sextant = (torch.floor(h * 6) % 6).long().clamp(0, 5)
        f = h * 6 - torch.floor(h * 6)
        p, q, t = v * (1 - s), v * (1 - f * s), v * (1 - (1 - f) * s)
        red = sum(torch.where(sextant == k, x, 0.0) for k, x in enumerate((v, q, p, p, t, v)))
        return torch.stack([red, v, p], dim=-3)

    def test_gradcheck(self) -> None:
        self.gradcheck(self.to_hsv, (image(2, 3, 4, 4),))
        self.gradcheck(self.from_hsv, (image(2, 3, 4, 4),))

    def test_the_way_back(self) -> None:
        self.gradcheck(lambda x: self.from_hsv(self.to_hsv(x)), (image(1, 3, 2, 3),), fast_mode=False)


class TestMorphology(Tester):
    @staticmethod
    def opened(x: Tensor, kernel: Tensor, pad: float) -> Tensor:
        """Erosion and dilation, with infinities around the image."""
        below = F.pad(x, (1, 1, 1, 1), value=pad).unfold(2, 3, 1).unfold(3, 3, 1) - kernel
        eroded = below.amin((-2, -1))
        above = F.pad(eroded, (1, 1, 1, 1), value=-pad).unfold(2, 3, 1).unfold(3, 3, 1) + kernel
        return above.amax((-2, -1))

    @pytest.mark.parametrize("pad", [float("inf"), 1e4])
    def test_gradcheck(self, pad: float) -> None:
        self.gradcheck(self.opened, (image(1, 2, 4, 4), 0.1 * image(3, 3), pad), requires_grad=(True, False, False))


class TestWarping(Tester):
    def test_places_on_pixels_but_for_rounding(self) -> None:
        """Where rounding takes a place over a pixel, the pixels that ran are taken."""
        grid = torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, 7, dtype=DOUBLE)] * 2, indexing="ij"), -1).flip(-1)
        for move in (0.0, 2.0 / 6, 1e-17):
            self.gradcheck(
                lambda x, move=move: F.grid_sample(x, grid[None] + move, align_corners=True), (image(1, 1, 7, 7),)
            )

    def test_rotated(self) -> None:
        def rotated(x: Tensor, angle: Tensor) -> Tensor:
            c, s, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
            matrix = torch.stack([torch.stack([c, -s, zero], -1), torch.stack([s, c, zero], -1)], -2)
            return F.grid_sample(x, F.affine_grid(matrix, list(x.shape), align_corners=False), align_corners=False)

        self.gradcheck(rotated, (image(1, 2, 4, 5), torch.tensor([0.3])))


class TestDecompositions(Tester):
    def test_null_vector(self) -> None:
        """The vector of the smallest singular value, whose sign is fixed, as for homographies."""

        def null(a: Tensor) -> Tensor:
            v = torch.linalg.svd(a)[2][..., -1, :]
            return v * torch.where(v[..., -1:] < 0, -1.0, 1.0)

        self.gradcheck(null, (image(2, 6, 4),))

    def test_signs_of_a_triangle(self) -> None:
        """`sign` of a product with a mask: what is masked is 0 all around."""

        def upright(a: Tensor) -> Tensor:
            q, r = torch.linalg.qr(a)
            return q @ torch.sign(torch.eye(3, dtype=a.dtype) * r)

        self.gradcheck(upright, (image(2, 3, 3),))


class TestModes(Tester):
    INPUTS: ClassVar = (image(3, 4) + 0.5, image(4))

    @staticmethod
    def loss(x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        y = torch.log1p(x * w)
        return y.mean(-1), y.square().sum()

    def test_every_check(self) -> None:
        assert self.gradcheck(
            self.loss, self.INPUTS, check_forward_ad=True, check_batched_grad=True, check_undefined_grad=True,
            check_grad_dtypes=True, check_batched_forward_grad=True, nondet_tol=1e-12, eps=1e-5, atol=1e-6, rtol=1e-4,
        )  # fmt: skip
        assert gradgradcheck(self.loss, [x.to(DOUBLE).requires_grad_() for x in self.INPUTS], fast_mode=True)

    def test_modules_and_losses(self) -> None:
        torch.manual_seed(0)
        layer = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.InstanceNorm2d(2), nn.GELU()).double()
        self.gradcheck(layer, (image(1, 1, 4, 4),))
        target = torch.tensor([0, 2, 1])
        self.gradcheck(lambda x: F.cross_entropy(x, target, label_smoothing=0.1), (image(3, 4),))

    def test_masks_are_no_output_that_can_be_wrong(self) -> None:
        """Where no output requires grad, all are constant."""
        assert self.gradcheck(lambda x: (x > 0.5).to(x.dtype), self.INPUTS[:1])
        assert not self.gradcheck(lambda x: Cut.apply(x), self.INPUTS[:1], raise_exception=False)

    def test_what_is_wrong_raises(self) -> None:
        assert not self.gradcheck(Slip.apply, self.INPUTS[:1], raise_exception=False)
        for fast_mode in (True, False):
            with pytest.raises(GradientMismatch, match=r"Slip\.backward"):
                self.gradcheck(Slip.apply, self.INPUTS[:1], fast_mode=fast_mode)


class Slip(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.sqrt(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return g / torch.sqrt(x)


class Cut(torch.autograd.Function):
    """Says that its result is not to be differentiated, and it is not constant."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = 2 * x
        ctx.mark_non_differentiable(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        raise AssertionError
