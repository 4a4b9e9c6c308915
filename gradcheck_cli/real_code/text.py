"""A result as plain text, for an exception."""

from __future__ import annotations

from gradcheck_cli.records.code import CodeResult, Entry
from gradcheck_cli.records.results import Verdict

SHOWN = 6


def report(result: CodeResult) -> str:
    """Lines: the inputs, what is wrong block by block, and the worst entries."""
    lines = [f"{result.subject}({', '.join(given.name for given in result.inputs)})  {result.place}".rstrip()]
    lines.append(" · ".join(f"{given.name} {given.dtype} {_shape(given.shape)}" for given in result.inputs))
    if result.error is not None:
        lines.append(result.error)
    for block in result.blocks:
        if not block.passed:
            counts = ", ".join(f"{block.counts[v]} {v.value}" for v in Verdict if block.counts.get(v))
            lines.append(f"∂{block.output}/∂{block.input} ({block.mode}): {block.entries} entries: {counts}")
    failing = [entry for entry in result.checks if not entry.passed]
    lines += [f"  {_line(entry)}" for entry in failing[:SHOWN]]
    if len(failing) > SHOWN:
        lines.append(f"  ... (and {len(failing) - SHOWN} more)")
    lines += [f"• {finding.text}" for finding in result.findings]
    lines += [f"• {notice}" for notice in result.notices]
    lines += [f"• {held.count} values are held constant ({held.how}): {held.place}" for held in result.held]
    return "\n".join(lines)


def _line(entry: Entry) -> str:
    truth = f"{entry.analytical:.6g}" if entry.analytical is not None else "none"
    if entry.left is not None and entry.right is not None:
        truth = f"[{entry.left:.6g}, {entry.right:.6g}]"
    autograd = "none" if entry.autograd is None else f"{entry.autograd:.6g}"
    note = f"  ({entry.note})" if entry.note else ""
    name = f"∂{entry.output}/∂{','.join(entry.wrt)}"
    return f"{name}   analytical {truth}   autograd {autograd}   {entry.verdict.value}{note}"


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
