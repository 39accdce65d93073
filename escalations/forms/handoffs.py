"""Hand-offs: notes, refusals."""

from django import forms

from escalations.cases.handoffs import Notes
from escalations.forms.fields import CaseForm, line, person, plain, words

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
        return Notes(tried=given["tried"], open_points=given["open_points"], ask=given["ask"])


class HandOverForm(NotesForm):
    """The same with the person."""

    to = person("To", error="Choose who takes it over.")
    field_order = ["to", "tried", "open_points", "ask"]


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
