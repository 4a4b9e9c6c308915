"""Builds the site of README.md and docs/ into a folder: python docs/site.py site

The pages are laid out as they lie in the project, so that their links hold in both places. Needs the extra `docs`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "docs", "examples", "benchmarks")


def build(folder: Path) -> None:
    """Raises mkdocs' Abort for a page with a dead link."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    with tempfile.TemporaryDirectory() as staging:
        pages = Path(staging) / "pages"
        for name in SHOWN:
            source, target = ROOT / name, pages / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.py", "*.yml", "__pycache__"))
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        settings = shutil.copy(ROOT / "docs" / "mkdocs.yml", staging)
        config = load_config(settings, docs_dir=str(pages), site_dir=str(folder.resolve()), strict=True)
        build(config)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
