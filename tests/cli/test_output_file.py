"""--output-file and what the file is: only a regular file is ever replaced. And what the first of its lines holds."""

import contextlib
import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gradcheck_cli.cli.app import run_command
from gradcheck_cli.render.json import dump

PROBLEMS = "problems:\n  - {name: a, expression: x**2, at: 1, gradient: 2}\n  - {name: b, expression: x**3, at: 2}\n"
RESUMED = ["run", "problems.yaml", "--resume", "before.jsonl", "--output-format"]  # no worker has anything to do
COMMANDS = [
    *([*RESUMED, name] for name in ("json-lines", "junit")),
    *(["x**2", "--at", "1", "--output-format", name] for name in ("json", "json-lines")),
    ["x**2", "--at", "1", "--output-format", "json-lines", "--all-rows"],
    ["explain", "x**2", "--at", "1", "--output-format", "json"],
    ["merge", "before.jsonl", "--output-format", "json-lines"],
    ["functions", "sin"],
    ["schema"],
]
ids = " ".join


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a run."""
    folder = tmp_path_factory.mktemp("before")
    (folder / "problems.yaml").write_text(PROBLEMS, encoding="utf-8")
    with contextlib.chdir(folder):
        assert run_command(["run", "--output-format", "json-lines", "--output-file", "before.jsonl"]) == 0
    return (folder / "before.jsonl").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("problems.yaml").write_text(PROBLEMS, encoding="utf-8")
    Path("before.jsonl").write_text(before, encoding="utf-8")
    return tmp_path


def written(command: list[str]) -> str:
    """What the command writes to a new file."""
    assert run_command([*command, "--output-file", "new"]) == 0
    return Path("new").read_text(encoding="utf-8")


def as_told(text: str) -> str:
    """The text without its times, which differ."""
    return "".join(c for c in text if not c.isdigit() and c not in "e-.")


@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_a_device_is_written_through(command: list[str]) -> None:
    try:
        os.mknod("device", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except OSError:
        pytest.skip("only root makes devices")
    before = os.lstat("device")
    assert run_command([*command, "--output-file", "device"]) == 0
    after = os.lstat("device")
    assert (after.st_ino, after.st_mode, after.st_rdev) == (before.st_ino, before.st_mode, before.st_rdev)


@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_a_pipe_gets_the_report_whole(command: list[str]) -> None:
    """Its reader sees the end once, after the last line."""
    expected = written(command)
    os.mkfifo("pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text(encoding="utf-8")), daemon=True)
    reader.start()
    assert run_command([*command, "--output-file", "pipe"]) == 0
    reader.join(10)
    assert [as_told(text) for text in read] == [as_told(expected)]
    assert stat.S_ISFIFO(os.lstat("pipe").st_mode)


def dangling() -> None:
    Path("target").unlink(missing_ok=True)


def old() -> None:
    Path("target").write_text("old\n" * 1000, encoding="utf-8")
    Path("target").chmod(0o640)


@pytest.mark.parametrize("target", [dangling, old])
@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_a_link_is_written_through(command: list[str], target: Callable[[], None]) -> None:
    target()
    Path("link").symlink_to("target")
    expected = written(command)
    assert run_command([*command, "--output-file", "link"]) == 0
    assert Path("link").is_symlink()
    assert as_told(Path("target").read_text(encoding="utf-8")) == as_told(expected)
    assert target is dangling or stat.S_IMODE(Path("target").stat().st_mode) == 0o640


@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_a_file_keeps_its_mode(command: list[str], folder: Path) -> None:
    old()
    before = {file.name for file in folder.iterdir()}
    assert run_command([*command, "--output-file", "target"]) == 0
    assert stat.S_IMODE(Path("target").stat().st_mode) == 0o640
    assert {file.name for file in folder.iterdir()} == before, "nothing is left beside it"


def test_what_is_resumed_through_a_link_is_kept_and_put_in_order() -> None:
    lines = Path("before.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    Path("target").write_text("".join([lines[0], lines[2]]), encoding="utf-8")
    Path("link").symlink_to("target")
    command = [*RESUMED, "json-lines", "--output-file", "link", "--resume", "link"]
    assert run_command(command) == 0
    _, *problems, _ = map(json.loads, Path("target").read_text(encoding="utf-8").splitlines())
    assert [problem["name"] for problem in problems] == ["a", "b"]
    assert Path("link").is_symlink()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_in_a_folder_that_cannot_be_written_is_written_over(folder: Path) -> None:
    old()
    folder.chmod(0o500)
    try:
        assert run_command(["run", "--output-format", "json-lines", "--output-file", "target"]) == 0
    finally:
        folder.chmod(0o700)
    assert json.loads(Path("target").read_text(encoding="utf-8").splitlines()[-1])["summary"]["passed"]


OPTIONS = [
    "at", "wrt", "let", "claim", "order", "mode", "dtype", "device", "rtol", "atol", "claim_rtol", "strict", "samples",
    "seed", "range", "shape", "timeout",
]  # fmt: skip
FIRST_LINES = [
    # (command, the options that are not null)
    (["x*a", "--at", "x=1,a=2", "--claim", "x: a", "--rtol", "1e-6"],
     {"at": ["x=1,a=2"], "wrt": [], "let": [], "claim": ["x: a"], "order": 1, "mode": "reverse", "dtype": "float64",
      "device": "cpu", "rtol": 1e-6, "claim_rtol": 1e-9, "strict": False, "seed": 0, "range": [], "shape": []}),
    ([*RESUMED[:2]], {}),
    ([*RESUMED[:2], "--dtype", "float32", "--range", "0:1", "--samples", "2"],
     {"dtype": "float32", "range": ["0:1"], "samples": 2}),
    (["merge", "one.jsonl"], {"rtol": 1e-6, "seed": 7}),
    (["merge", "one.jsonl", "two.jsonl"], {"seed": 7}),
]  # fmt: skip


@pytest.mark.parametrize(("command", "given"), FIRST_LINES, ids=lambda given: " ".join(given))
def test_the_first_line_holds_the_versions_and_the_options_only(
    command: list[str], given: dict[str, object], before: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A contract: the same keys whatever wrote it, named as the options; null where each problem has its own."""
    first, one, two, last = before.splitlines()
    start = json.loads(first)
    for name, line, options in (("one", one, {"rtol": 1e-6, "seed": 7}), ("two", two, {"rtol": 1e-7, "seed": 7})):
        lines = [json.dumps({**start, "options": options}), line, last]
        Path(f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run_command([*command, "--output-format", "json-lines"])
    document = json.loads(capsys.readouterr().out.splitlines()[0])
    assert list(document) == ["versions", "options"]
    assert list(document["options"]) == OPTIONS
    assert {name: value for name, value in document["options"].items() if value is not None} == given


@pytest.mark.parametrize("value", [object(), {"x": 1j}, [b"bytes"]])
def test_what_json_has_not_is_no_text(value: object) -> None:
    with pytest.raises(TypeError, match="JSON has no"):
        dump(value)


def test_what_explain_cannot_read_is_in_its_report(tmp_path: Path) -> None:
    file = tmp_path / "why.json"
    assert run_command(["explain", "x**", "--at", "1", "--output-file", str(file)]) == 2
    (only,) = json.loads(file.read_text(encoding="utf-8"))["problems"]
    assert only["verdict"] == "error"
    assert "ends too early" in only["error"]
