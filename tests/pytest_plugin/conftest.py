"""Each run in a run finds what checks import late, sees no plugin but ours, and a terminal of 80 columns."""

import pytest
from helpers.plugin_runs import warm_up


@pytest.fixture(autouse=True, scope="session")
def _warm() -> None:
    warm_up()


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "80")
