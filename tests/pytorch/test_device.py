"""Devices and dtypes: everything is made where it was asked for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import DeviceError
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language.parser import parse
from gradcheck_cli.pytorch import gradients
from gradcheck_cli.pytorch.devices import resolve_device
from gradcheck_cli.pytorch.gradients import gradients_of
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Verdict

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


class SeenDevices(TorchDispatchMode):
    """Notes the device of every tensor that any operation takes or makes.

    Under torch.func.jvp a Python number reaches an operation as a 0-d float64 or int64 tensor on the CPU: that is how
    torch itself passes numbers. Whatever gradcheck makes has the working dtype, float32 in these tests.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves((args, kwargs, result)):
            if isinstance(leaf, Tensor) and not (leaf.dim() == 0 and leaf.dtype in (torch.float64, torch.int64)):
                self.seen.add(leaf.device.type)
        return result


EXPRESSIONS = [
    "8*x**4 + 3*x**3 + pi",
    "1/3*x + 2**(1/2)",
    "where(x > 0, 1, 0)*x",
    "where(x > 0, sqrt(x), 0.5)",
    "max(x, 0) + clamp(x, -1, 2) + atan2(x, 2) + hypot(3, x)",
    "softplus(x, beta=2) + leaky_relu(x, 0.2) + elu(x) + gelu(x, approximate='tanh')",
    "cbrt(x) + sec(x) + gamma(x) + acot(x)",
    "polygamma(1, x) + lerp(x, 2, 0.25) + xlogy(2, x) + round(x, decimals=1)",
    "-2*x**-3 + x**0.5",
]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_tensor_is_made_on_the_device_asked_for(
    expression: str, mode: str, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On `meta`, whose tensors have no numbers, no operation takes or makes a tensor anywhere else."""
    monkeypatch.setattr(gradients, "item_of", lambda tensor: 0.0)
    meta = torch.device("meta")
    parsed = parse(expression)
    with SeenDevices() as mode_of_devices:
        side = gradients_of(parsed, [Derivative(("x",) * order)], mode, DTYPES["float32"], meta)
        result = side.at({"x": 1.5})
    assert not result.errors
    assert mode_of_devices.seen == {"meta"}


@pytest.mark.parametrize("name", ["tpu", "cuda:99", "mps", "meta", ""])
def test_an_absent_device_is_an_error_that_says_what_there_is(name: str) -> None:
    with pytest.raises(DeviceError, match="have cpu"):
        resolve_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_without_cuda_auto_is_the_cpu() -> None:
    assert resolve_device("auto").type == "cpu"
    with pytest.raises(DeviceError, match="there is no device 'cuda' here"):
        resolve_device("cuda")


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_dtype_is_the_one_that_is_run(dtype: str) -> None:
    """x**3 at 1.5 is exact in every dtype."""
    result = check_expression(Request("x**3", at=("1.5",), dtype=dtype))
    assert result.verdict is Verdict.MATCH
    assert result.checks[0].autograd == 6.75
    assert result.dtype == dtype


@pytest.mark.parametrize("name", ["erfcx", "ndtri", "log_ndtr", "i1", "i1e"])
def test_what_torch_has_no_kernel_for_is_an_error_with_torchs_reason(name: str) -> None:
    result = check_expression(Request(f"{name}(x)", at=("0.5",), dtype="float16"))
    assert result.verdict is Verdict.ERROR
    note = result.checks[0].note
    assert note is not None
    assert note.startswith("torch refuses: ")


@needs_cuda
@pytest.mark.parametrize(
    "row", [r for r in FUNCTIONS.values() if not r.internal and r.signature == "x"], ids=lambda r: r.name
)
def test_on_cuda(row: Any) -> None:
    """Every function of one argument is defined at 0.4 or 1.3, and matches there, on CUDA as on the CPU."""
    for point in ("0.4", "1.3"):
        cuda, cpu = (
            check_expression(Request(f"{row.name}(x)", at=(point,), device=device, derivatives=False))
            for device in ("cuda", "cpu")
        )
        assert cuda.verdict is cpu.verdict
        assert cuda.device.startswith("cuda")
