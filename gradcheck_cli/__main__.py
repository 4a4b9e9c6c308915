"""`python -m gradcheck_cli`, and the console script."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and exits with its code."""
    try:
        from gradcheck_cli.cli import run_command

        code = run_command(sys.argv[1:])
    except KeyboardInterrupt:  # while the import runs
        code = 130
    except ModuleNotFoundError as missing:
        advice = "install gradcheck with what it needs, as README.md says"
        print(f"gradcheck: the Python package {missing.name} is missing: {advice}", file=sys.stderr)
        code = 2
    sys.exit(code)


if __name__ == "__main__":
    main()
