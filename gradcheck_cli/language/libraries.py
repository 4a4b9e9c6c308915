"""What torch, NumPy, math, SymPy and SciPy call what we have: their names, and what they mean by them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language.syntax import LOGICAL, RELATIONS


class Formula(NamedTuple):
    """What a name stands for where no function of ours is the same. signature, options: as in a row of the table."""

    name: str
    signature: str
    definition: str
    options: Mapping[str, Mapping[str, str]] = MappingProxyType({})

    def row(self) -> Function:
        """As a row, of no table: with it the arguments are fitted."""
        return Function(
            self.name,
            self.signature,
            doc=self.definition,
            torch=None,
            definition=self.definition,
            options=self.options,
        )


Meaning = str | Formula
"""Our name for a function, alias, special form or constant; or a formula."""


class Library(NamedTuple):
    """names: what each of its names is; differs: its name -> what to write."""

    names: Mapping[str, Meaning]
    differs: Mapping[str, str]


def same(*names: str, **renamed: str) -> dict[str, Meaning]:
    return {**{name: name for text in names for name in sorted(words(text))}, **renamed}


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def formulas(text: str) -> dict[str, Meaning]:
    """Functions that are read as a formula, one a line: `name(signature) = formula`."""
    found = map(_formula, filter(None, map(str.strip, text.splitlines())))
    return {one.name: one for one in found}


def _formula(line: str) -> Formula:
    usage, _, definition = line.partition(") = ")
    name, _, signature = usage.partition("(")
    return Formula(name, signature, definition)


def _orders(zero: str, one: str) -> str:
    return f"torch has orders 0 and 1 only: write {zero}(x) or {one}(x)."


def _torch_names(below: str) -> dict[str, Meaning]:
    """The functions of the table that are in torch.<below>, as torch spells them there."""
    names: dict[str, Meaning] = {}
    for row in FUNCTIONS.values():
        if row.internal or row.composed:
            continue
        for dotted in (row.torch if isinstance(row.torch, str) else row.name, *row.aliases):
            parent, _, name = dotted.rpartition(".")
            # A row such as div_floor stands for torch's div with fixed arguments: it does not own that name.
            if parent == below and (name not in FUNCTIONS or name == row.name):
                names[name] = row.name
    return names


CONDITIONS: dict[str, Meaning] = {
    **LOGICAL,
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "not_equal": "!=",
}
SHARED = "exp expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh floor ceil trunc pi e"  # NumPy, math
GAMMA = "it has values at negative x, torch has no gamma: write gamma(x), which is exp(lgamma(x)), for x > 0."
NOT_FINITE = dict.fromkeys(("inf", "nan"), "it is not a finite number.")
REAL_ROOT = "cbrt(x) = sign(x)*abs(x)**(1/3)"
CUTS = "it takes x out of the graph, and its gradient is then 0: leave it out."

TORCH = Library(
    {
        **_torch_names(""),
        **CONDITIONS,
        **{row.name: row.symbol for row in op.COMPARISONS},
        **dict.fromkeys(("tensor", "as_tensor", "asarray", "scalar_tensor"), "tensor"),
        "where": "where",
        "pi": "pi",
        "e": "e",
    },
    {"nn": "name a function or a module in it, such as torch.nn.functional.relu(x).", "detach": CUTS, **NOT_FINITE},
)
FUNCTIONAL = Library(_torch_names("nn.functional"), {})
SPECIAL = Library(_torch_names("special"), {})
OF_TORCH = (TORCH, FUNCTIONAL, SPECIAL)

NUMPY = Library(
    same(
        SHARED,
        """
        exp2 square reciprocal positive negative abs absolute fabs sign asin acos atan atan2 asinh acosh atanh arcsin
        arccos arctan arctan2 arcsinh arccosh arctanh hypot logaddexp logaddexp2 pow power float_power maximum minimum
        fmax fmin clip fix round mod remainder fmod floor_divide heaviside copysign deg2rad rad2deg degrees radians sinc
        add subtract multiply divide true_divide ldexp nan_to_num i0 where zeros_like ones_like full_like
        """,
        rint="round",
        around="round",
        equal="==",
    )
    | CONDITIONS
    | dict.fromkeys(("array", "asarray", "float64", "float32", "float16"), "number")
    | formulas(REAL_ROOT),
    {
        "max": "it reduces an array: write maximum(x, y).",
        "min": "it reduces an array: write minimum(x, y).",
        "piecewise": "write where(condition, a, b).",
        "select": "write where(condition, a, b).",
        **NOT_FINITE,
    },
)
MATH = Library(
    same(
        SHARED,
        """
        tau exp2 asin acos atan atan2 asinh acosh atanh hypot pow fabs fmod copysign erf erfc lgamma degrees radians
        ldexp fma
        """,
    )
    | formulas(f"""
        {REAL_ROOT}
        remainder(x, y) = x - y*round(x/y)
        """),
    {"gamma": GAMMA, "factorial": "it takes integers only: write gamma(x + 1).", **NOT_FINITE},
)
JAVASCRIPT = Library(
    same(
        """
        exp expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh floor ceil trunc asin acos atan atan2 asinh acosh
        atanh hypot pow abs sign max min
        """,
        PI="pi",
        E="e",
    )
    | formulas(REAL_ROOT),
    {"round": "it takes halves up: write floor(x + 0.5)."},
)
SYMPY = Library(
    same(
        """
        exp log ln sqrt cbrt Abs sign sin cos tan sec csc cot asin acos atan acot asec acsc atan2 sinh cosh tanh sech
        csch coth asinh acosh atanh acoth asech acsch Max Min floor ceiling Mod Pow erf erfc erfinv digamma trigamma
        polygamma harmonic beta zeta Piecewise Heaviside pi
        """,
        E="e",
        airyai="airy_ai",
        ITE="where",
    )
    | RELATIONS
    | dict.fromkeys(("Integer", "Float", "S", "sympify", "Number"), "number")
    | formulas("""
        sinc(x) = sinc(x/pi)
        frac(x) = x - floor(x)
        root(x, n) = x**(1/n)
        real_root(x, n) = sign(x)*abs(x)**(1/n)
        Rational(p, q=1) = p/q
        lowergamma(a, x) = igamma(a, x)*gamma(a)
        uppergamma(a, x) = igammac(a, x)*gamma(a)
        chebyshevt(n:integer, x) = chebyshev_polynomial_t(x, n)
        chebyshevu(n:integer, x) = chebyshev_polynomial_u(x, n)
        legendre(n:integer, x) = legendre_polynomial_p(x, n)
        hermite(n:integer, x) = hermite_polynomial_h(x, n)
        laguerre(n:integer, x) = laguerre_polynomial_l(x, n)
        """),
    {
        "gamma": GAMMA,
        "loggamma": "it is not real at negative x: write lgamma(x), the log of abs(gamma(x)).",
        "factorial": "write gamma(x + 1).",
        **dict.fromkeys(("diff", "Derivative"), "gradcheck differentiates by itself: give the function alone."),
        "besselj": _orders("bessel_j0", "bessel_j1"),
        "bessely": _orders("bessel_y0", "bessel_y1"),
        "besseli": _orders("i0", "i1"),
        "besselk": _orders("modified_bessel_k0", "modified_bessel_k1"),
        **dict.fromkeys(("oo", "nan", "zoo"), "it is not a finite number."),
    },
)
SCIPY = Library(
    same(
        """
        expit logit erf erfc erfcx erfinv gammaln psi digamma polygamma ndtr ndtri log_ndtr i0 i0e i1 i1e entr xlogy
        xlog1py zeta exp2 expm1 log1p sinc gammainc gammaincc round beta betaln
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
    )
    | formulas(f"""
        {REAL_ROOT}
        exp10(x) = 10**x
        rel_entr(x, y) = xlogy(x, x/y)
        kl_div(x, y) = xlogy(x, x/y) - x + y
        boxcox(x, lmbda) = (x**lmbda - 1)/lmbda
        huber(delta, r) = where(abs(r) <= delta, r**2/2, delta*(abs(r) - delta/2))
        pseudo_huber(delta, r) = delta**2*(sqrt(1 + (r/delta)**2) - 1)
        """),
    {
        "gamma": GAMMA,
        "loggamma": "it is nan at negative x: write lgamma(x), the log of abs(gamma(x)).",
        "factorial": "write gamma(x + 1).",
        "jv": _orders("bessel_j0", "bessel_j1"),
        "yv": _orders("bessel_y0", "bessel_y1"),
        "iv": _orders("i0", "i1"),
        "kv": _orders("modified_bessel_k0", "modified_bessel_k1"),
    },
)
# The keyword `weight` of losses, as torch computes it: (with a mean of one, with another reduction or none).
WEIGHTED = {
    name: (_formula(f"{name}({signature}) = {mean}"), _formula(f"{name}({signature}) = {other}"))
    for name, signature, mean, other in (
        ("mse_loss", "x, target, weight", "(x - target)**2*weight/weight", "(x - target)**2*weight"),
        ("l1_loss", "x, target, weight", "abs(x - target)*weight/weight", "abs(x - target)*weight"),
        ("huber_loss", "x, target, weight, delta=1", *["huber_loss(x, target, delta=delta)*weight"] * 2),
    )
}

# What is read without a prefix, and is no function of the table.
PLAIN: dict[str, Meaning] = {
    **LOGICAL,
    **RELATIONS,
    **dict.fromkeys(("if_else", "ifelse", "ITE"), "where"),
    **dict.fromkeys(("float", "int", "Integer", "Float"), "number"),
    **dict.fromkeys(("sigma", "σ"), "sigmoid"),
    "tensor": "tensor",
    **formulas("""
        Rational(p, q=1) = p/q
        squareplus(x, b=4) = (x + sqrt(x**2 + b))/2
        """),
}
