"""The templates, filled with autoescaping."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, Template


@cache
def template(name: str) -> Template:
    loader = PackageLoader("gradcheck_cli.render.page", "templates")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True).get_template(name)
