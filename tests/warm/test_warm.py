"""`gradcheck warm`: what is handed over ends as it would by itself, and only what is the same is handed over."""

from __future__ import annotations

import os
import pty
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest
from helpers.paths import PACKAGE, ROOT

from gradcheck_cli.warm import client, place

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be copied there")

COLD = "from gradcheck_cli.__main__ import main, leave; leave(main())"
WARM = """
import sys
import gradcheck_cli.__main__
from gradcheck_cli.runtime import interruption
from gradcheck_cli.warm.client import hand_over
interruption.handle(interruption.end_at_once)
code = hand_over(sys.argv[1:])
sys.exit(NOT_HANDED_OVER if code is None else code)
"""
NOT_HANDED_OVER = 77
LOSSES = """\
import os, sys, time

def square(x):
    print("said by the code")
    return x * x

def endless(x):
    with open("pid", "w") as file:
        file.write(f"{os.getpid()} {os.getppid()}")
    while True:
        time.sleep(0.1)
"""
PROBLEMS = "problems:\n  - {name: a, expression: x**2, at: 1, claim: 2*x}\n  - {name: b, expression: x**2, claim: x}\n"
PATIENCE = 30.0


@pytest.fixture(scope="module")
def kept() -> Iterator[dict[str, str]]:
    """The environment for which a process is kept."""
    with tempfile.TemporaryDirectory() as folder:
        yield from kept_in(environment_of(Path(folder)))


def kept_in(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    done = gradcheck(["warm", "--idle", "5"], environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "it ends after 5 minutes without one, or by gradcheck warm --stop" in done.stdout
    yield environment
    assert gradcheck(["warm", "--stop"], environment).stdout == "it ends\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("losses.py").write_text(LOSSES, encoding="utf-8")
    Path("problems.yaml").write_text(PROBLEMS, encoding="utf-8")


def environment_of(folder: Path) -> dict[str, str]:
    folder.chmod(0o700)
    return {**os.environ, "XDG_RUNTIME_DIR": str(folder), "COLUMNS": "100"}


def gradcheck(
    arguments: list[str], environment: dict[str, str], script: str = COLD, *, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(arguments, script), env=environment, input=given, capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip


def command(arguments: list[str], script: str) -> list[str]:
    return [sys.executable, "-c", script.replace("NOT_HANDED_OVER", str(NOT_HANDED_OVER)), *arguments]


def start(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(arguments, WARM), env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def until(what: str) -> str:
    """What the file of that name has, once it has something."""
    due = time.monotonic() + PATIENCE
    while not (os.path.exists(what) and (text := Path(what).read_text(encoding="utf-8"))):
        assert time.monotonic() < due
        time.sleep(0.05)
    return text


def ends(process: int) -> bool:
    due = time.monotonic() + PATIENCE
    while time.monotonic() < due:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    "arguments",
    [
        ["x**2", "--at", "2"],
        ["x*exp(x)", "--at", "2", "--claim", "exp(x)"],
        ["sin(x", "--at", "1"],
        ["code", "losses.py::square", "randn(3)"],
        ["run", "-q"],
        pytest.param(["explain", "sin(x)**2", "--at", "1"], marks=pytest.mark.slow),
        pytest.param(["x @ x", "--at", "x=[1,2]"], marks=pytest.mark.slow),
        pytest.param(["-f", "json", "--color", "relu(x)", "--at", "0"], marks=pytest.mark.slow),
        pytest.param(["--version"], marks=pytest.mark.slow),
        pytest.param([], marks=pytest.mark.slow),
        pytest.param(["run", "-"], marks=pytest.mark.slow),
        pytest.param(["run", "missing.yaml"], marks=pytest.mark.slow),
        pytest.param(["code", "losses.py::endless", "randn(3)", "--timeout", "1"], marks=pytest.mark.slow),
        pytest.param(["x**2", "--at", "2", "-o", "missing/report.json"], marks=pytest.mark.slow),
    ],
)
def test_it_ends_as_it_would_by_itself(arguments: list[str], kept: dict[str, str]) -> None:
    cold, warm = (gradcheck(arguments, kept, script, given=PROBLEMS) for script in (COLD, WARM))
    assert warm.returncode == cold.returncode
    assert without_seconds(warm.stdout) == without_seconds(cold.stdout)
    assert warm.stderr == cold.stderr


def without_seconds(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if '"seconds"' not in line)


@pytest.mark.slow
@pytest.mark.parametrize("redirected", ["</dev/null", ">/dev/full", "| head -c 1", "2>/dev/null"])
def test_streams(redirected: str, kept: dict[str, str]) -> None:
    ways = []
    for script in (COLD, WARM):
        shell = f'"$@" {redirected}; echo "${{PIPESTATUS[0]}}"'
        line = ["bash", "-c", shell, "bash", *command(["x**2", "--at", "2"], script)]
        ways.append(subprocess.run(line, env=kept, capture_output=True, text=True, check=False, timeout=PATIENCE))
    assert (ways[1].stdout, ways[1].stderr) == (ways[0].stdout, ways[0].stderr)


@pytest.mark.slow
def test_a_stream_that_is_closed_is_not_handed_over(kept: dict[str, str]) -> None:
    line = ["bash", "-c", '"$@" >&-', "bash", *command(["x**2", "--at", "2"], WARM)]
    assert subprocess.run(line, env=kept, check=False, timeout=PATIENCE).returncode == NOT_HANDED_OVER


@pytest.mark.slow
def test_a_terminal_is_one(kept: dict[str, str]) -> None:
    environment = {name: value for name, value in kept.items() if name not in ("COLUMNS", "NO_COLOR")}
    shown = [on_a_terminal(command(["x**2", "--at", "2"], script), environment) for script in (COLD, WARM)]
    assert shown[0] == shown[1]
    assert "\x1b[" in shown[0]


def on_a_terminal(line: list[str], environment: dict[str, str]) -> str:
    """What is shown on a terminal of 44 columns."""
    main, terminal = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 44, 0, 0))
    process = subprocess.Popen(line, env={**environment, "TERM": "xterm"}, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    try:
        while part := os.read(main, 4096):
            shown += part
    except OSError:  # how Linux tells that it is closed
        pass
    os.close(main)
    assert process.wait(PATIENCE) == 0
    return shown.decode()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_are_handed_on(number: signal.Signals, code: int, kept: dict[str, str]) -> None:
    process = start(["code", "losses.py::endless", "randn(3)"], kept)
    running = [int(one) for one in until("pid").split()]
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (code, "gradcheck: interrupted\n")
    assert all(map(ends, running))


@pytest.mark.slow
def test_it_ends_with_the_process_that_waits_for_it(kept: dict[str, str]) -> None:
    process = start(["code", "losses.py::endless", "randn(3)"], kept)
    running = [int(one) for one in until("pid").split()]
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert all(map(ends, running))


@pytest.mark.slow
def test_stopped_and_continued(kept: dict[str, str]) -> None:
    Path("losses.py").write_text(LOSSES + "\n    time.sleep(2)\n", encoding="utf-8")
    Path("slow.py").write_text("import time\n\ndef slow(x):\n    time.sleep(0.5)\n    return x * x\n", encoding="utf-8")
    process = start(["code", "slow.py::slow", "randn(2)"], kept)
    time.sleep(0.7)
    process.send_signal(signal.SIGTSTP)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "∂out/∂x" in out) == (0, True)


@pytest.mark.parametrize(
    "changes",
    [{"OMP_NUM_THREADS": "7"}, {"PYTHONHASHSEED": "3"}, {"GRADCHECK_WARM": "0"}],
    ids=lambda changes: next(iter(changes)),
)
def test_another_environment(changes: dict[str, str], kept: dict[str, str]) -> None:
    assert gradcheck(["x**2", "--at", "2"], {**kept, **changes}, WARM).returncode == NOT_HANDED_OVER


def test_another_terminal(kept: dict[str, str]) -> None:
    other = {**kept, "TERM": "dumb", "COLUMNS": "40", "SHLVL": "7", "PATH": "/nowhere", "TMUX_PANE": "%3"}
    assert gradcheck(["x**2", "--at", "2"], other, WARM).returncode == 0


@pytest.mark.slow
def test_limits_and_masks_are_part_of_it(kept: dict[str, str]) -> None:
    for line in ("ulimit -n 100", "umask 0111", "ulimit -v 99999999"):
        shell = ["bash", "-c", f'{line}; "$@"', "bash", *command(["x**2", "--at", "2"], WARM)]
        done = subprocess.run(shell, env=kept, check=False, timeout=PATIENCE, stdout=subprocess.DEVNULL)
        assert done.returncode == NOT_HANDED_OVER, line


@pytest.mark.parametrize("arguments", [["warm", "--status"], ["run", "--watch"], ["--show-completion", "bash"]])
def test_what_is_not_handed_over(arguments: list[str], kept: dict[str, str]) -> None:
    assert gradcheck(arguments, kept, WARM).returncode == NOT_HANDED_OVER


@pytest.mark.slow
def test_the_commands_of_the_page() -> None:
    page = (ROOT / "docs" / "warm.md").read_text(encoding="utf-8")
    block = page.partition("<!-- run by tests/warm -->\n```text\n")[2].partition("```")[0]
    with tempfile.TemporaryDirectory() as folder:
        lines = [shlex.split(line, comments=True)[1:] for line in block.splitlines()]
        codes = [gradcheck(line, environment_of(Path(folder))).returncode for line in lines]
    assert (len(codes), codes) == (4, [0, 0, 0, 0])


def test_a_folder_that_others_can_enter(tmp_path: Path) -> None:
    folder = tmp_path / place.NAME
    folder.mkdir()
    tmp_path.chmod(0o700)
    folder.chmod(0o755)
    done = gradcheck(["warm"], environment_of(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith(f"gradcheck: {folder} is not a folder that you alone can enter: remove it, and run")
    assert gradcheck(["x"], environment_of(tmp_path), WARM).returncode == NOT_HANDED_OVER


def test_which_folders_are_private(tmp_path: Path) -> None:
    private, open_one, link = tmp_path / "private", tmp_path / "open", tmp_path / "link"
    private.mkdir(0o700)
    open_one.mkdir()
    open_one.chmod(0o770)
    link.symlink_to(private)
    assert [place.is_private(str(one)) for one in (private, open_one, link, tmp_path / "none")] == [True, *[False] * 3]


def test_none_is_there(tmp_path: Path) -> None:
    environment = environment_of(tmp_path)
    for arguments, code in ((["warm", "--status"], 1), (["warm", "--stop"], 0)):
        done = gradcheck(arguments, environment)
        assert (done.returncode, done.stdout) == (code, "there is none for this environment\n")
    assert sorted(os.listdir(tmp_path)) == ["losses.py", "problems.yaml"]


@pytest.mark.slow
def test_it_ends_when_idle(tmp_path: Path) -> None:
    address = str(tmp_path / "socket")
    line = [sys.executable, "-m", "gradcheck_cli.warm_server", address, "1"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert process.wait(PATIENCE) == 0
    assert not os.path.exists(address)


@pytest.mark.slow
def test_it_ends_when_other_code_is_installed(tmp_path: Path) -> None:
    copy = tmp_path / "installed"
    shutil.copytree(PACKAGE, copy / PACKAGE.name)
    with tempfile.TemporaryDirectory() as folder:
        environment = environment_of(Path(folder)) | {"PYTHONPATH": str(copy)}
        assert gradcheck(["warm"], environment).returncode == 0
        assert gradcheck(["x**2", "--at", "2"], environment, WARM).returncode == 0
        with (copy / PACKAGE.name / "versions.py").open("a", encoding="utf-8") as file:
            file.write("# changed\n")
        assert gradcheck(["x**2", "--at", "2"], environment, WARM).returncode == NOT_HANDED_OVER
        assert gradcheck(["warm", "--status"], environment).returncode == 1


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ((5).to_bytes(4, "big"), 5, ""),
        (b"", 3, "gradcheck: the process that gradcheck warm keeps has ended: run the command again\n"),
        ((256 + signal.SIGKILL).to_bytes(4, "big"), -signal.SIGKILL, ""),
    ],
    ids=["an exit code", "nothing", "a signal"],
)
def test_how_a_command_may_end(answer: bytes, code: int, said: str) -> None:
    here, there = socket.socketpair()
    there.sendall(answer)
    there.close()
    script = (
        "import socket, sys\nfrom gradcheck_cli.warm.client import _wait\n"
        f"sys.exit(_wait(socket.socket(fileno={here.fileno()})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], pass_fds=[here.fileno()], capture_output=True, text=True, check=False
    )
    here.close()
    assert (done.returncode, done.stderr) == (code, said)


def test_one_that_does_not_answer_costs_only_patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.2)
    tmp_path.chmod(0o700)
    address = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(address)
        silent.listen()
        asked = threading.Thread(target=lambda: None)
        asked.start()
        assert client.ask(address, {"ask": True}) is None
        asked.join()
