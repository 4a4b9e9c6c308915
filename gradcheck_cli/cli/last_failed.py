"""What failed in the last run, remembered beside it: `--lf` checks that again.

In a folder that ignores itself, as those of pytest and ruff do. Nothing depends on it: where it cannot be read or
written, nothing is known.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.text_files import STANDARD_INPUT, shown

FOLDER = Path(".gradcheck_cache")
FILE = "last_failed.json"

Key = tuple[str, str]
"""The path of a file, and the name of a problem in it."""


def key(file: str | None, name: str) -> Key:
    return os.path.realpath(file or ""), name


def last_failed() -> set[Key]:
    """The problems that failed when they were last run from this folder."""
    try:
        data = json.loads((FOLDER / FILE).read_text(encoding="utf-8"))
        return {(str(file), str(name)) for file, name in data["failed"]}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return set()


def remember(results: Iterable[AnyResult]) -> None:
    """Note which of the problems failed; what is known of others stays."""
    before = last_failed()
    failed = set(before)
    for result in results:
        if result.file is None or result.name is None or result.file == shown(STANDARD_INPUT):
            continue
        one = key(result.file, result.name)
        failed.discard(one) if result.passed else failed.add(one)
    if failed != before:
        with contextlib.suppress(OSError):
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / ".gitignore").write_text("# made by gradcheck\n*\n", encoding="utf-8")
            (FOLDER / FILE).write_text(json.dumps({"failed": sorted(failed)}, indent=1) + "\n", encoding="utf-8")
