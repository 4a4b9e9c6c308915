"""What the Tab key gets: the line is typed as a shell has it, and asked as the script of that shell asks."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import shellingham
import typer

from gradcheck_cli.cli.app import app, run_command
from gradcheck_cli.cli.completion.answer import answer
from gradcheck_cli.render.formats import FORMATS

PROBLEMS = """
problems:
  - name: relu-at-zero
    expression: relu(x)
    at: 0
    tags: [kinks, lab]
  - name: relu-far
    expression: relu(x)
    at: 3
    tags: lab
  - name: it costs $5
    expression: x
  - expression: x + 1
"""
LOSSES = """
raise SystemExit("imported")
def mse(x): ...
class FocalLoss: ...
def _hidden(x): ...
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "problems.yaml").write_text(PROBLEMS)
    (tmp_path / "more.yaml").write_text("problems:\n  - {name: tanh, expression: tanh(x), tags: [saturated]}\n")
    (tmp_path / "losses.py").write_text(LOSSES)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "layers.py").write_text("class RMSNorm: ...\n")
    return tmp_path


Ask = Callable[[str, dict[str, str]], tuple[str, int]]


@dataclass(frozen=True)
class Asked:
    """How a shell has a line. read: from what is answered to the last word as it would then be."""

    environment: dict[str, str]
    read: Callable[[str], list[str]]


def in_bash(line: str) -> Asked:
    """Words are cut at colons and equals signs; the text of a candidate takes the place of the last piece."""
    pieces = re.findall(r"""[:=]+|(?:\\.|[^\s:='"\\]|'[^']*'?|"[^"]*"?)+""", line)
    quote = next((quote for quote in "'\"" if line.count(quote) % 2), "")
    if line.endswith(" ") and not quote:
        pieces.append("")
    last = "" if re.fullmatch("[:=]+", pieces[-1]) else pieces[-1].removeprefix(quote)
    before = line.removesuffix(last)

    def read(written: str) -> list[str]:
        return [shlex.split(before + one.replace("\\$", "$") + quote)[-1] for one in written.splitlines()]

    return Asked({"COMP_WORDS": "\n".join(pieces), "COMP_CWORD": str(len(pieces) - 1)}, read)


def in_zsh(line: str) -> Asked:
    """What is answered is evaluated there: codes, and nothing that could be anything else."""

    def read(written: str) -> list[str]:
        if written == "_files\n":
            return []
        found = re.fullmatch(
            r"local -a found; found=\(((?:\$'[\\x0-9a-f]*' ?)+)\); _describe gradcheck found\n", written
        )
        assert found is not None, written
        codes = re.findall(r"\$'(.*?)'", found[1])
        rows = [bytes.fromhex(one.replace("\\x", "")).decode() for one in codes]
        values = [re.split(r"(?<!\\):", row)[0] for row in rows]
        return [value.replace("\\:", ":").replace("\\\\", "\\") for value in values]

    return Asked({"_TYPER_COMPLETE_ARGS": line}, read)


def in_fish(line: str) -> Asked:
    def read(written: str) -> list[str]:
        return [one.partition("\t")[0] for one in written.splitlines()]

    return Asked({"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}, read)


IN = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}


@pytest.fixture
def asked(capfd: pytest.CaptureFixture[str]) -> Ask:
    """What is answered to a shell, and the exit code; nothing else is written."""

    def ask(shell: str, environment: dict[str, str]) -> tuple[str, int]:
        code = answer({**environment, "_GRADCHECK_COMPLETE": f"complete_{shell}"})
        written = capfd.readouterr()
        assert written.err == ""
        return written.out, code

    return ask


def names_of(command: str) -> list[str]:
    """Of a command's options, the first each."""
    root: Any = typer.main.get_command(app)
    one = root.commands[command]
    return [name for option in one.get_params(typer.Context(one)) if option.param_type_name == "option"
            for name in (option.opts[0], *option.secondary_opts)]  # fmt: skip


COMMANDS = ["check", "code", "run", "explain", "merge", "functions", "schema", "warm"]
LINES: dict[str, list[str]] = {
    # the command, and what stands in its place
    "gradcheck ": COMMANDS,
    "gradcheck ex": ["explain", "expm1", "exp", "exp2"],
    "gradcheck help r": ["run"],
    "gradcheck prob": ["problems.yaml"],
    "gradcheck loss": ["losses.py"],
    "gradcheck los": ["losses.py"],
    # options: of check, where no command is named
    "gradcheck --out": ["--output-format", "--output-file"],
    'gradcheck "x**2" --out': ["--output-format", "--output-file"],
    "gradcheck -- --samp": [],
    "gradcheck -- --softp": ["--softplus"],
    "gradcheck -x**2 --samp": ["--samples"],
    "gradcheck x --form": ["--format"],
    "gradcheck x --no-c": ["--no-color"],
    "gradcheck x --order 2 --or": [],
    "gradcheck x --at 2 --a": ["--at", "--atol", "--all-rows"],
    "gradcheck run --al": ["--allow-code"],
    "gradcheck problems.yaml --al": ["--allow-code"],
    "gradcheck code losses.py::mse --str": ["--strict", "--stress"],
    "gradcheck losses.py::mse --str": ["--strict", "--stress"],
    "gradcheck explain x ": names_of("explain"),
    'gradcheck "w*x" ': names_of("check"),
    "gradcheck schema ": names_of("schema"),
    "gradcheck warm ": names_of("warm"),
    # values
    "gradcheck x --output-format ": [*FORMATS],
    "gradcheck x --output-format=js": ["--output-format=json", "--output-format=json-lines"],
    "gradcheck x -f s": ["sarif"],
    "gradcheck x --format h": ["html"],
    "gradcheck explain x -f j": ["json"],
    "gradcheck functions -f ": ["table", "json"],
    "gradcheck run --list -f ": ["table", "json"],
    "gradcheck x --mode ": ["reverse", "forward", "both"],
    "gradcheck run --mode f": ["forward"],
    "gradcheck x --dtype float": ["float64", "float32", "float16"],
    "gradcheck x --device c": ["cpu", "cuda", "cuda:0"],
    "gradcheck x --device=cuda:": ["--device=cuda:0"],
    "gradcheck code losses.py::mse --cotangents ": ["auto", "one-hot", "random"],
    "gradcheck run --jobs ": ["auto"],
    "gradcheck --install-completion ": ["bash", "zsh", "fish", "powershell", "pwsh"],
    "gradcheck --show-completion f": ["fish"],
    "gradcheck x --order ": [],
    "gradcheck x --at ": [],
    # functions, at the end of a formula
    'gradcheck "x*softp': ["x*softplus(", "x*softplus(x, beta=1, threshold=20)"],
    "gradcheck 'x*softp": ["x*softplus(", "x*softplus(x, beta=1, threshold=20)"],
    'gradcheck "x*softplus(': ["x*softplus(", "x*softplus(x, beta=1, threshold=20)"],
    'gradcheck "1 + sum(': ["1 + sum(", "1 + sum(input, dim=, keepdim=)"],
    'gradcheck "x*(': [],
    'gradcheck "x*softpl(': [],
    'gradcheck "x*hard': [f"x*hard{name}" for name in ("tanh", "sigmoid", "swish", "shrink")],
    'gradcheck explain "2 * torch.softp': ["2 * torch.softplus(", "2 * torch.softplus(x, beta=1, threshold=20)"],
    'gradcheck "trac': ["trace(", "trace(input)"],
    'gradcheck x --claim "x: softp': ["x: softplus(", "x: softplus(x, beta=1, threshold=20)"],
    'gradcheck z --let "y = softpl': ["y = softplus(", "y = softplus(x, beta=1, threshold=20)"],
    "gradcheck softp": ["softplus"],
    "gradcheck -softp": ["-softplus"],
    'gradcheck "x + ': [],
    'gradcheck "\\softp': [],
    "gradcheck lib/softp": [],
    "gradcheck functions softp": ["softplus"],
    # variables
    "gradcheck w*x+b --wrt ": ["w", "x", "b"],
    "gradcheck w*y --let y=x --wrt w,": ["w,x"],
    'gradcheck "W @ x" --at "W=[[1]], x=[1]" --wrt ': ["W", "x"],
    "gradcheck w*(x --wrt ": [],
    # problems
    "gradcheck run ": [],
    "gradcheck run problems.yaml::re": ["problems.yaml::relu-at-zero", "problems.yaml::relu-far"],
    "gradcheck run problems.yaml:": [
        f"problems.yaml::{name}" for name in ("relu-at-zero", "relu-far", "it costs $5", "problem 4")
    ],
    'gradcheck run "problems.yaml::it ': ["problems.yaml::it costs $5"],
    "gradcheck run 'problems.yaml::it": ["problems.yaml::it costs $5"],
    "gradcheck problems.yaml::relu-f": ["problems.yaml::relu-far"],
    "gradcheck run --deselect relu": ["relu-at-zero", "relu-far"],
    "gradcheck run more.yaml --deselect ": ["tanh"],
    "gradcheck run --deselect more.yaml::t": ["more.yaml::tanh"],
    "gradcheck run . --tag ": ["saturated", "kinks", "lab"],
    "gradcheck run --tag kinks,": ["kinks,lab"],
    'gradcheck run -k "not relu-f': ["not relu-far"],
    "gradcheck run nowhere.yaml --tag ": [],
    "gradcheck run - --tag ": [],
    # code
    "gradcheck code losses.py": ["losses.py::mse", "losses.py::FocalLoss"],
    "gradcheck code losses.py::F": ["losses.py::FocalLoss"],
    "gradcheck losses.py::F": ["losses.py::FocalLoss"],
    "gradcheck code lib.layers:R": ["lib.layers:RMSNorm"],
    "gradcheck code losses.py::mse x=randn": ["x=randn"],
    "gradcheck code losses.py::mse --input x=unif": ["x=uniform"],
    "gradcheck code nowhere.py::": [],
}


@pytest.mark.parametrize("shell", IN)
@pytest.mark.parametrize("line", LINES)
def test_candidates(line: str, shell: str, asked: Ask) -> None:
    here = IN[shell](line)
    written, code = asked(shell, here.environment)
    assert sorted(here.read(written)) == sorted(LINES[line])
    assert code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_offered(command: str, asked: Ask) -> None:
    here = in_fish(f"gradcheck {command} -")
    assert here.read(asked("fish", here.environment)[0]) == names_of(command)


def test_what_is_new_is_quoted_for_bash(asked: Ask) -> None:
    """And what was typed stays: bash would not find it again."""
    for line, written in {
        "gradcheck run problems.yaml::it": "it\\ costs\\ \\$5\n",
        'gradcheck run "problems.yaml::it': "problems.yaml::it costs \\$5\n",
        "gradcheck run 'problems.yaml::it": "problems.yaml::it costs $5\n",
        "gradcheck run problems.yaml::it\\ c": "it\\ costs\\ \\$5\n",
    }.items():
        assert asked("bash", in_bash(line).environment) == (written, 0)


def test_a_word_in_the_middle_of_the_line(asked: Ask) -> None:
    """Those behind it do not count, an empty one does, and one may have line feeds."""
    words = "gradcheck\n\n--at\n2"
    assert asked("bash", {"COMP_WORDS": words, "COMP_CWORD": "1"})[0].split() == COMMANDS
    words = 'gradcheck\n"y = x*x\nz = y"\n--samp'
    assert asked("bash", {"COMP_WORDS": words, "COMP_CWORD": "2"})[0] == "--samples\n"


def test_a_pattern_is_left_to_zsh(asked: Ask) -> None:
    """There, a formula without quotes is a pattern of names of files."""
    assert asked("zsh", in_zsh("gradcheck x*softp").environment) == ("_files\n", 0)
    for shell, written in {"bash": "x*softplus\n", "fish": "x*softplus\t"}.items():
        assert asked(shell, IN[shell]("gradcheck x*softp").environment)[0].startswith(written)


def test_fish_asks_first_whether_there_are_candidates(asked: Ask) -> None:
    for line, code in {"gradcheck --out": 0, "gradcheck run pro": 1}.items():
        environment = {**in_fish(line).environment, "_TYPER_COMPLETE_FISH_ACTION": "is-args"}
        assert asked("fish", environment) == ("", code)


def test_descriptions(asked: Ask) -> None:
    written, _ = asked("fish", in_fish("gradcheck --samp").environment)
    assert written == "--samples\tDraw N points; 5 where none is given\n"
    written, _ = asked("fish", in_fish("gradcheck me").environment)
    assert written.startswith("merge\tJoin the reports of several runs, ")


def test_powershell(asked: Ask) -> None:
    def written(line: str, word: str) -> list[str]:
        environment = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_WORD_TO_COMPLETE": word}
        return asked("powershell", environment)[0].splitlines()

    assert written("gradcheck x --mode", "") == ["reverse::: ", "forward::: ", "both::: "]
    assert written("gradcheck --samp", "--samp") == ["--samples:::Draw N points; 5 where none is given"]
    assert written("gradcheck run problems.yaml::it", "problems.yaml::it") == ["'problems.yaml::it costs $5'::: "]


@pytest.mark.parametrize(
    ("shell", "environment"),
    [
        ("bash", {"COMP_WORDS": "gradcheck\n--out", "COMP_CWORD": "many"}),
        ("nosuch", {"COMP_WORDS": "gradcheck\n--out", "COMP_CWORD": "1"}),
        *[
            ("fish", {"_TYPER_COMPLETE_ARGS": f"gradcheck run {name} --tag "})
            for name in ("broken.yaml", "lib", "pipe", "bytes")
        ],
        ("fish", {"_TYPER_COMPLETE_ARGS": "gradcheck run broken.yaml::"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "gradcheck code broken.py::"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "gradcheck code lib::"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "gradcheck 'x\udcff"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "gradcheck 'x*(' --wrt "}),
    ],
)
def test_what_cannot_be_read_has_no_candidates(
    shell: str, environment: dict[str, str], asked: Ask, folder: Path
) -> None:
    (folder / "broken.yaml").write_text("problems:\n  - name: [a\n")
    (folder / "bytes").write_bytes(b"\xff\0")
    (folder / "broken.py").write_text("def (")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
    written, _ = asked(shell, environment)
    assert written == ""


@pytest.mark.parametrize(
    "line",
    [
        "gradcheck ",
        "gradcheck x --wrt ",
        "gradcheck run problems.yaml::",
        "gradcheck code losses.py::",
        'gradcheck "x*sig',
    ],
)
def test_light(line: str) -> None:
    script = """
import sys
from gradcheck_cli.__main__ import main
main()
print([name for name in ("torch", "sympy", "flint", "mpmath", "numpy", "pydantic") if name in sys.modules])
"""
    environment = {**os.environ, "_GRADCHECK_COMPLETE": "complete_fish", **in_fish(line).environment}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") > 1
    assert done.stdout.endswith("\n[]\n")


def shell(name: str, script: str, folder: Path) -> list[str]:
    """What a script of a real shell prints, which has gradcheck as a command."""
    if shutil.which(name) is None:
        pytest.skip(f"there is no {name} here")
    (folder / "bin").mkdir()
    command = folder / "bin" / "gradcheck"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m gradcheck_cli "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run([name, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


EVIL = "\\$(touch gone) `touch gone` \"; touch gone; '; touch gone"


def test_in_bash(folder: Path) -> None:
    script = """
eval "$(gradcheck --show-completion bash)"
complete -p gradcheck
try() {
    COMP_CWORD=$(($# - 1)) COMP_WORDS=("$@")
    _gradcheck_completion gradcheck
    printf '%s\\n' "${COMPREPLY[@]}"
}
try gradcheck x --out
try gradcheck run problems.yaml :: it
try gradcheck '"x*softp'
try gradcheck run problems.yaml --tag ''
"""
    assert shell("bash", script, folder) == [
        "complete -o default -F _gradcheck_completion gradcheck",
        "--output-format", "--output-file",
        r"it\ costs\ \$5",
        "x*softplus(", "x*softplus(x, beta=1, threshold=20)",
        "kinks", "lab",
    ]  # fmt: skip


ZSH = """
compdef() { _comps[gradcheck]=$1 }
_files() { print files }
_describe() { print -rl -- ${(P)2} }
typeset -A _comps
eval "$(gradcheck --show-completion zsh)"
try() { words=("$@"); CURRENT=$#; $_comps[gradcheck]; }
"""


def test_in_zsh(folder: Path) -> None:
    """What is answered is evaluated there, whatever a file calls its problems."""
    (folder / "evil.yaml").write_text(json.dumps({"problems": [{"name": EVIL, "expression": "x"}]}))
    script = f"""{ZSH}
try gradcheck --samp
try gradcheck run pro
try gradcheck run evil.yaml::
try gradcheck '"x*softp'
"""
    assert shell("zsh", script, folder) == [
        "--samples:Draw N points; 5 where none is given",
        "files",
        "evil.yaml\\:\\:" + EVIL.replace("\\", "\\\\"),
        "x*softplus(:log(1 + exp(beta*x))/beta, and x where beta*x > threshold",
        "x*softplus(x, beta=1, threshold=20):log(1 + exp(beta*x))/beta, and x where beta*x > threshold",
    ]
    assert not (folder / "gone").exists()


def test_in_fish(folder: Path) -> None:
    script = """
gradcheck --show-completion fish | source
complete -C 'gradcheck --samp'
complete -C 'gradcheck run pro'
complete -C 'gradcheck run problems.yaml::relu'
complete -C 'gradcheck "x*softpl' | string replace -r '\\t.*' ''
"""
    assert shell("fish", script, folder) == [
        "--samples\tDraw N points; 5 where none is given",
        "problems.yaml",
        "problems.yaml::relu-at-zero", "problems.yaml::relu-far",
        "x*softplus(", "x*softplus(x, beta=1, threshold=20)",
    ]  # fmt: skip


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(folder / "home"))
    (folder / "home").mkdir()
    return folder / "home"


@pytest.mark.parametrize(
    ("name", "file", "settings"),
    [
        ("bash", ".bash_completions/gradcheck.sh", (".bashrc", "gradcheck.sh")),
        ("zsh", ".zfunc/_gradcheck", (".zshrc", "compinit")),
        ("fish", ".config/fish/completions/gradcheck.fish", None),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="homes are elsewhere there")
def test_installed(
    name: str,
    file: str,
    settings: tuple[str, str] | None,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For the shell that is named, and for the one that is found."""
    monkeypatch.setattr(shellingham, "detect_shell", lambda: (name, f"/bin/{name}"))
    for arguments in (["--install-completion", name], ["--install-completion"]):
        assert run_command(arguments) == 0
        written = f"{home / file} is written: {name} completes gradcheck from its next start on.\n"
        assert capsys.readouterr() == (written, "")
        assert f"complete_{name}" in (home / file).read_text()
        if settings is not None:
            assert (home / settings[0]).read_text().count(settings[1]) == (2 if name == "zsh" else 1)
    assert run_command(["--show-completion"]) == 0
    assert (home / file).read_text().startswith(capsys.readouterr().out.rstrip("\n"))


def undetected() -> None:
    raise shellingham.ShellDetectionFailure


KNOWN = "there is completion for bash, zsh, fish, powershell and pwsh"


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_no_such_shell(
    option: str, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_command([option, "tcsh"]) == 2
    assert capsys.readouterr() == ("", f"gradcheck: {option} tcsh: {KNOWN}\n")
    monkeypatch.setattr(shellingham, "detect_shell", undetected)
    assert run_command([option]) == 2
    told = f"gradcheck: {option}: which shell this is cannot be told: name it, {option} bash; {KNOWN}\n"
    assert capsys.readouterr() == ("", told)
    monkeypatch.setattr(shellingham, "detect_shell", lambda: ("dash", "/bin/dash"))
    assert run_command([option]) == 2
    assert capsys.readouterr() == ("", f"gradcheck: {option}: this shell is dash; {KNOWN}, as in {option} bash\n")
    assert not list(home.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="homes are elsewhere there")
def test_where_nothing_can_be_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".bashrc").mkdir()
    assert run_command(["--install-completion", "bash"]) == 2
    output, trouble = capsys.readouterr()
    assert output == ""
    assert trouble == (
        f"gradcheck: the completion of bash cannot be installed: {home / '.bashrc'}: Is a directory; "
        "gradcheck --show-completion bash prints what would go there\n"
    )


def test_the_help_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--help"]) == 0
    help_ = capsys.readouterr().out
    assert "--install-completion [SHELL]" in help_
    assert "--show-completion [SHELL]" in help_
