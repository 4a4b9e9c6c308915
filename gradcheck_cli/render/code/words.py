"""What the parts of a result of code are called: ∂out/∂logits[0,1], float64 (4, 3), the worst entries."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.records.code import Block, CodeResult, Entry, Held, TensorInput
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render import labels
from gradcheck_cli.render.plain import counted, one_line

BLOCKS, ENTRIES = 4, 3
"""Blocks and entries that are written out where there is little room."""
SENTENCES = 100
"""Entries that are written out in a format for programs that read texts."""


def derivative(output: str, *wrt: str) -> str:
    """`∂out/∂logits[0,1]`; of what is a derivative itself, ∂f/∂x: `∂²f/∂x∂x[0]`."""
    if output.startswith("∂"):
        function, _, first = output[1:].partition("/∂")
        return one_line(f"∂²{function}/∂{first}{''.join(f'∂{name}' for name in wrt)}")
    return one_line(f"∂{output}/{''.join(f'∂{name}' for name in wrt)}")


def block(found: Block, modes: int = 1) -> str:
    """`∂out/∂logits`, with its mode where there are several."""
    text = derivative(found.output, found.input)
    return text if modes == 1 else f"{text} ({found.mode})"


def shape(numbers: tuple[int, ...]) -> str:
    """As Python writes a tuple."""
    return f"({', '.join(map(str, numbers))}{',' if len(numbers) == 1 else ''})"


def tensor(given: TensorInput) -> str:
    """`logits float64 (4, 3)`."""
    return one_line(f"{given.name} {given.dtype} {shape(given.shape)}")


def numbers(entry: Entry, result: CodeResult) -> tuple[str, str]:
    """The exact number, or the one-sided ones, and autograd's."""
    return labels.pair(entry, DTYPES[result.dtype], "none")


def held(found: Held) -> str:
    """`2 values are held constant (detach): losses.py:12`; without a place where torch does it by itself."""
    be = "is" if found.count == 1 else "are"
    where = f": {found.place}" if found.place else ""
    return f"{counted(found.count, 'value')} {be} held constant ({found.how}){where}"


def counts(found: Block) -> str:
    """`8 match, 4 mismatch`."""
    return ", ".join(f"{found.counts[v]:,} {v.value}" for v in Verdict if found.counts.get(v))


def reasons(result: CodeResult) -> Iterator[str]:
    """A sentence for each block that did not pass, for what is known of it, and for the worst entries."""
    several = len({found.mode for found in result.blocks})
    for found in result.blocks:
        if not found.passed:
            yield f"{block(found, several)}: {counted(found.entries, 'entry')}: {counts(found)}"
    if not result.passed:
        yield from (one_line(finding.text) for finding in result.findings)
    failing = [entry for entry in result.checks if not entry.passed][:SENTENCES]
    yield from (sentence(entry, result) for entry in failing)
    if more := result.checks_failed - len(failing):
        yield f"and {counted(more, 'more entry')} that failed"


def brief(result: CodeResult) -> Iterator[str]:
    """The blocks that failed and the worst entries, of many some: what a note beside a line of code has room for."""
    several = len({found.mode for found in result.blocks})
    failed = [found for found in result.blocks if not found.passed]
    for found in failed[:BLOCKS]:
        yield f"{block(found, several)}: {counted(found.entries, 'entry')}: {counts(found)}"
    if len(failed) > BLOCKS:
        yield f"and {counted(len(failed) - BLOCKS, 'more derivative')} that failed"
    failing = [entry for entry in result.checks if not entry.passed][:ENTRIES]
    yield from (sentence(entry, result) for entry in failing)
    if more := result.checks_failed - len(failing):
        yield f"and {counted(more, 'more entry')} that failed"


def sentence(entry: Entry, result: CodeResult) -> str:
    """`∂out/∂x[0]: analytical 1, autograd 2 (mismatch): note`."""
    analytical, autograd = numbers(entry, result)
    mode = " in forward mode" if entry.mode == "forward" else ""
    name = derivative(entry.output, *entry.wrt) + (f" at {entry.at}" if entry.at else "")
    text = f"{name}{mode}: analytical {analytical}, autograd {autograd} ({labels.outcome_words(entry)[1]})"
    return one_line(f"{text}: {entry.note}" if entry.note else text)
