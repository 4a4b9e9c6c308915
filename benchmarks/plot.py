"""The bars of the benchmarks as one SVG, which a README can show; written as text, for which no library is needed."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from benchmarks.report import Section

WIDTH, LABEL, ROW, TOP = 760, 250, 24, 34
OURS, OTHERS, INK = "#2a7f62", "#b9c4cc", "#57606a"  # legible on a white page and on a dark one
FONT = "font-family='system-ui, sans-serif'"


def svg(sections: Sequence[Section]) -> str:
    """A panel for each section that has bars; the longest bar of a panel fills it."""
    panels = [section for section in sections if section.bars]
    height = sum(TOP + ROW * len(section.bars) + 16 for section in panels)
    parts = [f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' role='img' {FONT}>"]
    top = 0
    for section in panels:
        longest = max(bar.value for bar in section.bars)
        title = escape(f"{section.title} ({section.unit})")
        parts.append(f"<text x='4' y='{top + 20}' font-size='15' font-weight='600' fill='{INK}'>{title}</text>")
        for index, bar in enumerate(section.bars):
            y = top + TOP + ROW * index
            length = (WIDTH - LABEL - 80) * bar.value / longest
            weight = "600" if bar.ours else "400"
            style = f"font-size='13' font-weight='{weight}' fill='{INK}'"
            parts += [
                f"<text x='{LABEL - 8}' y='{y + 14}' text-anchor='end' {style}>{escape(bar.label)}</text>",
                f"<rect x='{LABEL}' y='{y + 2}' width='{length:.1f}' height='16' rx='2' "
                f"fill='{OURS if bar.ours else OTHERS}'/>",
                f"<text x='{LABEL + length + 6:.1f}' y='{y + 14}' {style}>{bar.value:.3g}</text>",
            ]
        top += TOP + ROW * len(section.bars) + 16
    return "\n".join([*parts, "</svg>"]) + "\n"
