"""What answers at once imports none of the heavy libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["torch", "sympy", "flint", "mpmath", "numpy"]
SCRIPT = f"""
import sys
from gradcheck_cli.cli import run_command
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
        (["functions"], 0),
        (["functions", "relu", "--output-format", "json"], 0),
        (["x", "--typo"], 2),
        ([], 2),
    ],
)
def test_light(arguments: list[str], code: int) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert not done.stderr or code


def test_an_interruption_while_it_starts() -> None:
    script = """
import sys
class Finder:
    def find_spec(name, *_):
        if name == "gradcheck_cli.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder)
from gradcheck_cli.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_missing_package_is_a_sentence() -> None:
    """Run from a checkout without the dependencies, it says what is missing, with no traceback."""
    command = [sys.executable, "-S", "-m", "gradcheck_cli", "x", "--at", "1"]  # -S: no site-packages
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "is missing: install gradcheck" in done.stderr
    assert "Traceback" not in done.stderr
