"""The processes of a command: they execute nothing of the folder one is in, and none outlives the command."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import pytest
from helpers.paths import PACKAGE
from helpers.slow import slow

from gradcheck_cli.runtime.interruption import Interrupted, held, let_in, listening

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are other signals and processes there")

SCRIPT = [str(Path(sysconfig.get_path("scripts"), "gradcheck"))]
MODULE = [sys.executable, "-m", "gradcheck_cli"]
NOT_REQUIRED = {"IPython", "colorama", "cupy", "gmpy2", "matplotlib", "numexpr", "scipy"}
"""What libraries try to import, whether it is there or not."""
PROBLEMS = """\
problems:
  - {name: a, expression: x**2, at: 1, claim: 2*x}
  - {name: b, expression: sqrt(x), at: 0}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def set_traps(names: set[str]) -> None:
    """A module of each name, which leaves a file behind when it is executed."""
    for name in names:
        Path(f"{name}.py").write_text("open(__file__ + '.executed', 'w').close()\n", encoding="utf-8")


def executed() -> list[str]:
    return sorted(path.name for path in Path().glob("*.executed"))


def every_module() -> set[str]:
    """The names that this Python and all that is installed here can import."""
    return {*sys.stdlib_module_names, *importlib.metadata.packages_distributions(), *NOT_REQUIRED}


def needed_for_m() -> set[str]:
    """What Python itself imports before it runs the first line of a package named by -m."""
    Path("probe").mkdir()
    Path("probe/__init__.py").write_text("import sys\nprint(*sys.modules)\nsys.exit()\n", encoding="utf-8")
    found = subprocess.run([sys.executable, "-m", "probe"], capture_output=True, text=True, check=True)
    shutil.rmtree("probe")
    return {name.partition(".")[0] for name in found.stdout.split()}


def gradcheck(command: list[str], *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_the_traps_work() -> None:
    set_traps({"pickle", "selectors"})
    subprocess.run([sys.executable, "-c", "import pickle, selectors"], check=True)
    assert executed() == ["pickle.py.executed", "selectors.py.executed"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (SCRIPT, ["run", "--jobs", "2", "--output-format", "json", "--output-file", "report.json"]),
        (SCRIPT, ["functions"]),
        (SCRIPT, ["schema"]),
        (MODULE, ["--help"]),
        slow(SCRIPT, ["sin(x)*x", "--at", "2", "--claim", "sin(x) + x*cos(x)"]),
        slow(SCRIPT, ["explain", "sin(x)*x", "--at", "2"]),
        slow(SCRIPT, ["run", "--output-format", "json-lines"]),
        slow(MODULE, ["run", "--jobs", "2"]),
        slow([sys.executable, "-E", "-m", "gradcheck_cli"], ["run"]),
    ],
)  # fmt: skip
def test_nothing_of_the_current_folder_is_executed(command: list[str], arguments: list[str]) -> None:
    """Whatever its files are called. For -m, Python itself looks there before it runs anything of ours."""
    if command is SCRIPT and not Path(SCRIPT[0]).exists():
        pytest.skip("the package is not installed")
    Path("problems.yaml").write_text(PROBLEMS, encoding="utf-8")
    set_traps(every_module() - (set() if command is SCRIPT else {"gradcheck_cli", *needed_for_m()}))
    for one in (arguments, *([["merge", "report.json"]] if "report.json" in arguments else [])):
        done = gradcheck(command, *one)
        assert executed() == []
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_relative_entries_of_the_path_are_left_out(tmp_path: Path) -> None:
    """An empty one is the current folder. An absolute one keeps its meaning."""
    Path("problems.yaml").write_text(PROBLEMS, encoding="utf-8")
    other = tmp_path / "other"
    for folder in (Path(), Path("sub"), other):
        folder.mkdir(exist_ok=True)
        (folder / "gradcheck_cli_canary.py").write_text(f"print('imported from {folder}')", encoding="utf-8")
    set_traps({"pickle", "selectors", "socket", "struct", "yaml"})
    path = os.pathsep.join(["", ".", "sub", str(other)])
    assert gradcheck(MODULE, "run", PYTHONPATH=path).returncode == 0
    assert executed() == []
    script = "from gradcheck_cli import __main__; import gradcheck_cli_canary"
    assert gradcheck([sys.executable, "-c", script], PYTHONPATH=path).stdout == f"imported from {other}\n"


@pytest.mark.slow
def test_a_checkout_that_is_not_installed() -> None:
    """It runs from its own folder, workers and all; its other files are not executed."""
    shutil.copytree(PACKAGE, "gradcheck_cli", ignore=shutil.ignore_patterns("__pycache__"))
    Path("problems.yaml").write_text(PROBLEMS, encoding="utf-8")
    set_traps({"pickle", "selectors", "torch", "rich"})
    libraries = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    done = gradcheck([sys.executable, "-S", "-m", "gradcheck_cli"], "run", PYTHONPATH=libraries)
    assert done.returncode == 0, done.stderr
    assert executed() == []


HANGS = """\
problems:
  - {name: before, expression: x**2, at: 1}
  - {name: hangs, expression: "polygamma(1, x)", at: -10000000000.5, timeout: 600}
"""


def listens(process: subprocess.Popen[str]) -> bool:
    """Whether it has come to its own signal handlers, or to its end. Before, signals are Python's."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except OSError:
        return True
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGHUP - 1) & 1) or process.poll() is not None


def start(*arguments: str) -> subprocess.Popen[str]:
    if not Path("/proc/self/status").exists():
        pytest.skip("there is no /proc here")
    Path("problems.yaml").write_text(HANGS, encoding="utf-8")
    process = subprocess.Popen(
        [*MODULE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    while not listens(process):
        time.sleep(0.001)
    return process


def descendants(process: subprocess.Popen[str]) -> list[Any]:
    psutil = pytest.importorskip("psutil")
    found: list[Any] = psutil.Process(process.pid).children(recursive=True)
    return found


def wait_for_the_end_of(processes: list[Any]) -> None:
    psutil = pytest.importorskip("psutil")
    _, alive = psutil.wait_procs([p for p in processes if p.is_running()], timeout=30)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


@pytest.fixture
def _listens_to_ctrl_c() -> Any:
    """In the background of a shell, Ctrl-C is ignored by the tests and by all that they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


RUN, CHECK, EXPLAIN = ("run",), ("sin(x)*x", "--at", "x=1:2:200000"), ("explain", "sin(x)*x", "--at", "1")


@pytest.mark.usefixtures("_listens_to_ctrl_c")
@pytest.mark.parametrize(
    ("arguments", "moment", "number", "whole_group"),
    [
        (RUN, 0.3, signal.SIGINT, True),
        (CHECK, 0.05, signal.SIGTERM, True),
        slow(RUN, 0.0, signal.SIGINT, True),
        slow(RUN, 0.15, signal.SIGTERM, False),
        slow(RUN, 0.6, signal.SIGINT, False),
        slow(RUN, 1.0, signal.SIGHUP, True),
        slow(RUN, 1.5, signal.SIGINT, True),
        slow(RUN, 2.5, signal.SIGTERM, True),
        slow(CHECK, 0.5, signal.SIGINT, True),
        slow(EXPLAIN, 0.2, signal.SIGINT, True),
    ],
)
def test_a_signal_at_any_moment(
    arguments: tuple[str, ...], moment: float, number: signal.Signals, whole_group: bool
) -> None:
    """One line, the exit code of the signal, nobody left behind. A terminal signals the whole group."""
    process = start(*arguments)
    time.sleep(moment)
    others = descendants(process)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 128 + number, err
    assert "interrupted" in err
    assert err.count("\n") == 1, err
    wait_for_the_end_of(others)


@pytest.mark.slow
@pytest.mark.usefixtures("_listens_to_ctrl_c")
def test_workers_do_not_outlive_a_command_that_is_killed() -> None:
    process = start("run", "--output-format", "json-lines")
    assert process.stdout is not None
    for _ in range(2):
        process.stdout.readline()
    others = descendants(process)
    assert len(others) >= 3, "the tracker, the server, a worker"
    process.kill()
    process.communicate(timeout=120)
    wait_for_the_end_of(others)


@pytest.mark.slow
@pytest.mark.usefixtures("_listens_to_ctrl_c")
def test_nor_one_that_runs_a_user_s_code() -> None:
    Path("endless.py").write_text(
        "import time\n\ndef endless(x):\n    open('begun', 'w').close()\n    while True:\n        time.sleep(0.1)\n",
        encoding="utf-8",
    )
    process = start("code", "endless.py::endless", "randn(2)")
    due = time.monotonic() + 60
    while not Path("begun").exists():
        assert time.monotonic() < due
        time.sleep(0.05)
    others = descendants(process)
    process.kill()
    process.communicate(timeout=120)
    wait_for_the_end_of(others)


@pytest.mark.usefixtures("_listens_to_ctrl_c")
def test_what_is_held_is_done_whole() -> None:
    done = []

    def once() -> None:
        with held():
            signal.raise_signal(signal.SIGTERM)
            done.append("whole")

    def twice() -> None:
        with held():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("not reached")

    def waiting() -> None:
        with held():
            signal.raise_signal(signal.SIGINT)
            with let_in():
                done.append("not reached")

    def unprotected() -> None:
        signal.raise_signal(signal.SIGTERM)
        done.append("not reached")

    with listening() as signals:
        for block in (once, twice, waiting, unprotected):
            with pytest.raises(Interrupted):
                block()
    assert signals.exit_code == 143
    assert done == ["whole"]


class Interrupts:
    """Its destructor is interrupted, and what a destructor raises goes nowhere."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("_listens_to_ctrl_c")
def test_a_signal_that_python_discards_comes_again(capsys: pytest.CaptureFixture[str]) -> None:
    def waits() -> None:
        thing = Interrupts()
        del thing
        time.sleep(60)

    with listening(), pytest.raises(Interrupted):
        waits()
    assert capsys.readouterr().err == ""
