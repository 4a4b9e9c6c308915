"""What is asked for: one expression with its options, and what is expected of it. Texts and plain numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gradcheck_cli.records.results import MOST_ROWS, ClaimStatus, Verdict
from gradcheck_cli.surfaces import Words, on_command_line

PointNumbers = tuple[tuple[str | None, float], ...]
"""A point as numbers: each with its variable, None for the only one there is."""


@dataclass(frozen=True)
class Expectation:
    """What a problem file says must come out. Empty: whatever passes by itself.

    verdicts: variable ("x", or "x,y" for order 2) or mode -> the verdicts that pass, and only they; the key "" stands
    for every row. gradient: variable -> the derivative as texts of numbers, one for all points or one a point; the key
    "" stands for the only row. value: of the function, likewise. claims: variable -> the statuses that pass; the key ""
    stands for every claim.
    """

    verdicts: Mapping[str, tuple[Verdict, ...]] = field(default_factory=dict)
    gradient: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    value: tuple[str, ...] = ()
    claims: Mapping[str, tuple[ClaimStatus, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What to check, as texts and options of the command line. None: the default.

    at: the texts of --at, or points as numbers; ranges: of --range; shapes: of --shape; claims: of --claim ("2*x", or
    "x: 2*x"); timeout: seconds until the check is given up; derivatives: their closed forms are wanted; formula: so is
    the expression as it was read, also of a problem that passes; picture: so is what a picture shows; chains: so is the
    chain rule at the worst row, of "all" problems or of those that "failed"; keep: how many rows are kept in the
    result; defaulted: those of samples and ranges that are defaults of many problems, and give way where they do not
    suit this one; words: how whoever asks calls the options.
    """

    expression: str
    at: tuple[str | PointNumbers, ...] = ()
    wrt: tuple[str, ...] = ()
    lets: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    order: int = 1
    mode: str = "reverse"
    dtype: str = "float64"
    device: str = "cpu"
    rtol: float | None = None
    atol: float | None = None
    claim_rtol: float = 1e-9
    strict: bool = False
    samples: int | None = None
    seed: int = 0
    ranges: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    timeout: float | None = None
    defaulted: tuple[str, ...] = ()
    derivatives: bool = True
    formula: bool = True
    picture: bool = False
    chains: str = ""
    keep: int = MOST_ROWS
    expectation: Expectation = Expectation()
    words: Words = field(default=on_command_line, compare=False)

    def explains(self, *, passed: bool) -> bool:
        """Whether the chain rule of a problem that passed, or did not, is wanted."""
        return self.chains == "all" or (self.chains == "failed" and not passed)

    def names(self, option: str) -> bool:
        """Whether samples or ranges are given to this problem itself."""
        return getattr(self, option) not in (None, ()) and option not in self.defaulted


CodeInput = tuple[str | None, str]
"""The name of an argument, None by position, and the text of its value."""


@dataclass(frozen=True)
class CodeRequest:
    """What to check. None: the default.

    code: FILE.py::NAME, package.module:NAME or dotted. inputs: what it is called with; init: what a class is made with.
    samples: how many draws of the inputs; stress: add inputs at which backwards tend to be wrong. folder: where the
    names of files begin. timeout: seconds until the check is given up. picture: what one shows is wanted.
    words: how whoever asks calls the options.
    """

    code: str
    inputs: tuple[CodeInput, ...] = ()
    init: str | None = None
    wrt: tuple[str, ...] = ()
    order: int = 1
    mode: str = "reverse"
    dtype: str = "float64"
    device: str = "cpu"
    rtol: float | None = None
    atol: float | None = None
    strict: bool = False
    samples: int | None = None
    stress: bool = False
    seed: int = 0
    through_detach: bool = False
    cotangents: str = "auto"
    timeout: float | None = None
    picture: bool = False
    folder: str = ""
    expectation: Expectation = Expectation()
    words: Words = field(default=on_command_line, compare=False)


AnyRequest = Request | CodeRequest


_OPTIONS = {
    "at": "at", "wrt": "wrt", "lets": "let", "claims": "claim", "order": "order", "mode": "mode", "dtype": "dtype",
    "device": "device", "rtol": "rtol", "atol": "atol", "claim_rtol": "claim_rtol", "strict": "strict",
    "samples": "samples", "seed": "seed", "ranges": "range", "shapes": "shape", "timeout": "timeout",
}  # fmt: skip


def options_of(given: Mapping[str, object]) -> dict[str, object]:
    """All options of a check, by the name that the command line and problem files give them; None: not given.

    given: fields of a Request, or options by their own names.
    """
    return {option: given.get(name, given.get(option)) for name, option in _OPTIONS.items()}


@dataclass(frozen=True)
class ProblemSpec:
    """One problem of a file, or why it cannot be read (error, with file, line and column; request is None then).

    expect, expect_claim: as written in the file, for reports. index: among all problems that were selected.
    """

    name: str
    file: str
    line: int
    request: AnyRequest | None = None
    error: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    expect: object = None
    expect_claim: object = None
    index: int = 0
