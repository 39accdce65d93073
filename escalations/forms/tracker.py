"""Actions, proofs and commitments."""

from django import forms

from escalations.forms.fields import CaseForm, FilesField, line, moment, person
from escalations.models import Commitment


class ActionForm(CaseForm):
    """A new action."""

    title = line("New action", required="Enter what is to be done.", longest=200)
    owner = person("Owner", error="Choose who does it.")
    due_at = moment("Due, date and time", required="Enter when it is due, date and time.")
    execution = forms.BooleanField(label="Carries out a decision and needs a proof", required=False)


class ProofForm(CaseForm):
    """Done, with a proof if one is needed."""

    proof = line("Proof", help_text="Credit note, ticket or document number.")
    files = FilesField("Files of the proof")  # type: ignore[assignment]


class PromiseForm(CaseForm):
    """A commitment of either side."""

    text = line("New commitment", required="Write what was promised.")
    who = forms.ChoiceField(label="Who promised", choices=Commitment.BY)
    owner = person("Who follows it up", error="Choose who follows it up.")
    due_on = forms.DateField(
        label="Due",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Enter the day it is due.", "invalid": "Enter a date."},
    )


class DayForm(CaseForm):
    """Another day for a condition."""

    due_on = forms.DateField(
        label="New day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Enter the new day.", "invalid": "Enter a date."},
    )
    reason = line("Why", required="Enter why the day changes.")


class KeptForm(CaseForm):
    """Kept or broken."""

    kept = forms.ChoiceField(choices=[("yes", "Kept"), ("no", "Broken")])

    @property
    def was_kept(self) -> bool:
        """Whether it was kept."""
        return bool(self.cleaned_data["kept"] == "yes")
