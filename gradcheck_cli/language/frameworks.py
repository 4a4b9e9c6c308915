"""What JAX, TensorFlow, Keras, MLX, PyTensor and CasADi call what we have: their names, and what they mean by them."""

from __future__ import annotations

from gradcheck_cli.expression import operators as op
from gradcheck_cli.language.libraries import (
    CONDITIONS,
    CUTS,
    GAMMA,
    NOT_FINITE,
    NUMPY,
    REAL_ROOT,
    SCIPY,
    Formula,
    Library,
    Meaning,
    formulas,
    same,
)

_COMPARED: dict[str, Meaning] = {row.name: row.symbol for row in op.COMPARISONS}
_SOFTPLUS = "softplus(x) = logaddexp(x, 0)"  # without torch's threshold
_SQUAREPLUS = "squareplus(x, b=4) = (x + sqrt(x**2 + b))/2"


def _gelu(default: str) -> dict[str, Meaning]:
    """gelu with a flag for its tanh form, which is one or the other by default."""
    options = {"approximate": {"True": "gelu_tanh", "False": "gelu"}}
    return {"gelu": Formula("gelu", "x", f"{default}(x)", options)}


_HARD = {
    "hard_sigmoid": "hardsigmoid",
    "hard_swish": "hardswish",
    "hard_silu": "hardswish",
    "hard_tanh": "hardtanh",
    "soft_sign": "softsign",
}

JAX_NN = Library(
    same("relu relu6 sigmoid silu swish leaky_relu elu celu selu mish tanh", log_sigmoid="logsigmoid", **_HARD)
    | _gelu("gelu_tanh")
    | formulas(f"""
        {_SOFTPLUS}
        {_SQUAREPLUS}
        log1mexp(x) = log1mexp(-x)
        identity(x) = x
        """),
    {},
)
LAX = Library(
    same(
        """
        abs add sub mul div neg exp exp2 expm1 log log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh
        atanh logistic sqrt rsqrt pow max min erf erfc lgamma digamma polygamma sign floor ceil square reciprocal igamma
        igammac zeta
        """,
        erf_inv="erfinv",
        rem="fmod",
        bessel_i0e="i0e",
        bessel_i1e="i1e",
        select="where",
    )
    | _COMPARED
    | formulas(f"""
        {REAL_ROOT}
        integer_pow(x, y) = x**y
        clamp(min, x, max) = clamp(x, min, max)
        """),
    {"round": "it takes halves away from zero: write round(x), which takes them to even.", "stop_gradient": CUTS},
)
_KERAS_FUNCTIONS = formulas(f"""
    {_SOFTPLUS}
    {_SQUAREPLUS}
    leaky_relu(x, negative_slope=0.2) = leaky_relu(x, negative_slope)
    soft_shrink(x, threshold=0.5) = softshrink(x, threshold)
    hard_shrink(x, threshold=0.5) = hardshrink(x, threshold)
    linear(x) = x
    """)
KERAS = Library(
    same(
        "relu relu6 sigmoid tanh elu celu selu silu swish mish softsign threshold",
        exponential="exp",
        log_sigmoid="logsigmoid",
        tanh_shrink="tanhshrink",
        **_HARD,
    )
    | _gelu("gelu")
    | _KERAS_FUNCTIONS,
    {"hard_sigmoid": "Keras 2 and 3 differ: write hardsigmoid(x), or clamp(0.2*x + 0.5, 0, 1) as in Keras 2."},
)
_TENSORFLOW = {
    **same(
        """
        exp expm1 log log1p sqrt rsqrt square pow abs sign floor ceil round sin cos tan asin acos atan atan2 sinh cosh
        tanh asinh acosh atanh sigmoid maximum minimum add subtract multiply divide erf erfc erfinv lgamma digamma
        polygamma zeta igamma igammac xlogy xlog1py ndtri reciprocal negative logical_and logical_or logical_not
        zeros_like ones_like where
        """,
        equal="==",
        log_sigmoid="logsigmoid",
        softsign="softsign",
        floormod="remainder",
        mod="remainder",
        truncatemod="fmod",
        bessel_i0="i0",
        bessel_i1="i1",
        bessel_i0e="i0e",
        bessel_i1e="i1e",
    ),
    **CONDITIONS,
    **dict.fromkeys(("constant", "convert_to_tensor", "Variable"), "tensor"),
    "cast": "number",
    **formulas(f"""
        {_SOFTPLUS}
        squared_difference(x, y) = (x - y)**2
        clip_by_value(t, clip_value_min, clip_value_max) = clamp(t, clip_value_min, clip_value_max)
        """),
}
TENSORFLOW = Library(_TENSORFLOW, {"stop_gradient": CUTS, "identity": "leave it out.", **NOT_FINITE})
TENSORFLOW_NN = Library(
    same("relu relu6 sigmoid tanh elu selu silu softsign")
    | _gelu("gelu")
    | formulas(f"""
        {_SOFTPLUS}
        leaky_relu(features, alpha=0.2) = leaky_relu(features, alpha)
        swish(x, beta=1) = x*sigmoid(beta*x)
        sigmoid_cross_entropy_with_logits(labels, logits) = binary_cross_entropy_with_logits(logits, labels)
        log_poisson_loss(targets, log_input) = poisson_nll_loss(log_input, targets)
        """),
    {},
)
KERAS_OPS = Library({**NUMPY.names, **KERAS.names, "rsqrt": "rsqrt", "erf": "erf", "erfinv": "erfinv"}, NUMPY.differs)
MLX = Library(
    {**NUMPY.names, **same("sigmoid rsqrt erf erfinv"), "negative": "neg"},
    {**NUMPY.differs, "stop_gradient": CUTS},
)
MXNET = Library({**NUMPY.names, **same("relu sigmoid softsign erf erfinv rsqrt gammaln digamma")}, NUMPY.differs)
PYTENSOR = Library(
    {
        **NUMPY.names,
        **same(
            """
            sigmoid expit erf erfc erfcx erfinv gammaln psi polygamma log1mexp log1pexp neg sub mul pow logit logaddexp
            """,
            sqr="square",
            tri_gamma="trigamma",
            invlogit="sigmoid",
            switch="where",
            neq="!=",
            and_="and",
            or_="or",
            invert="not",
            sgn="sign",
        ),
        **_COMPARED,
        **formulas(_SOFTPLUS),
    },
    {**NUMPY.differs, "gamma": GAMMA},
)
CASADI = Library(
    same(
        """
        exp expm1 log log10 log1p sqrt sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh fabs floor ceil
        sign fmod fmin fmax erf erfinv copysign hypot power pi
        """,
        sq="square",
        if_else="where",
        logic_and="and",
        logic_or="or",
        logic_not="not",
        lt="<",
        le="<=",
        gt=">",
        ge=">=",
        eq="==",
        ne="!=",
    ),
    NOT_FINITE,
)
JAX_SCIPY = Library(SCIPY.names, SCIPY.differs)
