"""What one writes without gradcheck, to check one gradient: a file of its own, run as such by startup.py."""

import sympy
import torch

FORMULA, POINT = "8*x**4+3*x**3", 2.0

symbol = sympy.Symbol("x")
formula = sympy.sympify(FORMULA)
derivative = sympy.diff(formula, symbol)
analytical = sympy.lambdify(symbol, derivative, "math")(POINT)
x = torch.tensor(POINT, dtype=torch.float64, requires_grad=True)
sympy.lambdify(symbol, formula, "math")(x).backward()
assert x.grad is not None
autograd = x.grad.item()
print(f"{derivative}: {analytical} and {autograd}: {abs(autograd - analytical) <= 1e-9 * abs(analytical)}")
