"""The vector-Jacobian product of every function of arrays, as a formula: what people derive by hand, in the words of
the language itself, so that it can be typed, and the tests run each.

g stands for the adjoint of the result, the derivative of a number by it; the product is the adjoint of an argument, as
far as it flows through this call.
Source of the formulas: M. Giles, Collected matrix derivative results for forward and reverse mode algorithmic
differentiation (2008), for products, inverses and determinants; the rest follows from the definitions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gradcheck_cli.differentiation.steps import local_derivative
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Call, Expr, call, constant, rebuild, variable
from gradcheck_cli.language.printer import text_within
from gradcheck_cli.language.signatures import find

WITH = " with "
"""Before what is defined for a product that would be long without."""
LONGEST = 400
"""Characters of a derivative that is written out."""
Products = Mapping[str, str]
"""By the names of the arguments; of operands in a list, by how each is written."""


@dataclass(frozen=True)
class Applied:
    """A call whose products are asked for.

    texts: its arguments as they are written; values: what they are. result: what the call gave. g, y: how the adjoint
    of the result, and the result, are written.
    """

    name: str
    texts: Mapping[str, str]
    values: Mapping[str, Any]
    result: Tensor
    g: str
    y: str

    @property
    def ndim(self) -> int:
        return _ndim(self.values["input"])

    @property
    def dims(self) -> tuple[int, ...] | None:
        """The dimensions that it goes along, from 0; None: all."""
        dim = self.values.get("dim")
        if dim is None:
            return None
        dims = (dim,) if isinstance(dim, int) else tuple(dim)
        return tuple(sorted(one % max(1, self.ndim) for one in dims))

    def kept(self, name: str) -> str:
        """Something of the shape of the result, with the dimensions that were reduced."""
        if self.dims is None or self.values.get("keepdim") or len(self.dims) == self.ndim:
            return name
        for dim in self.dims:
            name = f"unsqueeze({name}, {dim})"
        return name

    def along(self, function: str, what: str) -> str:
        """A reduction of something of the shape of the argument, along the same dimensions, which are kept."""
        if self.dims is None or len(self.dims) == self.ndim <= 1:
            return f"{function}({what})"
        dims = str(self.dims[0]) if len(self.dims) == 1 else str(self.dims)
        return f"{function}({what}, dim={dims}, keepdim=true)"

    @property
    def count(self) -> int:
        """How many elements are reduced to one."""
        shape = self.values["input"].shape
        return math.prod(shape if self.dims is None else (shape[dim] for dim in self.dims))


def products(applied: Applied) -> Products:
    """The product for each argument that has one. A function without a formula has none."""
    row = BY_NAME.get(applied.name)
    found = _of_each(applied) if row is None else row(applied)
    return {name: _summed(text, applied, name) for name, text in found.items()}


def _ndim(value: Any) -> int:
    return value.ndim if isinstance(value, Tensor) else 0


# Element by element

_ROWS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow"}


def _of_each(applied: Applied) -> Products:
    """g times the derivative of the function of numbers."""
    row = find(_ROWS.get(applied.name, applied.name))
    if row is None:
        return {}
    names = {argument.name: own for argument, own in zip(row.arguments, applied.texts, strict=False)}
    found = {}
    for index, argument in enumerate(row.arguments):
        own = names.get(argument.name)
        if own is None or argument.kind != "real" or not isinstance(applied.values[own], Tensor):
            continue
        placed = {f"v{k}": applied.texts[name] for k, name in enumerate(names.values())}
        args = [_placed(k, applied.values[name]) for k, name in enumerate(names.values())]
        text = _times(applied.g, local_derivative(row, index, args), placed)
        if text is not None:
            found[own] = text
    return found


def _placed(k: int, value: Any) -> Expr:
    """A number as it is; an array by a name that stands for its text."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return variable(f"v{k}")
    return constant(value) if isinstance(value, int) else variable(f"v{k}")


def _times(g: str, derivative: Expr | None, placed: Mapping[str, str]) -> str | None:
    text = None if derivative is None else text_within(rebuild(derivative, _without_and), LONGEST)
    if text is None:
        return None
    text = re.sub(r"\bv\d+\b", lambda found: placed[found[0]], text)
    if text in ("0", "1", "-1"):
        return {"0": "0", "1": g, "-1": f"-{g}"}[text]
    return f"{g}*{text}" if _is_factor(text) else f"{g}*({text})"


def _without_and(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
    """Branches on two conditions as two, since arrays have no `and`."""
    match node, args:
        case Call(function=op.WHERE), (Call(function=op.AND, args=(first, second)), a, b):
            return call(op.WHERE, first, call(op.WHERE, second, a, b), b)
        case Call(function=op.WHERE), (Call(function=op.OR, args=(first, second)), a, b):
            return call(op.WHERE, first, a, call(op.WHERE, second, a, b))
    return None


def _is_factor(text: str) -> bool:
    """Whether a text can stand behind * without brackets."""
    depth = 0
    for index, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if not depth and sign in "+-<>=" and text[max(0, index - 1) : index] not in ("e", "E", "*", "^"):
            return False
        if (not depth and sign in "/") or text.startswith("-"):
            return False
        if not depth and text[index : index + 4] in (" if ", " and", " or "):
            return False
    return True


def _summed(text: str, applied: Applied, name: str) -> str:
    """The product, summed over what the argument was broadcast along."""
    given = applied.values.get(name)
    if text == "0" or not isinstance(given, Tensor) or (applied.name in BY_NAME and applied.name != "where"):
        return text
    shape, whole = tuple(given.shape), tuple(applied.result.shape)
    if shape == whole:
        return text
    leading = len(whole) - len(shape)
    ones = [dim for dim, size in enumerate(shape) if size == 1 and whole[leading + dim] != 1]
    if ones:
        text = f"sum({text}, dim={_dims([leading + dim for dim in ones])}, keepdim=true)"
    if leading:
        everything = leading == len(whole)
        text = f"sum({text})" if everything else f"sum({text}, dim={_dims(range(leading))})"
    return text


def _dims(dims: Sequence[int] | range) -> str:
    return str(dims[0]) if len(dims) == 1 else str(tuple(dims))


# Reductions


def _mean(a: Applied) -> Products:
    return {"input": f"{a.kept(a.g)}*ones_like({a.texts['input']})/{a.count}"}


def _prod(a: Applied) -> Products:
    return {"input": f"{a.kept(a.g)}*{a.kept(a.y)}/{a.texts['input']}"}


def _shared(a: Applied) -> Products:
    """amax and amin: ties share the gradient."""
    found = f"({a.texts['input']} == {a.kept(a.y)})"
    return {"input": f"{a.kept(a.g)}*{found}/{a.along('sum', found)}"}


def _norm(a: Applied) -> Products:
    x, g, y, p = a.texts["input"], a.kept(a.g), a.kept(a.y), a.values.get("p", 2)
    if p == 2:
        return {"input": f"{g}*{x}/{y}"}
    if p == 1:
        return {"input": f"{g}*sign({x})"}
    return {} if math.isinf(p) or p == 0 else {"input": f"{g}*sign({x})*(abs({x})/{y})**{p - 1}"}


def _var(a: Applied) -> Products:
    x, n = a.texts["input"], a.count - a.values.get("correction", 1)
    return {"input": f"{a.kept(a.g)}*2*({x} - {a.along('mean', x)})/{n}"}


def _std(a: Applied) -> Products:
    x, n = a.texts["input"], a.count - a.values.get("correction", 1)
    return {"input": f"{a.kept(a.g)}*({x} - {a.along('mean', x)})/({n}*{a.kept(a.y)})"}


def _softmax(a: Applied) -> Products:
    return {"input": f"{a.y}*({a.g} - {a.along('sum', f'{a.g}*{a.y}')})"}


def _running(text: str, dim: int, ndim: int) -> str:
    """The sum of what follows, with the element itself."""
    more = f", {dim}" if ndim > 1 else ", 0"
    return f"flip(cumsum(flip({text}{more}){more}){more})"


def _cumsum(a: Applied) -> Products:
    return {"input": _running(a.g, _dim(a), a.ndim)}


def _cumprod(a: Applied) -> Products:
    return {"input": f"{_running(f'{a.g}*{a.y}', _dim(a), a.ndim)}/{a.texts['input']}"}


def _logcumsumexp(a: Applied) -> Products:
    return {"input": f"exp({a.texts['input']})*{_running(f'{a.g}*exp(-{a.y})', _dim(a), a.ndim)}"}


def _dim(a: Applied) -> int:
    return a.dims[0] if a.dims else 0


# Products


def _matmul(a: Applied) -> Products:
    (first, A), (second, B) = a.texts.items()
    sizes = _ndim(a.values[first]), _ndim(a.values[second])
    g = a.g
    match sizes:
        case (1, 1):
            return {first: f"{g}*{B}", second: f"{g}*{A}"}
        case (2, 1):
            return {first: f"outer({g}, {B})", second: f"{A}.T @ {g}"}
        case (1, 2):
            return {first: f"{B} @ {g}", second: f"outer({A}, {g})"}
        case (2, 2):
            return {first: f"{g} @ {B}.T", second: f"{A}.T @ {g}"}
    if min(sizes) > 2 and len({tuple(a.values[name].shape[:-2]) for name in (first, second)}) == 1:
        return {first: f"{g} @ {B}.mT", second: f"{A}.mT @ {g}"}
    return {}


def _einsum(a: Applied) -> Products:
    """Of one or two operands: the same with the result in the place of an operand."""
    given, separator, out = str(a.values["equation"]).replace(" ", "").partition("->")
    parts, texts = given.split(","), a.texts["operands"].split(", ")
    out = out if separator else "".join(sorted(c for c in set(given) if given.count(c) == 1 and c.isalpha()))
    if len(parts) != len(texts) or "." in given or any(len(set(part)) != len(part) for part in parts):
        return {}
    found = {}
    for k, part in enumerate(parts):
        others = [one for j, one in enumerate(parts) if j != k]
        if set(part) <= set(out).union(*others):
            written = ",".join([out, *others])
            rest = ", ".join([a.g, *(text for j, text in enumerate(texts) if j != k)])
            found[texts[k]] = f"einsum('{written}->{part}', {rest})"
    return found


def _det(a: Applied) -> Products:
    return {"input": f"{a.g}*{a.y}*inv({a.texts['input']}).T"} if a.ndim == 2 else {}


def _solve(a: Applied) -> Products:
    by = f"solve({a.texts['A']}.T, {a.g})"
    vector = a.result.ndim == 1
    return {"A": f"-outer({by}, {a.y})" if vector else f"-{by} @ {a.y}.T", "B": by} if _ndim(a.values["A"]) == 2 else {}


def _matrix_power(a: Applied) -> Products:
    n, A = a.values["n"], a.texts["input"]
    if a.ndim != 2 or not 1 <= n <= 4:
        return {}
    power = {0: "", 1: f"{A}.T", **{k: f"matrix_power({A}.T, {k})" for k in range(2, n)}}
    terms = [" @ ".join(filter(None, (power[k], a.g, power[n - 1 - k]))) for k in range(n)]
    return {"input": " + ".join(terms)}


# Losses


def _each(a: Applied) -> str:
    """What the adjoint is for each element, or row, before the reduction."""
    match a.values.get("reduction", "mean"):
        case "mean":
            elements = max(a.values[name].numel() for name in ("input", "target") if isinstance(a.values[name], Tensor))
            return f"{a.g}/{elements}"
        case "batchmean":
            return f"{a.g}/{len(a.values['input'])}"
    return a.g


def _pointwise(by_input: str, by_target: str = "-{r}") -> Callable[[Applied], Products]:
    """A loss of elements. The formulas: {x}, {t} the arguments; {r} the first one."""

    def row(a: Applied) -> Products:
        words = {"x": a.texts["input"], "t": a.texts["target"]} | {k: str(a.values.get(k)) for k in ("delta", "beta")}
        first = by_input.format(**words)
        second = by_target.format(r=first, **words)
        return {"input": f"{_each(a)}*{first}", "target": f"{_each(a)}*({second})"}

    return row


def _kl_div(a: Applied) -> Products:
    x, t, g = a.texts["input"], a.texts["target"], _each(a)
    if a.values.get("log_target"):
        return {"input": f"-{g}*exp({t})", "target": f"{g}*exp({t})*({t} + 1 - {x})"}
    return {"input": f"-{g}*{t}", "target": f"{g}*(log({t}) + 1 - {x})"}


def _rows(a: Applied) -> tuple[str, str] | None:
    """Of a loss of classes: the adjoint for each row, and the classes as ones."""
    logits, target = a.values["input"], a.values["target"]
    if logits.ndim > 2 or (isinstance(target, Tensor) and target.is_floating_point()):
        return None
    onehot = f"onehot({a.texts['target']}, {logits.shape[-1]})"
    reduction = a.values.get("reduction", "mean")
    if logits.ndim == 1:
        return a.g, onehot
    return {"mean": f"{a.g}/{len(logits)}", "sum": a.g}.get(reduction, f"unsqueeze({a.g}, 1)"), onehot


def _cross_entropy(a: Applied) -> Products:
    found = _rows(a)
    if found is None or a.values.get("label_smoothing"):
        return {}
    return {"input": f"{found[0]}*(softmax({a.texts['input']}) - {found[1]})"}


def _nll_loss(a: Applied) -> Products:
    found = _rows(a)
    return {} if found is None else {"input": f"-{found[0]}*{found[1]}"}


def _cosine_similarity(a: Applied) -> Products:
    x, z = a.texts["x1"], a.texts["x2"]
    one, other = a.values["x1"], a.values["x2"]
    if not (isinstance(one, Tensor) and isinstance(other, Tensor) and one.shape == other.shape):
        return {}
    dim = a.values.get("dim", -1) % one.ndim
    g, y = (name if one.ndim == 1 else f"unsqueeze({name}, {dim})" for name in (a.g, a.y))
    more = "" if one.ndim == 1 else f", dim={dim}, keepdim=true"

    def by(x: str, z: str) -> str:
        return f"{g}*({z}/norm({z}{more}) - {y}*{x}/norm({x}{more}))/norm({x}{more})"

    return {"x1": by(x, z), "x2": by(z, x)}


# Normalisation


def _normalized(a: Applied, centred: bool) -> Products:
    """n: the normalised input; h: what arrives there."""
    x, shape = a.texts["input"], tuple(a.values["normalized_shape"])
    weight = a.texts["weight"] if a.values.get("weight") is not None else None
    dims = tuple(range(a.ndim - len(shape), a.ndim))
    more = f", dim={_dims(dims)}, keepdim=true" if a.ndim > 1 else ""
    h = a.g if weight is None else f"{a.g}*{weight}"
    eps = a.values.get("eps")
    added = "" if eps is None else f" + {eps}"
    if centred:
        scale = f"sqrt(var({x}{more}, correction=0){added})"
        n, left = f"({x} - mean({x}{more}))/scale", f"{h} - mean({h}{more})"
    else:
        scale = f"sqrt(mean({x}**2{more}){added})"
        n, left = f"{x}/scale", h
    named = f"{WITH}scale = {scale}; normed = {n}"
    found = {"input": f"({left} - normed*mean({h}*normed{more}))/scale{named}"}
    leading = range(a.ndim - len(shape))
    total = f", dim={_dims(leading)}" if leading else ""
    if weight is not None:
        found["weight"] = (f"sum({a.g}*normed{total})" if leading else f"{a.g}*normed") + named
    if a.values.get("bias") is not None:
        found["bias"] = f"sum({a.g}{total})" if leading else a.g
    return found


def _normalize(a: Applied) -> Products:
    if a.values.get("p", 2) != 2:
        return {}
    size = a.along("norm", a.texts["input"])
    return {"input": f"({a.g} - {a.y}*{a.along('sum', f'{a.g}*{a.y}')})/{size}"}


def _linear(a: Applied) -> Products:
    x, W, g = a.texts["input"], a.texts["weight"], a.g
    matrix = _ndim(a.values["weight"]) == 2
    if not matrix or a.ndim > 2:
        return {}
    found = {"input": f"{g} @ {W}", "weight": f"outer({g}, {x})" if a.ndim == 1 else f"{g}.T @ {x}"}
    return {**found, "bias": g if a.ndim == 1 else f"sum({g}, dim=0)"}


# Shapes


def _parts(a: Applied) -> Products:
    """stack and cat: each operand gets its part."""
    texts, values = a.texts["tensors"].split(", "), a.values["tensors"]
    dim = a.values.get("dim", 0) % a.result.ndim
    found, start = {}, 0
    for text, value in zip(texts, values, strict=True):
        size = 1 if a.name == "stack" else value.shape[dim]
        place = str(start) if a.name == "stack" else f"{start}:{start + size}"
        found[text] = f"{a.g}[{', '.join([':'] * dim + [place])}]"
        start += size
    return found if len(found) == len(texts) else {}


def _reshaped(a: Applied) -> Products:
    return {"input": f"reshape({a.g}, {tuple(a.values['input'].shape)})"}


def _by_input(formula: str) -> Callable[[Applied], Products]:
    """{x}, {y}, {g}: as they are; {G}, {Y}: with the dimensions that were reduced; others: arguments."""

    def row(a: Applied) -> Products:
        words = {key: str(value) for key, value in a.values.items()} | {"x": a.texts["input"], "y": a.y, "g": a.g}
        return {"input": formula.format(**words, G=a.kept(a.g), Y=a.kept(a.y))}

    return row


def _by_two(first: str, second: str) -> Callable[[Applied], Products]:
    """Of functions of two arguments, which are {a} and {b}; {dim}, if they have one."""

    def row(a: Applied) -> Products:
        names = list(a.texts)
        words = {"a": a.texts[names[0]], "b": a.texts[names[1]], "g": a.g, "dim": str(a.values.get("dim"))}
        return {names[0]: first.format(**words), names[1]: second.format(**words)}

    return row


def _where(a: Applied) -> Products:
    condition = a.texts["condition"].removeprefix("(").removesuffix(")")
    return {"a": f"where({condition}, {a.g}, 0)", "b": f"where({condition}, 0, {a.g})"}


def _if_matrix(row: Callable[[Applied], Products]) -> Callable[[Applied], Products]:
    return lambda a: row(a) if a.ndim == 2 else {}


BY_NAME: dict[str, Callable[[Applied], Products]] = {
    "sum": _by_input("{G}*ones_like({x})"), "mean": _mean, "prod": _prod, "amax": _shared, "amin": _shared,
    "max": _shared, "min": _shared, "norm": _norm, "var": _var, "std": _std,
    "logsumexp": _by_input("{G}*exp({x} - {Y})"), "softmax": _softmax,
    "log_softmax": lambda a: {"input": f"{a.g} - exp({a.y})*{a.along('sum', a.g)}"},
    "softmin": lambda a: {"input": f"-{_softmax(a)['input']}"},
    "cumsum": _cumsum, "cumprod": _cumprod, "logcumsumexp": _logcumsumexp,
    "@": _matmul, "matmul": _matmul, "dot": _matmul, "outer": _by_two("{g} @ {b}", "{g}.T @ {a}"),
    "cross": _by_two("cross({b}, {g}, dim={dim})", "cross({g}, {a}, dim={dim})"), "einsum": _einsum,
    "trace": lambda a: {"input": f"{a.g}*eye({a.values['input'].shape[0]})"},
    "det": _det, "logdet": _if_matrix(_by_input("{g}*inv({x}).T")),
    "inv": _if_matrix(_by_input("-{y}.T @ {g} @ {y}.T")),
    "solve": _solve, "matrix_power": _matrix_power,
    "mse_loss": _pointwise("2*({x} - {t})"), "l1_loss": _pointwise("sign({x} - {t})"),
    "huber_loss": _pointwise("clamp({x} - {t}, -{delta}, {delta})"),
    "smooth_l1_loss": _pointwise("clamp(({x} - {t})/{beta}, -1, 1)"),
    "cross_entropy": _cross_entropy, "nll_loss": _nll_loss,
    "binary_cross_entropy": _pointwise("({x} - {t})/({x}*(1 - {x}))", "log(1 - {x}) - log({x})"),
    "binary_cross_entropy_with_logits": _pointwise("(sigmoid({x}) - {t})", "-{x}"),
    "kl_div": _kl_div, "cosine_similarity": _cosine_similarity,
    "layer_norm": lambda a: _normalized(a, True), "rms_norm": lambda a: _normalized(a, False),
    "normalize": _normalize, "linear": _linear,
    "stack": _parts, "cat": _parts, "transpose": _by_input("transpose({g}, {dim0}, {dim1})"),
    "t": _by_input("{g}.mT"), "reshape": _reshaped, "flatten": _reshaped, "squeeze": _reshaped,
    "unsqueeze": _reshaped, "diag": _by_input("diag({g})"), "tril": _by_input("tril({g}, {diagonal})"),
    "triu": _by_input("triu({g}, {diagonal})"), "flip": _by_input("flip({g}, {dims})"), "where": _where,
}  # fmt: skip
"""A row a function; what is not in it applies to each element, or has no formula: index kron cholesky sort."""

WITHOUT = frozenset({"kron", "cholesky", "sort", "onehot", "zeros_like", "ones_like"})
"""Functions of arrays without a row: no short formula, or nothing flows through them."""
