"""Forms of the account pages."""

from datetime import datetime, timedelta
from typing import NamedTuple, Unpack
from zoneinfo import available_timezones

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Column, Div, Field, Layout, Row, Submit
from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.forms import BoundField

from accounts.customers.contacts import Person, languages
from accounts.customers.rates import known_currencies
from accounts.imports.rules import ENCODINGS
from accounts.imports.runs import LARGEST_FILE, Choices, fields_of
from accounts.models import Account, Contact, ImportRun, Signal, User
from accounts.signals.record import Observed
from ledger.files.uploads import NotStored, Part
from ledger.form_options import FormOptions, Posted
from ledger.moments import MomentField
from ledger.now import now

ODD_ZONES = ("Etc/", "posix", "right", "SystemV")
CLOCK_SKEW = timedelta(minutes=5)
FIELD_LABELS = {
    "external_id": "Id (match on this)",
    "account_external_id": "Account id",
    "arr": "ARR",
    "mrr": "Monthly amount (× 12 is ARR)",
    "owner_email": "Owner's e-mail (CSM)",
    "parent": "Parent account",
    "domain": "Mail domain",
    "churned": "Has left (yes or no)",
    "role": "Job title",
    "auto_renew": "Renews automatically (yes or no)",
}


def field_label(name: str) -> str:
    """The label of a field."""
    return FIELD_LABELS.get(name, name.replace("_", " ").capitalize())


def currency_choices(empty: str = "–") -> list[tuple[str, str]]:
    """Currencies with a rate; the first choice is the text for an empty value."""
    return [("", empty), *((code, code) for code in sorted(known_currencies()))]


class SignalForm(forms.Form):
    """Log something observed about an account."""

    kind = forms.ChoiceField(label="What was it?", choices=Signal.KINDS, initial=Signal.CALL)
    at = MomentField(
        label="When",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": "Enter a date and time.", "invalid": "Enter a date and time."},
    )
    contact = forms.ModelChoiceField(
        label="Who", queryset=Contact.objects.none(), required=False, empty_label="No one named"
    )
    text = forms.CharField(
        label="What was said or seen",
        widget=forms.Textarea(attrs={"rows": 6}),
        max_length=20_000,
        help_text="Use the customer's own words if possible: tone and risk phrases are read from this text.",
        error_messages={"required": "Enter what was said or seen."},
    )
    amount = forms.DecimalField(
        label="Amount",
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        help_text="Money asked for, if any.",
    )
    currency = forms.ChoiceField(label="Currency", required=False)
    with_concession = forms.TypedChoiceField(
        label="Did they concede anything?",
        choices=[("no", "No, without a concession"), ("yes", "Yes, with a concession")],
        coerce=lambda value: value == "yes",
        empty_value=False,  # type: ignore[arg-type]
        initial="no",
        required=False,
        widget=forms.RadioSelect,
        help_text="Three counterproposals without a concession are a deadlock.",
    )

    def __init__(self, data: Posted | None = None, *, account: Account, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        self.fields["contact"].queryset = account.contacts.all()  # type: ignore[attr-defined]
        self.fields["currency"].choices = currency_choices()  # type: ignore[attr-defined]
        self.fields["at"].initial = now().replace(second=0, microsecond=0)
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": ""}
        self.helper.layout = Layout(
            Row(*(Column(name, css_class="col-md-4") for name in ("kind", "at", "contact"))),
            "text",
            Div(Field("with_concession"), data_show_when=f"kind={Signal.COUNTERPROPOSAL}"),
            Row(Column("amount", css_class="col-md-4"), Column("currency", css_class="col-md-4")),
            Submit("save", "Log signal", css_class="btn-primary"),
            HTML('<a class="btn btn-link" href="{% url "accounts:detail" account.pk %}">Back to the account</a>'),
        )

    def observed(self) -> Observed:
        """The values for the verb."""
        given = self.cleaned_data
        return Observed(
            kind=given["kind"],
            text=given["text"],
            at=given["at"],
            contact=given["contact"],
            amount=given["amount"],
            currency=given["currency"],
            with_concession=given["with_concession"],
        )

    def clean_at(self) -> datetime:
        """A signal cannot be in the future."""
        at = self.cleaned_data["at"]
        if at > now() + CLOCK_SKEW:
            raise forms.ValidationError("Enter a time in the past.")
        return at

    def clean(self) -> dict[str, object]:
        """An amount needs its currency."""
        values = super().clean() or {}
        if values.get("amount") and not values.get("currency"):
            self.add_error("currency", "Choose the currency of the amount.")
        return values


class ContactForm(forms.Form):
    """A person of the customer."""

    name = forms.CharField(label="Name", max_length=120, error_messages={"required": "Enter the contact's name."})
    email = forms.EmailField(
        label="E-mail address",
        error_messages={"required": "Enter the e-mail address.", "invalid": "Enter an e-mail address."},
        help_text="Mail from this address belongs to the account.",
    )
    title = forms.CharField(label="Role at the customer", max_length=120, required=False, help_text="Such as CFO.")
    language = forms.ChoiceField(label="Language", choices=[("", "Not known"), *languages()], required=False)
    executive = forms.BooleanField(
        label="An executive", required=False, help_text="Complaints from an executive weigh more."
    )

    def __init__(self, data: Posted | None = None, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": ""}
        self.helper.layout = Layout(
            Row(Column("name", css_class="col-md-6"), Column("email", css_class="col-md-6")),
            Row(Column("title", css_class="col-md-6"), Column("language", css_class="col-md-6")),
            "executive",
            Submit("save", "Save contact", css_class="btn-primary"),
            HTML('<a class="btn btn-link" href="{% url "accounts:detail" account.pk %}">Back to the account</a>'),
        )

    def given(self) -> Person:
        """The values for the verb."""
        values = self.cleaned_data
        names = ("name", "email", "title", "language", "executive")
        return Person(*(values[name] for name in names))


class UploadForm(forms.Form):
    """Upload a file."""

    file = forms.FileField(
        label="CSV file",
        help_text="At most 10 MB, with a header line. Nothing is written before you confirm.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"}),
        error_messages={"required": "Choose a CSV file.", "empty": "The file is empty. Choose another one."},
    )
    kind = forms.ChoiceField(
        label="What is in it", required=False, choices=[("", "Detect from the columns"), *ImportRun.KINDS]
    )
    source = forms.SlugField(
        label="Source system",
        max_length=40,
        help_text="Such as crm or erp. Ids are unique within a source: use the same name for its next file.",
        error_messages={
            "required": "Enter the system that the ids come from.",
            "invalid": "Use letters, digits, - and _ only.",
        },
    )
    default_currency = forms.ChoiceField(
        label="Currency when the file has no such column",
        required=False,
        help_text="Can also be chosen in the next step.",
    )

    # The status of the answer with an error; another one if the disk took no file.
    failed = 422

    def __init__(self, data: Posted | None = None, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        self.fields["default_currency"].choices = currency_choices("Decide later")  # type: ignore[attr-defined]
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": ""}
        self.helper.layout = Layout(
            "file",
            Row(
                Column("kind", css_class="col-md-4"),
                Column("source", css_class="col-md-4"),
                Column("default_currency", css_class="col-md-4"),
            ),
            Submit("save", "Upload and match columns", css_class="btn-primary"),
        )

    def clean_file(self) -> UploadedFile:
        """Refuse a file that is too large before it is read."""
        file: UploadedFile = self.cleaned_data["file"]
        if isinstance(file, Part) and isinstance(file.refusal, NotStored):
            self.failed = file.refusal.status
            raise forms.ValidationError(file.refusal.message)
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError("The file is larger than 10 MB. Split it and import the parts.")
        return file


class ColumnRow(NamedTuple):
    """A column of the file with its choice."""

    header: str
    field: BoundField


class MappingForm(forms.Form):
    """The field of each column: one choice for each column of the file."""

    default_currency = forms.ChoiceField(label="Currency of the amounts", required=False)
    encoding = forms.ChoiceField(label="Letters of the file", required=False, choices=list(ENCODINGS.items()))
    dates = forms.ChoiceField(label="Dates", required=False, choices=[("", "As the file shows"), *ImportRun.DATES])
    decimals = forms.ChoiceField(
        label="Decimals", required=False, choices=[("", "As the file shows"), *ImportRun.DECIMALS]
    )
    save_as = forms.CharField(
        label="Remember this mapping as",
        required=False,
        max_length=80,
        help_text="It is used automatically for the next file with the same header row.",
    )

    def __init__(self, data: Posted | None = None, *, run: ImportRun, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        self.run = run
        self.fields["default_currency"].choices = currency_choices("Choose a currency")  # type: ignore[attr-defined]
        for name in ("default_currency", "encoding", "dates", "decimals"):
            self.fields[name].initial = getattr(run, name)
        choices = [("", "Do not import"), *((name, field_label(name)) for name in fields_of(run.kind))]
        for place, name in enumerate(run.headers):
            fills = [field for field, header in run.columns.items() if header == name]
            field = forms.MultipleChoiceField if len(fills) > 1 else forms.ChoiceField
            self.fields[f"column_{place}"] = field(
                label=f"Field for {name}",
                choices=choices,
                required=False,
                initial=fills if len(fills) > 1 else "".join(fills),
            )

    def column_rows(self) -> list[ColumnRow]:
        """Each column of the file with its choice."""
        return [ColumnRow(name, self[f"column_{place}"]) for place, name in enumerate(self.run.headers)]

    def reading_fields(self) -> list[BoundField]:
        """The fields that say how the file is read."""
        return [self[name] for name in ("default_currency", "encoding", "dates", "decimals")]

    def chosen(self) -> Choices:
        """How the file is to be read."""
        given = self.cleaned_data
        return Choices(given["encoding"], given["dates"], given["decimals"])

    def clean(self) -> dict[str, object]:
        """Only one column can fill a field."""
        values = super().clean() or {}
        columns: dict[str, str] = {}
        for place, header in enumerate(self.run.headers):
            chosen = values.get(f"column_{place}") or []
            for name in [chosen] if isinstance(chosen, str) else chosen:
                if name in columns:
                    self.add_error(f"column_{place}", f"{field_label(name)} is already filled from {columns[name]}.")
                columns.setdefault(name, header)
        values["columns"] = {name: header for name, header in columns.items() if name}
        return values


class ProfileForm(forms.Form):
    """A person's own preferences."""

    name = forms.CharField(label="Name", max_length=120, error_messages={"required": "Enter your name."})
    zone = forms.ChoiceField(label="Time zone", help_text="Times on pages and in e-mails are shown in it.")
    density = forms.ChoiceField(
        label="Density of lists",
        choices=User.DENSITIES,
        widget=forms.RadioSelect(attrs={"class": "form-check-input mt-1"}),
    )
    shortcuts = forms.BooleanField(label="Keyboard shortcuts with single keys", required=False)

    def __init__(self, data: Posted | None = None, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(ODD_ZONES))
        self.fields["zone"].choices = [(zone, zone.replace("_", " ")) for zone in ["UTC", *zones]]  # type: ignore[attr-defined]
