"""Where the repository has what tests read; and the package that is tested, which may be an installed one."""

from pathlib import Path

import gradcheck_cli

ROOT = Path(__file__).parents[2]
PACKAGE = Path(gradcheck_cli.__file__).parent
PROBLEMS = ROOT / "tests" / "problems"
