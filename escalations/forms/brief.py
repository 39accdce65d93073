"""The brief: its texts, and the table of options with two empty rows."""

from collections.abc import Iterable
from dataclasses import dataclass

from django import forms
from django.forms import BaseFormSet

from approvals.requests.rules.verdicts import Option
from escalations.cases.queries.brief_page import LETTERS
from escalations.cases.rules import conversation
from escalations.cases.rules.brief import VAGUE, BriefParts
from escalations.forms.fields import CaseForm, FilesField, line, words
from escalations.models import BriefPart, Escalation
from ledger.form_options import Posted

WRITTEN = ("summary", "ask", "troubleshooting", "artifacts", "facts", "recommendation", "next_step")
VERSIONED = (*WRITTEN, "conversation", "options")
SPARE_ROWS = 2
MOST_OPTIONS = len(LETTERS)
TOO_VAGUE = "Name a date and time instead of “as soon as possible”."


def _version() -> forms.IntegerField:
    return forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)


class BriefForm(forms.Form):
    """All texts of a brief except the options."""

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
        """A vague deadline is refused at its field."""
        text = str(self.cleaned_data["ask"])
        if VAGUE.search(text):
            raise forms.ValidationError(TOO_VAGUE)
        return text

    def texts(self) -> dict[str, str]:
        """Part → text, with our line ends."""
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

    def clean(self) -> dict[str, object]:
        """A row without a name must be empty."""
        values = super().clean() or self.cleaned_data
        if not values.get("name") and any(values.values()):
            self.add_error("name", "Name the option, or clear its row.")
        return values


OptionRows = forms.formset_factory(OptionForm, extra=0, max_num=MOST_OPTIONS, absolute_max=MOST_OPTIONS)


def initial_of(case: Escalation, parts: BriefParts) -> dict[str, object]:
    """The values of the saved brief for the form."""
    options = parts["options"]
    return {
        **parts["texts"],
        **conversation.split(parts["texts"].get("conversation", "")),
        "recommended": _first(option.get("recommended", False) for option in options),
        "status_quo": _first(option.get("status_quo", False) for option in options),
        **{f"seen_{part}": version for part, version in versions_of(case).items()},
    }


def versions_of(case: Escalation) -> dict[str, int]:
    """Part → its current version, 0 for an unwritten part."""
    written = {row.part: row.version for row in BriefPart.objects.filter(case=case)}
    return {part: written.get(part, 0) for part in VERSIONED}


def _first(flags: Iterable[bool]) -> int | None:
    return next((number for number, flag in enumerate(flags) if flag), None)


def option_rows(options: list[Option], data: Posted | None = None) -> "BaseFormSet[OptionForm]":
    """The table: the existing options and two empty rows; with `data`, the sent rows."""
    if data is not None:
        return OptionRows(data, prefix="opt")
    spare = min(SPARE_ROWS, max(0, MOST_OPTIONS - len(options)))
    initial = [_shown(option) for option in options] + [{} for _ in range(spare)]
    return OptionRows(initial=initial, prefix="opt")


def _shown(option: Option) -> dict[str, object]:
    given = option.get("conditions") or ""
    return {**option, "conditions": given if isinstance(given, str) else "\n".join(map(str, given))}


@dataclass(frozen=True)
class OptionRow:
    """A row of the table of options: its form, its letter and its two radio buttons."""

    form: OptionForm
    number: int
    letter: str
    recommended: bool
    status_quo: bool

    @property
    def spare(self) -> bool:
        """An empty row beyond the two that every table needs."""
        return self.number > 1 and not self.form["name"].value() and not self.form.errors


def numbered(rows: "BaseFormSet[OptionForm]", form: BriefForm) -> list[OptionRow]:
    """Rows for the template."""
    picked, quo = str(form["recommended"].value()), str(form["status_quo"].value())
    return [OptionRow(row, n, LETTERS[n], picked == str(n), quo == str(n)) for n, row in enumerate(rows.forms)]


def options_of(rows: "BaseFormSet[OptionForm]", form: BriefForm) -> list[Option]:
    """The options for storing: named rows only, in their order."""
    picked, quo = form.cleaned_data.get("recommended"), form.cleaned_data.get("status_quo")
    return [
        _option(row, recommended=number == picked, status_quo=number == quo)
        for number, row in enumerate(rows.forms)
        if row.cleaned_data.get("name")
    ]


def _option(row: OptionForm, *, recommended: bool, status_quo: bool) -> Option:
    given = {name: str(text).replace("\r\n", "\n") for name, text in row.cleaned_data.items()}
    option = Option(name=given["name"], trade_off=given["trade_off"])
    if given["revenue"]:
        option["revenue"] = given["revenue"]
    if given["exposure"]:
        option["exposure"] = given["exposure"]
    if given["conditions"]:
        option["conditions"] = given["conditions"]
    return option | Option(recommended=recommended, status_quo=status_quo)


class FilesForm(CaseForm):
    """Files for the brief."""

    files = FilesField("Add files", required="Choose a file.")  # type: ignore[assignment]
