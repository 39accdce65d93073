"""The forms of moves: execute without approval, resolve, close, reopen, withdraw, duplicate."""

from typing import Unpack, cast

from django import forms

from accounts.models import User
from escalations import states
from escalations.cases.closing import Ending
from escalations.forms.fields import CaseForm, line, words
from escalations.models import Escalation
from ledger.form_options import FormOptions, Posted


class ReasonForm(CaseForm):
    """One reason that goes on the record."""

    reason = words(
        "Reason", rows=3, longest=300, required="Enter a reason.", help_text="Goes on the record of the case."
    )

    def __init__(
        self,
        data: Posted | None = None,
        *,
        label: str = "Reason",
        missing: str = "Enter a reason.",
        **options: Unpack[FormOptions],
    ) -> None:
        super().__init__(data, **options)
        self.fields["reason"].label = label
        self.fields["reason"].error_messages["required"] = missing


class DuplicateForm(CaseForm):
    """The case that carries on."""

    of = forms.ModelChoiceField(
        label="Case that carries on", queryset=Escalation.objects.none(), empty_label="Choose a case"
    )
    reason = line("Note", longest=200, help_text="Goes on the record of both cases.")

    def __init__(self, data: Posted | None = None, *, case: Escalation, user: User) -> None:
        super().__init__(data)
        words = f"Choose another open case of {case.account.name}."
        field = cast(forms.ModelChoiceField, self.fields["of"])
        field.queryset = (
            Escalation.objects.visible_to(user, few=True).open().filter(account=case.account_id).exclude(pk=case.pk)
        )
        field.error_messages |= {"required": words, "invalid_choice": words}


class CloseForm(CaseForm):
    """The form without fields."""


class ResolveForm(CaseForm):
    """The fields for resolving a case."""

    outcome = forms.ChoiceField(
        label="Outcome",
        choices=[("", "Choose the outcome"), *states.OUTCOMES],
        error_messages={"required": "Choose the outcome."},
    )
    root_cause = line(
        "Root cause",
        longest=120,
        required="Name the root cause in a few words.",
        help_text="Use a name from the list when the cause is the same.",
    )
    resolution = words("How it was resolved", rows=4, required="Write how it was resolved.")
    customer_told = forms.BooleanField(
        label="The customer was told", error_messages={"required": "Tell the customer first, then confirm it here."}
    )

    def __init__(self, data: Posted | None = None, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        self.fields["root_cause"].widget.attrs |= {"list": "causes", "autocomplete": "off"}

    def ending(self) -> Ending:
        """The values for closing.resolve."""
        given = self.cleaned_data
        return Ending(
            outcome=given["outcome"],
            root_cause=given["root_cause"],
            resolution=given["resolution"],
            customer_told=given["customer_told"],
        )
