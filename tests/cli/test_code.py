"""`gradcheck code`: what a user types, and what comes out. The examples of the documentation, and what goes wrong."""

from __future__ import annotations

import importlib
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.user_files import write_user_files

from gradcheck_cli.batch.run import check_request
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.cli.commands import code
from gradcheck_cli.records.request import CodeRequest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with files of users in it; code runs in this process, which is faster."""
    write_user_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(code, "isolated", lambda request, where, profile: check_request(request))
    return tmp_path


def typed(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = run_command(shlex.split(command))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_loss_with_a_backward_that_forgot_the_mean(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = 'code losses.py::focal_loss --input "logits=randn(4, 3)" --input "target=[0, 2, 1, 0]"'
    status, out, err = typed(command, capsys)
    assert status == 1
    assert out.startswith(
        "focal_loss(logits, target)  losses.py:22\n"
        "logits float64 (4, 3) · target int64 (4,)\n\n"
        "derivative    entries  mismatch  worst relative error  verdict\n"
    )
    assert "∂out/∂logits       12        12                     3  ✗ mismatch" in out
    assert "FocalLoss.backward (losses.py:14) is wrong by logits" in out
    assert err.startswith("1 function, 12 entries (12 failed): 12 mismatch · float64 on cpu · torch ")


RIGHT = {
    'code mylib.layers:RMSNorm --init "8" --input "x=randn(2, 8)" --dtype bfloat16': 384,
    'code mylib.layers.RMSNorm --init "size=3, eps=1e-5" "x=randn(2, 3)" --wrt weight': 18,
    'code mylib.layers:norm "randn(2, 3)" --dtype float32 --wrt x': 36,
    'code mylib/layers.py::norm "randn(2, 3)"': 54,
    'code layers.py::Swish --input "x=linspace(-5, 5, 11)" --mode both --order 2 --samples 3 --stress': 3872,
    'code layers.py::Swish "-3*randn(2)" --samples 3 --cotangents one-hot': 12,
    'layers.py::Swish "x=randn(2)"': 4,
    "code odd.py::two \"x=randn(2, 2)\" \"w=randn(2, 2)\" \"k=3\" \"name='b'\" \"shape=(2, 2)\"": 32,
    'code odd.py::Callable --init "2.0" "x=randn(2)"': 4,
    'code odd.py::Recip "x=rand(2)" --stress': 20,
    'code torch.nn.functional:silu "randn(2)"': 4,
    "code torch.relu \"x=[-1.0, 2.0]\"": 4,
}  # fmt: skip


@pytest.mark.parametrize("command", RIGHT)
def test_right_code_passes(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = typed(f"{command} --output-format json", capsys)
    assert status == 0, err
    (problem,) = json.loads(out)["problems"]
    assert problem["checks_total"] == RIGHT[command]


def test_draws_and_stress_say_what_was_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = typed('code odd.py::Recip "x=rand(2)" --samples 2 --stress', capsys)
    text = " ".join(out.split())
    assert "7 inputs were checked: draw 1, ties, large, tiny, saturation, draw 2" not in text
    assert "6 inputs were checked: draw 1, ties, large, tiny, saturation, draw 2" in text
    assert "3 inputs were skipped, which the function refuses: zeros, negative zeros, one hot" in text


def test_a_draw_is_repeated_by_its_seed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loss = 'code losses.py::focal_loss "logits=randn(2, 3)" "target=[0, 2]" --output-format json'

    def checks(options: str) -> list[dict[str, Any]]:
        (problem,) = json.loads(typed(f"{loss} {options}", capsys)[1])["problems"]
        return [check for check in problem["checks"] if check["at"] in ("", "draw 2")]

    second, alone = checks("--samples 2"), checks("--seed 1")
    assert [check["autograd"] for check in second] == [check["autograd"] for check in alone]
    assert {check["at"] for check in second} == {"draw 2"}


def test_a_setting_of_a_function_is_a_number_of_python(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "scaled.py").write_text(
        "import torch\n\n\n"
        "class Scaled(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x, k):\n"
        "        ctx.k = k\n"
        "        return x * k\n\n"
        "    @staticmethod\n"
        "    def backward(ctx, g):\n"
        "        return g * ctx.k, None\n"
    )
    assert typed('code scaled.py::Scaled "x=randn(2)" "k=float(0.5)"', capsys)[0] == 0
    status, out, _ = typed('code scaled.py::Scaled "x=randn(2)" k=0.5', capsys)
    assert status == 1
    assert "(on the command line k=float(...))" in " ".join(out.split())


def test_code_that_wants_a_number_of_python_says_how_it_is_given(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "dropped.py").write_text(
        "import torch\n\n\ndef dropped(x, p, k):\n    return torch.dropout(x, p, True).reshape(k, -1)\n"
    )
    status, _, err = typed('code dropped.py::dropped "x=randn(4)" p=0.5 "k=2"', capsys)
    assert status == 2
    assert "a number is given as a tensor: if Python's is wanted, write float(0.5) and int(2)" in " ".join(err.split())
    assert typed('code dropped.py::dropped "x=randn(4)" "p=float(0.5)" "k=int(2)"', capsys)[0] == 0


MISTAKES = {
    "code": "what should be checked? For example:\n  gradcheck code losses.py::focal_loss",
    "code odd.py": "odd.py is a file: which function of it? Write odd.py::NAME; it has raises, check, prints",
    "code nope.py::f x=1.0": "there is no file nope.py in ",
    "code odd.py::print x=1.0": "odd.py has no print: did you mean prints?",
    "code odd.py::ALPHA x=1.0": "odd.py::ALPHA is float: a function, an autograd.Function or a module is checked",
    "code nope.mod:f x=1.0": "there is no module nope: neither installed, nor in the current folder ",
    "code mylib.nope:f x=1.0": "there is no module mylib.nope: neither installed, nor in the current folder ",
    "code mylib.layers.nope x=1.0": "mylib.layers has no nope: it has RMSNorm",
    "code focal_loss x=1.0": "focal_loss names no code: it has no file or module; write losses.py::focal_loss",
    "code 'odd.py::a b' x=1.0": "odd.py::a b names no code",
    "code syntax.py::f x=1.0": "syntax.py:2: this is no Python: invalid syntax\n      return x +\n",
    "code lacks.py::f x=1.0": "the import of lacks.py raises ModuleNotFoundError: No module named 'nothing_there'\n"
                              "  lacks.py:1, in <module>: import nothing_there\n",
    "code stops.py::f x=1.0": "the import of stops.py raises RuntimeError: at import\n  stops.py:1, in <module>: raise",
    "code odd.py::raises x=1.0": "raises raises ValueError: it is odd\n  odd.py:11, in raises: check(x)\n"
                                 "  odd.py:15, in check: raise ValueError(\"it is odd\")\n",
    "code odd.py::exits x=1.0": "exits ends the process, with 3\n  odd.py:34, in exits: sys.exit(3)\n",
    "code odd.py::listed x=1.0": "listed (odd.py:41): it returned float, and no tensor, or tuple,",
    "code odd.py::deep x=1.0": "deep raises RecursionError: maximum recursion depth exceeded\n  odd.py:",
    "code odd.py::rude x=1.0": "rude raises Rude: (its text raises an exception itself)\n  odd.py:",
    "code odd.py::later x=1.0": "later (odd.py:",
    "code odd.py::in_place x=1.0": "in_place raises RuntimeError: a leaf Variable that requires grad is being used in",
    "code odd.py::two 'x=randn(2, 2)'": 'the argument w is missing: give it a value, such as "w=randn(3)"; two',
    "code odd.py::two x=1.0 w=1.0 kk=2": "--input kk: there is no such argument: did you mean k? two takes (x, w, *,",
    "code odd.py::two 1.0 1.0 2": "too many positional arguments; two takes (x, w, *, k=2,",
    "code odd.py::two x=1.0 x=2.0": "the input x is given twice",
    "code odd.py::two 'x=randn(2, 3)' 'w=randn(2, 3)'": "two raises RuntimeError: mat1 and mat2 shapes cannot be",
    "code odd.py::two 'x=randn(2'": "x: this ( is not closed\n  randn(2\n       ^\n",
    "code odd.py::prints 'x=[1, 2]'": "there is nothing to differentiate by: no input is a floating-point tensor",
    "code odd.py::prints x=1.0 --wrt y": "--wrt y: there is no such input; there are x",
    "code odd.py::prints x=1.0 --order 3": "--order 3: of code, first and second derivatives are checked",
    "code odd.py::prints x=1.0 --init 3": "--init 3: odd.py::prints is no class that would be made with it",
    "code odd.py::prints x=1.0 --cotangents all": "--cotangents all: there are auto, one-hot, random",
    "code odd.py::prints x=@nope.npy": "@nope.npy cannot be read: No such file or directory",
    "code odd.py::prints x=1.0 --device cuda:9": "there is no device 'cuda:9' here",
    "code mylib.layers:RMSNorm x=1.0": "missing a required argument: 'size'; mylib.layers:RMSNorm is made with --init",
    "code mylib.layers:RMSNorm x=1.0 --init 'size=3, size=3'": "init size=3, size=3: size is given twice",
    "code mylib.layers:RMSNorm x=1.0 --init='-1'": "mylib.layers:RMSNorm(-1) raises RuntimeError: Trying to create",
}  # fmt: skip


@pytest.mark.parametrize("command", MISTAKES)
def test_bad_input_is_a_sentence(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = typed(command, capsys)
    assert err.startswith(f"gradcheck: {MISTAKES[command]}")
    assert status == 2
    assert "Traceback" not in err + out
    assert "gradcheck_cli" not in err + out


def test_what_does_not_depend_on_the_inputs_does_not_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = typed("code odd.py::cut x=1.0", capsys)
    assert (status, "! no output can be differentiated" in out) == (1, True)
    status, out, _ = typed('code odd.py::prints "x=zeros(0)"', capsys)
    assert (status, "! an input or output is empty: there is no gradient to check" in out) == (1, True)


def test_what_is_held_constant_is_said_and_can_be_differentiated_through(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = typed("code odd.py::held x=3.0", capsys)
    assert (status, "• 1 value is held constant (detach): odd.py:55" in out) == (0, True)
    status, out, _ = typed("code odd.py::held x=3.0 --through-detach", capsys)
    assert (status, "analytical 6   autograd 3" in out) == (1, True)


def test_what_the_code_prints_is_not_in_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = typed("code odd.py::prints x=1.0 --output-format json", capsys)
    assert status == 0
    assert json.loads(out)["summary"]["passed"]
    assert err.count("hello") == 1


def test_nothing_beside_is_imported_unless_it_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "json.py").write_text("raise SystemExit('json.py was run')\n")
    (folder / "torch.py").write_text("def f(x):\n    return x * 2\n")
    assert typed("code odd.py::prints x=1.0", capsys)[0] == 0
    assert typed("code torch.py::f x=1.0", capsys)[0] == 0, "the file that is named, not the library"
    assert typed("code torch:relu x=1.0", capsys)[0] == 0, "the library, not what lies in the current folder"


def test_two_folders_have_neighbours_of_the_same_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, factor in (("a", 2), ("b", 3)):
        (folder / name).mkdir()
        (folder / name / "main.py").write_text("from beside_me import K\n\n\ndef f(x):\n    return K * x\n")
        (folder / name / "beside_me.py").write_text(f"K = {factor}\n")
    for name, factor in (("a", 2), ("b", 3), ("a", 2)):
        out = typed(f"code {name}/main.py::f x=1.0 --output-format json", capsys)[1]
        assert json.loads(out)["problems"][0]["checks"][0]["analytical"] == factor


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("hangs", 1, "no verdict within the time limit of 1 s"),
        ("forks", 0, "1 match"),
        ("hard_exit", 2, "hard_exit ends the process, with 0"),
        ("exits", 2, "exits ends the process, with 3"),
    ],
)
def test_code_cannot_take_the_command_with_it(
    name: str, status: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    write_user_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    found, out, err = typed(f"code odd.py::{name} x=1.0 --timeout 1", capsys)
    assert found == status
    assert said in " ".join((out + err).split())


def test_what_a_program_has_imported_stays_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the folder that it runs in, too, when code of another folder is checked after that."""
    (tmp_path / "mine_for_long.py").write_text("def f(x): return x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "g.py").write_text("def g(x): return 2*x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("mine_for_long")
    for target in ("mine_for_long:f", "other/g.py::g"):
        assert check_request(CodeRequest(target, ((None, "1.0"),))).passed
    assert sys.modules.pop("mine_for_long") is module
