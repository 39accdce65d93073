"""Small drawings that `ui` registers as tags: SVG and blocks without a style attribute."""

from collections.abc import Iterable
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

SHORT = {"red": "red", "yellow": "yel", "green": "grn", "paused": "pau", "met": "grn", "missed": "red"}
STAGES = ("Diagnose", "Reassign", "Approve", "Execute")
LINES = {"red": "c-lred", "yel": "c-lyel", "grn": "c-lgrn"}


def short_state(state: str) -> str:
    """The short form of a state for the style sheet (red, yel, grn, pau); other values do not change."""
    return SHORT.get(str(state).lower(), str(state))


def bar(state: str, percent: float, thick: object = "") -> SafeString:
    """Clock bar; `percent` of the target used, cut to 0–100."""
    width = min(100, max(0, round(float(percent or 0), 1)))
    svg = '<svg class="meterbar {}{} mt-1" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    rect = format_html('<rect width="{}" height="4"></rect>', f"{width:g}")
    return format_html(svg, short_state(state), " thick" if thick else "", rect)


def spark(values: str | Iterable[float], state: str = "brand") -> SafeString:
    """Sparkline; the number beside it has the information, so it is hidden from screen readers."""
    numbers = [float(v) for v in (values.split(",") if isinstance(values, str) else values)]
    if len(numbers) < 2:
        return format_html("{}", "")
    low, high = min(numbers), max(numbers)
    if high - low <= 8:  # a nearly flat line stays flat
        low, high = (low + high) / 2 - 8, (low + high) / 2 + 8
    step = 76 / (len(numbers) - 1)
    points = " ".join(f"{2 + i * step:.1f},{20 - (n - low) / (high - low) * 16:.1f}" for i, n in enumerate(numbers))
    svg = '<svg class="spark" viewBox="0 0 80 24" aria-hidden="true"><polyline class="{}" points="{}"/></svg>'
    return format_html(svg, LINES.get(short_state(state), "c-line"), points)


@lru_cache(maxsize=16)
def steps(stage: str) -> SafeString:
    """Four small blocks for the stage; the word is beside them in the template."""
    at = STAGES.index(stage.capitalize()) if stage.capitalize() in STAGES else -1
    kinds = (("d" if i < at else "c" if i == at else "",) for i in range(len(STAGES)))
    return format_html(
        '<span class="steps4" aria-hidden="true">{}</span>',
        format_html_join("", '<b class="{}"></b>', kinds),
    )
