"""What people paste from other libraries, and what it is read as: (text, the same in our own words)."""

from __future__ import annotations

import pytest

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language.parser import parse
from gradcheck_cli.language.printer import to_text
from gradcheck_cli.language.script import read_script

READ = [
    # Modules of torch
    ("nn.GELU()(x)", "gelu(x)"),
    ("nn.GELU(approximate='tanh')(x)", "gelu(x, approximate='tanh')"),
    ("torch.nn.GELU()(2*x)", "gelu(2*x)"),
    ("nn.Softplus(beta=2)(x)", "softplus(x, beta=2)"),
    ("nn.Softplus(2, 10)(x)", "softplus(x, 2, 10)"),
    ("nn.ReLU()(w*x + b)", "relu(w*x + b)"),
    ("nn.ReLU(inplace=False)(x)", "relu(x)"),
    ("nn.ReLU(False)(x)", "relu(x)"),
    ("nn.ReLU6()(x)", "relu6(x)"),
    ("nn.LeakyReLU(0.2)(x)", "leaky_relu(x, 0.2)"),
    ("nn.LeakyReLU(negative_slope=0.2, inplace=False)(x)", "leaky_relu(x, 0.2)"),
    ("nn.ELU(alpha=1.5)(x)", "elu(x, 1.5)"),
    ("nn.CELU()(x)", "celu(x)"),
    ("nn.SELU()(x)", "selu(x)"),
    ("nn.SiLU()(x)", "silu(x)"),
    ("nn.Mish()(x)", "mish(x)"),
    ("nn.Sigmoid()(x)", "sigmoid(x)"),
    ("nn.Tanh()(x)", "tanh(x)"),
    ("nn.Hardtanh(-2, 2)(x)", "hardtanh(x, -2, 2)"),
    ("nn.Hardsigmoid()(x)", "hardsigmoid(x)"),
    ("nn.Hardswish()(x)", "hardswish(x)"),
    ("nn.Hardshrink(lambd=1)(x)", "hardshrink(x, 1)"),
    ("nn.Softshrink()(x)", "softshrink(x)"),
    ("nn.Softsign()(x)", "softsign(x)"),
    ("nn.Tanhshrink()(x)", "tanhshrink(x)"),
    ("nn.LogSigmoid()(x)", "logsigmoid(x)"),
    ("nn.Threshold(0.1, 20)(x)", "threshold(x, 0.1, 20)"),
    ("nn.PReLU()(x)", "prelu(x, as_tensor(0.25))"),
    ("nn.PReLU(init=0.1)(x)", "prelu(x, as_tensor(0.1))"),
    ("nn.Identity()(x)*x", "x*x"),
    ("nn.MSELoss()(x, y)", "mse_loss(x, y)"),
    ("nn.HuberLoss(reduction='sum', delta=2)(x, y)", "huber_loss(x, y, delta=2)"),
    ("nn.BCEWithLogitsLoss()(x, y)", "binary_cross_entropy_with_logits(x, y)"),
    ("nn.GaussianNLLLoss(full=True)(x, y, v)", "gaussian_nll_loss(x, y, v, full=True)"),
    # Tensors of one number
    ("torch.maximum(x, torch.tensor(0.))", "maximum(x, as_tensor(0))"),
    ("torch.tensor(2.0, requires_grad=True)*x", "as_tensor(2)*x"),
    ("torch.tensor(0.5, dtype=torch.float64, device='cpu')*x", "as_tensor(0.5)*x"),
    ("torch.maximum(x, torch.zeros_like(x))", "maximum(x, zeros_like(x))"),
    ("torch.ones_like(x)/x", "ones_like(x)/x"),
    ("torch.full_like(x, 2.5)*x", "full_like(x, 2.5)*x"),
    ("np.float64(0.5)*x", "0.5*x"),
    # A condition as 0 or 1
    ("x*(x > 0)", "x*where(x > 0, 1, 0)"),
    ("(x > 0)*x", "where(x > 0, 1, 0)*x"),
    ("(x > 0).float()*x", "where(x > 0, 1, 0)*x"),
    ("(x > 0).to(x.dtype)*x", "where(x > 0, 1, 0)*x"),
    ("(x > 0).type_as(x)*x", "where(x > 0, 1, 0)*x"),
    ("(x > 0).astype(float)*x", "where(x > 0, 1, 0)*x"),
    ("float(x > 0)*x", "where(x > 0, 1, 0)*x"),
    ("torch.gt(x, 0)*x", "where(x > 0, 1, 0)*x"),
    ("x.gt(0)*x", "where(x > 0, 1, 0)*x"),
    ("(x <= 3)*(x-2)**2", "where(x <= 3, 1, 0)*(x - 2)**2"),
    ("x**2*(x < 1) + (2*x - 1)*(x >= 1)", "x**2*where(x < 1, 1, 0) + (2*x - 1)*where(x >= 1, 1, 0)"),
    ("((x > 0) & (x < 1))*x", "where(x > 0 and x < 1, 1, 0)*x"),
    ("(0 < x < 1)*x", "where(0 < x < 1, 1, 0)*x"),
    ("~(x > 0)*x", "where(not x > 0, 1, 0)*x"),
    ("True*x", "1*x"),
    ("x + (x > 0)", "x + where(x > 0, 1, 0)"),
    ("where(x > 0, x > 1, x)", "where(x > 0, where(x > 1, 1, 0), x)"),
    # SymPy
    ("where(Ne(x, 0), sin(x)/x, 1)", "where(x != 0, sin(x)/x, 1)"),
    ("Piecewise((sin(x)/x, Ne(x, 0)), (1, True))", "where(x != 0, sin(x)/x, 1)"),
    ("sp.Piecewise((x, sp.Gt(x, 0)), (0, True))", "where(x > 0, x, 0)"),
    ("Piecewise((x, And(x > 0, x < 1, x != 0.5)), (0, True))", "where(x > 0 and x < 1 and x != 0.5, x, 0)"),
    ("Piecewise((x, Or(Lt(x, 0), Not(Le(x, 1)))), (0, True))", "where(x < 0 or not x <= 1, x, 0)"),
    ("Piecewise((x, x >= 0), (-x, x < 0))", "where(x >= 0, x, -x)"),
    ("Piecewise((x, x > y), (y, y >= x))", "where(x > y, x, y)"),
    (
        "Piecewise((-1, x < -1), (x, (x >= -1) & (x <= 1)), (1, 1 < x))",
        "where(x < -1, -1, where(x >= -1 and x <= 1, x, 1))",
    ),
    ("sp.sinc(x)", "sinc(x/pi)"),
    ("sp.Rational(1, 3)*x", "1/3*x"),
    ("Rational(1, 3)*x", "1/3*x"),
    ("sp.root(x, 3)", "x**(1/3)"),
    ("sp.real_root(x, 3)", "sign(x)*abs(x)**(1/3)"),
    ("sp.log(x, 2)", "log(x)/log(2)"),
    ("sp.chebyshevt(3, x)", "chebyshev_polynomial_t(x, 3)"),
    ("sp.lowergamma(2, x)", "igamma(2, x)*gamma(2)"),
    ("E**(-x)", "e**(-x)"),
    ("sp.S(1)*x", "1*x"),
    # TensorFlow and Keras
    ("tf.sigmoid(x)", "sigmoid(x)"),
    ("tf.math.log1p(x)", "log1p(x)"),
    ("tf.math.softplus(x)", "logaddexp(x, 0)"),
    ("tf.math.squared_difference(x, y)", "(x - y)**2"),
    ("tf.math.floormod(x, y)", "remainder(x, y)"),
    ("tf.nn.relu(x)", "relu(x)"),
    ("tf.nn.leaky_relu(x)", "leaky_relu(x, 0.2)"),
    ("tf.nn.leaky_relu(x, alpha=0.1)", "leaky_relu(x, 0.1)"),
    ("tf.nn.swish(x, beta=2)", "x*sigmoid(2*x)"),
    ("tf.nn.gelu(x, approximate=True)", "gelu(x, approximate='tanh')"),
    ("tf.where(x > 0, x, 0.)", "where(x > 0, x, 0)"),
    ("tf.cast(x > 0, tf.float32)*x", "where(x > 0, 1, 0)*x"),
    ("tf.clip_by_value(x, 0, 1)", "clamp(x, 0, 1)"),
    ("tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=x)", "binary_cross_entropy_with_logits(x, y)"),
    ("keras.activations.relu(x)", "relu(x)"),
    ("keras.activations.exponential(x)", "exp(x)"),
    ("keras.activations.softplus(x)", "logaddexp(x, 0)"),
    ("tf.keras.activations.gelu(x)", "gelu(x)"),
    ("keras.ops.exp(x)", "exp(x)"),
    # JAX
    ("jnp.where(x > 0, x, 0)", "where(x > 0, x, 0)"),
    ("jnp.cbrt(x)", "sign(x)*abs(x)**(1/3)"),
    ("jax.nn.softplus(x)", "logaddexp(x, 0)"),
    ("jax.nn.gelu(x)", "gelu(x, approximate='tanh')"),
    ("jax.nn.gelu(x, approximate=False)", "gelu(x)"),
    ("jax.nn.squareplus(x)", "(x + sqrt(x**2 + 4))/2"),
    ("jax.nn.log1mexp(x)", "log1mexp(-x)"),
    ("lax.logistic(x)", "sigmoid(x)"),
    ("lax.clamp(0, x, 1)", "clamp(x, 0, 1)"),
    ("jax.lax.select(x > 0, x, y)", "where(x > 0, x, y)"),
    ("lax.integer_pow(x, 3)", "x**3"),
    ("jsp.special.expit(x)", "sigmoid(x)"),
    ("jsp.special.xlogy(x, y)", "xlogy(x, y)"),
    # NumPy, SciPy, math and others
    ("np.cbrt(x)", "sign(x)*abs(x)**(1/3)"),
    ("math.remainder(x, y)", "x - y*round(x/y)"),
    ("math.log(x, 2)", "log(x)/log(2)"),
    ("math.hypot(x, y, z)", "hypot(hypot(x, y), z)"),
    ("Math.pow(x, 2) + Math.PI", "x**2 + pi"),
    ("scipy.special.rel_entr(x, y)", "xlogy(x, x/y)"),
    ("scipy.special.huber(1.5, x)", "where(abs(x) <= 1.5, x**2/2, 1.5*(abs(x) - 1.5/2))"),
    ("scipy.special.betaln(x, y)", "lbeta(x, y)"),
    ("mx.sigmoid(x)", "sigmoid(x)"),
    ("mx.nd.relu(x)", "relu(x)"),
    ("pt.switch(pt.gt(x, 0), x, 0)", "where(x > 0, x, 0)"),
    ("pt.sqr(x)", "square(x)"),
    ("pm.math.invlogit(x)", "sigmoid(x)"),
    ("cas.if_else(x > 0, x, x**2)", "where(x > 0, x, x**2)"),
    ("cas.fmax(x, 0)", "fmax(x, 0)"),
    # Without a prefix
    ("if_else(x > 0, x, 0)", "where(x > 0, x, 0)"),
    ("ifelse(x > 0, x, 0)", "where(x > 0, x, 0)"),
    ("inv_logit(x)", "sigmoid(x)"),
    ("log1m(x)", "log1m(x)"),
    ("Phi(x)", "ndtr(x)"),
    ("inv_Phi(x)", "ndtri(x)"),
    ("arsinh(x) + arcosh(x) + artanh(x)", "asinh(x) + acosh(x) + atanh(x)"),
    ("hypot(x, y, z)", "hypot(hypot(x, y), z)"),
    ("log(x, 3)", "log(x)/log(3)"),
    ("tgamma(x)", "gamma(x)"),
    ("log1m_exp(x)", "log1mexp(x)"),
    # Losses of one number
    ("F.mse_loss(x, y)", "mse_loss(x, y)"),
    ("F.mse_loss(x, target=y, reduction='sum')", "mse_loss(x, y)"),
    ("F.mse_loss(input=x, target=y)", "mse_loss(x, y)"),
    ("F.mse_loss(x, y, weight=w)", "(x - y)**2*w/w"),
    ("F.mse_loss(x, y, reduction='none', weight=w)", "(x - y)**2*w"),
    ("F.l1_loss(x, y, weight=w, reduction='sum')", "abs(x - y)*w"),
    ("F.huber_loss(x, y, delta=2, weight=w)", "huber_loss(x, y, delta=2)*w"),
    ("F.smooth_l1_loss(x, y, beta=0.5)", "smooth_l1_loss(x, y, beta=0.5)"),
    ("F.binary_cross_entropy(x, y, weight=w)", "binary_cross_entropy(x, y, w)"),
    ("F.binary_cross_entropy_with_logits(x, y, pos_weight=w)", "binary_cross_entropy_with_logits_by_class(x, y, w)"),
    ("F.kl_div(x, y, reduction='batchmean')", "kl_div(x, y)"),
    ("F.kl_div(x, y, log_target=True)", "kl_div_log_target(x, y)"),
    ("F.gaussian_nll_loss(x, y, v, full=True, eps=1e-4)", "gaussian_nll_loss_full(x, y, v, eps=1e-4)"),
    ("F.poisson_nll_loss(x, y, log_input=False)", "poisson_nll_loss_linear(x, y)"),
    ("F.poisson_nll_loss(x, y, log_input=False, full=True)", "poisson_nll_loss_linear_full(x, y)"),
    ("F.soft_margin_loss(x, y)", "soft_margin_loss(x, y)"),
]


@pytest.mark.parametrize(("text", "plain"), READ, ids=[text for text, _ in READ])
def test_what_is_pasted(text: str, plain: str) -> None:
    assert parse(text) is parse(plain)


# Cells of notebooks, and their last formula.
CELLS = [
    ("act = nn.GELU(); y = act(x)", "gelu(x)"),
    ("act = nn.Threshold(0.1, 20); y = act(2*x)", "threshold(2*x, 0.1, 20)"),
    ("act = torch.nn.Softplus(beta=2)\ny = act(w*x + b)", "softplus(w*x + b, beta=2)"),
    ("criterion = nn.MSELoss()\nloss = criterion(w*x, y)\nloss.backward()", "mse_loss(w*x, y)"),
    ("relu = nn.ReLU(); out = relu(x)*x", "relu(x)*x"),
]


@pytest.mark.parametrize(("text", "plain"), CELLS, ids=[repr(text) for text, _ in CELLS])
def test_modules_with_names(text: str, plain: str) -> None:
    assert to_text(read_script(text).expression, expand=True) == to_text(parse(plain))


# (text, message or a part of it, line of carets)
REFUSED = [
    ("1 - (x > 0)", "torch has no - for a condition: write where(x > 0, 1, 0) for x > 0.", "  ^^^^^^^^^^^"),
    ("-(x > 0)*x", "torch has no - for a condition: write where(x > 0, 1, 0) for x > 0.", "   ^^^^^^^"),
    (
        "(x > 0) + (x > 1)",
        "torch takes + between conditions as or, elsewhere it counts them: write x > 0 or x > 1, or where(x > 0, 1, 0)"
        " + where(x > 1, 1, 0).",
        "  ^^^^^^^^^^^^^^^^^",
    ),
    ("(x > 0)^(x < 1)", "^ is a power here: for one of two conditions write (x > 0) != (x < 1).", "  ^^^^^^^^^^^^^^^"),
    ("Piecewise((x, x > 0), (-x, x < 0))", "No case holds at x = 0: add a last pair (value, True).", None),
    ("Piecewise((x, x > y), (-x, x < y))", "No case holds at x = y: add a last pair (value, True).", None),
    ("Piecewise((x, x**2 > 1), (-x, x < 0))", "No case holds at x**2 = 0, x = 0: add", None),
    ("x.float()", ".float changes the dtype, which --dtype sets: leave it out.", "    ^^^^^^^"),
    ("torch.tensor(x)", "torch.tensor makes a new number of x, through which no gradient goes", "  ^^^^^^^^^^^^^^^"),
    ("float(x)", "float makes a new number of x, through which no gradient goes: write x alone.", "  ^^^^^^^^"),
    ("nn.Relu()(x)", "nn.Relu is not known to gradcheck. Did you mean nn.ReLU?", "  ^^^^^^^"),
    ("nn.ReLU()", "nn.ReLU() is a module: call it, as in nn.ReLU()(x).", "  ^^^^^^^^^"),
    ("nn.ReLU", "nn.ReLU is a module: write nn.ReLU()(x).", "  ^^^^^^^"),
    ("nn.ReLU(True)(x)", "inplace=True, which changes the operand itself, is not run: leave it out.", "  ^^^^^^^"),
    ("nn.Linear(1, 1)(x)", "nn.Linear: it is one of tensors", "  ^^^^^^^^^"),
    ("nn.Dropout(0.5)(x)", "nn.Dropout: it is random", "  ^^^^^^^^^^"),
    ("nn.Softplus(gamma=2)(x)", "nn.Softplus has no argument gamma: it is nn.Softplus(x, beta=1, threshold=20).", None),
    ("nn.ReLU()(2)*x", "nn.ReLU is given no tensor: write relu(2)", "  ^^^^^^^"),
    ("tf.nn.relux(x)", "Did you mean tf.nn.relu, tf.nn.relu6 or tf.nn.elu?", "  ^^^^^^^^^^^"),
    ("tf.keras.layers.ReLU()(x)", "Of tf.keras, gradcheck reads tf.keras.activations only.", "  ^^^^^^^^^^^^^^^^^^^^"),
    ("tf.stop_gradient(x)", "it takes x out of the graph", None),
    ("keras.activations.hard_sigmoid(x)", "Keras 2 and 3 differ", None),
    ("lax.round(x)", "it takes halves away from zero", None),
    ("sp.chebyshevt(y, x)", "The argument n of sp.chebyshevt is a plain number", None),
    ("scipy.special.exp10(400000)", "does not fit in a double", None),
    ("F.mse_loss(x, y, reduction='max')", "reduction is one of 'none', 'mean', 'sum'.", None),
    ("F.kl_div(x, y, log_target='yes')", "log_target is one of False, True.", None),
    ("F.huber_loss(x, y, 2)", "F.huber_loss takes delta by keyword only: write delta=.", None),
    ("F.mse_loss(x, 2)", "F.mse_loss takes tensors only here: write mse_loss(x, 2)", None),
    ("F.mse_loss(x)", "F.mse_loss(x, target) takes 2 arguments, but 1 was given.", "  ^^^^^^^^^^"),
]


@pytest.mark.parametrize(("text", "message", "carets"), REFUSED, ids=[text for text, *_ in REFUSED])
def test_what_is_refused_says_what_to_write(text: str, message: str, carets: str | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    lines = str(caught.value).split("\n")
    assert message in lines[0]
    assert carets is None or lines[-1] == carets
