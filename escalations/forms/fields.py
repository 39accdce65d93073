"""Fields that several forms of a case share."""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from accounts.choosers import ChosenField, FindingForm
from accounts.people.choosing import with_a_role
from ledger.errors import Refused
from ledger.files.rules.kinds import accepted_names
from ledger.files.uploads import LARGEST_FILE, LARGEST_POST, MB, Upload, check
from ledger.form_options import FormOptions, Posted
from ledger.moments import MomentField
from ledger.now import now

MOMENT = "%Y-%m-%dT%H:%M"
LONGEST = 20_000


class FieldOptions(TypedDict, total=False):
    """Further arguments of Django's form fields that forms of a case use."""

    help_text: str
    show_hidden_initial: bool


def words(
    label: str, *, rows: int = 3, required: str = "", longest: int = LONGEST, **options: Unpack[FieldOptions]
) -> forms.CharField:
    """A text area. `required` is the error for an empty field; without it the field is optional."""
    return forms.CharField(
        label=label,
        required=bool(required),
        max_length=longest,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": required, "max_length": f"Shorten this to {longest} characters."},
        **options,
    )


def line(label: str, *, required: str = "", longest: int = 300, **options: Unpack[FieldOptions]) -> forms.CharField:
    """One line of text."""
    return forms.CharField(
        label=label,
        required=bool(required),
        max_length=longest,
        error_messages={"required": required, "max_length": f"Shorten this to {longest} characters."},
        **options,
    )


def moment(label: str, *, required: str = "Enter a date and time.", **options: Unpack[FieldOptions]) -> MomentField:
    """Date and time in the viewer's zone. `required` is the sentence shown when it stays empty; with "" it may."""
    return MomentField(
        label=label,
        required=bool(required),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
        error_messages={"required": required, "invalid": "Enter a date and time."},
        **options,
    )


def person(label: str, *, error: str = "Choose a person.", required: bool = True, help_text: str = "") -> ChosenField:
    """A person who holds a role."""
    return ChosenField("people", label=label, error=error, required=required, help_text=help_text)


class FilesInput(forms.FileInput):
    """A chooser of several files."""

    allow_multiple_selected = True

    def __init__(self) -> None:
        super().__init__(attrs={"multiple": True, "accept": accepted_names()})

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, UploadedFile], name: str
    ) -> list[UploadedFile]:
        """All files, in the order of the post."""
        return files.getlist(name) if files else []


class FilesField(forms.Field):
    """Files to attach, checked by their content and shown to the virus scanner."""

    widget = FilesInput

    def __init__(self, label: str = "Files", *, required: str = "") -> None:
        super().__init__(
            label=label,
            required=bool(required),
            help_text=f"Up to {LARGEST_FILE // MB} MB a file, {LARGEST_POST // MB} MB together.",
            error_messages={"required": required},
        )

    def clean(self, value: list[UploadedFile]) -> list[Upload]:
        """The checked files. An error names the file."""
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"])
        try:
            return check(value)
        except Refused as refusal:
            raise forms.ValidationError(refusal.message) from refusal


class CaseForm(FindingForm):
    """A form of a case: our line ends and people to choose from."""

    def __init__(self, data: Posted | None = None, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        for field in self.fields.values():
            if isinstance(field, ChosenField):
                field.queryset = with_a_role(now())

    def clean(self) -> dict[str, object]:
        """Browsers send CR LF; we keep LF."""
        values = super().clean() or self.cleaned_data
        return {name: plain(value) for name, value in values.items()}


def plain(value: object) -> object:
    """The typed text with our line ends."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value
