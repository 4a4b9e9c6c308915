"""Imported first by the server that worker processes fork from: it, and they, leave the terminal to this process.

In a session of their own they do not get the terminal's signals, and can be ended all at once.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGHUP])
with suppress(OSError):
    os.setsid()
