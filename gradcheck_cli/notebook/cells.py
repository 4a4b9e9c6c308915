"""The cell below `%%gradcheck`: it is run as always, and what it defines last is what is checked."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from gradcheck_cli.errors import UsageError


def run(shell: Any, line: str, cell: str) -> None:
    """Run a cell in the notebook's namespace. What it raises is raised, and looks as if the cell had run by itself.

    line: the magic's, which stays the first of the cell, so that lines are counted as the notebook shows them. Raises
    UsageError for a cell that would have to wait for the loop in which it runs.
    """
    if _waits(shell, cell):
        raise UsageError("this cell has an await of its own: define what is checked in a cell without")
    tracebacks: list[list[str]] = []
    outer, compiler = shell.displayhook.exec_result, shell.compile
    number = getattr(outer, "execution_count", None) or shell.execution_count
    cache = compiler.cache
    compiler.cache = lambda code, _number=0, **raw: cache(code, number, **raw)  # else it is called the next cell
    shell.show_usage_error = lambda _error: None  # IPython's own, which it shows again where it is raised
    shell._showtraceback = lambda _type, _error, lines: tracebacks.append(lines)
    try:
        result = shell.run_cell(cell if cell.startswith("%%") else f"# %%gradcheck {line}\n{cell}", store_history=False)
    finally:
        del shell._showtraceback, shell.show_usage_error, compiler.cache
        shell.displayhook.exec_result = outer
    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        raise _shown_as(error, tracebacks[-1] if tracebacks else [])


def _waits(shell: Any, cell: str) -> bool:
    """Whether a cell has an `await`, and it is a kernel that runs it: there, a loop is under way already."""
    with suppress(SyntaxError):
        return asyncio._get_running_loop() is not None and shell.should_run_async(
            cell, transformed_cell=shell.transform_cell(cell)
        )
    return False


def _shown_as(error: BaseException, lines: list[str]) -> BaseException:
    """The error with the traceback that IPython is to show. Of a syntax error it asks for none: another stands for it,
    with the same name."""
    if isinstance(error, SyntaxError):
        error = type(type(error).__name__, (Exception,), {})(*error.args[:1])
    with suppress(AttributeError):  # its class has slots
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
    return error


def defined(shell: Any, cell: str, name: str | None) -> str:
    """The name of what is to be checked: the one given, or the last that the cell gives to something that can be
    called. Raises UsageError where there is none."""
    if name is not None:
        if name not in shell.user_ns:
            raise UsageError(f"there is no {name}: the cell does not define it")
        return name
    last = None
    for found in _bound(ast.parse(shell.transform_cell(cell))):
        if callable(shell.user_ns.get(found)):
            last = found
    if last is None:
        raise UsageError("the cell defines nothing that can be checked: a function, an autograd.Function or a module")
    return last


def _bound(tree: ast.Module) -> Iterator[str]:
    """The names that the statements of a cell give to something, in order; those that are imported are others' work."""
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
