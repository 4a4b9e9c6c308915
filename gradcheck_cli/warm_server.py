"""The process that `gradcheck warm` keeps: it has torch and all else loaded, and runs each command in a copy of itself.

It does nothing but import, wait and fork, for a process whose libraries have started threads could not be copied. What
runs is always the code that is installed now: where that has changed since it was loaded, it ends, and the command is
run as always.

    python -m gradcheck_cli.warm_server ADDRESS SECONDS
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from gradcheck_cli.batch.copied_server import copy_this_process
from gradcheck_cli.cli.process import leave
from gradcheck_cli.runtime import interruption
from gradcheck_cli.warm.client import BY_A_SIGNAL, GO, PATIENCE, READY, STATUS_BYTES, is_own

EXAMPLES = (
    ["x*exp(y)", "--at", "x=1,y=2", "--claim", "x: exp(x)", "--order", "2"],
    ["relu(x)/x", "--at", "0"],
    ["x @ A @ x", "--at", "x=[1,2], A=[[1,2],[3,4]]"],
    ["explain", "sin(x)**2", "--at", "1"],
)
"""Commands that together import what others will."""
STALE = b"S"
OF_THE_GROUP = (signal.SIGSTOP, signal.SIGCONT)
"""Signals for all processes of a command; of the others, it tells its own."""
Stamp = tuple[str, int, int]
"""A file, its size, and when it was written."""


@dataclass
class Command:
    """A command that runs: who waits for it, and the process."""

    connection: socket.socket
    process: int


def main(address: str, seconds: float) -> None:
    """Says "ready" on standard output as soon as it is; ends after so many seconds in which nobody asked."""
    package = _stamps(Path(__file__).parent.rglob("*.py"))
    _load()
    libraries = _stamps(Path(file) for file in _top_level_files())
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        try:
            listener.listen()
            print("ready", flush=True)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nowhere, stream)
            _Server(listener, seconds, (package, libraries)).serve()
        finally:
            with contextlib.suppress(OSError):
                os.unlink(address)


class _Server:
    """state: of the files of gradcheck and of the libraries when they were loaded."""

    def __init__(self, listener: socket.socket, seconds: float, state: tuple[list[Stamp], list[Stamp]]) -> None:
        self.listener, self.seconds, self.state = listener, seconds, state
        self.running: dict[int, Command] = {}
        self.selector = selectors.DefaultSelector()
        self.wakeup = socket.socketpair()
        self.ended = False

    def serve(self) -> None:
        reading, writing = self.wakeup
        for end in self.wakeup:
            end.setblocking(False)
        signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(reading, selectors.EVENT_READ)
        used = time.monotonic()
        while not (self.ended and not self.running):
            for event, _ in self.selector.select(self.seconds):
                if event.fileobj is self.listener:
                    self._accept()
                elif event.fileobj is reading:
                    with contextlib.suppress(BlockingIOError):
                        reading.recv(4096)
                else:
                    self._hear(event.data)
                used = time.monotonic()
            self._bury()
            if not self.running and time.monotonic() - used >= self.seconds:
                return

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE)
        streams: list[int] = []
        try:
            header, streams, _, _ = socket.recv_fds(connection, STATUS_BYTES, 8)
            request = json.loads(_received(connection, int.from_bytes(header, "big")))
            if not is_own(connection) or self._is_stale():
                connection.sendall(STALE)
                raise OSError
            connection.sendall(READY)
            if connection.recv(1) != GO:
                raise OSError
            if request.get("stop"):
                self._end()
                connection.close()
            elif request.get("ask"):
                connection.close()
            else:
                self._run(connection, request, streams)
        except (OSError, ValueError):
            connection.close()
        finally:
            for stream in streams:
                os.close(stream)

    def _is_stale(self) -> bool:
        """Whether files have changed since they were loaded; then no other command is taken."""
        package, libraries = self.state
        if _stamps(Path(__file__).parent.rglob("*.py")) == package and libraries == _stamps(
            Path(file) for file, _, _ in libraries
        ):
            return False
        self._end()
        return True

    def _end(self) -> None:
        """No other command is taken; those that run come to their end."""
        if not self.ended:
            self.ended = True
            self.selector.unregister(self.listener)
            with contextlib.suppress(OSError):
                os.unlink(self.listener.getsockname())
            self.listener.close()

    def _run(self, connection: socket.socket, request: dict[str, Any], streams: Sequence[int]) -> None:
        process = os.fork()
        if process == 0:
            self._close(connection)
            _become(request, streams)
        with contextlib.suppress(OSError):  # it does so itself, whichever is first
            os.setpgid(process, process)
        self.running[process] = Command(connection, process)
        self.selector.register(connection, selectors.EVENT_READ, self.running[process])

    def _close(self, connection: socket.socket) -> None:
        """All that is this process's own, in a copy of it."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for one in (self.listener, connection, *self.wakeup, *(other.connection for other in self.running.values())):
            one.close()

    def _hear(self, command: Command) -> None:
        """Signals for a command; it ends with the process that waits for it."""
        try:
            numbers = command.connection.recv(16)
        except OSError:
            numbers = b""
        with contextlib.suppress(OSError):
            for number in numbers:
                (os.killpg if number in OF_THE_GROUP else os.kill)(command.process, number)
            if not numbers:
                os.killpg(command.process, signal.SIGKILL)
        if not numbers:
            self.selector.unregister(command.connection)
            command.connection.close()

    def _bury(self) -> None:
        """Tells of commands that have ended."""
        while self.running:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return
            connection = self.running.pop(process).connection
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(OSError, ValueError, KeyError):  # nobody waits for it any more
                connection.sendall((code if code >= 0 else BY_A_SIGNAL - code).to_bytes(STATUS_BYTES, "big"))
                self.selector.unregister(connection)
            connection.close()


def _received(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count > 0:
        parts.append(connection.recv(count))
        if not parts[-1]:
            raise OSError
        count -= len(parts[-1])
    return b"".join(parts)


def _become(request: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    """This process is that of the command: with its streams, folder, environment, arguments, as if it had begun so."""
    code = 3
    try:
        os.setpgid(0, 0)
        interruption.handle(interruption.end_at_once)
        *standard, folder = streams
        for number, stream in enumerate(standard):
            os.dup2(stream, number)
        os.fchdir(folder)
        for stream in streams:
            os.close(stream)
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv[1:], sys.path[:] = request["arguments"], request["path"]
        sys.stdin = sys.__stdin__ = _stream(0, "r", sys.stdin)  # type: ignore[misc]
        sys.stdout = sys.__stdout__ = _stream(1, "w", sys.stdout)  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = _stream(2, "w", sys.stderr)  # type: ignore[misc]
        copy_this_process()
        from gradcheck_cli.__main__ import main

        leave(main())
    except SystemExit as error:
        code = int(str(error.code))
    finally:
        os._exit(code)


def _stream(number: int, mode: str, before: Any) -> TextIOWrapper:
    """A standard stream as Python makes it at its start. before: the one that was made then, of another file."""
    binary: Any = open(number, f"{mode}b", closefd=False)  # noqa: SIM115  it stays open
    return TextIOWrapper(
        binary, before.encoding, before.errors, line_buffering=os.isatty(number) or number == 2, write_through=False
    )


def _load() -> None:
    """Imports what a command needs. Which modules those are that are imported late, a copy finds out that runs some."""
    from gradcheck_cli.checking import loading

    loading.load(symbolic=True)
    import gradcheck_cli.__main__
    import gradcheck_cli.cli.app
    import gradcheck_cli.cli.problem_run
    import gradcheck_cli.problem_files.load
    import gradcheck_cli.user_code.check  # noqa: F401

    for name in _imported_by_examples():
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _imported_by_examples() -> list[str]:
    from gradcheck_cli.cli.app import run_command

    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nowhere, stream)
            before = set(sys.modules)
            for arguments in EXAMPLES:
                run_command(arguments)
            with open(writing, "w") as file:
                file.write("\n".join(name for name in sys.modules if name not in before))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as file:
        names = file.read().split()
    os.wait()
    return names


def _top_level_files() -> Iterator[str]:
    """Of each library that is loaded, its first file: it is written anew with each version."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." not in name and isinstance(file, str):
            yield file


def _stamps(files: Any) -> list[Stamp]:
    found = []
    for file in files:
        try:
            now = os.stat(file)
            found.append((str(file), now.st_size, now.st_mtime_ns))
        except OSError:
            found.append((str(file), 0, 0))
    return sorted(found)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
