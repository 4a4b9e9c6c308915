"""The same tasks on a Dask cluster: `--executor dask://HOST:PORT`. The scheduler gives lost tasks to other workers.

The only user of `distributed` (the extra gradcheck-cli[dask]).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from gradcheck_cli.batch.dispatch import Chunk, Died, Lost, Task, Work, dispatch, run_chunk
from gradcheck_cli.errors import UsageError
from gradcheck_cli.runtime.interruption import let_in
from gradcheck_cli.versions import versions

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 20
"""Seconds that a scheduler may take to answer, and to have a worker."""


def run_on_dask(work: Work[T, R], tasks: Iterable[Task[T]], address: str) -> Iterator[R | Lost]:
    """The work on each task, on the workers of a cluster; results in the order of the tasks.

    address: dask://HOST:PORT of the scheduler. A task whose worker is lost goes to another one; one that has cost
    several workers gives Lost. Closing the iterator takes back what has not been run. Raises UsageError for a cluster
    that cannot be reached or that would not give the same report.
    """
    try:
        from distributed import Client, KilledWorker
    except ModuleNotFoundError:
        raise UsageError("--executor needs Dask: install gradcheck-cli[dask], here and where the workers run") from None
    try:
        with let_in():
            client = Client(address.replace("dask://", "tcp://"), timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(f"--executor {address}: no Dask scheduler answers there ({error})") from None

    def submit(chunk: Chunk[T], _: float | None) -> Callable[[], list[R | Lost]]:
        future = client.submit(run_chunk, work, chunk, True, pure=False)

        def wait() -> list[R | Lost]:
            try:
                with let_in():
                    results: list[R | Lost] = future.result()
            except KilledWorker as killed:
                raise Died(f"several workers were, the last at {killed.last_worker.address}") from None
            return results

        return wait

    with client:
        with let_in():
            workers = _workers(client, address)
        yield from dispatch(submit, tasks, workers)


def _workers(client: Any, address: str) -> int:
    """How many workers there are. Raises UsageError where they would not give the same report."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise UsageError(f"--executor {address}: the scheduler has no workers: start some by `dask worker`") from None
    try:
        found: dict[str, tuple[dict[str, str], int]] = client.run(_describe)
    except ModuleNotFoundError as missing:
        raise UsageError(
            f"--executor {address}: the workers lack the Python package {missing.name}: install gradcheck-cli there"
        ) from None
    for worker, (theirs, threads) in found.items():
        if differing := [name for name, version in versions().items() if theirs.get(name) != version]:
            raise UsageError(
                f"--executor {address}: the worker {worker} has another version of {', '.join(differing)}, "
                "and reports would differ: install the same ones there as here"
            )
        if threads != 1:
            raise UsageError(
                f"--executor {address}: the worker {worker} has {threads} threads: start workers with --nthreads 1, "
                "since a check that hangs is ended with its process"
            )
    return len(found)


def _describe(dask_worker: Any) -> tuple[dict[str, str], int]:
    """Of a worker, which Dask passes by that name: (versions, threads)."""
    return dict(versions()), dask_worker.state.nthreads
