"""`%load_ext gradcheck_cli`: the magics, by the same commands as on the command line, in the notebook's process."""

from __future__ import annotations

from typing import Any

import typer

from gradcheck_cli.cli.app import EXPRESSION_COMMANDS, app, run_command
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.streams import complain
from gradcheck_cli.cli.words import with_command
from gradcheck_cli.errors import ForUsers, GradcheckError
from gradcheck_cli.notebook import cells
from gradcheck_cli.notebook.variables import with_numbers
from gradcheck_cli.notebook.words import formula_first, words
from gradcheck_cli.records.explanation import Explained
from gradcheck_cli.records.report import Report
from gradcheck_cli.user_code.target import HERE

LITERALS = frozenset({"true", "false", "none", "nan", "inf", "pi"})
"""Words that are inputs, and no names of code."""


class _Stopped(ForUsers, KeyboardInterrupt):
    """What ends the cells that wait, too."""


_Stopped.__name__ = KeyboardInterrupt.__name__


def load_ipython_extension(shell: Any) -> None:
    """What IPython calls. shell: the notebook's, or the terminal's."""
    from IPython.core.magic import no_var_expand, output_can_be_silenced

    def gradcheck(line: str, cell: str | None = None) -> object:
        """Check a gradient against the exact derivative: `gradcheck` of the command line, with its own words.

        %gradcheck x*sin(x) --at 1                 a formula; %gradcheck --help explains the options
        %gradcheck explain x*sin(x) --at 1         the chain rule, node by node
        %gradcheck "w*x" --at w={w},x=2            {w}: the numbers of a variable, not in formulas

        %%gradcheck [NAME] [INPUT]... [OPTIONS]    the function, autograd.Function or module that the cell defines
        """
        return _line(shell, line) if cell is None else _cell(shell, line, cell)

    shell.register_magic_function(no_var_expand(output_can_be_silenced(gradcheck)), "line_cell", "gradcheck")


def _line(shell: Any, line: str) -> object:
    """The record of a check; None of what only prints."""
    root: Any = typer.main.get_command(app)
    found = words(line)
    texts = [word.text for word in found]
    try:
        command, rest = with_command(texts, root.commands) if texts else ("", [])
        named = len(texts) - len(rest)
        has_formula = command in EXPRESSION_COMMANDS and texts[named:] == rest
        if has_formula:
            options = {name for parameter in root.commands[command].params for name in parameter.opts}
            rest = formula_first(line, found[named:], options)
        else:
            named, rest = 0, texts
            if command == "code" and len(rest) > 1 and _is_ours(shell, rest[1]):
                rest = [rest[0], f"{HERE}:{rest[1]}", *rest[2:]]
        texts = [*texts[:named], *with_numbers(rest, shell.user_ns, formula_first=has_formula)]
    except GradcheckError as error:
        _refuse(shell, error)
        return None
    return _ran(shell, texts)


def _is_ours(shell: Any, name: str) -> bool:
    """Whether code is named that the notebook has defined."""
    return name.partition(".")[0] in shell.user_ns and all(part.isidentifier() for part in name.split("."))


def _cell(shell: Any, line: str, cell: str) -> object:
    """The record of what the cell defines. What the cell raises is raised."""
    texts = [word.text for word in words(line)]
    named = bool(texts) and texts[0].isidentifier() and texts[0] not in LITERALS
    try:
        cells.run(shell, line, cell)
        name = cells.defined(shell, cell, texts[0] if named else None)
        given = with_numbers(texts[named:], shell.user_ns, formula_first=False)
    except GradcheckError as error:
        _refuse(shell, error)
        return None
    return _ran(shell, ["code", f"{HERE}:{name}", *given])


def _ran(shell: Any, texts: list[str]) -> object:
    """_exit_code is what IPython calls that of a command of the shell, too."""
    taken: list[object] = []
    code = run_command(texts, taken.append)
    shell.user_ns["_exit_code"] = int(code)
    if code == ExitCode.INTERRUPTED:
        raise _Stopped
    return _alone(taken[-1]) if taken else None


def _refuse(shell: Any, error: GradcheckError) -> None:
    complain(str(error))
    shell.user_ns["_exit_code"] = int(ExitCode.BAD_INPUT)


def _alone(record: object) -> object:
    """What the functions of Python return: of one check, its result; of one chain rule, the explanation."""
    match record:
        case Report(problems=(only,)) if not record.is_batch:
            return only
        case Explained(explanations=(only,)) if not (record.of_higher_order or record.result.claims):
            return only
    return record
