"""What a prefix means: torch.exp, F.relu, np.arctan2, math.log, sp.Abs, jax.nn.silu ...

A prefix selects that library's meaning of a name. Where it is the meaning of a row of our table, the name is read;
where it differs, the error says what to write instead. Constants (math.pi) are read as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language.signatures import find, hint
from gradcheck_cli.language.syntax import CONSTANTS, LOGICAL


class Library(NamedTuple):
    """names: its name -> ours (a function, alias, special form or constant); differs: its name -> what to write."""

    names: Mapping[str, str]
    differs: Mapping[str, str]


def meaning(prefix: str, name: str) -> str:
    """Our name for `prefix.name`. ExpressionError (without a place) where there is none, or its meaning differs."""
    typed, library = f"{prefix}.{name}", LIBRARIES[prefix]
    if name in library.names:
        return library.names[name]
    if name in library.differs:
        raise ExpressionError(f"{typed}: {library.differs[name]}")
    if library in OF_TORCH and (elsewhere := _elsewhere_in_torch(name)):
        raise ExpressionError(f"There is no {typed}{elsewhere}")
    if ours := _elsewhere(name):
        raise ExpressionError(f"{typed} is not known to gradcheck: without the prefix, write {ours}.")
    advice = hint(name, library.names, f"{prefix}.") or " See `gradcheck functions`."
    raise ExpressionError(f"{typed} is not known to gradcheck.{advice}")


def longest_prefix(path: tuple[str, ...]) -> str:
    """The longest known prefix that a dotted name starts with; "" for none."""
    candidates = (".".join(path[:length]) for length in range(len(path) - 1, 0, -1))
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
    ours = next((library.names[name] for library in LIBRARIES.values() if name in library.names), name)
    row = find(ours)
    return row.usage() if row else ours if ours in CONSTANTS else ""


def _same(*names: str, **renamed: str) -> dict[str, str]:
    return {name: name for text in names for name in sorted(_words(text))} | renamed


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _orders(zero: str, one: str) -> str:
    return f"torch has orders 0 and 1 only: write {zero}(x) or {one}(x)."


def _degree_last(name: str) -> str:
    return f"torch has the degree last: write {name}(x, n)."


def _torch_names(below: str) -> dict[str, str]:
    """The functions of the table that are in torch.<below>, as torch spells them there."""
    names = {}
    for row in FUNCTIONS.values():
        if row.internal or row.composed:
            continue
        for dotted in (row.torch if isinstance(row.torch, str) else row.name, *row.aliases):
            parent, _, name = dotted.rpartition(".")
            # A row such as div_floor stands for torch's div with fixed arguments: it does not own that name.
            if parent == below and (name not in FUNCTIONS or name == row.name):
                names[name] = row.name
    return names


_CONDITIONS = {
    **LOGICAL,
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "not_equal": "!=",
}
_SHARED = "exp expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh floor ceil trunc pi e"  # NumPy, math
_REAL_ROOT = "it is the real cube root, also of a negative number: write sign(x)*abs(x)**(1/3)."
_GAMMA = "it has values at negative x, torch has no gamma: write gamma(x), which is exp(lgamma(x)), for x > 0."
_NOT_FINITE = "it is not a finite number."
_NUMBER = "write the number itself."

TORCH = Library(
    {
        **_torch_names(""),
        **_CONDITIONS,
        **{row.name: row.symbol for row in op.COMPARISONS},
        "where": "where",
        "pi": "pi",
        "e": "e",
    },
    {
        "nn": "modules are not read: write a function, such as torch.nn.functional.relu(x).",
        "tensor": _NUMBER,
        **dict.fromkeys(("inf", "nan"), _NOT_FINITE),
    },
)
FUNCTIONAL = Library(_torch_names("nn.functional"), {})
_SPECIAL = Library(_torch_names("special"), {})
OF_TORCH = (TORCH, FUNCTIONAL, _SPECIAL)
_MODULES = Library({}, {"ReLU": "modules are not read: write relu(x).", "functional": "name a function in it."})

_NUMPY = Library(
    _same(
        _SHARED,
        """
        exp2 square reciprocal positive negative abs absolute fabs sign asin acos atan atan2 asinh acosh atanh arcsin
        arccos arctan arctan2 arcsinh arccosh arctanh hypot logaddexp logaddexp2 pow power float_power maximum minimum
        fmax fmin clip fix round mod remainder fmod floor_divide heaviside copysign deg2rad rad2deg degrees radians sinc
        add subtract multiply divide true_divide ldexp nan_to_num i0 where
        """,
        rint="round",
        around="round",
    )
    | _CONDITIONS
    | {"equal": "=="},
    {
        "cbrt": _REAL_ROOT,
        "max": "it reduces an array: write maximum(x, y).",
        "min": "it reduces an array: write minimum(x, y).",
        "piecewise": "write where(condition, a, b).",
        **dict.fromkeys(("array", "float64", "float32"), _NUMBER),
        **dict.fromkeys(("inf", "nan"), _NOT_FINITE),
    },
)
_MATH = Library(
    _same(
        _SHARED,
        """
        tau exp2 asin acos atan atan2 asinh acosh atanh hypot pow fabs fmod copysign erf erfc lgamma degrees radians
        ldexp
        """,
    ),
    {
        "cbrt": _REAL_ROOT,
        "gamma": _GAMMA,
        "remainder": "it takes the nearest multiple, as IEEE 754 does: write x - y*round(x/y).",
        "factorial": "it takes integers only: write gamma(x + 1).",
        **dict.fromkeys(("inf", "nan"), _NOT_FINITE),
    },
)
_SYMPY = Library(
    _same(
        """
        exp log ln sqrt cbrt Abs sign sin cos tan sec csc cot asin acos atan acot asec acsc atan2 sinh cosh tanh sech
        csch coth asinh acosh atanh acoth asech acsch Max Min floor ceiling Mod Pow erf erfc erfinv digamma polygamma
        zeta Piecewise Heaviside pi
        """,
        E="e",
        airyai="airy_ai",
    ),
    {
        "sinc": "it is sin(x)/x, torch's sinc(x) is sin(pi*x)/(pi*x): write sinc(x/pi).",
        "frac": "it is x - floor(x), torch's frac(x) is x - trunc(x): write x - floor(x).",
        "gamma": _GAMMA,
        "loggamma": "it is not real at negative x: write lgamma(x), the log of abs(gamma(x)).",
        "factorial": "write gamma(x + 1).",
        "root": "write x**(1/n).",
        "real_root": "write sign(x)*abs(x)**(1/n).",
        "Rational": "write p/q.",
        "lowergamma": "it is not regularised: write igamma(a, x)*gamma(a).",
        "uppergamma": "it is not regularised: write igammac(a, x)*gamma(a).",
        "besselj": _orders("bessel_j0", "bessel_j1"),
        "bessely": _orders("bessel_y0", "bessel_y1"),
        "besseli": _orders("i0", "i1"),
        "besselk": _orders("modified_bessel_k0", "modified_bessel_k1"),
        "chebyshevt": _degree_last("chebyshev_polynomial_t"),
        "chebyshevu": _degree_last("chebyshev_polynomial_u"),
        "legendre": _degree_last("legendre_polynomial_p"),
        "hermite": _degree_last("hermite_polynomial_h"),
        "laguerre": _degree_last("laguerre_polynomial_l"),
        **dict.fromkeys(("Integer", "Float"), _NUMBER),
        **dict.fromkeys(("oo", "nan", "zoo"), _NOT_FINITE),
    },
)
_SCIPY = Library(
    _same(
        """
        expit logit erf erfc erfcx erfinv gammaln psi digamma polygamma ndtr ndtri log_ndtr i0 i0e i1 i1e entr xlogy
        xlog1py zeta exp2 expm1 log1p sinc gammainc gammaincc round
        """,
        log_expit="logsigmoid",
        multigammaln="mvlgamma",
        j0="bessel_j0",
        j1="bessel_j1",
        y0="bessel_y0",
        y1="bessel_y1",
        k0="modified_bessel_k0",
        k1="modified_bessel_k1",
        k0e="scaled_modified_bessel_k0",
        k1e="scaled_modified_bessel_k1",
    ),
    {
        "cbrt": _REAL_ROOT,
        "gamma": _GAMMA,
        "loggamma": "it is nan at negative x: write lgamma(x), the log of abs(gamma(x)).",
        "factorial": "write gamma(x + 1).",
    },
)
_JAX_NN = Library(
    _same(
        "relu relu6 sigmoid silu swish leaky_relu elu celu selu mish tanh",
        soft_sign="softsign",
        log_sigmoid="logsigmoid",
        hard_sigmoid="hardsigmoid",
        hard_swish="hardswish",
        hard_silu="hardswish",
        hard_tanh="hardtanh",
    ),
    {
        "softplus": "it has no threshold, torch's has one at 20: write logaddexp(x, 0).",
        "gelu": "it takes the tanh form unless told otherwise: write gelu(x, approximate='tanh') or gelu(x).",
    },
)

LIBRARIES: dict[str, Library] = {
    "torch": TORCH,
    "torch.special": _SPECIAL,
    "special": _SPECIAL,
    "torch.nn": _MODULES,
    "nn": _MODULES,
    "torch.nn.functional": FUNCTIONAL,
    "nn.functional": FUNCTIONAL,
    "F": FUNCTIONAL,
    "np": _NUMPY,
    "numpy": _NUMPY,
    "jnp": _NUMPY,
    "jax.numpy": _NUMPY,
    "math": _MATH,
    "sp": _SYMPY,
    "sympy": _SYMPY,
    "scipy.special": _SCIPY,
    "jax.scipy.special": _SCIPY,
    "jax.nn": _JAX_NN,
}
COMMON = "torch., F., np., jnp., math., sp., scipy.special. or jax.nn."
UNREAD = _words("tf tensorflow keras cmath mpmath Math cupy mx")  # never taken for a variable whose method is called
ROOTS = UNREAD | frozenset(prefix.partition(".")[0] for prefix in LIBRARIES)
