"""Singular values that are 0, and second derivatives of what equations define."""

from __future__ import annotations

import torch
from torch import Tensor

from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.records.results import Verdict

generator = torch.Generator().manual_seed(3)
TALL = torch.randn(6, 4, generator=generator, dtype=torch.float64)
SINGULAR = torch.cat([TALL[:, :3], TALL[:, :1] + TALL[:, 1:2]], dim=1)


def null_vector(a: Tensor) -> Tensor:
    """The vector of the smallest singular value, without its sign."""
    v = torch.linalg.svd(a, full_matrices=False)[2][..., -1, :]
    return v[..., :, None] * v[..., None, :]


def test_the_null_vector_of_a_singular_matrix() -> None:
    """The singular value is 0, and the vectors of the shorter side are determined all the same."""
    for a in (SINGULAR, SINGULAR[:4], torch.stack([TALL, SINGULAR])):
        result = check_code(null_vector, (a,))
        assert result.passed, result.checks[:3]
        assert result.counts[Verdict.MATCH] >= 0.5 * sum(result.counts.values())


def test_what_belongs_to_no_singular_value_is_left_out() -> None:
    assert check_code(lambda a: torch.linalg.svd(a, full_matrices=True)[0][:, :4].abs(), (TALL,)).passed
    assert check_code(lambda a: torch.linalg.svd(a, full_matrices=True)[0].abs(), (TALL,)).error
    assert check_code(lambda a: torch.linalg.svd(a, full_matrices=True)[0][:, 4:].square(), (TALL,)).error


def test_second_derivatives() -> None:
    a = TALL[:3, :3] @ TALL[:3, :3].T
    assert check_code(lambda a: torch.linalg.eigvalsh(a).exp().sum(), (a,), order=2).passed
    assert check_code(lambda a: torch.linalg.svdvals(a).square(), (TALL[:3],), order=2).passed
