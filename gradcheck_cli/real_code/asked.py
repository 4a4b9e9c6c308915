"""What is asked of a check: the code with what it is given, and how it is to be judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradcheck_cli.real_code.subject import Subject
from gradcheck_cli.tracing.surrogates import Surrogates

MODES = {"reverse": ("reverse",), "forward": ("forward",), "both": ("reverse", "forward")}


@dataclass(frozen=True)
class Options:
    """What is asked for. rtol, atol: None: of the dtype. cotangents: "auto", "one-hot" or "random". one_hot: entries
    of a Jacobian up to which "auto" checks each by itself; pinpoint: where random sums are wrong, find the entries.
    constant: where no output requires grad, all of them are to be constant. arrays: entries of a block up to which the
    record has all of its numbers."""

    modes: tuple[str, ...] = ("reverse",)
    rtol: float | None = None
    atol: float | None = None
    strict: bool = False
    through_detach: bool = False
    cotangents: str = "auto"
    one_hot: int = 100_000
    pinpoint: bool = True
    replay: bool = True
    nondet_tol: float = 0.0
    constant: bool = False
    arrays: int = 0


@dataclass(frozen=True)
class Asked:
    """The code and what it is given, as for `check_code`."""

    function: Callable[..., Any]
    inputs: Any
    named: Mapping[str, Any] | None = None
    wrt: Sequence[str] | None = None
    everything: bool = True
    seed: int = 0
    reference: Callable[..., Any] | None = None
    order: int = 1
    grad_outputs: Sequence[Any] | None = None
    by_cotangents: bool = True
    surrogate: Surrogates | None = None
    names: Sequence[str] | None = None

    def subject(self) -> Subject:
        arguments = tuple(self.inputs) if isinstance(self.inputs, (tuple, list)) else (self.inputs,)
        return Subject(
            self.function, arguments, self.named, wrt=self.wrt, everything=self.everything, seed=self.seed,
            surrogates=self.surrogate, names=self.names,
        )  # fmt: skip
