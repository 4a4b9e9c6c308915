"""The formulas of the benchmarks: a thousand made from templates, or those of a folder of corpora."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks import corpora
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.expression.nodes import variables
from gradcheck_cli.language.parser import parse

COUNT = 1_000
TEMPLATES = """
    {a}*x**4 + {b}*x**3 + {c}*x**2 + {d}*x + 1
    ({a} - x)**2 + {b}*(y - x**2)**2
    {a}*x**2*y - {b}*x*y**2 + {c}*x*y
    ({a}*x + {b})/({c}*x + {d})
    1/(1 + {a}*x**2)
    x**{i}/(1 + x**{j})
    sqrt({a}*x**2 + {b}*y**2)
    sqrt(1 + {a}*x)*exp(-{b}*x)
    exp(-{a}*x**2/2)*sin({b}*x)
    exp({c}*x)*cos({d}*x) + exp(-{a}*y)
    log({a} + exp(x) + exp(y))
    log(1 + {a}*x**2)/(1 + {b}*x)
    x*log({a}*x) - {b}*x
    x**{i}*log(x)
    1/(1 + exp(-{a}*x))
    1/(1 + exp(-({a}*x + {b}*y + {c})))
    tanh({a}*w*x + b)
    tanh({a}*x)**2 + {b}*tanh(x)
    w*sigmoid({a}*x + b) + {c}*w**2
    softplus({a}*x - {b})
    softplus(w*x + b)*sigmoid({a}*x)
    (w*x + b - {a})**2 + {c}*w**2
    -({a}*log(p) + (1 - {a})*log1p(-p/(2 + {b})))
    erf({a}*x)*exp(-x)
    x*(1 + erf(x/sqrt(2)))/{b}
    {a}*sin(x)**2 + {b}*cos(y)**2
    sin({a}*x*y)*cos({b}*x + {c}*y)
    atan({a}*y/x)
    atan(x) + {a}*x/(1 + x**2)
    sinh({c}*x)/cosh({d}*x)
    expm1({a}*x)/({b} + x)
    log1p({a}*x)*expm1({c}*x)
    tan({c}*x/4) + {a}*x
    {a}*m*v**2/2 + {b}*m*h
    {a}*m*n/(r**2 + {b})
    {a}/(4*pi*r**2)*exp(-r/{b})
    h*v**3/({a}*(exp(h*v/{b}) - 1))
    exp(-(x - {c})**2/(2*s**2))/(s*sqrt(2*pi))
    {a}*((s/r)**12 - (s/r)**6)
    sin(cos({a}*x + {b}) + exp(-{c}*x))*sqrt(x + {d})
"""
"""Of analysis, statistics, physics and machine learning. a to d: numbers; i, j: small integers; the rest: variables."""


class Problem(NamedTuple):
    text: str
    point: Mapping[str, float]


def problems(folder: Path | None) -> list[Problem]:
    """In a random order, the same each time."""
    found = list(_made() if folder is None else _read(folder))
    random.Random(0).shuffle(found)
    return found


def _made() -> Iterator[Problem]:
    rng = random.Random(1)
    templates = [line.strip() for line in TEMPLATES.strip().splitlines()]
    for index in range(COUNT):
        numbers = {name: round(rng.uniform(0.2, 2.5), 2) for name in "abcd"}
        text = templates[index % len(templates)].format(**numbers, i=rng.randint(2, 5), j=rng.randint(2, 5))
        yield Problem(text, {name: round(rng.uniform(0.3, 1.9), 3) for name in variables(parse(text))})


def _read(folder: Path) -> Iterator[Problem]:
    """Each formula of the corpora with its first point, of which only the variables in the formula count."""
    for name in corpora.NAMES:
        if not (folder / f"{name}.jsonl").exists():
            continue
        for _, text, points, _ in corpora.rows(folder / f"{name}.jsonl"):
            try:
                used = variables(parse(text, names=set(points[0])))
            except GradcheckError:
                continue
            if used and all(variable in points[0] for variable in used):
                yield Problem(text, {variable: float(points[0][variable]) for variable in used})
