"""The brief: its texts, and the table of options with two rows to spare."""

from typing import Any

from django import forms

from escalations.cases.queries.brief_page import LETTERS
from escalations.cases.rules import conversation
from escalations.cases.rules.brief import VAGUE
from escalations.forms.fields import line, words
from escalations.models import BriefPart, Escalation

WRITTEN = ("summary", "ask", "troubleshooting", "artifacts", "facts", "recommendation", "next_step")
VERSIONED = (*WRITTEN, "conversation", "options")
SPARE_ROWS = 2
MOST_OPTIONS = len(LETTERS)
TOO_VAGUE = "Name a date and time instead of “as soon as possible”."


def _version() -> forms.IntegerField:
    return forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)


class BriefForm(forms.Form):
    """Everything people write of a brief but the options."""

    summary = words("What is blocked and why it matters", rows=3, help_text="One to three sentences.")
    ask = words(
        "Decision needed", rows=2, help_text="The question, from whom, by which date and time, to protect what."
    )
    troubleshooting = words("What was tried", rows=4, help_text="One line each: when, what, result.")
    artifacts = words("Key artifacts", rows=2, help_text="Names of files and where they are, one per line.")
    facts = words("Facts", rows=4, help_text="What is known, with its source.")
    recommendation = words("Recommendation", rows=3, help_text="What you would do, and why.")
    risks = words("Risks", rows=3)
    talking_points = words("Talking points", rows=3)
    desired_outcome = words("Desired outcome", rows=2, help_text="What is signed, by whom, by when.")
    next_step = words("Next step", rows=2, help_text="Who does what, with date and time.")
    recommended = forms.IntegerField(required=False, min_value=0, max_value=MOST_OPTIONS)
    status_quo = forms.IntegerField(required=False, min_value=0, max_value=MOST_OPTIONS)

    seen_summary, seen_ask, seen_troubleshooting, seen_artifacts = _version(), _version(), _version(), _version()
    seen_facts, seen_recommendation, seen_next_step = _version(), _version(), _version()
    seen_conversation, seen_options = _version(), _version()

    def clean_ask(self) -> str:
        """A vague deadline is refused where it is typed."""
        text = str(self.cleaned_data["ask"])
        if VAGUE.search(text):
            raise forms.ValidationError(TOO_VAGUE)
        return text

    def texts(self) -> dict[str, str]:
        """Part → text, with the line ends we keep."""
        plain = {name: str(value).replace("\r\n", "\n") for name, value in self.cleaned_data.items()}
        return {**{part: plain[part] for part in WRITTEN}, "conversation": conversation.join(plain)}

    def versions(self) -> dict[str, int]:
        """Part → version the author saw."""
        return {part: self.cleaned_data.get(f"seen_{part}") or 0 for part in VERSIONED}


class OptionForm(forms.Form):
    """One option."""

    name = line("Option")
    revenue = line("Revenue or effect")
    exposure = line("Added exposure")
    trade_off = words("Trade-off", rows=2, longest=1000)
    conditions = words("Conditions, one per line", rows=2, longest=1000)

    def clean(self) -> dict[str, Any]:
        """A row without a name must be empty."""
        values = super().clean() or self.cleaned_data
        if not values.get("name") and any(values.values()):
            self.add_error("name", "Name the option, or clear its row.")
        return values


OptionRows = forms.formset_factory(OptionForm, extra=0, max_num=MOST_OPTIONS, absolute_max=MOST_OPTIONS)


def initial_of(case: Escalation, parts: dict[str, Any]) -> dict[str, Any]:
    """What the form shows of the saved brief."""
    options = parts["options"]
    return {
        **parts["texts"],
        **conversation.split(parts["texts"].get("conversation", "")),
        "recommended": _index(options, "recommended"),
        "status_quo": _index(options, "status_quo"),
        **{f"seen_{part}": version for part, version in versions_of(case).items()},
    }


def versions_of(case: Escalation) -> dict[str, int]:
    """Part → its version now, 0 for one nobody wrote."""
    written = {row.part: row.version for row in BriefPart.objects.filter(case=case)}
    return {part: written.get(part, 0) for part in VERSIONED}


def _index(options: list[dict[str, Any]], flag: str) -> int | None:
    return next((number for number, option in enumerate(options) if option.get(flag)), None)


def option_rows(options: list[dict[str, Any]], data: Any = None) -> Any:
    """The table: the options there are and two empty rows; with `data`, what was sent."""
    if data is not None:
        return OptionRows(data, prefix="opt")
    spare = min(SPARE_ROWS, max(0, MOST_OPTIONS - len(options)))
    blank: list[dict[str, Any]] = [{} for _ in range(spare)]
    return OptionRows(initial=[_shown(option) for option in options] + blank, prefix="opt")


def _shown(option: dict[str, Any]) -> dict[str, Any]:
    given = option.get("conditions") or ""
    return {**option, "conditions": given if isinstance(given, str) else "\n".join(map(str, given))}


def numbered(rows: Any, form: BriefForm) -> list[dict[str, Any]]:
    """Rows for the template, each with its letter and what its two radio buttons say."""
    picked, quo = str(form["recommended"].value()), str(form["status_quo"].value())
    return [
        {"form": row, "number": n, "letter": LETTERS[n], "recommended": picked == str(n), "status_quo": quo == str(n)}
        for n, row in enumerate(rows.forms)
    ]


def options_of(rows: Any, form: BriefForm) -> list[dict[str, Any]]:
    """The options as they are kept: named rows only, in their order."""
    picked, quo = form.cleaned_data.get("recommended"), form.cleaned_data.get("status_quo")
    return [
        {
            **{key: text.replace("\r\n", "\n") for key, text in row.cleaned_data.items() if text or key == "trade_off"},
            "recommended": number == picked,
            "status_quo": number == quo,
        }
        for number, row in enumerate(rows.forms)
        if row.cleaned_data.get("name")
    ]
