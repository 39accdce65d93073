"""The HTML of form fields."""

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

Widget = Mapping[str, Any]  # what Django gives to the template of a widget
NOTHING = mark_safe("")
INPUTS = ("checkbox", "date", "datetime", "email", "hidden", "input", "number", "password", "text", "time", "url")


class QuickRenderer(DjangoTemplates):
    """Writes inputs, text areas and lists as Django's templates do, but in Python: a list of twenty currencies is forty
    templates there, and forms have several. Other widgets have their templates."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
        """The HTML of a widget or form."""
        write = WRITERS.get(template_name)
        return write(context["widget"]) if write else SafeString(super().render(template_name, context, request))


def attributes(given: Mapping[str, object]) -> SafeString:
    """In their order; True stands for a name alone, False for nothing."""
    if not given:
        return NOTHING
    return format_html_join("", "{}", ((_attribute(*each),) for each in given.items() if each[1] is not False))


def _attribute(name: str, value: object) -> SafeString:
    return format_html(" {}", name) if value is True else format_html(' {}="{}"', name, str(value))


def _input(widget: Widget) -> SafeString:
    value = NOTHING if widget["value"] is None else _attribute("value", widget["value"])
    return format_html(
        '<input type="{}" name="{}"{}{}>', widget["type"], widget["name"], value, attributes(widget["attrs"])
    )


def _textarea(widget: Widget) -> SafeString:
    """A browser would cut a long text silently at `maxlength`. app.js counts to `data-most`, and the form refuses it."""
    attrs = {"data-most" if name == "maxlength" else name: value for name, value in widget["attrs"].items()}
    return format_html(
        '<textarea name="{}"{}>\n{}</textarea>', widget["name"], attributes(attrs), widget["value"] or ""
    )


def _select(widget: Widget) -> SafeString:
    groups = format_html_join("", "{}", ((_group(name, options),) for name, options, _ in widget["optgroups"]))
    return format_html('<select name="{}"{}>{}</select>', widget["name"], attributes(widget["attrs"]), groups)


def _group(name: str | None, options: list[Widget]) -> SafeString:
    rows = format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((str(each["value"]), attributes(each["attrs"]), each["label"]) for each in options),
    )
    return format_html('<optgroup label="{}">{}</optgroup>', name, rows) if name else rows


WRITERS: dict[str, Callable[[Widget], SafeString]] = {
    **{f"django/forms/widgets/{name}.html": _input for name in INPUTS},
    "django/forms/widgets/textarea.html": _textarea,
    "django/forms/widgets/select.html": _select,
}
