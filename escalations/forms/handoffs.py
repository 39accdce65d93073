"""Hand-offs: notes, refusals, duties, RACI letters."""

from collections.abc import Sequence

from django import forms

from escalations.cases.duties import OTHER_HALF, Letters
from escalations.cases.handoffs import Notes
from escalations.forms.fields import CaseForm, line, person, plain, words
from escalations.models import CasePerson
from ledger.form_options import Posted

LETTERS = [(letter, f"{letter}, {name.lower()}") for letter, name in CasePerson.LETTERS]
BOTH = "Why one person owns the case and decides"
BOTH_HELP = "Required if the same person owns and decides; otherwise leave it empty."

REFUSALS = [
    ("Brief is incomplete", "Brief is incomplete"),
    ("Not my function", "Not my function"),
    ("No capacity before the due time", "No capacity before the due time"),
]


class NotesForm(CaseForm):
    """The notes for the next person."""

    tried = words("What was tried", required="Write what was tried.", longest=4000)
    open_points = words("What is open", required="Write what is open.", longest=4000)
    ask = words("What you ask for", required="Enter what you ask for, with a date and time.", longest=4000)

    def notes(self) -> Notes:
        """The values for the verbs."""
        given = self.cleaned_data
        both = given.get("both", "")
        return Notes(tried=given["tried"], open_points=given["open_points"], ask=given["ask"], both=both)


class HandOverForm(NotesForm):
    """The same with the person."""

    to = person("To", error="Choose who takes it over.")
    both = line(BOTH, longest=200, help_text=BOTH_HELP)
    field_order = ["to", "tried", "open_points", "ask", "both"]


class DutyForm(CaseForm):
    """Another person for a duty, with a note."""

    to = person("To", error="Choose who takes it over.")
    ask = words("Note to the person", longest=4000)
    both = line(BOTH, longest=200, help_text=BOTH_HELP)

    def __init__(self, data: Posted | None = None, *, duty: str) -> None:
        super().__init__(data)
        if duty not in OTHER_HALF:
            del self.fields["both"]

    def notes(self) -> Notes:
        """The values for the verb."""
        return Notes(ask=self.cleaned_data["ask"], both=self.cleaned_data.get("both", ""))


class LettersForm(CaseForm):
    """The RACI letters of the people on a case, and one more person."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    add = person("Add a person", required=False)
    add_letter = forms.ChoiceField(label="Letter of the added person", choices=[("", "–"), *LETTERS], required=False)

    def __init__(self, data: Posted | None = None, *, people: Sequence[CasePerson], version: int) -> None:
        super().__init__(data)
        self.fields["version"].initial = version
        rows = {}
        for each in people:
            choices = LETTERS if each.duty else [*LETTERS, ("", "Take off the case")]
            label = f"{each.user.name}, {each.get_duty_display().lower() if each.duty else 'stakeholder'}"
            rows[f"letter_{each.pk}"] = forms.ChoiceField(
                label=label, choices=choices, initial=each.letter, required=bool(each.duty)
            )
        self.fields = {**rows, **self.fields}
        self.rows = tuple(each.pk for each in people)

    def wanted(self) -> Letters:
        """The values for the verb."""
        given = self.cleaned_data
        letters = {pk: given[f"letter_{pk}"] for pk in self.rows}
        return Letters(given["version"], letters, given["add"], given["add_letter"])


class RefuseForm(CaseForm):
    """The reason for refusing: what is missing, or who should own it."""

    missing = forms.MultipleChoiceField(
        label="If you refuse: what is missing",
        choices=REFUSALS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reason = line("Note to the sender", longest=200)

    def clean(self) -> dict[str, object]:
        """Ticks and note together are the reason; at least one is required."""
        super().clean()
        values = self.cleaned_data
        whole = "; ".join([*values.get("missing", []), str(plain(values.get("reason", "")))]).strip("; ")
        if not whole and not self.errors:
            raise forms.ValidationError({"reason": "Enter why you refuse: what is missing, or who should own it."})
        return {"reason": whole}
