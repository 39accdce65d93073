"""Writing to and by external parties."""

from typing import cast

from django import forms

from accounts.people.choosing import external_parties
from escalations.forms.fields import CaseForm, line, words
from ledger.form_options import Posted
from ledger.now import now


class ShareForm(CaseForm):
    """A new thread with an external party."""

    party: forms.ModelChoiceField = forms.ModelChoiceField(
        label="External party",
        queryset=None,
        empty_label="Choose an external party",
        error_messages={"required": "Choose an external party.", "invalid_choice": "Choose an external party."},
        help_text="People whose only role is External party.",
    )
    subject = line("Subject", longest=160, required="Enter a subject.", help_text="The external party reads it.")
    text = words("Question or message", required="Enter the text.", help_text="The external party reads it.")

    def __init__(self, data: Posted | None = None) -> None:
        super().__init__(data)
        cast(forms.ModelChoiceField, self.fields["party"]).queryset = external_parties(now())


class PostForm(CaseForm):
    """One message."""

    text = words("Your message", required="Enter the text.")
