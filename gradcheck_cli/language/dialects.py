"""What a prefix means: torch.exp, F.relu, np.arctan2, math.log, sp.Abs, jax.nn.silu, tf.math.sin ...

A prefix selects that library's meaning of a name. Where it is the meaning of a row of our table, or of a formula of
such, the name is read so; where it differs, the error says what to write instead. Constants (math.pi) are read as well.
"""

from __future__ import annotations

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language import frameworks, libraries
from gradcheck_cli.language.libraries import OF_TORCH, Library, words
from gradcheck_cli.language.modules import MODULES, REFUSED
from gradcheck_cli.language.signatures import find, hint
from gradcheck_cli.language.syntax import CONSTANTS


def meaning(prefix: str, name: str) -> str | Function:
    """Our name for `prefix.name`, or the row whose definition it stands for. ExpressionError (without a place) where
    there is none, or its meaning differs."""
    typed, library = f"{prefix}.{name}", LIBRARIES[prefix]
    if name in library.differs:
        raise ExpressionError(f"{typed}: {library.differs[name]}")
    if name in library.names:
        found = library.names[name]
        return found if isinstance(found, str) else found.row()
    if library in OF_TORCH and (elsewhere := _elsewhere_in_torch(name)):
        raise ExpressionError(f"There is no {typed}{elsewhere}")
    if ours := _elsewhere(name):
        raise ExpressionError(f"{typed} is not known to gradcheck: without the prefix, write {ours}.")
    advice = hint(name, library.names, f"{prefix}.") or " See `gradcheck functions`."
    raise ExpressionError(f"{typed} is not known to gradcheck.{advice}")


def longest_prefix(path: tuple[str, ...]) -> str:
    """The longest known prefix that a dotted name starts with; "" for none."""
    longest = min(len(path) - 1, LONGEST_PREFIX)
    candidates = (".".join(path[:length]) for length in range(longest, 0, -1))
    return next((candidate for candidate in candidates if candidate in LIBRARIES), "")


def _elsewhere_in_torch(name: str) -> str:
    row = find(name)
    if row is None:
        return ""
    if row.composed:
        return f", nor any other in torch: write {row.name}, which gradcheck composes ({row.definition})."
    place = row.torch if isinstance(row.torch, str) else row.name
    return f": in torch it is torch.{place}. Without a prefix, {row.name} will do."


def _elsewhere(name: str) -> str:
    """What to write for a name that we or another library have; "" for none."""
    theirs = (library.names.get(name) for library in LIBRARIES.values())
    ours = next((one for one in theirs if isinstance(one, str)), name)
    row = find(ours)
    return row.usage() if row else ours if ours in CONSTANTS else ""


def is_formula(row: Function) -> bool:
    """Whether a row only says what a name of another library stands for."""
    return row.definition is not None and FUNCTIONS.get(row.name) is not row


_MODULES = Library(dict.fromkeys(MODULES, "module"), {"functional": "name a function in it.", **REFUSED})

LIBRARIES: dict[str, Library] = {
    "torch": libraries.TORCH,
    **dict.fromkeys(("torch.special", "special"), libraries.SPECIAL),
    **dict.fromkeys(("torch.nn", "nn"), _MODULES),
    **dict.fromkeys(("torch.nn.functional", "nn.functional", "F"), libraries.FUNCTIONAL),
    **dict.fromkeys(("np", "numpy", "jnp", "jax.numpy", "cp", "cupy", "anp"), libraries.NUMPY),
    "math": libraries.MATH,
    "Math": libraries.JAVASCRIPT,
    **dict.fromkeys(("sp", "sympy"), libraries.SYMPY),
    "scipy.special": libraries.SCIPY,
    **dict.fromkeys(("jax.scipy.special", "jsp.special", "jsp"), frameworks.JAX_SCIPY),
    "jax.nn": frameworks.JAX_NN,
    **dict.fromkeys(("jax.lax", "lax"), frameworks.LAX),
    **dict.fromkeys(("tf", "tensorflow", "tf.math", "tf.math.special"), frameworks.TENSORFLOW),
    "tf.nn": frameworks.TENSORFLOW_NN,
    **dict.fromkeys(("keras.activations", "tf.keras.activations"), frameworks.KERAS),
    "keras.ops": frameworks.KERAS_OPS,
    "mx": frameworks.MLX,
    **dict.fromkeys(("mx.nd", "mx.np", "mx.npx"), frameworks.MXNET),
    **dict.fromkeys(("pt", "pytensor.tensor", "pm.math"), frameworks.PYTENSOR),
    **dict.fromkeys(("cas", "ca", "casadi"), frameworks.CASADI),
}
LONGEST_PREFIX = max(prefix.count(".") + 1 for prefix in LIBRARIES)
COMMON = "torch., F., np., jnp., math., sp., scipy.special. or jax.nn."
UNREAD = words("cmath mpmath")  # never taken for a variable whose method is called
ROOTS = UNREAD | frozenset(prefix.partition(".")[0] for prefix in LIBRARIES)
