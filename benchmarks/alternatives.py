"""What one would check a gradient with instead, from the text of a formula: compiled as Python, which takes no time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from benchmarks.formulas import Problem

RTOL, ATOL = 1e-9, 1e-12  # where a way has no tolerance of its own
FD_RTOL, FD_ATOL = 1e-3, 1e-5  # of those that rest on finite differences: what torch.autograd.gradcheck takes


@dataclass(frozen=True)
class Alternative:
    """name: for reports. package: what has to be installed. check: whether the gradient of a problem is right; it may
    raise where the way has no such function. slow: it is given fewer problems."""

    name: str
    package: str
    check: Callable[[Problem], bool]
    slow: bool = False

    @property
    def installed(self) -> bool:
        return find_spec(self.package.partition(".")[0]) is not None


def _function(problem: Problem, names: Mapping[str, Any]) -> Callable[..., Any]:
    """The formula as a Python function of its variables. The formulas are our own, so they may be run."""
    source = f"lambda {', '.join(problem.point)}: {problem.text}"
    compiled: Callable[..., Any] = eval(source, {**names})  # noqa: S307
    return compiled


ELEMENTARY = ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh", "sinh", "cosh", "log1p", "expm1", "pi")


@cache
def _torch_names() -> dict[str, Any]:
    import torch

    names = {name: getattr(torch, name) for name in dir(torch) if not name.startswith("_")}
    return names | {"softplus": torch.nn.functional.softplus, "sqrt": _square_root}


def _torch(problem: Problem) -> Callable[..., Any]:
    return _function(problem, _torch_names())


def _square_root(x: Any) -> Any:
    """torch.sqrt takes no Python number."""
    import torch

    return torch.sqrt(x) if isinstance(x, torch.Tensor) else math.sqrt(x)


def _torch_inputs(problem: Problem) -> list[Any]:
    import torch

    return [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in problem.point.values()]


def _autograd(function: Callable[..., Any], values: Any) -> list[float]:
    import torch

    inputs = [torch.tensor(float(value), dtype=torch.float64, requires_grad=True) for value in values]
    return [float(gradient) for gradient in torch.autograd.grad(function(*inputs), inputs)]


@cache
def _numpy_names() -> dict[str, Any]:
    import numpy as np
    from scipy import special

    names = {name: getattr(np, name) for name in ELEMENTARY}
    return names | {
        "atan": np.arctan, "erf": special.erf, "sigmoid": special.expit, "softplus": lambda x: np.logaddexp(0, x)
    }  # fmt: skip


def _numpy(problem: Problem) -> Callable[..., Any]:
    return _function(problem, _numpy_names())


@cache
def _jax_names() -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    names = {name: getattr(jnp, name) for name in ELEMENTARY}
    return names | {
        "atan": jnp.arctan, "erf": jax.scipy.special.erf, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus
    }  # fmt: skip


def _close(found: Any, expected: Any, rtol: float, atol: float) -> bool:
    return all(abs(a - b) <= atol + rtol * abs(b) for a, b in zip(found, expected, strict=True))


def torch_gradcheck(problem: Problem) -> bool:
    import torch

    return torch.autograd.gradcheck(_torch(problem), _torch_inputs(problem), raise_exception=False)


def sympy_script(problem: Problem) -> bool:
    """sympify, diff, evalf, and autograd of the function. What SymPy remembers of the last problem does not count."""
    import sympy
    from sympy.core.cache import clear_cache

    clear_cache()
    symbols = {name: sympy.Symbol(name, real=True) for name in problem.point}
    names = symbols | {
        "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)), "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
        "log1p": lambda x: sympy.log(1 + x), "expm1": lambda x: sympy.exp(x) - 1,
    }  # fmt: skip
    formula = sympy.sympify(problem.text, locals=names)
    values = {symbols[name]: value for name, value in problem.point.items()}
    exact = [float(sympy.diff(formula, symbol).evalf(subs=values)) for symbol in symbols.values()]
    return _close(_autograd(_torch(problem), problem.point.values()), exact, RTOL, ATOL)


def jax_check_grads(problem: Problem) -> bool:
    from jax.test_util import check_grads

    try:
        check_grads(_function(problem, _jax_names()), tuple(problem.point.values()), order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


def scipy_check_grad(problem: Problem) -> bool:
    import numpy as np
    from scipy.optimize import check_grad

    function, in_torch, point = _numpy(problem), _torch(problem), np.array(list(problem.point.values()))
    error = check_grad(lambda x: function(*x), lambda x: np.array(_autograd(in_torch, x)), point)
    return bool(error <= FD_ATOL + FD_RTOL * np.linalg.norm(_autograd(in_torch, point)))


def scipy_differentiate(problem: Problem) -> bool:
    from scipy.differentiate import derivative

    function, in_torch, point = _numpy(problem), _torch(problem), list(problem.point.values())

    def along(i: int) -> float:
        return float(derivative(lambda x: function(*point[:i], x, *point[i + 1 :]), point[i]).df)

    return _close([along(i) for i in range(len(point))], _autograd(in_torch, point), FD_RTOL, FD_ATOL)


def numdifftools_gradient(problem: Problem) -> bool:
    import numpy as np
    from numdifftools import Gradient

    function, in_torch, point = _numpy(problem), _torch(problem), list(problem.point.values())
    found = np.atleast_1d(Gradient(lambda x: function(*x))(point))
    return _close(found, _autograd(in_torch, point), FD_RTOL, FD_ATOL)


ALTERNATIVES = (
    Alternative("torch.autograd.gradcheck", "torch", torch_gradcheck),
    Alternative("scipy.optimize.check_grad", "scipy", scipy_check_grad),
    Alternative("scipy.differentiate.derivative", "scipy", scipy_differentiate, slow=True),
    Alternative("numdifftools.Gradient", "numdifftools", numdifftools_gradient, slow=True),
    Alternative("SymPy script (diff, evalf)", "sympy", sympy_script, slow=True),
    Alternative("jax.test_util.check_grads", "jax", jax_check_grads, slow=True),
)
