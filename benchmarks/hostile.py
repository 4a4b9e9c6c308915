"""Run a corpus of hostile texts through the whole command line, and time each.

    python benchmarks/hostile.py FILE [SECONDS]

FILE holds JSON Lines with `kind` and `text`, or `generate`: a Python expression of constants that makes the text. Each
is checked without and with points, in one process. Printed are those that end in a bug (exit code 3) or take more than
SECONDS (1) of processor time; the exit code is 1 if there are any, or if a file GRADCHECK_CANARY has appeared.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from pathlib import Path

from gradcheck_cli.cli.app import run_command

POINTS = ([], ["--at", "x=0.7"], ["--at", "x=2,y=3"], ["--at", "1.5"])
FILES = ("yaml_file", "json_file")


def text_of(row: dict[str, str]) -> str:
    """The text of a row. A generated one is `'+'.join(['x']*50000)` or the like."""
    return row["text"] if "text" in row else str(eval(row["generate"], {"__builtins__": {}}))  # noqa: S307


def main() -> int:
    path, limit = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["kind"] not in FILES]
    run_command(["x", "--at", "1", "--output-file", "/dev/null"])  # load everything first
    bad, slowest = 0, 0.0
    for row in rows:
        text = text_of(row)
        for point in POINTS:
            stream = io.StringIO()
            started = time.process_time()
            with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
                code = run_command([*point, "--", text])
            seconds = time.process_time() - started
            slowest = max(slowest, seconds)
            if code not in (0, 1, 2) or seconds > limit or "Traceback" in stream.getvalue():
                bad += 1
                print(
                    f"{row['kind']} {text[:70]!r} {point}: exit {code}, {seconds:.2f} s\n  {stream.getvalue()[-300:]}"
                )
    canary = Path("GRADCHECK_CANARY").exists()
    print(f"{len(rows)} texts, {len(POINTS)} ways each: {bad} bad, the slowest {slowest:.2f} s; canary: {canary}")
    return int(bad > 0 or canary)


if __name__ == "__main__":
    sys.exit(main())
