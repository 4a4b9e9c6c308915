"""Text that is torch's own is read where torch runs it, and computes the same; what torch refuses is refused."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from gradcheck_cli import check, explain
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression.functions import FUNCTIONS, Function
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.language.dialects import LIBRARIES
from gradcheck_cli.language.modules import MODULES
from gradcheck_cli.language.parser import parse
from gradcheck_cli.pytorch.gradients import gradients_of
from gradcheck_cli.records.derivative import Derivative

PLACES = {"torch": torch, "torch.special": torch.special, "F": torch.nn.functional}
TABLE = {name: row for name, row in FUNCTIONS.items() if not row.internal}
LETTERS = "uvws"


def example(row: Function) -> tuple[float, ...]:
    if row.points:
        return row.points[0]
    return tuple(0.7 if a.default is None else float(a.default) for a in row.arguments)


def operands(row: Function, kinds: str) -> Iterator[tuple[str, str, Any]]:
    """(keyword or "", text, value) of each argument, the real ones tensors (t) or numbers (n)."""
    letters = iter(zip(LETTERS, kinds, strict=False))
    for argument, number in zip(row.arguments, example(row), strict=True):
        letter, kind = next(letters) if argument.kind == "real" else ("", "n")
        whole = argument.kind == "integer" or (argument.kind == "number" and float(number).is_integer())
        value = int(number) if whole else float(number)
        text = letter if kind == "t" else repr(value)
        tensor = torch.tensor(number, dtype=torch.float64)
        yield argument.name if argument.keyword else "", text, tensor if kind == "t" else value


def point_of(row: Function, kinds: str) -> dict[str, float]:
    return {text: value.item() for _, text, value in operands(row, kinds) if isinstance(value, Tensor)}


def call_text(name: str, arguments: list[tuple[str, str, Any]]) -> str:
    return f"{name}({', '.join(f'{keyword}={text}' if keyword else text for keyword, text, _ in arguments)})"


def by_torch(run: Callable[..., Any], arguments: list[tuple[str, str, Any]]) -> Tensor | None:
    """What torch makes of the call; None where it refuses, or makes something else than a tensor of it."""
    positional = [value for keyword, _, value in arguments if not keyword]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what reductions mean
            result = run(*positional, **{keyword: value for keyword, _, value in arguments if keyword})
    except (TypeError, AttributeError, RuntimeError):
        return None
    return result if isinstance(result, Tensor) else None


def read(text: str, point: Mapping[str, float]) -> Expr | None:
    try:
        return parse(text, names=point)
    except ExpressionError:
        return None


def must_be(text: str, point: Mapping[str, float], theirs: Tensor | None) -> None:
    """What is read is what torch runs, to the bit; what is refused is refused by torch."""
    expr = read(text, point)
    if expr is None:
        assert theirs is None or not point, f"{text} is torch's"
        return
    assert theirs is not None, f"torch refuses {text}"
    ours = gradients_of(expr, [], "reverse", DTYPES["float64"], torch.device("cpu")).at(point)
    assert ours.value is not None, (text, ours.errors)
    assert struct.pack("d", ours.value) == struct.pack("d", theirs.item()), text


def all_kinds(row: Function) -> list[str]:
    return ["".join(kinds) for kinds in product("tn", repeat=sum(a.kind == "real" for a in row.arguments))]


@pytest.mark.parametrize("prefix", PLACES)
def test_functions(prefix: str) -> None:
    for name, ours in LIBRARIES[prefix].names.items():
        if ours not in TABLE:
            continue
        run = getattr(PLACES[prefix], name)
        for row in (TABLE[ours], *(TABLE[other] for other in TABLE[ours].overloads)):
            for kinds in all_kinds(row):
                arguments = list(operands(row, kinds))
                if row.name == "clamp_max":  # clamp(x, max=1)
                    arguments[1] = ("max", *arguments[1][1:])
                text, point = call_text(f"{prefix}.{name}", arguments), point_of(row, kinds)
                if (ours, kinds) == ("div", "nt"):  # torch computes number/tensor as number*(1/tensor)
                    assert read(text, point) is None
                else:
                    must_be(text, point, by_torch(run, arguments))


@pytest.mark.parametrize("ours", TABLE)
def test_methods(ours: str) -> None:
    """By every name that a row has, and by each with the underscore of an in-place method, which none is read as."""
    row = TABLE[ours]
    for spelled in (ours, *row.spellings):
        for name in (spelled, spelled + "_"):
            for kinds in all_kinds(row):
                arguments = list(operands(row, kinds))
                target = arguments.pop(next(i for i, a in enumerate(row.arguments) if a.kind == "real"))
                if "." in name or not isinstance(target[2], Tensor):
                    continue
                text, point = f"{target[1]}.{call_text(name, arguments)}", point_of(row, kinds)
                if name.endswith("_"):
                    assert read(text, point) is None
                    continue
                method = getattr(target[2], name, None)
                must_be(text, point, by_torch(method, arguments) if method else None)


KEYWORDS = ("input", "self", "other", "exponent", "inplace", "alpha", "rounding_mode", "approximate")


@pytest.mark.parametrize("prefix", PLACES)
def test_keywords(prefix: str) -> None:
    """Each argument by each name that we read: torch has it as well."""
    for name, ours in LIBRARIES[prefix].names.items():
        if ours not in TABLE:
            continue
        row = TABLE[ours]
        kinds = "t" * len(all_kinds(row)[0])
        plain = list(operands(row, kinds))
        tried = [
            [*plain[:i], *((a.name, *given[1:]) for a, given in zip(row.arguments[i:], plain[i:], strict=True))]
            for i in range(len(plain))
        ]
        tried += [[(keyword, *plain[0][1:]), *plain[1:]] for keyword in ("input", "self") if len(plain) == 1]
        tried += [[plain[0], (keyword, *plain[1][1:])] for keyword in ("other", "exponent") if len(plain) == 2]
        tried += [[*plain, ("inplace", str(flag), flag)] for flag in (True, False)]
        tried += [[*plain, ("rounding_mode", '"floor"', "floor")], [*plain, ("approximate", '"tanh"', "tanh")]]
        tried += [[*plain, ("alpha", "2", 2)]]
        for arguments in tried:
            text = call_text(f"{prefix}.{name}", arguments)
            if read(text, point_of(row, kinds)) is not None:
                must_be(text, point_of(row, kinds), by_torch(getattr(PLACES[prefix], name), arguments))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("x.fmin(2)", "The method fmin takes tensors only here: write fmin(x, 2), where"),
        ("x.xlog1py(4.0)", "no method xlog1py: write torch.special.xlog1py(x, 4.0) or xlog1py(x, 4.0)."),
        ("x.sec()", "torch.Tensor has no method sec: write sec(x)."),
        ("x.ln()", "torch.Tensor has no method ln: write torch.log(x) or log(x)."),
        ("x.softplus(beta=2)", "write torch.nn.functional.softplus(x, beta=2) or softplus(x, beta=2)."),
        ("torch.maximum(x, 0)", "torch.maximum takes tensors only here: write maximum(x, 0), where"),
        ("torch.max(x, 2*pi)", "torch.max takes tensors only here: write maximum(x, 2*pi), where"),
        (
            "torch.sqrt(2)*x",
            "torch.sqrt is given no tensor: write sqrt(2), where",
        ),
        ("torch.round(x, 2)", "torch.round takes decimals by keyword only: write decimals=."),
        ("torch.maximum(x, y, x)", "torch.maximum(x, y) takes 2 arguments, but 3 were given."),
        ("torch.atan2(y, x=x)", "torch.atan2: give x by its place, not by its name."),
        ("where(torch.gt(0, x), x, y)", "torch.gt takes tensors only here: write 0 > x, where"),
        ("F.relu(x, inplace=True)", "inplace=True, which changes the operand itself, is not run: leave it out."),
        ("torch.relu(x, inplace=False)", "torch.relu has no argument inplace: it is torch.relu(x)."),
    ],
)
def test_what_torch_has_is_said(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(expression)
    assert message in str(caught.value)


MAXIMUM = "maximum: torch refuses a number there, so a 0-d tensor is given"


@pytest.mark.parametrize(
    ("expression", "notices"),
    [
        ("max(x, 0)", [MAXIMUM]),
        ("np.maximum(0, x)", [MAXIMUM]),
        ("maximum(x, x*x)", []),
        ("torch.maximum(x, x*x)", []),
        ("xlogy(2, x)", []),
        ("softplus(x, 2)", []),
        ("gelu(x, approximate='tanh')", []),
        ("mse_loss(x, x*x)", []),
        ("mse_loss(x, 2)", ["mse_loss: torch refuses a number there, so a 0-d tensor is given"]),
        ("x/sqrt(2)", []),
        ("where(x > 0, max(x, 0), x)", [MAXIMUM]),
        ("max(x, 1) if x > 9 else x", []),
        ("sec(x)", ["sec: torch has no such function, so 1/cos(x) is run"]),
        ("sp.gamma(x)", None),
        ("gamma(x)", ["gamma: torch has no such function, so exp(lgamma(x)) is run"]),
    ],
)
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_what_was_run_instead_is_said(expression: str, notices: list[str] | None, mode: str) -> None:
    if notices is None:
        with pytest.raises(ExpressionError):
            parse(expression)
        return
    assert list(check(expression, at=1.25, mode=mode).notices) == notices
    assert set(notices) & {MAXIMUM} <= set(explain(expression, at=1.25).notices)


def test_what_was_run_instead_is_said_of_many_points() -> None:
    assert MAXIMUM in check("max(x, 0)", at="x=-2:2:10001").notices


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_float_power_is_computed_in_float64(mode: str) -> None:
    """Whatever the working dtype: what was run is no arithmetic of that dtype."""
    assert check("float_power(x, 3)", at=1.5, mode=mode).checks[0].verdict.value == "match"
    assert "such" not in "".join(check("np.float_power(x, 3)", at=1.5, mode=mode).notices)
    row = check("x*float_power(x, 3)", at=1.5, dtype="float16", mode=mode).checks[0]
    assert row.verdict.value == "error"
    assert row.note == "torch computes this in float64, not in float16: check it with --dtype float64"


F = torch.nn.functional
# What is read otherwise than it is written, and what torch makes of what is written.
AS_WRITTEN: list[tuple[str, Callable[[Tensor, Tensor], Tensor]]] = [
    ("x*(x > 0)", lambda x, y: x * (x > 0)),
    ("(x > y)*x**2 + (x <= y)*y", lambda x, y: (x > y) * x**2 + (x <= y) * y),
    ("x + (x > 0)", lambda x, y: x + (x > 0)),
    ("y*(x > 0)/2", lambda x, y: y * (x > 0) / 2),
    ("(x > 0).float()*x", lambda x, y: (x > 0).float() * x),
    ("((x > 0) & ~(y > 1))*exp(x)", lambda x, y: ((x > 0) & ~(y > 1)) * torch.exp(x)),
    ("x.gt(0)*y", lambda x, y: x.gt(0) * y),
    ("torch.maximum(x, torch.tensor(0.))", lambda x, y: torch.maximum(x, torch.tensor(0.0, dtype=x.dtype))),
    ("torch.maximum(x, torch.zeros_like(x))", lambda x, y: torch.maximum(x, torch.zeros_like(x))),
    ("torch.full_like(x, 2.5)*y", lambda x, y: torch.full_like(x, 2.5) * y),
    ("nn.Softplus(2, 1)(x)*y", lambda x, y: torch.nn.Softplus(2, 1)(x) * y),
    ("nn.GELU(approximate='tanh')(x)", lambda x, y: torch.nn.GELU(approximate="tanh")(x)),
    ("nn.PReLU()(x)", lambda x, y: torch.nn.PReLU(dtype=x.dtype)(x)),
    ("nn.HuberLoss(delta=0.5)(x, y)", lambda x, y: torch.nn.HuberLoss(delta=0.5)(x, y)),
    ("F.mse_loss(x, y)", lambda x, y: F.mse_loss(x, y)),
    ("F.mse_loss(x, y, weight=y)", lambda x, y: F.mse_loss(x, y, weight=y)),
    ("F.mse_loss(x, y, weight=y, reduction='sum')", lambda x, y: F.mse_loss(x, y, weight=y, reduction="sum")),
    ("F.l1_loss(x, y, weight=x)", lambda x, y: F.l1_loss(x, y, weight=x)),
    ("F.huber_loss(x, y, weight=x)", lambda x, y: F.huber_loss(x, y, weight=x)),
    ("F.smooth_l1_loss(x, y, beta=0)", lambda x, y: F.smooth_l1_loss(x, y, beta=0)),
    (
        "F.binary_cross_entropy(sigmoid(x), sigmoid(y))",
        lambda x, y: F.binary_cross_entropy(torch.sigmoid(x), torch.sigmoid(y)),
    ),
    (
        "F.binary_cross_entropy_with_logits(x, y, pos_weight=exp(torch.tensor(1.)))",
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, pos_weight=torch.exp(torch.tensor(1.0, dtype=x.dtype))),
    ),
    ("F.kl_div(x, exp(y), reduction='batchmean')", lambda x, y: F.kl_div(x, torch.exp(y), reduction="batchmean")),
    ("F.kl_div(x, y, log_target=True)", lambda x, y: F.kl_div(x, y, log_target=True)),
    ("F.gaussian_nll_loss(x, 1.5, exp(y), full=True)", lambda x, y: F.gaussian_nll_loss(x, 1.5, y.exp(), full=True)),
    ("F.gaussian_nll_loss(x, y, y*1e-9)", lambda x, y: F.gaussian_nll_loss(x, y, y * 1e-9)),
    ("F.poisson_nll_loss(x, y, full=True)", lambda x, y: F.poisson_nll_loss(x, y, full=True)),
    ("F.poisson_nll_loss(exp(x), y, log_input=False)", lambda x, y: F.poisson_nll_loss(x.exp(), y, log_input=False)),
]


@pytest.mark.parametrize(("text", "run"), AS_WRITTEN, ids=[text for text, _ in AS_WRITTEN])
def test_what_is_read_otherwise_is_what_torch_runs(text: str, run: Callable[[Tensor, Tensor], Tensor]) -> None:
    rows = [Derivative(("x",)), Derivative(("y",))]
    for point in ({"x": 0.75, "y": 1.5}, {"x": -0.5, "y": 0.75}, {"x": 0.0, "y": 0.25}):
        ours = gradients_of(parse(text), rows, "reverse", DTYPES["float64"], torch.device("cpu")).at(point)
        leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in point.values()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = run(*leaves)
        wanted = torch.autograd.grad(value, leaves, allow_unused=True)
        assert not ours.errors
        found = [ours.value, *(ours.derivatives[row] for row in rows)]
        assert found == pytest.approx(
            [value.item(), *(0.0 if g is None else g.item() for g in wanted)], rel=2e-16, abs=0, nan_ok=True
        )


MADE_WITH = {"Threshold": (0.1, 20.0)}  # others have defaults


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    """Each is what torch's module of that name computes."""
    given = MADE_WITH.get(name, ())
    module = getattr(torch.nn, name)(*given)
    point = {"x": 0.75, "y": 0.25, "z": 1.5}
    count = 1 + name.endswith("Loss") + (name == "GaussianNLLLoss")
    used = dict(list(point.items())[:count])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = module.double()(*(torch.tensor(value, dtype=torch.float64) for value in used.values()))
    expr = parse(f"nn.{name}({', '.join(map(str, given))})({', '.join(used)})")
    ours = gradients_of(expr, [], "reverse", DTYPES["float64"], torch.device("cpu")).at(used)
    assert ours.value == theirs.item()


def test_losses_of_many_points_are_not_reduced() -> None:
    result = check("mse_loss(x, y)", at="x=-2:2:1001,y=1")
    assert result.passed
    assert check("F.binary_cross_entropy(x, y)", at="x=0.1:0.9:1001,y=0.5").passed
    side = gradients_of(
        parse("binary_cross_entropy_with_logits(x, 1, pos_weight=2)"),
        [Derivative(("x",))],
        "reverse",
        DTYPES["float64"],
        torch.device("cpu"),
    )
    found = side.at_many({"x": [-1.0, 0.5, 2.0]}, 3)
    assert found is not None
    for index, x in enumerate((-1.0, 0.5, 2.0)):
        assert found[Derivative(("x",))][index] == side.at({"x": x}).derivatives[Derivative(("x",))]
