"""Somebody leaves."""

from escalations.forms.fields import CaseForm, person


class LeaverForm(CaseForm):
    """The person."""

    person = person(
        "Who leaves?", error="Choose who leaves.", help_text="The next page shows what moves on and to whom."
    )
