"""The forms of a thread."""

from typing import Unpack, cast

from django import forms
from django.db.models import Model

from accounts.models import Contact
from escalations import states
from escalations.forms.fields import FilesField
from escalations.models import Escalation
from ledger.form_options import FormOptions, Posted
from ledger.moments import MomentField

INTERNAL, CUSTOMER, DECISION = "internal", "customer", "decision"
MODES = [(INTERNAL, "Internal update"), (CUSTOMER, "Customer update"), (DECISION, "Decision")]
NEXT_UPDATE = "Enter the next update as a date and time, such as 2026-01-21 16:30."
LOCAL = "%Y-%m-%dT%H:%M"


class Moment(MomentField):
    """A date and time in the viewer's zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)


class ContactsField(forms.ModelMultipleChoiceField):
    """Contacts by name and address; those to whom mail came back say so."""

    def label_from_instance(self, obj: Model) -> str:
        """Jonas Thiel, jonas@northwind.example."""
        if not isinstance(obj, Contact):
            return str(obj)
        return f"{obj.name}, {obj.email}{' (mail came back)' if obj.bounces else ''}"


class ComposerForm(forms.Form):
    """One box, three kinds of entry."""

    mode = forms.ChoiceField(label="Post as", choices=MODES, widget=forms.RadioSelect, initial=INTERNAL)
    text = forms.CharField(
        label="Write an update",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "What changed, what it means, what happens next"}),
        error_messages={"required": "Write what changed, what it means and what happens next."},
    )
    contacts = ContactsField(
        label="Send to",
        queryset=Contact.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose contacts of this account only."},
    )
    rationale = forms.CharField(
        label="Why it is decided so", max_length=4_000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    options = forms.CharField(
        label="Options that were weighed", max_length=4_000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    next_update_at = Moment(label="Next update", required=False, error_messages={"invalid": NEXT_UPDATE})
    files = FilesField()  # type: ignore[assignment]

    def __init__(
        self, data: Posted | None = None, *, case: Escalation, may_tell_customer: bool, **options: Unpack[FormOptions]
    ) -> None:
        super().__init__(data, **options)
        contacts = case.account.contacts.all() if may_tell_customer else Contact.objects.none()
        cast("forms.ModelMultipleChoiceField[Contact]", self.fields["contacts"]).queryset = contacts
        if may_tell_customer and len(contacts) == 1:
            self.initial["contacts"] = list(contacts)
        self.fields["next_update_at"].widget.attrs["class"] = "form-control-sm w-auto"
        self.fields["files"].widget.attrs["class"] = "form-control-sm"


class StatusForm(forms.Form):
    """The pinned status, with the version and text that its author saw."""

    text = forms.CharField(
        label="Current status",
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One to three sentences. Everyone on the escalation reads this first.",
        error_messages={"required": "Write the current status in one to three sentences."},
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)


class CorrectionForm(forms.Form):
    """A new text for one's own entry."""

    text = forms.CharField(
        label="Corrected text",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="The earlier text is kept and can be opened.",
        error_messages={"required": "Write the corrected text."},
    )


class WaitingForm(forms.Form):
    """Whom the case waits on. “Nobody” resumes the clocks; everything else pauses them."""

    waiting_on = forms.ChoiceField(
        label="Waiting on",
        choices=states.WAITING_ON,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose who it is waiting on.",
            "invalid_choice": states.CHOOSE_WAITING,
        },
    )
    reason = forms.CharField(
        label="Reason",
        max_length=150,
        required=False,
        help_text="Shown with the paused clocks, for example “Their counsel reviews the redline until Friday”.",
    )


class HoldForm(forms.Form):
    """The reason for pausing one clock."""

    reason = forms.CharField(
        label="Reason",
        max_length=150,
        help_text="Shown beside the clock. It stays paused until someone resumes it.",
        error_messages={"required": "Enter why this clock pauses."},
    )


class DeadlineForm(forms.Form):
    """A new date by which the customer needs an answer."""

    deadline = Moment(
        label="Customer deadline",
        required=False,
        help_text="A date and time. Empty: the customer gave none.",
        error_messages={"invalid": "Enter the deadline as a date and time."},
    )
    reason = forms.CharField(
        label="Who changed it, and why",
        max_length=300,
        help_text="Such as “Their board meets a week later, Jonas Thiel by phone”.",
        error_messages={"required": "Enter who changed the deadline and why."},
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
