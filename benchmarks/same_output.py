"""Do two installations say the same, byte for byte? `python -m benchmarks.same_output OLD/bin/python NEW/bin/python`.

For a change that is to change no behaviour: every format over the problem files of the repository, and single commands
with their errors. What measures time is left out of the comparison. Prints what differs; exits 1 where anything does.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from gradcheck_cli.render.formats import FORMATS

ROOT = Path(__file__).parent.parent
FILES = " ".join(str(path) for path in (ROOT / "problems.yaml", *sorted((ROOT / "tests" / "problems").glob("*.yaml"))))
COMMANDS = (
    f"run {FILES} --mode both --output-format json",
    *(f"run {ROOT / 'problems.yaml'} --output-format {name}" for name in FORMATS),
    f"run {ROOT / 'problems.yaml'} -v",
    f"run {ROOT / 'problems.yaml'} --dtype float32",
    f"run {ROOT / 'problems.yaml'} --order 2 --output-format json",
    f"run {ROOT / 'problems.yaml'} --list",
    "run nothere.yaml",
    "--help", "run --help", "explain --help", "merge --help", "functions", "functions soft", "schema",
    "8*x**4+3*x**3 --at 2",
    "'where(x > 0, sqrt(x), 0)' --at -1",
    "'relu(x) - relu(-x)' --at 0 --mode both",
    "'x**y' --at x=2,y=3 --order 2 -v",
    "'tanh(x)/(1+x**2)' --at x=-3:3:2001",
    "'log(cosh(x))' --output-format json",
    "'(exp(x)-1)/x' --at 1e-9 --output-format markdown",
    "'x*sin(x)' --claim 'sin(x) + x*cos(x)' --claim-rtol 1e-6",
    "'x*sin(x)' --claim 'sin(x) - x*cos(x)'",
    "'2*y + 3' --let 'y = x*x' --at 3.5 --wrt x --wrt y",
    "explain '1/(1 + exp(-x))' --at 2",
    "explain '1/(1 + exp(-x))' --at 2 --output-format json",
    "explain '1/(1 + exp(-x))' --at 2 --output-format latex",
    "explain 'sin(x)*x' --at 2 --output-format markdown --mode forward",
    "'sigmod(x)' --at 1", "'sin(x) +* 2' --at 1", "'w*x+b' --at w=2", "x**2 --at x=1 --at y=2", "x --dtype float65",
    "x --order 0", "x --wrt y", "x --typo 3", "'x y' z", "x --at 1e400", "'100000*x' --dtype float16 --at 1",
    "x --claim 'y: 1'", "x**2 --at 1 --rtol -1", "x**2 --range 1:2 --at 1",
)  # fmt: skip
TIMES = re.compile(r'"seconds": [-+.\de]+|time="[.\d]+"|\b[\d.]+ (?:s|ms)\b')


DRIVER = """
import io, json, os, shlex, sys, tempfile
import gradcheck_cli
gradcheck_cli.check("x**2", at=1)  # all that is heavy is loaded once; every command runs in a fork
from gradcheck_cli.__main__ import process
said = []
for command in json.load(sys.stdin):
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    if not (child := os.fork()):
        os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2), os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin = open(os.devnull)
        sys.argv = ["gradcheck", *shlex.split(command)]
        try:
            process()
        except SystemExit as end:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(end.code or 0)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    texts = [(stream.seek(0), stream.read().decode())[1] for stream in (out, err)]
    said.append(f"exit {code}\\n{texts[0]}\\n--\\n{texts[1]}")
json.dump(said, sys.stdout)
"""


def said(python: str) -> list[str]:
    """Exit code, standard output and standard error of every command, without what measures time."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        [python, "-c", DRIVER], input=json.dumps(COMMANDS), stdout=subprocess.PIPE, text=True, env=environment,
        cwd="/", check=True,
    )  # fmt: skip
    return [TIMES.sub("TIME", text) for text in json.loads(done.stdout)]


def main() -> int:
    old, new = (said(str(Path(name).absolute())) for name in sys.argv[1:3])
    different = 0
    for command, before, after in zip(COMMANDS, old, new, strict=True):
        if before != after:
            different += 1
            print(f"gradcheck {command}")
            lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "old", "new", lineterm="", n=1)
            print("\n".join(f"  {line}" for line in list(lines)[:40]))
    print(f"{len(COMMANDS)} commands: {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
