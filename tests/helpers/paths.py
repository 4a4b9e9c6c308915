"""Where the repository has what tests read."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PROBLEMS = ROOT / "tests" / "problems"
