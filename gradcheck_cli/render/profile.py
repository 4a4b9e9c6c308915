"""The profile of a run: seconds and share of each phase."""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck_cli.runtime.stopwatch import PHASES


def render_profile(seconds: Mapping[str, float], passed: float | None = None) -> str:
    """A line a phase that took any time, and their sum.

    passed: how many seconds went by, where the phases ran in two processes side by side and do not add up to that.
    """
    whole = sum(seconds.values())
    rows = [(name, seconds[name]) for name in PHASES if name in seconds]
    lines = ["", f"{'phase':16}{'seconds':>9}{'share':>8}"]
    lines += [f"{name:16}{value:9.3f}{value / whole if whole else 0.0:8.1%}" for name, value in rows]
    lines.append(f"{'together':16}{whole:9.3f}")
    if passed is not None:
        lines.append(f"{'passed':16}{passed:9.3f}   the checks ran in a process of their own, beside this one")
    return "".join(f"{line}\n" for line in lines)
