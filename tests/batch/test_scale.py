"""Beyond one process: --jobs, --shard and merge, --resume, --executor. However it is run, the report is the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.tasks import double

from gradcheck_cli.batch.dispatch import LARGEST, Died, Lost, Work, dispatch, run_chunk
from gradcheck_cli.batch.run import check_request, check_requests
from gradcheck_cli.batch.workers import run_in_workers
from gradcheck_cli.checking import checker
from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.checking.problem import Problem
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.records.request import Expectation, Request
from gradcheck_cli.records.results import ProblemResult, Verdict

COMMAND = [sys.executable, "-m", "gradcheck_cli", "run"]
LINES = ["--output-format", "json-lines", "--no-derivatives"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_problems(count: int) -> None:
    """Problems of all kinds, some with claims, one that cannot be read."""
    kinds = (
        "expression: x**{0} + sin(x), at: 2, claim: {0}*x**({0} - 1) + cos(x)",
        "expression: relu(x) + {0}*x, at: 0, expect: kink",
        "expression: exp({0}*x), at: 1, gradient: {0}",
        "expression: 'where(x > 0, sqrt({0}*x), 0)', at: -1",
    )
    lines = [f"  - {{name: p{i}, {kinds[i % 4].format(i % 7 + 1)}}}" for i in range(count)]
    lines[count // 3] = "  - {name: unreadable, expression: 2*}"
    Path("problems.yaml").write_text("problems:\n" + "\n".join(lines) + "\n", encoding="utf-8")


def document(*arguments: str) -> dict[str, Any]:
    """The JSON report of a run, without what differs from run to run."""
    run_command(["run", "--output-format", "json", "--output-file", "report.json", "-q", *arguments])
    return timeless(json.loads(Path("report.json").read_text(encoding="utf-8")))


def timeless(report: dict[str, Any]) -> dict[str, Any]:
    for part in (report["summary"], *report["problems"]):
        part.pop("seconds")
    return report


def lines_of(text: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """(problems, summary) of JSON Lines, without times."""
    _, *problems, last = map(json.loads, text.splitlines())
    for part in (*problems, last["summary"]):
        part.pop("seconds")
    return problems, last["summary"]


@pytest.mark.slow
def test_several_jobs_give_the_same_report() -> None:
    write_problems(60)
    assert document("--jobs", "2") == document() == document("--jobs", "auto")


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", ""])
def test_jobs_that_are_none(jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_problems(4)
    assert run_command(["run", "--jobs", jobs]) == 2
    assert "--jobs" in capsys.readouterr().err


def test_a_worker_that_dies_costs_one_task_of_its_chunk() -> None:
    numbers = [10 + i % 5 for i in range(400)]
    numbers[100], numbers[250] = 1, 3
    results = list(run_in_workers(Work(double), [(n, 20.0) for n in numbers], jobs=2))
    assert [i for i, result in enumerate(results) if isinstance(result, Lost)] == [100, 250]
    assert [r for r in results if not isinstance(r, Lost)] == [2 * n for n in numbers if n not in (1, 3)]


@pytest.mark.slow
def test_a_task_over_its_time_within_a_chunk() -> None:
    numbers = [10] * 200
    numbers[150] = 4  # sleeps for a minute
    results = list(run_in_workers(Work(double), [(n, 1.0) for n in numbers], jobs=2))
    assert [i for i, result in enumerate(results) if isinstance(result, Lost)] == [150]
    assert isinstance(results[150], Lost)
    assert "time limit of 1 s" in results[150].reason


def test_chunks_grow_and_keep_the_order() -> None:
    sizes: list[int] = []

    def submit(chunk: Any, _: float | None) -> Any:
        sizes.append(len(chunk))
        return lambda: run_chunk(Work(lambda n: n + 1), chunk, False)

    assert list(dispatch(submit, ((n, None) for n in range(1000)), 2)) == list(range(1, 1001))
    assert sizes[0] == 1
    assert max(sizes) == LARGEST
    assert sum(sizes) == 1000


def test_a_chunk_whose_worker_died_goes_out_once_more_one_by_one() -> None:
    def submit(chunk: Any, _: float | None) -> Any:
        def wait() -> list[int | Lost]:
            if any(n == 77 for n, _ in chunk):
                raise Died("signal SIGKILL")
            return [n for n, _ in chunk]

        return wait

    results = list(dispatch(submit, ((n, None) for n in range(200)), 1))
    assert [r for r in results if not isinstance(r, Lost)] == [n for n in range(200) if n != 77]
    assert results[77] == Lost("the process that checked it ended before its time (signal SIGKILL)")


OF_MANY_KINDS = (
    Request("8*x**4 + 3*x**3", at=("2", "-1")),
    Request("x*y + sin(x)", at=("x=1,y=2",), wrt=("y", "x"), order=2, derivatives=False),
    Request("relu(x) - relu(-x)", at=("0",)),
    Request("log(1 + exp(x))", at=("800",), claims=("1/(1 + exp(-x))",)),
    Request("sqrt(x)", samples=3, mode="both", seed=4),
    Request("lgamma(x)", at=("x=1:3:1100",), keep=10, derivatives=False),
    Request("sin(x)", at=("x=-3:3:2000",), keep=5, formula=False, derivatives=False),
    Request("2*u + 3", lets=("u = x*x",), at=("3.5",), wrt=("u",), dtype="float32", strict=True),
    Request("x**2", at=("1", "2"), expectation=Expectation(gradient={"x": ("2", "5")})),
    Request("where(x > 0, sqrt(x), 0)", at=("-1",)),
)


def test_stage_by_stage_is_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck_cli.batch.run.AT_ONCE", 60.0)  # on however busy a machine
    alone = [replace(check_expression(request), seconds=0.0) for request in OF_MANY_KINDS]
    together = check_requests(OF_MANY_KINDS)
    assert together is not None
    assert all(result.seconds > 0 for result in together)
    for one, other in zip(alone, together, strict=True):
        assert repr(replace(other, seconds=0.0)) == repr(one)
    assert {result.verdict for result in alone} >= {Verdict.MATCH, Verdict.UNSTABLE, Verdict.MISMATCH}


@pytest.mark.parametrize(
    "odd_one",
    [
        Request("2*", at=("1",)),
        Request("x + 1", at=("y=1",)),
        Request("x + 1", at=("1",), timeout=1e-9),
    ],
)
def test_what_cannot_be_checked_with_others_is_checked_alone(odd_one: Request) -> None:
    good = Request("x**2", at=("1",))
    assert check_requests([good, odd_one, good]) is None
    results = run_chunk(Work(check_request, check_requests), [(r, None) for r in (good, odd_one, good)], False)
    assert [isinstance(r, ProblemResult) and r.passed for r in results] == [True, False, True]


def test_a_bug_in_one_of_a_chunk_is_reported_with_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def result(self: Problem, *_: Any) -> ProblemResult:
        if self.plan.variables == ("y",):
            raise ZeroDivisionError("planted")
        return before(self, *_)

    before = Problem.result
    monkeypatch.setattr(Problem, "result", result)
    requests = [Request(f"{name}**2", at=("1",)) for name in "xyz"]
    results = run_chunk(Work(check_request, check_requests), [(r, 10.0) for r in requests], False)
    assert [isinstance(r, ProblemResult) and r.bug for r in results] == [False, True, False]


def test_a_bug_of_checking_together_is_said_and_costs_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_together(_: Any) -> list[ProblemResult]:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(checker, "check_together", check_together)
    results = check_requests([Request("x**2", at=("1",)), Request("y**2", at=("1",))])
    assert results is not None
    assert [result.passed for result in results] == [True, True]
    assert [result.bug for result in results] == [False, False]
    assert results[0].notices == (
        "this is a bug in gradcheck, please report it: not checked together with other problems "
        "(ZeroDivisionError: planted)",
    )
    assert results[1].notices == ()


@pytest.mark.usefixtures("in_this_process")
def test_shards_are_parts_and_merge_joins_them(capsys: pytest.CaptureFixture[str]) -> None:
    write_problems(22)
    whole = document()
    for i in (1, 2, 3):
        out = ["--output-format", "json" if i < 3 else "json-lines", "--output-file", f"{i}.json", "-q"]
        run_command(["run", "--shard", f"{i}/3", *out])
    assert (
        run_command(["merge", "3.json", "1.json", "2.json", "--output-format", "json", "--output-file", "m", "-q"]) == 2
    )
    merged = timeless(json.loads(Path("m").read_text(encoding="utf-8")))
    for problem in whole["problems"]:
        problem.pop("derivatives", None)
    for problem in merged["problems"]:
        problem.pop("derivatives", None)
    assert merged == whole
    capsys.readouterr()
    assert run_command(["merge", "1.json", "1.json"]) == 2
    assert "1.json is named twice" in capsys.readouterr().err
    Path("copy.json").write_bytes(Path("1.json").read_bytes())
    assert run_command(["merge", "1.json", "copy.json"]) == 2
    assert "both hold the problem p0" in capsys.readouterr().err
    assert run_command(["merge", "problems.yaml"]) == 2
    assert "problems.yaml is no report of gradcheck" in capsys.readouterr().err
    assert run_command(["merge", "missing.json"]) == 2
    assert "cannot read missing.json" in capsys.readouterr().err


@pytest.mark.usefixtures("in_this_process")
def test_a_part_that_is_missing_is_no_green_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.yaml").write_text(
        "problems:\n" + "".join(f"  - {{name: p{n}, expression: x**2, at: {n}}}\n" for n in range(3)), encoding="utf-8"
    )
    for i in (1, 2, 3, 4):  # the last is empty
        assert run_command(["run", "p.yaml", "--shard", f"{i}/4", "--output-file", f"{i}.jsonl", "-q"]) == 0
    capsys.readouterr()
    assert run_command(["merge", *(f"{i}.jsonl" for i in (1, 2, 3, 4)), "-q"]) == 0
    assert run_command(["merge", "1.jsonl", "2.jsonl", "4.jsonl", "--junitxml", "m.xml"]) == 2
    out, err = capsys.readouterr()
    assert "the part 3/4 of the run is missing" in out + err
    assert "the part 3/4 of the run is missing" in Path("m.xml").read_text(encoding="utf-8")
    assert run_command(["merge", "1.jsonl"]) == 2
    assert "the parts 2/4, 3/4, 4/4 of the run are missing" in "".join(capsys.readouterr())


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_shards_that_are_none(shard: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_problems(4)
    assert run_command(["run", "--shard", shard]) == 2
    assert "for example 2/5" in capsys.readouterr().err


def test_an_empty_shard_is_no_failure() -> None:
    Path("problems.yaml").write_text("problems: [{name: a, expression: x, at: 1}]", encoding="utf-8")
    assert run_command(["run", "--shard", "2/2"]) == 0


@pytest.mark.usefixtures("in_this_process")
def test_reports_of_different_versions_are_not_merged(capsys: pytest.CaptureFixture[str]) -> None:
    write_problems(4)
    for i in (1, 2):
        run_command(["run", "--shard", f"{i}/2", "--output-format", "json", "--output-file", f"{i}.json", "-q"])
    text = Path("2.json").read_text(encoding="utf-8")
    Path("2.json").write_text(text.replace('"torch": "', '"torch": "9.', 1), encoding="utf-8")
    capsys.readouterr()
    assert run_command(["merge", "1.json", "2.json"]) == 2
    assert "different versions of torch" in capsys.readouterr().err


def killed_run(part: Path, least: int) -> list[str]:
    """The lines of a run that is killed as soon as it has written so many; all of them where that came too late."""
    part.unlink(missing_ok=True)
    process = subprocess.Popen([*COMMAND, *LINES, "--output-file", str(part)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    while process.poll() is None and (not part.exists() or part.read_bytes().count(b"\n") < least):
        time.sleep(0.005)
    process.kill()
    process.wait()
    return part.read_text(encoding="utf-8").splitlines()


@pytest.mark.slow
def test_a_run_that_was_killed_and_resumed() -> None:
    """The report is that of a run that was not killed, and what was done is not done again."""
    write_problems(160)
    run_command(["run", *LINES, "--output-file", "whole.jsonl", "-q"])
    part = Path("part.jsonl")
    before = next(lines for least in (60, 30, 10, 2) if len(lines := killed_run(part, least)) < 161)
    assert run_command(["run", *LINES, "--output-file", "part.jsonl", "--resume", "part.jsonl", "-q"]) == 2
    after = part.read_text(encoding="utf-8")
    assert lines_of(after) == lines_of(Path("whole.jsonl").read_text(encoding="utf-8"))
    assert set(before[1:-1]) <= set(after.splitlines()), "times and all"


@pytest.mark.usefixtures("in_this_process")
def test_other_options_are_another_run() -> None:
    write_problems(8)
    run_command(["run", *LINES, "--output-file", "a.jsonl", "-q"])
    first = Path("a.jsonl").read_text(encoding="utf-8")
    run_command(["run", *LINES, "--output-file", "a.jsonl", "--resume", "a.jsonl", "--rtol", "0.5", "-q"])
    problems, _ = lines_of(Path("a.jsonl").read_text(encoding="utf-8"))
    assert {problem["rtol"] for problem in problems if problem["name"] != "unreadable"} == {0.5}
    assert Path("a.jsonl").read_text(encoding="utf-8") != first


def test_resuming_what_is_no_report(capsys: pytest.CaptureFixture[str]) -> None:
    write_problems(4)
    assert run_command(["run", "--resume", "problems.yaml"]) == 2
    assert "problems.yaml is no report of gradcheck" in capsys.readouterr().err
    assert run_command(["run", "--resume", "nothere.jsonl", "-q"]) == 2, "only a run that begins it may lack it"


def _address() -> str | None:
    """Of the scheduler; None until its file is complete."""
    try:
        address: str = json.loads(Path("scheduler.json").read_text(encoding="utf-8"))["address"]
    except (OSError, ValueError):
        return None
    return address


@contextmanager
def cluster(workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """(address for --executor, the worker processes)."""
    pytest.importorskip("distributed", reason="the extra gradcheck-cli[dask] is not installed")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    scheduler = subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                                  "--scheduler-file", "scheduler.json"], **quiet)  # type: ignore[call-overload]  # fmt: skip
    started = [scheduler]
    try:
        while (address := _address()) is None:
            assert scheduler.poll() is None
            time.sleep(0.05)
        for _ in range(workers):
            worker = [
                *dask,
                "worker",
                address,
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
                "--host",
                "127.0.0.1",
            ]
            started.append(subprocess.Popen(worker, **quiet))  # type: ignore[call-overload]
        yield address.replace("tcp://", "dask://"), started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_on_a_cluster_of_which_a_worker_is_killed() -> None:
    """The scheduler gives what it had to the other worker; the report is the same."""
    write_problems(240)  # more than fits into a pipe: at 60 lines read, the run is not at its end
    run_command(["run", *LINES, "--output-file", "local.jsonl", "-q"])
    local = Path("local.jsonl").read_text(encoding="utf-8")
    assert len(local) > 200_000
    with cluster(2) as (address, workers):
        command = [*COMMAND, *LINES, "--executor", address]
        with (
            Path("err.txt").open("w") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        ):
            assert process.stdout is not None
            first = [process.stdout.readline() for _ in range(60)]
            os.kill(workers[0].pid, signal.SIGKILL)
            rest = process.stdout.read()  # not communicate(), which would lose what is buffered here
    err = Path("err.txt").read_text(encoding="utf-8")
    assert process.returncode == 2, err
    assert "Traceback" not in err
    assert lines_of("".join(first) + rest) == lines_of(local)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--executor", "dask://"], "it takes the address of a scheduler, dask://HOST:PORT"),
        (["--executor", "ray://x:1"], "it takes the address of a scheduler, dask://HOST:PORT"),
        (["--executor", "dask://127.0.0.1:1", "--jobs", "2"], "--jobs is for this machine"),
    ],
)
def test_executors_that_are_none(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_problems(4)
    assert run_command(["run", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_the_report_that_is_read_back_is_the_one_that_was_written() -> None:
    """merge of a single report changes nothing: every field survives, with notes, blame, remedies and claims."""
    write_problems(12)
    before = document()
    run_command(["merge", "report.json", "--output-format", "json", "--output-file", "again.json", "-q"])
    assert timeless(json.loads(Path("again.json").read_text(encoding="utf-8"))) == before
