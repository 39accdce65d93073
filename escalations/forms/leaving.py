"""Somebody leaves, or becomes an external party."""

from typing import cast

from django import forms

from accounts.models import Role
from escalations.forms.fields import CaseForm, person
from ledger.form_options import Posted


class LeaverForm(CaseForm):
    """The person."""

    person = person("Who?", error="Choose a person.", help_text="The next page shows what moves on and to whom.")


class ExternalForm(CaseForm):
    """The role of an external party that the person gets."""

    role: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Role",
        queryset=None,
        empty_label=None,
        error_messages={"required": "Choose a role.", "invalid_choice": "Choose a role of external parties."},
        help_text="Roles that see only what is shared with them.",
    )

    def __init__(self, data: Posted | None = None) -> None:
        super().__init__(data)
        cast(forms.ModelChoiceField, self.fields["role"]).queryset = Role.objects.filter(sees=Role.SHARED)
