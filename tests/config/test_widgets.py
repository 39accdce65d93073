"""Form fields have the HTML that Django's templates write."""

import re

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from config.widgets import WRITERS, QuickRenderer

HOSTILE = "\"><script>alert(1)</script>&'"
CHOICES = [("", "None"), ("a", HOSTILE), (HOSTILE, mark_safe("<b>b</b>")), ("Group <1>", [(1, "One"), (2, "Two")])]
WIDGETS = [
    *(forms.TextInput(), forms.NumberInput(attrs={"step": 0.5}), forms.EmailInput(), forms.URLInput()),
    *(forms.HiddenInput(), forms.PasswordInput(render_value=True), forms.DateInput(), forms.DateTimeInput()),
    *(forms.TimeInput(), forms.CheckboxInput(), forms.Textarea(attrs={"rows": 3}), forms.Select(choices=CHOICES)),
    *(forms.SelectMultiple(choices=CHOICES), forms.NullBooleanSelect(), forms.RadioSelect(choices=CHOICES)),
]


def _tidy(html: str) -> str:
    return re.sub(r"\s*(<[^>]+>)\s*", r"\1", html)


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("value", [None, "", "a", HOSTILE, "2", 0, True, "\nline"])
def test_a_field_is_written_as_by_the_templates_of_django(widget: forms.Widget, value: object) -> None:
    attributes = {"id": HOSTILE, "required": True, "disabled": False, "data-x": "", "class": mark_safe("a&amp;b")}
    quick, slow = (widget.render(HOSTILE, value, attributes, each()) for each in (QuickRenderer, DjangoTemplates))
    assert _tidy(quick) == _tidy(slow)


def test_every_writer_is_of_a_widget_that_django_has() -> None:
    for name in WRITERS:
        assert QuickRenderer().get_template(name)


def test_a_browser_does_not_cut_a_long_text() -> None:
    html = forms.CharField(max_length=20_000, widget=forms.Textarea).widget.render("text", "", renderer=QuickRenderer())
    assert 'data-most="20000"' in html
    assert "maxlength" not in html


def test_the_summary_names_the_field_of_a_text_that_is_too_long() -> None:
    class Words(forms.Form):
        text = forms.CharField(label="Write an update", max_length=5)

    page = render_to_string("components/form_errors.html", {"form": Words({"text": "123456"})})
    assert "Write an update: Ensure this value has at most 5 characters (it has 6)." in page
