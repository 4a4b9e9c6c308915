"""`--install-completion` and `--show-completion`: Typer's scripts, and where they go, for the shell that is named or
found."""

from __future__ import annotations

from subprocess import SubprocessError

import typer

from gradcheck_cli.cli.arguments import NOT_NAMED
from gradcheck_cli.cli.streams import write_report
from gradcheck_cli.errors import UsageError

PROGRAM = "gradcheck"
VARIABLE = "_GRADCHECK_COMPLETE"
"""In the environment, when the script of a shell asks for candidates."""
AT_ONCE = f"""
# The first time, this file is read in order to complete: then it does.
[[ $zsh_eval_context[-1] == loadautofunc ]] && $_comps[{PROGRAM}] "$@"
"""
"""What zsh's script lacks, without which the first Tab of a session does nothing."""
SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


def install_completion(shell: str | None) -> None:
    """The script goes where the shell reads it. Raises UsageError where it cannot."""
    if shell is None:
        return
    from typer.completion import install  # type: ignore[attr-defined]

    named = _named(shell, "--install-completion")
    by_hand = f"gradcheck --show-completion {named} prints what would go there"
    try:
        _, file = install(shell=named, prog_name=PROGRAM, complete_var=VARIABLE)
        if named == "zsh":
            with file.open("a", encoding="utf-8") as script:
                script.write(AT_ONCE)
    except (OSError, UnicodeError, SubprocessError, RuntimeError) as error:  # RuntimeError: there is no home
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise UsageError(f"the completion of {named} cannot be installed: {reason}; {by_hand}") from None
    write_report(f"{file} is written: {named} completes gradcheck from its next start on.\n")
    raise typer.Exit


def show_completion(shell: str | None) -> None:
    """Prints the script. Raises UsageError for a shell that has none."""
    if shell is None:
        return
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    named = _named(shell, "--show-completion")
    write_report(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=named) + "\n")
    raise typer.Exit


def _named(text: str, option: str) -> str:
    known = f"there is completion for {', '.join(SHELLS[:-1])} and {SHELLS[-1]}"
    if text in SHELLS:
        return text
    if text != NOT_NAMED:
        raise UsageError(f"{option} {text}: {known}")
    from shellingham import ShellDetectionFailure, detect_shell

    try:
        found = str(detect_shell()[0])
    except (ShellDetectionFailure, RuntimeError, OSError):
        raise UsageError(f"{option}: which shell this is cannot be told: name it, {option} bash; {known}") from None
    if found not in SHELLS:
        raise UsageError(f"{option}: this shell is {found}; {known}, as in {option} bash")
    return found
