"""Charts as SVG drawn by the server: classes and presentation attributes only, a title for screen readers, no script."""

from collections.abc import Sequence
from itertools import count as counter
from math import ceil
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ledger import format as write

WIDTH, HEIGHT = 640, 230
LEFT, RIGHT, TOP, BOTTOM = 34, 544, 12, 204
LINE_CLASSES = ("c-line", "c-line2")
ZONES = (("green", "c-grn"), ("yellow", "c-yel"), ("red", "c-red"))
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10_000)


class Line(NamedTuple):
    """One line: its name, the value at each point (None leaves a gap), and its target."""

    name: str
    points: Sequence[float | None]
    target: float | None


class Bar(NamedTuple):
    """One bar: its label, length, and whether it stands out."""

    label: str
    value: int
    strong: bool


class Stack(NamedTuple):
    """One column of three."""

    label: str
    green: int
    yellow: int
    red: int


def ticks(most: float, wanted: int = 4) -> list[int]:
    """Round values from 0 to at least `most`."""
    step = next((each for each in STEPS if each * wanted >= most), ceil(most / wanted) or 1)
    return [step * n for n in range(wanted + 1)]


def _svg(height: int, width: int, ident: str, title: str, body: SafeString) -> SafeString:
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}"><title id="{}">{}</title>{}</svg>',
        width,
        height,
        ident,
        ident,
        title,
        body,
    )


def _grid(values: Sequence[int], left: int, right: int, top: float, bottom: float, unit: str) -> SafeString:
    rows = ((left, right, y, left - 6, y + 4, f"{value}{unit}") for value, y in _heights(values, top, bottom))
    line = '<line class="c-grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>'
    return format_html_join("", line, ((a, b, f"{y:.1f}", f"{y:.1f}", x, f"{t:.1f}", v) for a, b, y, x, t, v in rows))


def _heights(values: Sequence[int], top: float, bottom: float) -> list[tuple[int, float]]:
    return [(value, bottom - (bottom - top) * value / (values[-1] or 1)) for value in values]


def _places(number: int) -> list[float]:
    step = (RIGHT - LEFT) / (number - 1) if number > 1 else 0.0
    return [LEFT + step * n for n in range(number)]


def _dates(labels: Sequence[str], xs: Sequence[float]) -> SafeString:
    """Every label, or every second one if they would touch."""
    every = max(1, ceil(len(labels) / 7))
    shown = [(f"{x:.1f}", label) for n, (label, x) in enumerate(zip(labels, xs, strict=True)) if n % every == 0]
    return format_html_join("", '<text x="{}" y="222" text-anchor="middle">{}</text>', shown)


def lines(ident: str, labels: Sequence[str], drawn: Sequence[Line], title: str, unit: str = "h") -> SafeString:
    """Lines with their targets dashed and their last value written at the end."""
    known = [value for line in drawn for value in (*line.points, line.target) if value is not None]
    scale = ticks(max(known, default=1))
    xs = _places(len(labels))
    high = [_height(line, scale[-1]) for line in drawn]
    body = [_grid(scale, LEFT, RIGHT, TOP, BOTTOM, unit), _dates(labels, xs)]
    body += [_target(line, scale[-1]) for line in drawn]
    for line, css in zip(drawn, LINE_CLASSES * 2, strict=False):
        body += [_polyline(part, css) for part in _parts(line.points, xs, scale[-1])]
    body.append(_end_labels(drawn, high, unit))
    return _svg(HEIGHT, WIDTH, ident, title, format_html_join("", "{}", ((each,) for each in body)))


def _y(value: float, most: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * value / most


def _height(line: Line, most: float) -> float | None:
    known = [value for value in line.points if value is not None]
    return _y(known[-1], most) if known else None


def _target(line: Line, most: float) -> SafeString:
    if line.target is None:
        return format_html("{}", "")
    y = f"{_y(line.target, most):.1f}"
    return format_html('<line class="c-tgt" x1="{}" x2="{}" y1="{}" y2="{}"/>', LEFT, RIGHT, y, y)


def _parts(points: Sequence[float | None], xs: Sequence[float], most: float) -> list[list[tuple[float, float]]]:
    """Stretches without a gap."""
    parts: list[list[tuple[float, float]]] = [[]]
    for value, x in zip(points, xs, strict=True):
        if value is None:
            parts.append([])
        else:
            parts[-1].append((x, _y(value, most)))
    return [part for part in parts if part]


def _polyline(part: list[tuple[float, float]], css: str) -> SafeString:
    if len(part) == 1:  # a single point would not be visible as a line
        x, y = part[0]
        part = [(x - 3, y), (x + 3, y)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in part)
    return format_html('<polyline class="{}" points="{}"/>', css, points)


def _end_labels(drawn: Sequence[Line], high: Sequence[float | None], unit: str) -> SafeString:
    """Name and last value at the right; labels that would touch are moved apart."""
    placed: list[tuple[str, str]] = []
    lowest = float("-inf")
    for y, line in sorted((y, line) for y, line in zip(high, drawn, strict=True) if y is not None):
        lowest = max(y + 4, lowest + 14)
        last = [value for value in line.points if value is not None][-1]
        placed.append((f"{lowest:.1f}", f"{line.name} {write.number(last, 0)}{unit}"))
    return format_html_join("", '<text class="val" x="550" y="{}">{}</text>', placed)


def bars(ident: str, drawn: Sequence[Bar], title: str) -> SafeString:
    """Horizontal bars with the label above and the number at the end."""
    most = max((each.value for each in drawn), default=1) or 1
    row = (
        '<text class="val" x="0" y="{}">{}</text><rect class="{}" x="0" y="{}" width="{}" height="12" rx="3"/>'
        '<text class="val" x="{}" y="{}">{}</text>'
    )
    values = []
    for y, each in zip(counter(15, 37), drawn, strict=False):
        width = max(2, round(378 * each.value / most))
        css = "c-brand" if each.strong else "c-brand2"
        values.append((y, each.label[:60], css, y + 5, width, width + 8, y + 15, each.value))
    return _svg(max(40, 37 * len(drawn) + 8), 460, ident, title, format_html_join("", row, values))


def stacks(ident: str, drawn: Sequence[Stack], title: str) -> SafeString:
    """Columns of green, yellow and red with the number of red above."""
    scale = ticks(max((sum(each[1:]) for each in drawn), default=1), 2)
    step = 606 / max(1, len(drawn))
    every = max(1, ceil(len(drawn) / 13))
    body = [_grid(scale, 30, 636, 36, 180, "")]
    for n, each in enumerate(drawn):
        label = each.label if n % every == 0 else ""
        body.append(_column(each, 30 + step * n + step / 2, min(28, step * 0.7), scale[-1], label))
    return _svg(210, WIDTH, ident, title, format_html_join("", "{}", ((part,) for part in body)))


def _column(each: Stack, middle: float, width: float, most: float, label: str) -> SafeString:
    y, rects = 180.0, []
    for zone, css in ZONES:
        value = getattr(each, zone)
        if not value:
            continue
        tall = 144 * value / most
        y -= tall
        rects.append((css, f"{middle - width / 2:.1f}", f"{y:.1f}", f"{width:.1f}", f"{max(1.0, tall - 1.2):.1f}"))
    drawn = format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', rects)
    number = format_html(
        '<text class="val" x="{}" y="{}" text-anchor="middle">{}</text>', f"{middle:.1f}", f"{y - 5:.1f}", each.red
    )
    below = format_html('<text x="{}" y="198" text-anchor="middle">{}</text>', f"{middle:.1f}", label)
    return format_html("{}{}{}", drawn, number if each.red else "", below)
