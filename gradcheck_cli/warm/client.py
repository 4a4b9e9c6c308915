"""A command, handed over to the process that has torch loaded, which runs it in a copy of itself.

The copy has this process's arguments, folder, environment and streams. This one waits for its end, and hands on the
signals that it gets. Where there is nobody to hand over to, the command is run as always, and nothing is said.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gradcheck_cli.warm import place

if TYPE_CHECKING:
    import socket

OFF = "GRADCHECK_WARM"
"""0 in this variable: nothing is handed over."""
PATIENCE = 2.0
"""Seconds in which the kept process has to answer, before anything is handed over."""
READY, GO, STATUS_BYTES = b"R", b"G", 4
OWN = ("warm", "--watch", "-w", "--install-completion", "--show-completion")
"""What is about the process in which it runs, or goes on for long."""
BY_A_SIGNAL = 256
"""What is added to the number of a signal that ended the command, to be told from an exit code."""


def hand_over(arguments: Sequence[str]) -> int | None:
    """The exit code of the command, run by the kept process; None where it has to be run here."""
    if sys.platform == "win32" or not os.path.isdir(place.folder()) or os.environ.get(OFF) == "0":
        return None
    if any(argument.partition("=")[0] in OWN for argument in arguments):
        return None
    if None in (sys.stdin, sys.stdout, sys.stderr):  # what is closed cannot be handed over
        return None
    try:
        here = os.open(".", os.O_RDONLY)
    except OSError:
        return None
    request = {"arguments": list(arguments), "path": sys.path, "environment": dict(os.environ)}
    connection = ask(place.address(), request, (0, 1, 2, here))
    os.close(here)
    return None if connection is None else _wait(connection)


def ask(address: str, request: dict[str, Any], streams: Sequence[int] = ()) -> socket.socket | None:
    """A connection to a kept process that is ready to do what is asked; None where there is none."""
    if not place.is_private(os.path.dirname(address)) or not os.path.exists(address):
        return None
    import json
    import socket

    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    try:
        connection.connect(address)
        if not is_own(connection):
            raise OSError
        text = json.dumps(request).encode()
        socket.send_fds(connection, [len(text).to_bytes(STATUS_BYTES, "big")], list(streams))
        connection.sendall(text)
        if connection.recv(1) != READY:
            raise OSError
        connection.sendall(GO)
    except OSError:
        connection.close()
        return None
    connection.settimeout(None)
    return connection


def is_own(connection: socket.socket) -> bool:
    """Whether a process of the same user is at the other end, where the system tells: nobody else enters the folder."""
    import socket
    import struct

    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    layout = struct.Struct("3i")
    _, user, _ = layout.unpack(connection.getsockopt(socket.SOL_SOCKET, option, layout.size))
    return bool(user == os.geteuid())


def _wait(connection: socket.socket) -> int:
    """The exit code that comes at the end; a signal that ended the command ends this process too."""
    handed_on = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP")]

    def hand_on(number: int, _: object) -> None:
        connection.send(bytes([number]))

    def stop(number: int, _: object) -> None:
        connection.send(bytes([signal.SIGSTOP]))
        os.kill(os.getpid(), signal.SIGSTOP)
        connection.send(bytes([signal.SIGCONT]))

    for number in handed_on:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, hand_on)
    signal.signal(signal.SIGTSTP, stop)
    status = b""
    while len(status) < STATUS_BYTES:
        if not (more := connection.recv(STATUS_BYTES - len(status))):
            print("gradcheck: the process that gradcheck warm keeps has ended: run the command again", file=sys.stderr)
            return 3
        status += more
    code = int.from_bytes(status, "big")
    if code < BY_A_SIGNAL:
        return code
    with suppress(OSError):  # some cannot be handled at all
        signal.signal(code - BY_A_SIGNAL, signal.SIG_DFL)
    os.kill(os.getpid(), code - BY_A_SIGNAL)
    return 128 + code - BY_A_SIGNAL
