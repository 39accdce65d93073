"""Fields that several forms of a case share."""

from typing import TypedDict, Unpack
from uuid import uuid4

from django import forms
from django.db.models import Model, QuerySet

from accounts.fields import SearchInput, find_person, named
from accounts.models import User
from accounts.people.choosing import with_a_role
from escalations.cases.queries.people import people_with_roles
from ledger.form_options import FormOptions, Posted
from ledger.now import now

MOMENT = "%Y-%m-%dT%H:%M"
LONGEST = 20_000
LONGEST_PERSON = 400
FEW_PEOPLE = 100  # a list of more people than this is searched, not scrolled


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


def moment(
    label: str, *, required: str = "Enter a date and time.", **options: Unpack[FieldOptions]
) -> forms.DateTimeField:
    """Date and time in the viewer's zone. `required` is the sentence shown when it stays empty; with "" it may."""
    return forms.DateTimeField(
        label=label,
        required=bool(required),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
        error_messages={"required": required, "invalid": "Enter a date and time."},
        **options,
    )


class PersonField(forms.ModelChoiceField):
    """A person who holds a role: chosen from a list with the roles, or typed if the list would be long."""

    def __init__(
        self,
        label: str,
        *,
        error: str = "Choose a person.",
        empty: str = "Choose a person",
        required: bool = True,
        help_text: str = "",
    ) -> None:
        super().__init__(
            queryset=User.objects.none(),
            label=label,
            empty_label=empty,
            error_messages={"required": error, "invalid_choice": "Choose a person from the list."},
            required=required,
            help_text=help_text,
        )
        self.names: dict[int, str] = {}
        self.people: QuerySet[User] | None = None  # set if the person is typed

    def search(self, people: QuerySet[User]) -> None:
        """Let the person be typed: by name, or by mail address."""
        self.people = self.queryset = people
        box = SearchInput("accounts:people_names")
        box.is_required = self.required
        box.attrs["maxlength"] = LONGEST_PERSON
        self.widget = box

    def prepare_value(self, value: object) -> object:
        """The person as text in a box."""
        if self.people is not None and str(value or "").isdecimal():
            found = self.people.filter(pk=str(value)).first()
            return named(found) if found else value
        return super().prepare_value(value)

    def to_python(self, value: object) -> User | None:
        """The person who was chosen, or typed."""
        if self.people is not None and value not in self.empty_values and not str(value).isdecimal():
            return find_person(self.people, str(value)[:LONGEST_PERSON])
        return super().to_python(value)

    def offer(self, names: dict[int, str]) -> None:
        """Set the choices: id → words."""
        self.names = names
        self.queryset = User.objects.filter(pk__in=names).order_by("name", "pk")

    def label_from_instance(self, obj: Model) -> str:
        """Name and role."""
        return self.names.get(obj.pk, str(obj))


class CaseForm(forms.Form):
    """A form of a case: our line ends, people to choose from, and submitted once per page load."""

    once = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Posted | None = None, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        self.fields["once"].initial = uuid4().hex
        people = [field for field in self.fields.values() if isinstance(field, PersonField)]
        if not people:
            return
        found = with_a_role(now())
        if found[FEW_PEOPLE : FEW_PEOPLE + 1]:
            for field in people:
                field.search(found)
        else:
            names = people_with_roles(now())
            for field in people:
                field.offer(names)

    def clean(self) -> dict[str, object]:
        """Browsers send CR LF; we keep LF."""
        values = super().clean() or self.cleaned_data
        return {name: plain(value) for name, value in values.items()}


def plain(value: object) -> object:
    """The typed text with our line ends."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value
