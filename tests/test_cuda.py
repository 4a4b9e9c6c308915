"""On CUDA everything is as on the CPU: formulas, arrays, code, a file in worker processes, the process kept warm.

`tests/pytorch/test_device.py` and `tests/real_code/test_devices.py` hold on a machine without CUDA what can be held
there.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.paths import ROOT
from helpers.user_files import write_user_files
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from tracing import test_rules
from tracing.test_rules import ROWS, drawn

from gradcheck_cli import CodeResult, GradcheckError, Verdict, check
from gradcheck_cli.pytorch.devices import device_name
from gradcheck_cli.real_code.check import check_code
from gradcheck_cli.torch_api import GradientMismatch, gradcheck, gradgradcheck

TF32 = torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


def leaf(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator("cuda").manual_seed(1)
    return torch.randn(*shape, dtype=dtype, device="cuda", generator=generator).requires_grad_()


def gradcheck_command(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gradcheck_cli", *words], capture_output=True, text=True, env={**os.environ, **settings}
    )


class Scaled(torch.autograd.Function):
    """x times a number that is kept on the device; `wrong` is what its backward adds to the number."""

    wrong = 0.0

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.factor = torch.full((), 3.0, dtype=x.dtype, device=x.device)
        return x * ctx.factor

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * (ctx.factor + Scaled.wrong)


class Elsewhere(torch.autograd.Function):
    """Its backward computes on the CPU, and puts the result back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return (g.cpu() * x.cpu().cos()).to(g.device)


MODULES = {
    "linear": (torch.nn.Linear(3, 2), (2, 3)),
    "convolution": (torch.nn.Conv2d(2, 3, 3, padding=1), (2, 2, 5, 5)),
    "layer norm": (torch.nn.LayerNorm(4), (3, 4)),
    "batch norm": (torch.nn.BatchNorm1d(4), (3, 4)),
    "attention": (torch.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), (2, 3, 4)),
    "gru": (torch.nn.GRU(3, 2, batch_first=True), (2, 3, 3)),
    "lstm": (torch.nn.LSTM(3, 2, num_layers=2, bidirectional=True, proj_size=1), (3, 2, 3)),
    "cell": (torch.nn.LSTMCell(3, 2), (2, 3)),
}
FUNCTIONS = {
    "sum": lambda x: x.sum(),
    "indexed": lambda x: torch.zeros_like(x).index_add(0, torch.tensor([0, 0, 1], device=x.device), x.sin()),
    "gathered": lambda x: x.gather(0, torch.tensor([[0, 0, 1, 2]], device=x.device)) ** 2,
    "dropped out": lambda x: F.dropout(x, 0.5) ** 2,
    "random": lambda x: x * torch.rand_like(x),
    "scalar of the CPU": lambda x: x * torch.tensor(2.0) + torch.tensor(0.5),
    "made by numbers": lambda x: torch.where(x > 0, x, 0.1 * x) + torch.arange(4, device=x.device),
    "by way of the CPU": lambda x: (x.cpu() ** 2).cuda(),
    "sorted": lambda x: x.sort(0).values.cumsum(0),
    "interpolated": lambda x: F.interpolate(x[None, None], size=(5, 7), mode="bilinear"),
    "solved": lambda x: torch.linalg.solve(x[:, :3] + 4 * torch.eye(3, dtype=x.dtype, device=x.device), x),
    "by hand": Elsewhere.apply,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    result = check(FUNCTIONS[name], leaf(3, 4))
    assert isinstance(result, CodeResult)
    assert result.verdict is Verdict.MATCH
    assert result.device == device_name(torch.device("cuda:0"))


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    module, shape = MODULES[name]
    assert check(module, torch.randn(shape), dtype="float64", device="cuda").verdict is Verdict.MATCH
    assert gradcheck(module.to("cuda", torch.float64), leaf(*shape), nondet_tol=1e-15)  # cuDNN adds in any order


@pytest.mark.parametrize("row", range(len(ROWS)), ids=[f"{k}-{row[0]}" for k, row in enumerate(ROWS)])
@pytest.mark.filterwarnings("ignore")
def test_the_table_of_operations(row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What CPU and CUDA run for an operation may differ: each row once more, what it makes on CUDA as well."""
    name, function, shapes = ROWS[row]
    for constant in ("INDEX", "MASK", "BOTH"):
        monkeypatch.setattr(test_rules, constant, getattr(test_rules, constant).cuda())
    given = tuple(tensor.cuda() for tensor in drawn(shapes))
    with torch.device("cuda"):
        try:
            function(*given)
        except (RuntimeError, NotImplementedError) as error:
            pytest.skip(f"torch has no {name} on CUDA: {str(error).splitlines()[0]}")
        result = check_code(function, given)
    assert result.error is None
    assert result.passed, [entry for entry in result.checks if not entry.passed][:3]


@pytest.mark.parametrize("backend", ["FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION", "MATH"])
@pytest.mark.parametrize("causal", [False, True])
def test_attention(backend: str, causal: bool) -> None:
    def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        with sdpa_kernel(getattr(SDPBackend, backend)):
            return F.scaled_dot_product_attention(q, k, v, is_causal=causal)

    result = check(attention, tuple(leaf(1, 2, 8, 16, dtype=torch.float16) for _ in range(3)))
    assert isinstance(result, CodeResult)
    assert result.error is None
    assert not result.counts[Verdict.MISMATCH]


@pytest.mark.parametrize("network", [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_recurrent_networks_round_as_cudnn_does(network: type[torch.nn.Module], dtype: torch.dtype) -> None:
    result = check(network(3, 2).to("cuda", dtype), leaf(4, 2, 3, dtype=dtype))
    assert isinstance(result, CodeResult)
    assert result.error is None
    assert not result.counts[Verdict.MISMATCH]


def test_the_dropout_of_cudnn_is_an_error_that_says_so() -> None:
    result = check(torch.nn.LSTM(3, 2, num_layers=2, dropout=0.5).to("cuda", torch.float64), leaf(4, 2, 3))
    assert isinstance(result, CodeResult)
    assert "draws the random numbers of cuDNN" in str(result.error)


@pytest.mark.skipif(not TF32, reason="this card has no TF32")
def test_products_in_tf32() -> None:
    given = leaf(16, 64, dtype=torch.float32), leaf(64, 16, dtype=torch.float32)
    before = torch.backends.cuda.matmul.allow_tf32
    try:
        torch.backends.cuda.matmul.allow_tf32 = True
        result = check(torch.matmul, given)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    assert isinstance(result, CodeResult)
    assert result.error is None
    assert not result.counts[Verdict.MISMATCH]
    assert any("in TF32" in notice for notice in result.notices)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("wrong", [0.0, 0.5])
def test_a_wrong_backward_is_seen(dtype: torch.dtype, wrong: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scaled, "wrong", wrong)
    result = check(Scaled.apply, leaf(3, dtype=dtype))
    assert result.verdict is (Verdict.MISMATCH if wrong else Verdict.MATCH)


@pytest.mark.parametrize("order", [gradcheck, gradgradcheck])
def test_in_place_of_torchs_own(order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert order(lambda x, w: (x @ w).tanh(), (leaf(2, 3), leaf(3, 2)))
    assert order(lambda x, w: (x @ w).tanh() * torch.rand_like(x[:, :1]), (leaf(2, 3), leaf(3, 2)))
    monkeypatch.setattr(Scaled, "wrong", 1e-3)
    with pytest.raises(GradientMismatch):
        gradcheck(Scaled.apply, (leaf(3),))


def test_inputs_on_two_devices_are_an_error_with_torchs_reason() -> None:
    with pytest.raises(GradcheckError, match="same device"):
        check(lambda x, w: x @ w, (leaf(2, 3), torch.randn(3, 2, dtype=torch.float64)))


def test_the_generators_are_as_before() -> None:
    before = torch.cuda.get_rng_state()
    check(FUNCTIONS["dropped out"], leaf(3, 4))
    assert torch.equal(torch.cuda.get_rng_state(), before)


FORMULAS = [
    ("x*sigmoid(x)", {"at": [-1, 0, 1]}),
    ("relu(w*x+b)", {"at": {"w": 2, "x": 1, "b": 0.5}, "order": 2}),
    ("gamma(x)*erf(x)", {"at": 1.5, "dtype": "float32"}),
    ("sum((A@x - b)**2)", {"arrays": {"A": "[[1.0, 2], [3, 4]]", "x": "[1.0, -1]", "b": "[0.5, 0.25]"}}),
    ("logsumexp(x)", {"arrays": {"x": "[1.0, 2, 3]"}, "mode": "both"}),
]


@pytest.mark.parametrize(("expression", "options"), FORMULAS)
def test_formulas(expression: str, options: dict[str, Any]) -> None:
    there, here = (check(expression, **options, device=device) for device in ("cuda", "cpu"))
    assert there.verdict is here.verdict is Verdict.MATCH
    assert there.device.startswith("cuda")


def test_a_file_in_worker_processes() -> None:
    done = gradcheck_command("run", str(ROOT / "problems.yaml"), "--device", "cuda", "--jobs", "2", "-f", "json")
    assert done.returncode == 0, done.stderr
    problems = json.loads(done.stdout)["problems"]
    assert {problem["device"] for problem in problems} == {device_name(torch.device("cuda"))}


RIGHT_AND_WRONG = {
    'losses.py::focal_loss "logits=randn(4, 3)" "target=[0, 2, 1, 0]"': 1,
    'mylib.layers:RMSNorm --init "8" --input "x=randn(2, 8)" --dtype bfloat16': 0,
    'layers.py::Swish --input "x=linspace(-5, 5, 11)" --mode both --order 2 --samples 3 --stress': 0,
    'torch.nn.functional:silu "randn(2)" --dtype float16': 0,
}


@pytest.mark.parametrize("words", RIGHT_AND_WRONG)
def test_code_from_the_command_line(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_user_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = gradcheck_command("code", *shlex.split(words), "--device", "cuda")
    assert done.returncode == RIGHT_AND_WRONG[words], done.stdout + done.stderr
    assert " on cuda" in done.stderr


def test_from_the_process_kept_warm() -> None:
    """What is copied from it can start CUDA, which a copy of a process that has started it cannot."""
    with tempfile.TemporaryDirectory() as folder:  # whose name is short enough for a socket
        settings = {"XDG_RUNTIME_DIR": folder}
        assert gradcheck_command("warm", **settings).returncode == 0
        try:
            for _ in range(2):
                done = gradcheck_command("x**2", "--at", "3", "--claim", "2*x", "--device", "cuda", **settings)
                assert done.returncode == 0, done.stderr
                assert " on cuda" in done.stderr
        finally:
            gradcheck_command("warm", "--stop", **settings)
