"""What workers are given to do: they import it by name."""

import os
import signal
import time


def double(number: int) -> int:
    """A task: some numbers end the worker, take all memory, or fail."""
    match number:
        case 1:
            os.kill(os.getpid(), signal.SIGKILL)
        case 2:
            return len(bytearray(8 * 1024**3))
        case 3:
            os._exit(5)
        case 4:
            time.sleep(60)
        case 5:
            raise ValueError("no")
    return 2 * number
