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
    ("a = ReLU(w*x+b)", "a = relu(w*x + b)", "w,x,b"),
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
    (
        "a(x) = -x; b(x) = exp(x); c(x) = 1 + x; s(x) = 1/x; s(c(b(a(x))))",
        "a(x) = -x; b(x) = exp(x); c(x) = 1 + x; s(x) = 1/x; 1/(1 + exp(a))",
    ),
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
    ("x = torch.tensor(2.0).requires_grad_()\ny = x**2", "y = x**2 @ x=2.0"),
    ("x = nn.Parameter(torch.tensor(2.0))\ny = x**2\ny.sum().backward()", "y = x**2 @ x=2.0"),
    ("x = torch.tensor(np.pi/4, requires_grad=True)\ny = torch.sin(x)", "y = sin(x) @ x=np.pi/4"),
    ("w = torch.tensor(2.0, requires_grad=True)\nx = torch.tensor(1.0)\ny = w*x", "x = 1; y = w*x @ w=2.0"),
    (
        "x = torch.tensor(2., dtype=torch.half, requires_grad=True)\ny = x**2",
        "y = x**2 @ x=2. | passed over: dtype=torch.half",
    ),
    ("y = x**2\ny.backward()", "y = x**2"),
    ("y = x**2\ndy/dx", "y = x**2 | passed over: dy/dx"),
    ("y = x**2\ny.backward()\nz = 3*y", "y = x**2 | passed over: z = 3*y"),
    ("(x**2).backward()", "x**2"),
    ("lambda e: e**2", "e**2"),
    ("lambda x, a=2: a*x", "a = 2; a*x"),
    ("def f(x, a=2): return a*x", "a = 2; f = a*x"),
    ("def f(x, a=2): return a*x\nf(3*x)", "f(x) = 2*x; 2*(3*x)"),
    ("f = x**2\ng = torch.autograd.grad(f, x)", "f = x**2 | passed over: g = torch.autograd.grad(f, x)"),
    (
        "with tf.GradientTape() as tape:\n    y = x**2\ndy = tape.gradient(y, x)",
        "y = x**2 | passed over: with tf.GradientTape() as tape:; dy = tape.gradient(y, x)",
    ),
    ("def relu(x):\n    if x > 0:\n        return x\n    else:\n        return 0", "relu = x if x > 0 else 0"),
    (
        "def relu(x):\n    if x > 0: return x\n    return 0\nrelu(2*x)",
        "relu(x) = x if x > 0 else 0; 2*x if 2*x > 0 else 0",
    ),
    (
        "def f(x):\n  y = x*x\n  if x < -1:\n    return -y\n  elif x < 1:\n    return 0\n  else:\n    return y",
        "y = x*x; f = -y if x < -1 else 0 if x < 1 else y",
    ),
    ("y = (x\n     if x > 0 else 0)", "y = x if x > 0 else 0"),
    ("y = x\nif x > 0 else 0", "y = x if x > 0 else 0"),
    ("def f(x): return x**2\nf(3.0)", "f = x**2 @ x=3.0"),
    ("def f(x, y): return x*y\nf(3, pi/4)", "f = x*y @ x=3,y=pi/4"),
    ("def f(x): return x**2\njax.grad(f)(3.0)", "f = x**2 @ x=3.0"),
    ("f = lambda x: x**2\ng = grad(f)(x)", "f = x**2"),
    ("x, y = symbols('x y')\nf = x*y", "f = x*y | passed over: x, y = symbols('x y')"),
    ("x -> x^2", "x**2"),
    ("f: x -> x^2", "f = x**2"),
    ("x ↦ x²", "x**2"),
    ("(x, y) => x*y", "x*y"),
    ("def relu(x): return max(0, x)", "relu = maximum(0, x)"),
    ("def sigmoid(x):\n    return 1 / (1 + np.exp(-x))", "sigmoid = 1/(1 + exp(-x))"),
    ("sigmoid = lambda z: 1/(1+np.exp(-z))", "sigmoid = 1/(1 + exp(-z))"),
    ("def f(x):\n    return x ** 2 if x > 0 else 0", "f = x**2 if x > 0 else 0"),
    ("y_hat = w*x + b\nloss = (y_hat - y)**2\nloss.backward()", "y_hat = w*x + b; loss = (y_hat - y)**2"),
    ("y = x**2\ny.backward(retain_graph=True)\nprint(x.grad)", "y = x**2 | passed over: print(x.grad)"),
    ("import torch\ny = torch.exp(x)", "y = exp(x) | passed over: import torch"),
    ("y = x**2  # a parabola", "y = x**2 | passed over: # a parabola"),
    ("x**2 # a parabola", "x**2 | passed over: # a parabola"),
    (">>> y = x**2\n>>> y.backward()", "y = x**2"),
    ("```python\ny = x**2\n```", "y = x**2 | passed over: ```python; ```"),
    ("%matplotlib inline\ny = x**2", "y = x**2 | passed over: %matplotlib inline"),
]

FORMULAS = [
    ("y = 3x² + 2x - 1", "y = 3*x**2 + 2*x - 1"),
    ("s = 1/(1+e^(-x))", "s = 1/(1 + e**-x)"),
    ("f(x) := x^3", "f = x**3"),
    ("f(x)=|x-1|+2", "f = abs(x - 1) + 2"),
    ("L = (y - (w x + b))²", "L = (y - (w*x + b))**2"),
    ("J(w) = ½(w x - y)²", "J = 1/2*(w*x - y)**2"),
    ("f(x)=√(1-x²)", "f = sqrt(1 - x**2)"),
    ("g(t) = A sin(ω t + φ)", "g = A*sin(ω*t + φ)"),
    ("E = ½ m v²", "E = 1/2*m*v**2"),
    ("A = π r²", "A = pi*r**2"),
    ("F = G m_1 m_2 / r^2", "F = G*m_1*m_2/r**2"),
    ("x^3 - 6x^2 + 11x - 6", "x**3 - 6*x**2 + 11*x - 6"),
    ("(x+1)(x-1)", "(x + 1)*(x - 1)"),
    ("y = m x + b", "y = m*x + b"),
    ("e^(-x²/2)/√(2π)", "e**(-x**2/2)/sqrt(2*pi)"),
    ("z = x² + y² ; 2z", "z = x**2 + y**2; 2*z"),
    ("y = (ln x)/x", "y = log(x)/x"),
    ("y = arctan x", "y = atan(x)"),
    ("y = sin^2 x + cos^2 x", "y = sin(x)**2 + cos(x)**2"),
    ("y = x^2.", "y = x**2"),
    ("`x**2`", "x**2"),
    ("f(x) = 3x² + 2x, x = 2", "f = 3*x**2 + 2*x @ x=2"),
    ("y = x^2 at x = 3", "y = x**2 @ x=3"),
    ("f(x, y) = x*y, x = 1, y = -2", "f = x*y @ x=1,y=-2"),
    ("y = u^2 where u = 3x + 1", "u = 3*x + 1; y = u**2"),
    ("y = u^2, where u = 3x + 1", "u = 3*x + 1; y = u**2"),
    ("y = u^2 with u = 3x + 1 and x = 2", "u = 3*x + 1; y = u**2 @ x=2"),
    ("y = u^2, u = 3v, v = x + 1", "v = x + 1; u = 3*v; y = u**2"),
    ("h(x) = f(g(x)), f(u) = u^2, g(x) = 3x + 1", "g(x) = 3*x + 1; f(u) = u**2; h = g**2"),
    ("N(x; μ, σ) = (x - μ)/σ", "N = (x - μ)/σ"),
    ("p(x | a) = a*x", "p = a*x"),
    ("x^2,", "x**2"),
    ("x*y for x = 1, y = pi/2", "x*y @ x=1,y=pi/2"),
    ('"y = x**2"', "y = x**2"),
    ("loss = -(y*log(p) + (1-y)*log(1-p))", "loss = -(y*log(p) + (1 - y)*log(1 - p))"),
    ("f(r,θ) = r² sin θ", "f = r**2*sin(θ)"),
    ("u = sin x; v = cos x; u v", "u = sin(x); v = cos(x); u*v"),
    ("h(x) = x if x > 0 else 0.01x", "h = x if x > 0 else 0.01*x"),
    ("x₁x₂ + x₁²", "x1*x2 + x1**2"),
    ("1 - |x|³", "1 - abs(x)**3"),
    ("tanh²(½x)", "tanh(1/2*x)**2"),
    ("log₂(1 + S/N)", "log2(1 + S/N)"),
    ("p log p", "p*log(p)"),
    ("−p log p − q log q", "-p*log(p) - q*log(q)"),
]

BARS = [
    ("|x|", "abs(x)"),
    ("||x||", "abs(x)"),
    ("| x - 1 |", "abs(x - 1)"),
    ("||x| - 1|", "abs(abs(x) - 1)"),
    ("|x + |y||", "abs(x + abs(y))"),
    ("|x|^2 + |y|²", "abs(x)**2 + abs(y)**2"),
    ("2|x|", "2*abs(x)"),
    ("x|y|", "x*abs(y)"),
    ("|x| |y|", "abs(x)*abs(y)"),
    ("|x||y|", "abs(x)*abs(y)"),
    ("3|x - 1|²", "3*abs(x - 1)**2"),
    ("-|x|", "-abs(x)"),
    ("|-x|/x", "abs(-x)/x"),
    ("1/|x|", "1/abs(x)"),
    ("ln|x|", "log(abs(x))"),
    ("e^-|x|", "e**-abs(x)"),
    ("max(|x|, |y|)", "maximum(abs(x), abs(y))"),
    ("x if |x| < 1 else 0", "x if abs(x) < 1 else 0"),
    ("where((x > 0) | (y < 1), x, y)", "where(x > 0 or y < 1, x, y)"),
    ("|x|.sqrt()", "sqrt(abs(x))"),
]

ALONE = [
    ("sin x", "sin(x)"),
    ("sin 2x", "sin(2*x)"),
    ("ln x", "log(x)"),
    ("log 10", "log(10)"),
    ("sqrt x", "sqrt(x)"),
    ("sin x + 1", "sin(x) + 1"),
    ("2 sin x", "2*sin(x)"),
    ("x sin x", "x*sin(x)"),
    ("sin x cos x", "sin(x)*cos(x)"),
    ("sin cos x", "sin(cos(x))"),
    ("-sin x", "-sin(x)"),
    ("1/sin x", "1/sin(x)"),
    ("sin √x", "sin(sqrt(x))"),
    ("sin |x|", "sin(abs(x))"),
    ("relu x", "relu(x)"),
    ("sin x if x > 0 else cos x", "sin(x) if x > 0 else cos(x)"),
    ("max(sin x, cos x)", "maximum(sin(x), cos(x))"),
    ("√x", "sqrt(x)"),
    ("√2", "sqrt(2)"),
    ("2√x", "2*sqrt(x)"),
    ("√x + 1", "sqrt(x) + 1"),
    ("√x/2", "sqrt(x)/2"),
    ("√2 x", "sqrt(2)*x"),
    ("√x sin(x)", "sqrt(x)*sin(x)"),
    ("√√x", "sqrt(sqrt(x))"),
    ("√|x|", "sqrt(abs(x))"),
    ("√sin(x)", "sqrt(sin(x))"),
]

POWERS = [
    ("sin^2(x)", "sin(x)**2"),
    ("sin²(x)", "sin(x)**2"),
    ("sin²x", "sin(x)**2"),
    ("sin^2 x", "sin(x)**2"),
    ("sin**2(x)", "sin(x)**2"),
    ("sin²(x) + cos²(x)", "sin(x)**2 + cos(x)**2"),
    ("2sin²(x)cos(x)", "2*sin(x)**2*cos(x)"),
    ("tanh^2(w*x)", "tanh(w*x)**2"),
    ("ln²(x)", "log(x)**2"),
    ("sin^{2}(x)", "sin(x)**2"),
    ("sin^{-1}(x)", "asin(x) | sin^{-1} is read as asin, the inverse; 1/sin(x) is the reciprocal"),
    ("sin^-1(x)", "asin(x) | sin^-1 is read as asin, the inverse; 1/sin(x) is the reciprocal"),
    ("sin^(-1)(x)", "asin(x) | sin^(-1) is read as asin, the inverse; 1/sin(x) is the reciprocal"),
    ("tan⁻¹(x)", "atan(x) | tan⁻¹ is read as atan, the inverse; 1/tan(x) is the reciprocal"),
    ("tan⁻¹ x", "atan(x) | tan⁻¹ is read as atan, the inverse; 1/tan(x) is the reciprocal"),
    ("tanh⁻¹(x/2)", "atanh(x/2) | tanh⁻¹ is read as atanh, the inverse; 1/tanh(x) is the reciprocal"),
]

PRODUCTS = [
    ("x e^x", "x*e**x"),
    ("x e^-x", "x*e**-x"),
    ("e^(2x) x", "e**(2*x)*x"),
    ("e^(-x)(x + 1)", "e**-x*(x + 1)"),
    ("w x + b", "w*x + b"),
    ("w1 x1 + w2 x2", "w1*x1 + w2*x2"),
    ("w_1 x_1 + b", "w_1*x_1 + b"),
    ("π x", "pi*x"),
    ("2 π r", "2*pi*r"),
    ("2 x y", "2*x*y"),
    ("2x y", "2*x*y"),
    ("x² y", "x**2*y"),
    ("x^2 y", "x**2*y"),
    ("x^2 y^3", "x**2*y**3"),
    ("f(x,y) = x^2 y^3", "f = x**2*y**3"),
    ("x^2 y^3 z^4 + 1", "x**2*y**3*z**4 + 1"),
    ("-2 x^3 y", "-2*x**3*y"),
    ("x^-2 y", "x**-2*y"),
    ("x^0.5 y", "x**0.5*y"),
    ("x^2 sin x", "x**2*sin(x)"),
    ("x^2 sin x cos x", "x**2*sin(x)*cos(x)"),
    ("x**2 exp(-x)", "x**2*exp(-x)"),
    ("3x^2cos(x)", "3*x**2*cos(x)"),
    ("x^2 e^x", "x**2*e**x"),
    ("x^2 e^(-x)", "x**2*e**-x"),
    ("(x + 1)^2 (x - 1)", "(x + 1)**2*(x - 1)"),
    ("x^2 √y", "x**2*sqrt(y)"),
    ("x^2 theta", "x**2*theta"),
    ("theta x", "theta*x"),
    ("rate time", "rate*time", "rate,time"),
    ("3x(x+1)", "3*x*(x + 1)"),
    ("x(x+1)", "x*(x + 1)"),
    ("x (x+1)", "x*(x + 1)"),
    ("x(x+1)²", "x*(x + 1)**2"),
    ("x(1 - y)", "x*(1 - y)", "x,y"),
    ("2x(y+1)", "2*x*(y + 1)", "x,y"),
    ("x√y", "x*sqrt(y)"),
    ("x sin(y)", "x*sin(y)"),
    ("f(x) = a(x + 1)", "f = a*(x + 1)", "a"),
]

LETTERS = [
    ("½x²", "1/2*x**2"),
    ("x + ¾", "x + 3/4"),
    ("x^½", "x**(1/2)"),
    ("x₁ + x₂", "x1 + x2"),
    ("x₁² x₁₀", "x1**2*x10"),
    ("w_{1} + w_1", "w_1 + w_1"),
    ("θ + theta", "θ + θ"),
    ("theta*x + θ", "theta*x + theta"),
    ("sin(θ)", "sin(theta)", "theta"),
    ("sin(theta)", "sin(θ)", "θ"),
    ("θ = x^2; sin(theta)", "θ = x**2; sin(θ)"),
    ("f(theta) = cos(θ)", "f = cos(theta)"),
    ("2πr", "2*pi*r"),
    ("sin(2πx)", "sin(2*pi*x)"),
    ("2*π_0", "2*π_0"),
    ("log₂(x)", "log2(x)"),
    ("log_2(x)", "log2(x)"),
    ("log₁₀(x)", "log10(x)"),
    ("log_{10}(x)", "log10(x)"),
    ("log_10 x", "log10(x)"),
    ("log_3(x)", "log(x)/log(3)"),
    ("log₃(x)", "log(x)/log(3)"),
    ("log_e(x)", "log(x)"),
    ("log_b(x)", "log(x)/log(b)"),
    ("x·y − 1", "x*y - 1"),
    ("x ÷ 2 × 3", "x/2*3"),
]

TWO_READINGS = [
    ("sin x/2", "sin(x)/2 or sin(x/2)"),
    ("sin x²", "sin(x)² or sin(x²)"),
    ("sin x^2", "sin(x)^2 or sin(x^2)"),
    ("sin x y", "sin(x)*y or sin(x*y)"),
    ("sin 2 x", "sin(2)*x or sin(2*x)"),
    ("sin x(x + 1)", "sin(x)*(x + 1) or sin(x*(x + 1))"),
    ("ln x * y", "ln(x)*y or ln(x*y)"),
    ("√2x", "√(2)*x or √(2*x)"),
    ("√x²", "√(x)² or √(x²)"),
    ("√x^2", "√(x)^2 or √(x^2)"),
    ("1/2|x|", "(1/2)*|x| or 1/(2*|x|)"),
    ("1/x y", "(1/x)*y or 1/(x*y)"),
    ("x^2y", "(x^2)*y or x^(2*y)"),
    ("2x^3y", "2*(x^3)*y or 2*x^(3*y)"),
    ("2 a x^3y", "2 a*(x^3)*y or 2 a*x^(3*y)"),
    ("x^2(y + 1)", "(x^2)*(y + 1) or x^(2*(y + 1))"),
    ("e^2 x", "(e^2)*x or e^(2*x)"),
    ("e^-2 sin x", "(e^-2)*sin x or e^(-2*sin x)"),
    ("2^3 x", "(2^3)*x or 2^(3*x)"),
    ("x^n y", "(x^n)*y or x^(n*y)"),
    ("x^2^3 y", "(x^2^3)*y or x^2^(3*y)"),
    ("1/x^2 y", "(1/x^2)*y or 1/(x^2*y)"),
    ("x^y^(2) z", "(x^y^(2))*z or x^(y^(2)*z)"),
    ("1/e^(x) y", "(1/e^(x))*y or 1/(e^(x)*y)"),
    ("2^x sin x", "(2^x)*sin x or 2^(x*sin x)"),
    ("2½", "2 + ½ or 2*½"),
    ("gamma x", "gamma(x) or gamma*x"),
    ("learning rate", "learning*rate, or learning_rate for one name"),
]

READ = [*LEFT_SIDES, *DEFINITIONS, *CELLS, *FORMULAS, *BARS, *ALONE, *POWERS, *PRODUCTS, *LETTERS]

# The exercises of a course notebook as cells: (name, cell, point, value, derivatives by their variable).
NOTEBOOK = [
    (
        "the square of a number",
        """
import torch

x = torch.tensor(0.69, requires_grad=True)
y = x**2
y.backward()
print(f"x: {x.data}, y: {y.data}, dy/dx: {x.grad}")
""",
        {"x": 0.69},
        0.69**2,
        {"x": 1.38},
    ),
    (
        "exercise 1: two steps",
        """
# z = 2y + 3, with y = x^2
x = torch.tensor(3.5, requires_grad=True)
y = x*x
z = 2*y + 3
print("x: ", x)
print("y = x*x: ", y)
print("z= 2*y + 3: ", z)

# work out gradients
z.backward()
print("Gradient of z at x = 3.5: ", x.grad)
""",
        {"x": 3.5},
        27.5,
        {"x": 14.0},
    ),
    (
        "exercise 2: a shifted square",
        """
def f(x):
    '''The squared distance from 2.'''
    return (x-2)**2

def fp(x):
    return 2*(x-2)

x = torch.tensor([1.0], requires_grad=True)

y = f(x)
y.backward()

print('Analytical f\\'(x):', fp(x))
print('PyTorch\\'s f\\'(x):', x.grad)
""",
        {"x": 1.0},
        1.0,
        {"x": -2.0},
    ),
    (
        "exercise 3: a constant changes nothing",
        """
%matplotlib inline
from torch.autograd import Variable
x = Variable(torch.Tensor([2]), requires_grad=True)
y = x**2 + 5
y.backward(); x.grad
""",
        {"x": 2.0},
        9.0,
        {"x": 4.0},
    ),
    (
        "exercise 4: the sigmoid, step by step",
        """
>>> x = torch.tensor(2.0)
>>> x.requires_grad_(True)
>>> a = -x            # the way forward ...
>>> b = torch.exp(a)
>>> c = 1 + b
>>> s = 1/c
>>> s.backward()      # ... and back
>>> ds_dx = x.grad.item()
>>> assert abs(ds_dx - 0.10499) < 1e-5
""",
        {"x": 2.0},
        0.8807970779778824,
        {"x": 0.10499358540350652},
    ),
    (
        "exercise 5: a polynomial",
        """
x = torch.tensor(2.0, requires_grad=True)
f = (8*x**4 + 3*x**3
     + 7*x**2 + 6*x + 3)
f.backward()
print("by hand:", 32*2**3 + 9*2**2 + 14*2 + 6)
x.grad
""",
        {"x": 2.0},
        195.0,
        {"x": 326.0},
    ),
    (
        "exercise 6: a neuron",
        """
import torch.nn as nn
relu = nn.ReLU()
w = torch.tensor(2.0, requires_grad=True)
x = torch.tensor(1.0, requires_grad=True)
b = torch.tensor(0.5, requires_grad=True)
a = relu(w*x + b)
a.backward()
print(w.grad, x.grad, b.grad)
""",
        {"w": 2.0, "x": 1.0, "b": 0.5},
        2.5,
        {"w": 1.0, "x": 2.0, "b": 1.0},
    ),
]
