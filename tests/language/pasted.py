"""What people paste, and what it is read as, a row a line: (text, reading, the names that points give values to).

A reading has all that the text defines, as it was read: `y = x*x; z = 2*y + 3`, a function without a name alone; the
points that it gives after `@`; what was passed over or assumed after `|`.
"""

LEFT_SIDES = [
    ("y = x**2 + 5", "y = x**2 + 5"),
    ("f(x) = (x-2)^2", "f = (x - 2)**2"),
    ("z = 2y + 3", "z = 2*y + 3"),
    ("σ(x) = 1/(1 + e^(-x))", "σ = 1/(1 + e**-x)"),
    ("a = relu(w*x+b)", "a = relu(w*x + b)", "w,x,b"),
    ("y := x**2", "y = x**2"),
    ("y=x²", "y = x**2"),
    ("y = f(x) = x^2", "f = x**2"),
    ("f(x, y) = x*y", "f = x*y"),
    ("f(e) = e^2", "f = e**2"),
    ("e = 2*x", "e = 2*x"),
    ("loss = (y - w*x)**2", "loss = (y - w*x)**2"),
    ("y = where(x == 0, 1, x)", "y = where(x == 0, 1, x)"),
    ("where(x == 0, 1, x)", "where(x == 0, 1, x)"),
    ("y = softplus(x, beta=2)", "y = softplus(x, 2)"),
    ("softplus(x, beta=2)", "softplus(x, 2)"),
    ("sigmoid(x) = 1/(1 + exp(-x))", "sigmoid = 1/(1 + exp(-x))"),
]

DEFINITIONS = [
    ("y = x^2; z = 2y + 3", "y = x**2; z = 2*y + 3"),
    ("y = x^2\nz = 2y + 3", "y = x**2; z = 2*y + 3"),
    ("y = x^2\r\nz = 2y + 3\r\n", "y = x**2; z = 2*y + 3"),
    ("y = x^2; 2y + 3", "y = x**2; 2*y + 3"),
    ("y = x^2; z = 2y + 3;", "y = x**2; z = 2*y + 3"),
    ("a = -x; b = exp(a); c = 1 + b; s = 1/c", "a = -x; b = exp(a); c = 1 + b; s = 1/c"),
    ("a = -x\nb = exp(a)\nc = 1 + b\ns = 1/c\ns", "a = -x; b = exp(a); c = 1 + b; s = 1/c"),
    ("a(x) = -x; b(a) = exp(a); c(b) = 1 + b; s(c) = 1/c", "a(x) = -x; b(a) = exp(a); c(b) = 1 + b; s = 1/c"),
    ("a(x) = -x; b(a) = exp(a); b(a(x))", "a(x) = -x; b = exp(a)"),
    ("g(x) = x^2; g(3x) + 1", "g(x) = x**2; (3*x)**2 + 1"),
    ("g(x) = x^2; g(g(x))", "g(x) = x**2; g**2"),
    ("g(x) = x^2; 2g", "g(x) = x**2; 2*g"),
    ("g(u, v) = u*v; g(x, x + 1)", "g(u, v) = u*v; x*(x + 1)"),
    ("sigmoid(x) = 1/(1 + exp(-x)); sigmoid(2x)", "sigmoid(x) = 1/(1 + exp(-x)); 1/(1 + exp(-(2*x)))"),
    ("c = 2; c*x", "c = 2; c*x"),
    ("x = 2; x**2", "x**2 @ x=2"),
    ("x = 3.5; y = x*x; z = 2*y + 3", "y = x*x; z = 2*y + 3 @ x=3.5"),
    ("w = 2; x = -1; y = w*x", "y = w*x @ w=2,x=-1"),
    ("y = x**2 +\n  3", "y = x**2 + 3"),
    ("y = (x\n - 2)**2", "y = (x - 2)**2"),
    ("x\n+ 1", "x + 1"),
    ("y = x \\\n  * 2", "y = x*2"),
]

CELLS = [
    ("def f(x): return (x-2)**2", "f = (x - 2)**2"),
    ("def f(x):\n    return (x-2)**2", "f = (x - 2)**2"),
    ("def f(x: float) -> float:\n    '''The square.'''\n    return x**2", "f = x**2 | passed over: '''The square.'''"),
    ("def f(x):\n    y = x*x\n    return 2*y + 3\n", "y = x*x; f = 2*y + 3"),
    ("def f(x):\n    y = x*x; return 2*y + 3\n\nf(x)", "y = x*x; f = 2*y + 3"),
    (
        "def g(x):\n    u = 2*x\n    return u**2\n\ndef f(x):\n    return g(x + 1)",
        "g(x) = (2*x)**2; f = (2*(x + 1))**2",
    ),
    ("lambda x: x**2", "x**2"),
    ("f = lambda x: x**2", "f = x**2"),
    ("f = lambda x, y: x*y", "f = x*y"),
    ("return x**2", "x**2"),
    ("x = torch.tensor(2.0, requires_grad=True)\ny = x**2", "y = x**2 @ x=2.0"),
    ("x = torch.tensor(2.0)\nx.requires_grad_(True)\ny = x**2", "y = x**2 @ x=2.0"),
    ("x = torch.tensor([2.0], requires_grad=True)\ny = x**2", "y = x**2 @ x=2.0"),
    ("x = torch.tensor([1., 2.], requires_grad=True)\ny = x**2\ny.sum().backward()", "y = x**2 @ x=1. x=2."),
    ("x = torch.tensor(np.pi/4, requires_grad=True)\ny = torch.sin(x)", "y = sin(x) @ x=np.pi/4"),
    ("w = torch.tensor(2.0, requires_grad=True)\nx = torch.tensor(1.0)\ny = w*x", "x = 1; y = w*x @ w=2.0"),
    ("y = x**2\ny.backward()", "y = x**2"),
    ("y = x**2\ny.backward()\nz = 3*y", "y = x**2 | passed over: z = 3*y"),
    ("(x**2).backward()", "x**2"),
    ("y = x**2\ny.backward(retain_graph=True)\nprint(x.grad)", "y = x**2 | passed over: print(x.grad)"),
    ("import torch\ny = torch.exp(x)", "y = exp(x) | passed over: import torch"),
    ("y = x**2  # a parabola", "y = x**2 | passed over: # a parabola"),
    ("x**2 # a parabola", "x**2 | passed over: # a parabola"),
    (">>> y = x**2\n>>> y.backward()", "y = x**2"),
    ("```python\ny = x**2\n```", "y = x**2 | passed over: ```python; ```"),
    ("%matplotlib inline\ny = x**2", "y = x**2 | passed over: %matplotlib inline"),
]

TABLES = {"left sides": LEFT_SIDES, "definitions": DEFINITIONS, "cells": CELLS}
