"""A backward whose gradients depend on which inputs need one."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck_cli.real_code.alone import asking, different
from gradcheck_cli.real_code.causes.samples import Code
from gradcheck_cli.records.code import Cause, CodeFinding


def needed(code: Code) -> Iterator[CodeFinding]:
    """code: of an `autograd.Function` by itself. Each argument once."""
    if code.mode != "reverse" or code.function is None:
        return
    places = list(asking(code.function))
    said: set[str] = set()
    for case, name in different(code.subject, code.digits) if places else ():
        if name not in said:
            said.add(name)
            yield CodeFinding(Cause.NEEDED, argument=name, texts={"where": case.where, "places": ", ".join(places)})
