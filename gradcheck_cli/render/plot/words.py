"""What is said beside a picture, the same on the terminal and in figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcheck_cli import number_text
from gradcheck_cli.records.picture import Axis, LinePicture, MapPicture, Matrix, Panel, PlaceKind, Scale
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.render import labels
from gradcheck_cli.render.plain import one_line

ERRORS = "error in ulps"
MOST = 4
"""Places of a kind that are listed."""
LONGEST = 60
MATRIX = 30
"""Characters of the name of an output, or an input."""
CLAIM_IS_WRONG = "where a claim is wrong"
_PLURALS = {
    PlaceKind.KINK: "kinks", PlaceKind.JUMP: "jumps", PlaceKind.POLE: "poles", PlaceKind.HOLE: "holes",
    PlaceKind.EDGE: "edges of the domain",
}  # fmt: skip


def in_short(text: str, room: int = LONGEST) -> str:
    """On one line, cut to so many characters."""
    line = one_line(text)
    return line if len(line) <= room else f"{line[: room - 1]}…"


def panel(result: AnyResult, wrt: Sequence[str]) -> str:
    """f(x), f'(x), ∂f/∂x: what is drawn."""
    if wrt:
        return one_line(labels.derivative(result, wrt))
    name = labels.function_name(result)
    variables = ", ".join(result.variables)
    return one_line(f"{name}({variables})" if len(variables) <= LONGEST else name)


def scaled(what: str, axis: Axis, between: str = " ") -> str:
    """What an axis shows, and that equal steps on it are factors, where they are."""
    return what if axis.scale is Scale.LINEAR else f"{what}{between}(log scale)"


def matrix(one: Matrix) -> str:
    """∂f/∂W, of a Hessian ∂²f/∂x∂y: what a matrix is."""
    output, given = in_short(one.output, MATRIX), in_short(one.input, MATRIX)
    function, _, by = output.removeprefix("∂").partition("/∂")
    return f"∂²{function}/∂{by}∂{given}" if by else f"∂{output}/∂{given}"


def along(picture: LinePicture | MapPicture) -> str:
    """`w=2, y=1`: where the other variables stay; nothing where there are none."""
    return one_line(", ".join(f"{name}={number_text.brief(value)}" for name, value in picture.fixed.items()))


def places(picture: LinePicture) -> list[str]:
    """`kink at 0`, `poles at -1.5708 and 1.5708`, `undefined from -0.4 to 0`."""
    said = []
    for kind in PlaceKind:
        found = [_rounded(place.x, picture) for place in picture.places if place.kind is kind]
        if found and not (kind is PlaceKind.EDGE and picture.undefined):
            what = kind.value if len(found) == 1 else _PLURALS[kind]
            said.append(f"{what} at {_listed(found)}")
    stretches = [f"from {_rounded(low, picture)} to {_rounded(high, picture)}" for low, high in picture.undefined]
    return [*said, f"undefined {_listed(stretches)}"] if stretches else said


def claims(panels: Sequence[Panel]) -> Iterator[str]:
    for one in panels:
        yield from (in_short(curve.claim) for curve in one.curves if curve.claim)


def _rounded(x: float, picture: LinePicture) -> str:
    """A number of the abscissa, with no more digits than the width of the picture gives sense to."""
    width = picture.x.high - picture.x.low
    return "0" if abs(x) < 1e-7 * width else number_text.brief(x)


def _listed(texts: Sequence[str]) -> str:
    if len(texts) > MOST:
        return f"{', '.join(texts[:MOST])} and {len(texts) - MOST} more"
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))
