"""Where the process that `gradcheck warm` keeps is found: a socket in a folder that only the user can enter.

Its name is made of all that a process inherits or is started with, so that a process that would not be the same as this
one is not found. All of this must cost nothing where no such process is kept.
"""

from __future__ import annotations

import os
import stat
import sys

NAME = "gradcheck"
OF_THE_TERMINAL = (
    r"_|SHLVL|PWD|OLDPWD|COLUMNS|LINES|TERM(INAL)?(_.*)?|COLORTERM|NO_COLOR|FORCE_COLOR|WINDOWID|DISPLAY|STY|LC_TERMINAL.*"
    r"|PS[0-9]|PROMPT.*|HIST.*|LS_COLORS|EDITOR|PAGER|PATH|VIRTUAL_ENV.*|_?(PYENV|DIRENV)_.*"
    r"|(TMUX|VTE|KONSOLE|ITERM|KITTY|WEZTERM|ALACRITTY|GNOME_TERMINAL|WT|SSH|VSCODE|ZELLIJ)(_.*)?"
)
"""Variables in which terminals differ, and by which nothing is loaded. The kept process takes them over; all others
have to be the same."""


def folder() -> str:
    """The folder of the sockets, which need not be there."""
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(own) and is_private(own):
        return os.path.join(own, NAME)
    return os.path.join(os.environ.get("TMPDIR") or "/tmp", f"{NAME}-{os.getuid()}")


def is_private(path: str) -> bool:
    """Whether it is a folder, no link to one, which belongs to this user, and which nobody else can enter."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def address() -> str:
    """The socket of the process that could run the command of this one."""
    import hashlib

    return os.path.join(
        folder(), hashlib.sha256(repr(_inherited()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    )


def _inherited() -> list[object]:
    import re
    import resource

    umask = os.umask(0o077)
    os.umask(umask)
    limits = [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")]
    environment = sorted(item for item in os.environ.items() if re.fullmatch(OF_THE_TERMINAL, item[0]) is None)
    return [
        sys.executable, sys.prefix, sys.version, sys.flags, sys.warnoptions, sys._xoptions, __file__, environment,
        os.getuid(), os.geteuid(), os.getgid(), os.getegid(), sorted(os.getgroups()), umask, limits, os.nice(0),
        sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
    ]  # fmt: skip
