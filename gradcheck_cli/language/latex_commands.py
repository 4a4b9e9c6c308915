"""The commands of LaTeX that are read, and what to say about others."""

from __future__ import annotations

from gradcheck_cli.language.greek import GREEK
from gradcheck_cli.language.libraries import words

# Commands that are one token of ours.
SYMBOLS = {
    **dict.fromkeys(words("cdot times ast bullet odot"), "*"),
    **dict.fromkeys(words("div slash"), "/"),
    **dict.fromkeys(words("le leq leqslant"), "<="),
    **dict.fromkeys(words("ge geq geqslant"), ">="),
    **dict.fromkeys(words("ne neq"), "!="),
    "lt": "<",
    "gt": ">",
    "colon": ":",
    "lbrack": "(",
    "rbrack": ")",
    "equiv": "=",
}
WORDS = {
    **dict.fromkeys(words("land wedge"), "and"),
    **dict.fromkeys(words("lor vee"), "or"),
    "lnot": "not",
    "neg": "not",
}

# Letters: what they are called here. lambda is a word of Python.
LETTERS = {name: name for name in GREEK} | {
    "lambda": "λ",
    "varepsilon": "epsilon",
    "vartheta": "theta",
    "varphi": "phi",
    "varrho": "rho",
    "varsigma": "sigma",
    "varkappa": "kappa",
    "ell": "l",
    "imath": "i",
    "jmath": "j",
}
# Letters that are functions where an argument in brackets follows.
CALLED = {"sigma": "sigmoid", "Phi": "ndtr", "Gamma": "gamma", "psi": "digamma"}

FUNCTIONS = {name: name for name in words("sin cos tan sec csc cot sinh cosh tanh coth sech csch exp log max min")} | {
    "ln": "log",
    "lg": "log10",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arccot": "acot",
    "arcsec": "asec",
    "arccsc": "acsc",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "tg": "tan",
    "ctg": "cot",
    "arctg": "atan",
    "sgn": "sign",
    "sign": "sign",
    "erf": "erf",
    "abs": "abs",
    "relu": "relu",
    "ReLU": "relu",
    "softplus": "softplus",
    "sigmoid": "sigmoid",
}

FRACTIONS = words("frac dfrac tfrac cfrac nicefrac sfrac")
STYLES = words(
    "operatorname operatorname* mathrm mathit mathsf mathtt mathbf mathcal boldsymbol bm text textrm textit mbox rm"
)
ACCENTS = words("hat bar tilde vec dot widehat widetilde overline")
PASSED_OVER = words(
    """
    , : ; ! > quad qquad enspace thinspace displaystyle textstyle scriptstyle limits nolimits nonumber notag allowbreak
    big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm mathopen mathclose mathord rm hfill
    """
) | {" ", "/"}
PASSED_WITH_ARGUMENT = words("label tag hspace vspace mathstrut phantom")
OPENING = {"(": ")", "[": "]", "\\{": "\\}", "\\lbrace": "\\rbrace", "\\lparen": "\\rparen"}
# What is a function of what stands between two signs: the function, and what closes it.
FENCES = {
    "|": ("abs", "|"),
    "\\lvert": ("abs", "\\rvert"),
    "\\vert": ("abs", "\\vert"),
    "\\|": ("abs", "\\|"),
    "\\lVert": ("abs", "\\rVert"),
    "\\Vert": ("abs", "\\Vert"),
    "\\lfloor": ("floor", "\\rfloor"),
    "\\lceil": ("ceil", "\\rceil"),
}
CLOSING = frozenset({*OPENING.values(), *(closing for _, closing in FENCES.values())})
BASES = {"(2)": "log2", "(10)": "log10", "(e)": "log"}  # of logarithms
OTHERWISE = words("otherwise else elsewhere")
FILLING = words("if for when where with")
INDICATORS = words("mathbb mathbf mathbbm mathds")
ENVIRONMENTS = words("equation equation* displaymath math align align* aligned gather gather* split")
CASES = words("cases dcases rcases array")

DERIVES = "gradcheck differentiates by itself: give the function alone, such as x^2."
_SUMS = "Sums, products, integrals and limits are not read: give one formula of numbers."
REFUSED = {
    **dict.fromkeys(words("partial nabla prime"), DERIVES),
    **dict.fromkeys(words("sum prod int iint oint lim sup inf limsup liminf argmax argmin"), _SUMS),
    "infty": "Infinity is not a number here.",
    **dict.fromkeys(words("top intercal"),
                    "This is the transpose of an array: give arrays as values, such as x=[1, 2]."),
    "circ": "\\circ is the composition of functions: write f(g(x)).",
    **dict.fromkeys(words("pm mp"), "This stands for two functions: write one of them, with + or -."),
    **dict.fromkeys(words("ldots cdots dots vdots"), "Dots stand for what is left out: write it out."),
    **dict.fromkeys(words("in notin subset cup cap forall exists mid to rightarrow Rightarrow mapsto"),
                    "This has no meaning in a formula of numbers: leave it out."),
    **dict.fromkeys(words("approx sim simeq propto"), "This is no equation: write =, <= or >=."),
    **dict.fromkeys(words("matrix pmatrix bmatrix"), "Matrices are not read: give one formula of numbers."),
    **dict.fromkeys(words("binom choose"), "A binomial coefficient is gamma(n + 1)/(gamma(k + 1)*gamma(n - k + 1))."),
    "%": "% has no meaning here: leave it out.",
    "\\": "A line break has no meaning here: give one formula.",
}  # fmt: skip

KNOWN = sorted(
    {*SYMBOLS, *WORDS, *LETTERS, *FUNCTIONS, *FRACTIONS, *STYLES, *ACCENTS, "sqrt", "left", "right", "begin", "end"}
    | {name[1:] for name in (*FENCES, *OPENING) if len(name) > 2}
)
