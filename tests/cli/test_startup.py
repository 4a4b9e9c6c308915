"""What answers at once imports none of the heavy libraries."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import PACKAGE
from helpers.slow import slow

HEAVY = ["torch", "sympy", "flint", "mpmath", "numpy"]
SCRIPT = f"""
import sys
from gradcheck_cli.cli.app import run_command
code = run_command(sys.argv[1:])
loaded = [name for name in {HEAVY} if name in sys.modules]
sys.exit(f"imported {{loaded}}" if loaded else code)
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["check", "--help"], 0),
        (["--version"], 0),
        (["code", "--help"], 0),
        (["code", "losses.py::f", "x=rndn(3)"], 2),
        (["functions"], 0),
        (["functions", "relu", "--output-format", "json"], 0),
        (["x", "--typo"], 2),
        (["sin(x", "--at", "1"], 2),
        (["x", "--at", "1", "--claim", "x: 1", "--let", "y = 2x +"], 2),
        (["x", "--at", "1", "--claim", "dy/dx = 2x +"], 2),
        (["x*y", "--at", "x=1", "--wrt", "x"], 2),
        (["2 + 3"], 2),
        ([], 2),
    ],
)
def test_light(arguments: list[str], code: int) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert not done.stderr or code


def test_help_reads_no_formulas() -> None:
    """Nor loads what does, which would take half as long again."""
    script = """
import sys
from gradcheck_cli.cli.app import run_command
run_command(["--help"])
loaded = [name for name in sys.modules if name.startswith(("gradcheck_cli.language", "gradcheck_cli.expression"))]
sys.exit(", ".join(loaded) or 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are other signals there")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_an_interruption_while_it_starts(name: str, code: int) -> None:
    script = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder:
    def find_spec(name, *_):
        if name == "gradcheck_cli.cli.app":
            signal.raise_signal(signal.{name})
sys.meta_path.insert(0, Finder)
from gradcheck_cli.__main__ import process
process()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "gradcheck: interrupted\n")


def test_a_missing_package_is_a_sentence(tmp_path: Path) -> None:
    """Run from a checkout without the dependencies, it says what is missing, with no traceback."""
    command = [sys.executable, "-S", "-m", "gradcheck_cli", "x", "--at", "1"]  # -S: no site-packages
    shutil.copytree(PACKAGE, tmp_path / "gradcheck_cli", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "is missing: install gradcheck" in done.stderr
    assert "Traceback" not in done.stderr


CHECK = ["8*x**4+3*x**3", "--at", "2"]
COMMAND = [sys.executable, "-m", "gradcheck_cli"]


@pytest.mark.parametrize(
    ("arguments", "code"), [slow(CHECK, 0), (["x", "--at", "-1e400"], 2), slow(["log(x)", "--at", "-1"], 1)]
)
def test_the_process_ends_with_the_exit_code(arguments: list[str], code: int) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("gradcheck: " if code == 2 else "1 check: ")


@pytest.mark.slow
def test_all_that_was_written_arrives(tmp_path: Path) -> None:
    """However much it is, and wherever it goes: nothing is left in a buffer when the process ends."""
    arguments = [*COMMAND, "x**2", "--at", "x=0:1:2000", "--output-format", "json"]
    piped = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert len(json.loads(piped)["problems"][0]["checks"]) == 2000
    file = tmp_path / "report.json"
    with file.open("w") as stream:
        subprocess.run(arguments, stdout=stream, stderr=subprocess.DEVNULL, check=True)
    assert len(json.loads(file.read_text())["problems"][0]["checks"]) == 2000


@pytest.mark.skipif(sys.platform == "win32", reason="it takes a shell")
@pytest.mark.parametrize(
    ("redirection", "code"),
    [slow(">&-", 2), slow("2>&-", 0), slow(">&- 2>&-", 2), slow("| true", 0), slow(">/dev/full", 2)],
)
def test_streams_that_take_nothing(redirection: str, code: int) -> None:
    if "/dev/full" in redirection and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    command = f"set -o pipefail; {shlex.join([*COMMAND, *CHECK])} {redirection}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def python(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_the_end_is_not_skipped_for_others() -> None:
    """What others have registered for the end of the process is done, as measuring coverage needs."""
    done = python("""
import atexit, sys
atexit.register(lambda: print("registered"))
sys.argv = ["gradcheck", "--version"]
from gradcheck_cli.__main__ import process
process()
""")
    assert done.returncode == 0
    assert done.stdout.endswith("registered\n")


@pytest.mark.slow
def test_a_command_within_a_program_returns() -> None:
    done = python("""
import sys
from gradcheck_cli.__main__ import main
sys.argv = ["gradcheck", "x", "--at", "1"]
assert main() == 0
print("and on")
""")
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["and on"]), done.stderr


@pytest.mark.slow
def test_loading_leaves_nothing_running() -> None:
    """No thread, the collector on again, torch loaded once and whole."""
    done = python("""
import gc, sys, threading
from gradcheck_cli.checking import loading
loading.load(symbolic=True)
assert threading.enumerate() == [threading.main_thread()]
assert gc.isenabled() and gc.get_freeze_count()
assert {"torch", "sympy", "flint"} <= set(sys.modules)
import torch
assert torch.ones(2).sum().item() == 2
loading.load(symbolic=True)
""")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("trouble", ["raise OSError", "spec = None", "spec.origin = '/nowhere/__init__.py'"])
def test_libraries_that_do_not_load_early_load_late(trouble: str) -> None:
    done = python(f"""
import sys
from gradcheck_cli.checking import loading
find_spec = loading.find_spec
def find(name):
    spec = find_spec(name)
    {trouble}
    return spec
loading.find_spec = find
with loading.torch_libraries_loading():
    pass
""")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.slow
def test_a_library_leaves_the_collector_alone() -> None:
    done = python("""
import gc
from gradcheck_cli import check
assert check("x**2", at=1).passed
assert gc.isenabled() and not gc.get_freeze_count()
""")
    assert done.returncode == 0, done.stderr


def test_a_check_without_closed_forms_loads_no_sympy() -> None:
    """Neither do we, nor does what we call of torch."""
    script = (
        "import sys\nfrom gradcheck_cli.cli.app import run_command\n"
        "code = run_command(['x**2', '--at', '1', '--no-derivatives'])\nsys.exit('sympy' in sys.modules or int(code))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
