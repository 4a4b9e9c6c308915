"""From several threads, and after a fork: the verdicts are those of one thread."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator

import pytest
from helpers.paths import ROOT

from gradcheck_cli import check, explain

CASES = [
    ("(sin(1+x)-sin(1))/x", 1e-100, "unstable"),
    ("x*abs(x)", 0, "match"),
    ("relu(x) - relu(-x)", 0, "mismatch"),
    ("sqrt(x)", 0, "match"),
    ("exp(-1/x**2)", 1e-3, "match"),
    ("log(x)", -1, "undefined"),
]


@pytest.fixture
def switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def verdicts(of: Callable[..., str]) -> list[str]:
    return [of(expression, at) for expression, at, _ in CASES]


def checked(expression: str, at: float) -> str:
    return check(expression, at=at, derivatives=False).verdict.value


def explained(expression: str, at: float) -> str:
    return explain(expression, at).result.verdict.value


EXPECTED = [verdict for _, _, verdict in CASES]


@pytest.mark.usefixtures("switching_often")
@pytest.mark.parametrize(("of", "times"), [(checked, 10), (explained, 2)])
def test_threads_do_not_disturb_each_other(of: Callable[..., str], times: int) -> None:
    found: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: found.extend(verdicts(of) for _ in range(times)), daemon=True) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert found == [EXPECTED] * (6 * times)


def test_in_threads_of_an_event_loop() -> None:
    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(asyncio.to_thread(checked, expression, at) for expression, at, _ in CASES))

    assert asyncio.run(all_of_them()) == EXPECTED


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_after_use() -> None:
    """Of a process whose other thread is in the middle of a check, which the child does not have."""
    script = """
        import os, sys, threading
        from test_one_at_a_time import EXPECTED, checked, verdicts

        assert verdicts(checked) == EXPECTED
        stop = threading.Event()

        def work():
            while not stop.is_set():
                verdicts(checked)

        thread = threading.Thread(target=work)
        thread.start()
        codes = []
        for _ in range(5):
            if (child := os.fork()) == 0:
                os._exit(0 if verdicts(checked) == EXPECTED else 1)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        stop.set()
        thread.join()
        sys.exit(codes != [0] * 5)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT / "tests" / "runtime",
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_thread_gave_up_in_time_lets_others_go_on() -> None:
    def hangs() -> None:
        verdict.append(check("sin(x)", at="x=0:1:1000000", timeout=0.2, order=3).verdict.value)

    verdict: list[str] = []
    thread = threading.Thread(target=hangs, daemon=True)
    thread.start()
    assert checked("x**2", 1) == "match"
    thread.join(60)
    assert verdict == ["error"]
