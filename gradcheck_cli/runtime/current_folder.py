"""The folder that one happens to be in is data, not code: no process of the command line imports from it.

Python puts it first on its path for `-m` and `-c`, and for an empty entry of PYTHONPATH; whatever is named like a
module, `pickle.py` say, would be executed. This comes before all else, so it imports what Python itself has loaded.
"""

import os
import sys


def leave_out_the_current_folder() -> None:
    """Takes it from the path of this process and of all that it starts.

    Absolute entries of PYTHONPATH stay, be it the current folder or not. The folder of this package stays too, at the
    end, so that a checkout that is not installed can be run.
    """
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]
    if not sys.flags.ignore_environment:
        _keep_absolute_entries()
        os.environ["PYTHONSAFEPATH"] = "1"
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if (own := os.path.dirname(package)) not in sys.path:
        sys.path.append(own)


def _keep_absolute_entries() -> None:
    """Of PYTHONPATH, here and for all that this process starts."""
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    absolute = [entry for entry in entries if os.path.isabs(entry)]
    if absolute == entries or entries == [""]:
        return
    kept = {os.path.abspath(entry) for entry in absolute}
    relative = {os.path.abspath(entry) for entry in entries} - kept
    sys.path[:] = [entry for entry in sys.path if entry not in relative]
    os.environ["PYTHONPATH"] = os.pathsep.join(absolute)
