"""Mail as text and HTML from one context. See templates/emails/base.html for the keys."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template import Context, loader
from django.utils import timezone

# Background and text colour of the status word.
TONES = {
    "red": ("#B3261E", "#FFFFFF"),
    "yellow": ("#FFF3D1", "#6B4300"),
    "green": ("#E2F4F1", "#0B5951"),
    "neutral": ("#EEF0F4", "#3D4658"),
}


def render(template: str, context: Mapping[str, Any], *, zone: str = "") -> tuple[str, str]:
    """The text and the HTML part of `emails/<template>`; if the template does not exist, the plain base is used.

    Times are in `zone` (the reader's) if given. A `url` that is a path becomes a full address, `tone` (red, yellow,
    green, neutral) chooses the colours of `word`, and `quote` may be a text or (label, text) pairs.
    """
    values = _completed(context)
    with timezone.override(ZoneInfo(zone) if zone else timezone.get_current_timezone()):
        html = _template(template, "html").render(Context(values))
        # The text part is not HTML, so escaping would show &amp; to the reader.
        text = _template(template, "txt").render(Context(values, autoescape=False))
    return _tidy(text), html


def absolute(path: str) -> str:
    """A path of the desk as a full address for mail; a full address does not change."""
    return f"{settings.SITE_URL}{path}" if path.startswith("/") else path


def _template(name: str, kind: str) -> Any:
    # The engine's own template class, because only it can render the text part without escaping.
    return loader.select_template([f"emails/{name}.{kind}", f"emails/base.{kind}"]).template


def _completed(context: Mapping[str, Any]) -> dict[str, Any]:
    background, letters = TONES.get(context.get("tone", ""), TONES["neutral"])
    quote = context.get("quote") or ()
    return {
        "site_name": settings.SITE_NAME,
        "wbg": background,
        "wfg": letters,
        **context,
        "url": absolute(str(context.get("url", ""))),
        "quotes": [("", quote)] if isinstance(quote, str) else list(quote),
    }


def _tidy(text: str) -> str:
    """Remove blank lines at the ends and all but one between paragraphs."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines).strip() + "\n"
