"""Time limits on Python code."""

from __future__ import annotations

import gc
import importlib
import threading
import time
from pathlib import Path

import pytest

from gradcheck_cli.runtime.time_limit import OutOfTime, available, time_limit

pytestmark = pytest.mark.skipif(not available(), reason="there is no alarm signal here")


def busy(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_it_ends_what_takes_too_long() -> None:
    with pytest.raises(OutOfTime), time_limit(0.05):
        busy(30)


def test_nothing_is_raised_afterwards() -> None:
    with pytest.raises(OutOfTime), time_limit(0.05):
        busy(30)
    with time_limit(0.05):
        pass
    busy(0.3)


def test_the_outer_limit_goes_on() -> None:
    def twice() -> None:
        with pytest.raises(OutOfTime), time_limit(0.05):
            busy(30)
        busy(30)

    with pytest.raises(OutOfTime), time_limit(0.3):
        twice()


@pytest.mark.parametrize("anywhere", [False, True])
def test_a_limit_that_python_discards_comes_again(anywhere: bool) -> None:
    """An exception in a callback of the garbage collector goes nowhere, and says nothing."""

    def slow(phase: str, info: dict[str, int]) -> None:
        busy(0.2)

    def collects() -> None:
        gc.callbacks.append(slow)
        try:
            gc.collect()
        finally:
            gc.callbacks.remove(slow)
        busy(30)

    def limited() -> None:
        with pytest.raises(OutOfTime), time_limit(0.05):
            collects()
        ended.append(True)

    ended: list[bool] = []
    if anywhere:
        thread = threading.Thread(target=limited)
        thread.start()
        thread.join(60)
    else:
        limited()
    assert ended == [True]


def test_it_works_in_any_thread() -> None:
    ended: list[str] = []

    def work() -> None:
        try:
            with time_limit(0.05):
                busy(30)
        except OutOfTime:
            ended.append("out of time")
        with time_limit(30):
            ended.append("in time")
        busy(0.2)
        ended.append("later")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert ended == ["out of time", "in time", "later"]


@pytest.mark.parametrize("in_thread", [False, True])
def test_an_import_is_finished_first(in_thread: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a module would spoil all that comes later in this process."""
    name = f"slow_to_import_{in_thread}"
    (tmp_path / f"{name}.py").write_text("import time\ntime.sleep(0.2)\ntime.sleep(0.2)\ncomplete = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = []

    def import_and_go_on() -> None:
        found.append(importlib.import_module(name))
        busy(30)

    def work() -> None:
        with pytest.raises(OutOfTime), time_limit(0.05):
            import_and_go_on()

    if in_thread:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(20)
    else:
        work()
    assert found[0].complete
