"""Loading what a check needs, fast, for what the command line does once.

Most of a short run is spent importing torch and SymPy. Two things shorten it, and neither changes what is computed: the
libraries of torch load in a thread of their own while Python imports SymPy, and the garbage collector rests, since what
imports make stays. Who imports gradcheck as a library keeps all of that in their own hands.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from gradcheck_cli.runtime.collector import resting_collector

seconds = 0.0
"""What `load` took."""


def load(*, symbolic: bool) -> None:
    """Import what a check needs. symbolic: with SymPy, which closed forms and proofs need."""
    global seconds
    if "torch" in sys.modules:
        return
    started = time.perf_counter()
    with resting_collector():
        # First what loads extension modules: the dynamic loader has one lock, and would make them wait for torch's.
        import cmath  # noqa: F401
        import ctypes  # noqa: F401

        import gradcheck_cli.certified.ball

        with torch_libraries_loading():
            if symbolic:
                import gradcheck_cli.symbolic.closed_form
            import gradcheck_cli.certified.widened.rows
            import gradcheck_cli.claims.judge
        import gradcheck_cli.checking.checker  # noqa: F401

        gc.freeze()  # hundreds of thousands of objects that stay: the collector need never look at them
    seconds = time.perf_counter() - started


@contextmanager
def torch_libraries_loading() -> Iterator[None]:
    """The shared libraries of torch load in a thread while the block runs; `import torch` then finds them loaded.

    Loading them takes 0.2 s of relocations and of constructors in C++, in which the interpreter has no part. Where they
    cannot be loaded so, nothing is lost: `import torch` does it, or says why not.
    """
    thread = threading.Thread(target=_open, args=[_torch_libraries()], name="torch-libraries")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _torch_libraries() -> Sequence[tuple[Path, int]]:
    """(library, how to open it), in torch's own order. There is no Python in them, unlike in libtorch_python."""
    try:
        spec = find_spec("torch")
    except (ImportError, OSError, ValueError):
        return []
    if spec is None or spec.origin is None or sys.platform == "win32":
        return []
    folder, suffix = Path(spec.origin).parent / "lib", ".dylib" if sys.platform == "darwin" else ".so"
    if (folder / f"libtorch_cuda{suffix}").exists():  # torch seeks the libraries of CUDA in an order of its own
        return []
    return [
        (folder / f"libtorch_global_deps{suffix}", os.RTLD_NOW | os.RTLD_GLOBAL),
        (folder / f"libtorch{suffix}", os.RTLD_NOW),
    ]


def _open(libraries: Sequence[tuple[Path, int]]) -> None:
    import ctypes

    dlopen = ctypes.CDLL(None).dlopen  # as a foreign function, for ctypes.CDLL(name) would keep the interpreter waiting
    dlopen.argtypes, dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    for library, how in libraries:
        if not dlopen(os.fsencode(library), how):
            return
