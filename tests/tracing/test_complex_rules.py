"""The rules for complex numbers, row by row, as the rules for real ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.tracing.table import COMPLEX_RULES, qualified

X = torch.tensor([[0.7, -1.3], [2.1, 0.4]], dtype=torch.float64)

ROWS: dict[str, Callable[[Tensor], Tensor]] = {
    "complex": lambda z: torch.complex(z.real, z.imag * z.real),
    "polar": lambda z: torch.polar(z.real.square(), z.imag),
    "_to_copy": lambda z: z.to(torch.complex64).to(torch.complex128) + z.real.to(torch.complex128),
    "add": lambda z: torch.add(z, z.real, alpha=2) + (1 + 2j),
    "sub": lambda z: torch.sub(z, z * z, alpha=3) - z.real,
    "mul": lambda z: z * z * 2j * z.imag,
    "div": lambda z: z / (z + 3j) / 2 / z.real,
    "true_divide": lambda z: torch.ops.aten.true_divide(z, z + 1),
    "neg": lambda z: -z * z.real,
    "conj_physical": lambda z: torch.conj_physical(z) * z.conj().resolve_conj(),
    "abs": torch.abs,
    "angle": torch.angle,
    "exp": torch.exp,
    "log": torch.log,
    "pow.Tensor_Scalar": lambda z: z**2,
    "sum": lambda z: z.sum(1, keepdim=True) * z.sum(),
    "mean": lambda z: z.mean(0) * z.mean(),
    "mm": lambda z: z @ z.mH,
    "bmm": lambda z: torch.bmm(z[None], z.conj()[None]),
    "_fft_c2c": lambda z: torch.fft.fft2(z) * torch.fft.ifft(z, norm="ortho"),
    "_fft_r2c": lambda z: torch.fft.rfft(z.real, n=3) * torch.fft.fft(z.imag, n=2)[:, :1],
    "_fft_c2r": lambda z: torch.fft.irfft(z, n=3) * torch.fft.hfft2(z, s=(2, 3)),
}
ALIASES = {"to", "_conj_physical", "matmul"}
"""Other names of rules that have a row."""


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.filterwarnings("ignore")
def test_a_rule_for_complex_numbers(name: str) -> None:
    result = check_code(lambda x: ROWS[name](torch.complex(x, x.T * x)), (X,))
    assert result.error is None
    assert result.passed, [check for check in result.checks if not check.passed][:3]
    assert all(value.verdict.passes for value in result.values), result.values


def test_every_rule_for_complex_numbers_has_a_row() -> None:
    assert set(COMPLEX_RULES) == {qualified(name) for name in {*ROWS, *ALIASES}}
