"""The public function: a check from Python, with the same texts and options as on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradcheck_cli.records import ProblemResult

PointLike = str | float | Mapping[str, float]


def check(
    expression: str,
    at: PointLike | Sequence[PointLike] = (),
    *,
    wrt: str | Sequence[str] = (),
    let: Mapping[str, str] | None = None,
    order: int = 1,
    mode: str = "reverse",
    dtype: str = "float64",
    device: str = "cpu",
    rtol: float | None = None,
    atol: float | None = None,
    strict: bool = False,
    samples: int | None = None,
    seed: int = 0,
    range: str | Sequence[str] = (),
    derivatives: bool = True,
) -> ProblemResult:
    """Check the gradient that torch computes for an expression.

    at: a point, or a list of points; each a number (of the only variable), a mapping from variable to number, or a text
    as for --at ("x=-3:3:101"). Without points, `samples` random ones (5) are taken from `range`, the same ones for the
    same `seed`. let: intermediate results by name. The other options are those of the command line.

    Returns the records: `.passed`, `.verdict`, and a `Check` for each row in `.checks`. Raises GradcheckError, whose
    text is a sentence for people, for input that cannot be read or checked.
    """
    from gradcheck_cli.checker import check_expression
    from gradcheck_cli.request import Request

    points = [at] if isinstance(at, str | Mapping) or not isinstance(at, Sequence) else at
    request = Request(
        expression,
        at=tuple(_text(point) for point in points),
        wrt=(wrt,) if isinstance(wrt, str) else tuple(wrt),
        lets=tuple(f"{name} = {text}" for name, text in (let or {}).items()),
        order=order,
        mode=mode,
        dtype=dtype,
        device=device,
        rtol=rtol,
        atol=atol,
        strict=strict,
        samples=samples,
        seed=seed,
        ranges=(range,) if isinstance(range, str) else tuple(range),
        derivatives=derivatives,
    )
    return check_expression(request)


def _text(point: PointLike) -> str:
    """A point as a text of --at."""
    if isinstance(point, str):
        return point
    if isinstance(point, Mapping):
        return ",".join(f"{name}={float(value)!r}" for name, value in point.items())
    return repr(float(point))
