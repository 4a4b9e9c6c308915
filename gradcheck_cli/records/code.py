"""The records that a check of real code leaves behind: frozen, plain floats and text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gradcheck_cli.records.results import UNEXPECTED, WRONG_NUMBER, Claim, Result, Verdict


@dataclass(frozen=True, slots=True)
class TensorInput:
    """A tensor that the code gets. differentiated: by it, or not. role: "argument", "parameter" (of a module) or
    "cotangent" (of an output, where gradients of gradients are checked)."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    requires_grad: bool
    differentiated: bool
    role: str = "argument"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a Jacobian, with its verdict.

    output: "out[2]"; wrt: one name per order ("logits[0,1]"). analytical, left, right: certified, rounded to the dtype
    of the input. scale: the largest entry of that output's gradient by that input, on which rounding is judged. at: the
    inputs, where there are several ("draw 2", "zeros"). A number that does not exist is None.
    """

    output: str
    wrt: tuple[str, ...]
    mode: str
    verdict: Verdict
    passed: bool
    analytical: float | None = None
    autograd: float | None = None
    left: float | None = None
    right: float | None = None
    abs_error: float | None = None
    rel_error: float | None = None
    ulps: float | None = None
    scale: float | None = None
    note: str | None = None
    at: str = ""

    @property
    def failure(self) -> str | None:
        """Why the entry failed, in a word: its verdict (of one that passes: with --strict)."""
        return None if self.passed else self.verdict.value


@dataclass(frozen=True)
class Block:
    """The derivative of one output by one input in one mode.

    shape: of the output, and of the input. counts: entries by verdict. worst: the largest relative error of an entry
    that matches, is unstable or a mismatch; None where there is none. cotangents: "one-hot", or "random": of each input
    element, three products with the Jacobian are compared. analytical, autograd: the entries, row by row (a row an
    element of the output), where they were asked for; None for what does not exist.
    """

    output: str
    input: str
    mode: str
    shape: tuple[tuple[int, ...], tuple[int, ...]]
    verdict: Verdict
    passed: bool
    counts: Mapping[Verdict, int] = field(default_factory=dict)
    worst: float | None = None
    cotangents: str = "one-hot"
    analytical: tuple[float | None, ...] | None = None
    autograd: tuple[float | None, ...] | None = None

    @property
    def entries(self) -> int:
        return sum(self.counts.values())

    @property
    def failure(self) -> str | None:
        """Why the block failed, in a word."""
        return None if self.passed else self.verdict.value


@dataclass(frozen=True)
class ValueBlock:
    """What the function returned, against what was recorded, evaluated exactly.

    worst: the largest relative error. unexplained: the largest difference that rounding does not explain, over the
    largest number of the output. numbers: what was returned, where it was asked for.
    """

    output: str
    shape: tuple[int, ...]
    dtype: str
    verdict: Verdict
    worst: float | None = None
    unexplained: float = 0.0
    numbers: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Numbers that are held constant. how: "detach", "no_grad", ".item()", ".data", "padding_idx"."""

    how: str
    place: str
    count: int


class Cause(Enum):
    """What a finding about wrong entries says. Programs may compare these: they may be added, never renamed."""

    # who is to blame
    FUNCTION = "function"  # an autograd.Function's backward, or its jvp
    DOUBLE_BACKWARD = "double backward"  # a backward that is right, and cannot be differentiated as it is
    STALE = "stale"  # a backward that takes what a later call left
    COTANGENT_CHANGED = "cotangent changed"  # a backward that writes into what it is given
    OPERATION = "operation"  # torch's own, or a custom one
    HOOK = "hook"  # of a tensor or a module
    CUT = "cut"  # the graph, by a detach() or no_grad() that is differentiated through
    NAN = "nan"  # 0 times infinity, between operations that are right by themselves
    SOUND = "sound"  # each function and operation is right by itself

    # what was done wrong; it holds for every wrong entry, at other inputs as well
    FACTOR = "factor"  # times a constant, or a number of the inputs
    FACTOR_ALONG = "factor along"  # times a factor that is the same along a dimension
    TERM = "term"  # a term is missing, or has the wrong sign
    OFFSET = "offset"  # by the same number
    PASSED_ON = "passed on"  # the cotangent as it came
    ZERO = "zero"  # where the truth is not
    NOT_ZERO = "not zero"  # where the truth is
    SIGN_ONLY = "sign only"
    SIGN_LOST = "sign lost"
    ONE_SUMMAND = "one summand"  # of a sum over a dimension
    ANOTHER = "another"  # the gradient of another argument or output
    PERMUTED = "permuted"  # transposed, flipped, shifted
    ELSEWHERE = "elsewhere"  # the derivative at other numbers
    OF_THE_OUTPUT = "of the output"  # a formula of the output, given the input
    SAVED_CHANGED = "saved changed"  # in place, by the backward, so that the next one gives something else
    NEEDED = "needed"  # another gradient where other inputs need one: a wrong index of ctx.needs_input_grad
    COTANGENT = "cotangent"  # the backward does not depend on it as it should


@dataclass(frozen=True, slots=True)
class CodeFinding:
    """One thing that is known about the wrong entries of a check of code. It has been verified.

    function: "FocalLoss.backward", or an operation as torch calls it; place: its file and line. argument: whose
    gradient is wrong. numbers, texts: by what they are. text: all of it in words.
    """

    cause: Cause
    function: str = ""
    place: str = ""
    argument: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, repr=False)
class CodeResult(Result):
    """A function of tensors, checked.

    subject: its name; place: file and line; source: the path of that file, from the current folder where it is in it.
    checks: the entries that did not match, and the worst of the others, at most `records.MOST_ROWS`; checks_failed: how
    many entries did not pass. findings: what is known about why entries are wrong, first who is to blame. operations:
    of numbers, that were recorded. sources: the user's files that it rests on, with digests of what they held; None: of
    an older report, which does not say. expression: of arrays, as typed; None: it is code. formula: the right side of
    its function; lets: what else it defines, by left side. claims: about such a formula; wrong_numbers: how many that
    were expected of it; unexpected: the verdict that an expectation was not of.
    """

    subject: str
    place: str
    inputs: tuple[TensorInput, ...]
    blocks: tuple[Block, ...] = ()
    values: tuple[ValueBlock, ...] = ()
    checks: tuple[Entry, ...] = ()
    checks_failed: int = 0
    held: tuple[Held, ...] = ()
    findings: tuple[CodeFinding, ...] = ()
    operations: int = 0
    source: str = ""
    sources: Mapping[str, str] | None = field(default_factory=dict)
    expression: str | None = None
    formula: str = ""
    lets: Mapping[str, str] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    wrong_numbers: int = 0
    unexpected: Verdict | None = None

    def _repr_words(self) -> str:
        return self._in_short(self.title, self.counts)

    @property
    def signature(self) -> str:
        """`focal_loss(logits, target)`: the subject with the arguments that are tensors, or hold some."""
        if not self.inputs:  # it was not called
            return self.subject
        arguments = dict.fromkeys(given.name.partition("[")[0] for given in self.inputs if given.role == "argument")
        return f"{self.subject}({', '.join(arguments)})"

    @property
    def function_name(self) -> str:
        """What a formula of arrays is called in its derivatives."""
        return self.subject

    @property
    def variables(self) -> tuple[str, ...]:
        """The arguments."""
        return tuple(given.name for given in self.inputs if given.role == "argument")

    @property
    def title(self) -> str:
        """What it is called: its name in the problem file, its formula, or its signature."""
        return next(name for name in (self.name, self.expression, self.signature) if name is not None)

    @property
    def counts(self) -> dict[Verdict, int]:
        """Entries by verdict, over all blocks."""
        return {v: sum(block.counts.get(v, 0) for block in self.blocks) for v in Verdict}

    @property
    def checks_total(self) -> int:
        return sum(block.entries for block in self.blocks)

    @property
    def checks_omitted(self) -> int:
        return self.checks_total - len(self.checks)

    @property
    def failure(self) -> str | None:
        """Why the problem failed, in a word: its verdict, WRONG_NUMBER, what became of a claim, or UNEXPECTED."""
        if self.passed:
            return None
        if self.error is not None or not self.verdict.passes or self.checks_failed:
            return self.verdict.value
        if self.wrong_numbers:
            return WRONG_NUMBER
        return next(filter(None, (claim.failure for claim in self.claims)), UNEXPECTED)
