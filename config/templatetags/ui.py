"""Components as template tags. One tag = one component of app.css. No style attributes (strict CSP)."""

import datetime as dt
import re
from functools import lru_cache

from django import template
from django.forms import (
    BoundField,
    CheckboxInput,
    CheckboxSelectMultiple,
    RadioSelect,
    Select,
    Widget,
)
from django.forms.boundfield import BoundWidget
from django.template import Context
from django.template.base import Parser, TextNode, Token
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts.models import User
from config.templatetags.drawings import bar, short_state, spark, steps
from config.templatetags.formats import duration
from ledger.format import counted, decimal_or_none
from ledger.now import now

register = template.Library()

SHAPE = {
    "red": "exclamation-octagon-fill",
    "yel": "exclamation-triangle-fill",
    "grn": "check-circle-fill",
    "pau": "pause-circle-fill",
    "none": "circle",
    "wait": "hourglass-split",
    "info": "info-circle-fill",
}
WORD = {"red": "Red", "yel": "Yellow", "grn": "Green", "pau": "Paused"}
RACI = {"R": "Responsible", "A": "Accountable", "C": "Consulted", "I": "Informed"}
CURRENT = mark_safe(' aria-current="page"')
EMPTY = mark_safe("")
TICKING = '<time datetime="{due}" data-due="{due}" data-state="{key}" data-over="{over}">{left}</time>'
TICKING_AND_WARNING = TICKING.replace(">", ' data-warn="{warn}">', 1)
# The counts of these links are highlighted, because they wait for the viewer.
WAITS_FOR_YOU = frozenset({"approvals"})
LINE_BREAK = re.compile(r"(?:^|(?<=>))\s*\n\s*|\s*\n\s*(?=<|$)")


# Layout ------------------------------------------------------------------------------------------


class OneLine(template.Node):
    """The content between `{% oneline %}` and `{% endoneline %}`, without line breaks next to tags."""

    def __init__(self, nodelist: template.NodeList) -> None:
        self.nodelist = nodelist
        for node in nodelist.get_nodes_by_type(TextNode):
            if isinstance(node, TextNode):
                node.s = LINE_BREAK.sub("", node.s)

    def render(self, context: Context) -> SafeString:
        """The joined pieces."""
        return self.nodelist.render(context)


@register.tag
def oneline(parser: Parser, _token: Token) -> OneLine:
    """Joins pieces without spaces that are written one per line, such as a name and the comma after it. Line breaks
    next to a tag are removed, those between words or attributes stay; `{{ " " }}` writes a space.
    """
    nodelist = parser.parse(("endoneline",))
    parser.delete_first_token()
    return OneLine(nodelist)


# Status ------------------------------------------------------------------------------------------


# For pieces that depend on their arguments alone and that a page repeats. By type, because safe text is equal to the same
# text that must be escaped.
kept = lru_cache(maxsize=2048, typed=True)


@register.simple_tag
@kept
def icon(name: str) -> SafeString:
    """A symbol of icons.svg; decoration only, so hidden from screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("icons.svg"),
        name,
    )


@register.simple_tag
def st(state: str, text: object, size: str = "") -> SafeString:
    """Status chip: colour, shape and word. `state`: red, yellow, green or paused (or the CSS short form)."""
    key = short_state(state)
    chip = '<span class="st st-{}{}">{}<span class="visually-hidden">{}: </span>{}</span>'
    return format_html(chip, key, " st-lg" if size else "", icon(SHAPE[key]), WORD[key], text)


@register.simple_tag
def sla_chip(
    state: str,
    due_at: dt.datetime | None = None,
    at: dt.datetime | None = None,
    *,
    over: str = "past",
    since: dt.datetime | None = None,
    warn_at: dt.datetime | None = None,
    size: str = "",
) -> SafeString:
    """The chip of one clock. `at` is the moment to count from (default: now); `over` is "past" for "Past SLA 42m" or
    "over" for "42m over"; `since` is when a pause began; `warn_at` lets the page turn it yellow."""
    key, at = short_state(state), at or now()
    if key == "pau":
        return st(key, f"Paused {duration(at - since)}" if since else "Paused", size)
    if due_at is None:
        return mark("none", "No clock")
    # The script continues counting from data-due with the same words; see tick() in app.js.
    ticking = format_html(
        TICKING_AND_WARNING if warn_at else TICKING,
        due=due_at.isoformat(),
        key=key,
        over=over,
        warn=warn_at.isoformat() if warn_at else "",
        left=_left(due_at, at, over),
    )
    return st(key, ticking, size)


def _left(due_at: dt.datetime, at: dt.datetime, over: str) -> str:
    if due_at > at:
        return f"{duration(due_at - at)} left"
    return f"{duration(at - due_at)} over" if over == "over" else f"Past SLA {duration(at - due_at)}"


@register.simple_tag
def mark(state: str, text: object) -> SafeString:
    """Quiet inline state, no chip: green done, red late, yellow due or partly, none not started, wait, info."""
    key = short_state(state)
    return format_html('<span class="state {}">{}{}</span>', key, icon(SHAPE[key]), text)


@register.simple_tag
def health(state: str, number: object) -> SafeString:
    """Account health: word and number, never a chip. Without a state: "Not known"."""
    if not state:
        return mark("none", "Not known")
    key = short_state(state)
    return format_html(
        '<span class="health t-{}">{}{}, {}</span>',
        key,
        icon(SHAPE[key]),
        WORD[key],
        number,
    )


register.simple_tag(bar)
register.simple_tag(spark)
register.simple_tag(steps)


# People ------------------------------------------------------------------------------------------


@register.simple_tag
@kept
def ava(initials: str, colour: str = "", large: object = "") -> SafeString:
    """Round initials; `colour` is '', b, c, d, sys or none (dashed)."""
    size = " ava-lg" if large else ""
    return format_html('<span class="ava {}{}" aria-hidden="true">{}</span>', colour, size, initials)


@register.simple_tag
@kept
def own(initials: str, name: str, colour: str = "") -> SafeString:
    """Avatar and name on one line."""
    return format_html('<span class="own">{}{}</span>', ava(initials, colour), name)


@register.simple_tag
def person(user: User | None, empty: str = "Needs an owner") -> SafeString:
    """Avatar and name of a user; without a user the dashed avatar and `empty`."""
    return own(user.initials, user.name, user.avatar) if user else own("–", empty, "none")


@register.simple_tag
def face(user: User | None, large: object = "") -> SafeString:
    """Only the avatar of a user; without a user the dashed one."""
    return ava(user.initials, user.avatar, large) if user else ava("–", "none", large)


@register.simple_tag
def raci(letters: str) -> SafeString:
    """RACI tiles; several letters make several tiles; an empty value or a dash means not involved."""
    if letters in ("", "-", None):
        return mark_safe(
            '<span class="muted"><span aria-hidden="true">–</span>'
            '<span class="visually-hidden">Not involved</span></span>'
        )
    tile = (
        '<span class="raci {}" title="{}"><span aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{}</span></span>'
    )
    return format_html_join(" ", tile, ((x, RACI[x], x, RACI[x]) for x in letters))


# Navigation --------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def nav(
    context: Context,
    name: str,
    label: str,
    url: str,
    key: str,
    count: object = "",
    keys: str = "",
) -> SafeString:
    """A sidebar link to the named `url`. `key` is compared with nav.page; `keys` is its keyboard shortcut ("g q")."""
    hot = "hot" if key in WAITS_FOR_YOU else ""
    badge = format_html('<span class="cnt num {}">{}</span>', hot, count) if count else EMPTY
    return format_html(
        '<a class="navlink" href="{}"{}{}>{}{}{}</a>',
        _address(url, get_script_prefix()),
        CURRENT if is_here(context, key, url) else EMPTY,
        format_html(' data-key="{}"', keys) if keys else EMPTY,
        icon(name),
        label,
        badge,
    )


@kept
def _address(url: str, _prefix: str) -> str:
    return reverse(url)


@register.simple_tag(takes_context=True)
def here(context: Context, key: str, url: str = "") -> SafeString:
    """`aria-current="page"` if this is the current page, else nothing."""
    return CURRENT if is_here(context, key, url) else EMPTY


def is_here(context: Context, key: str, url: str = "") -> bool:
    """True if nav.page is this key or the resolved view is the named one."""
    place = context.get("nav") or {}
    page = place.get("page", "") if isinstance(place, dict) else place.page
    match = getattr(context.get("request"), "resolver_match", None)
    return page == key or bool(url and match and match.view_name == url)


@register.simple_tag
def tab(label: str, href: str, key: str, current: str, count: object = "") -> SafeString:
    """A case tab or sub view; `current` is the key of the open one."""
    number = format_html('<span class="n num">{}</span>', count) if count not in ("", None) else EMPTY
    return format_html(
        '<a href="{}"{}>{}{}</a>',
        href,
        CURRENT if key == current else EMPTY,
        label,
        number,
    )


@register.simple_tag
def plural(number: object, one: str, many: str = "") -> str:
    """`1 case`, `2 cases`."""
    return counted(decimal_or_none(number) or 0, one, many)


# Forms -------------------------------------------------------------------------------------------


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """The widget of a form field with Bootstrap's class and the error state."""
    widget = field.field.widget
    names = [
        widget.attrs.get("class", ""),
        _control_class(widget),
        "is-invalid" if field.errors else "",
    ]
    return field.as_widget(attrs={"class": " ".join(filter(None, names))})


def _control_class(widget: Widget) -> str:
    if isinstance(widget, CheckboxInput | RadioSelect | CheckboxSelectMultiple):
        return "form-check-input"
    return "form-select" if isinstance(widget, Select) else "form-control"


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """True for a single tick box, whose label is after it."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def tick(choice: BoundWidget) -> SafeString:
    """One radio or tick box of a group, with Bootstrap's class."""
    choice.data["attrs"]["class"] = "form-check-input"
    return choice.tag()


@register.filter
def named(error: str, field: BoundField) -> str:
    """An error for the summary: those of Django that do not name their field begin with its label."""
    return f"{field.label}: {error}" if error.startswith(("Ensure this value", "This field")) else error


@register.filter
def anchor(field: BoundField) -> str:
    """The id an error summary links to; the first choice when the field is a group."""
    return field.id_for_label or f"{field.auto_id}_0"
