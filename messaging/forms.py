"""The form of the notification settings."""

from collections.abc import Iterator
from typing import Unpack

from django import forms
from django.forms import BoundField

from accounts.models import User
from ledger.form_options import FormOptions, Posted
from messaging.models import Preference
from messaging.outbox.preferences import Choice
from messaging.outbox.rules.daily import HOURS
from messaging.outbox.rules.kinds import GROUPS, Group
from messaging.queries import preferences_of

SWITCHABLE = [group for group in GROUPS if not group.locked]


def hour_label(hour: int) -> str:
    """`8:00 AM`."""
    return f"{(hour + 11) % 12 + 1}:00 {'AM' if hour < 12 else 'PM'}"


class PreferencesForm(forms.Form):
    """One row for each group of news that may be switched off, and the hour of the digest."""

    digest_hour = forms.TypedChoiceField(
        label="Daily digest at",
        coerce=int,
        choices=[(hour, hour_label(hour)) for hour in HOURS],
        error_messages={"required": "Choose an hour.", "invalid_choice": "Choose one of the hours."},
    )

    def __init__(self, data: Posted | None = None, *, user: User, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        chosen, hour = preferences_of(user)
        self.fields["digest_hour"].initial = hour
        for group in SWITCHABLE:
            mail, in_app = chosen.get(group.slug, (group.default, True))
            self.fields[f"mail_{group.slug}"] = forms.ChoiceField(
                label=f"{group.label}: mail",
                choices=Preference.MAIL,
                widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
                initial=mail,
                error_messages={
                    "required": f"{group.label}: choose how mail goes.",
                    "invalid_choice": f"{group.label}: choose at once, daily digest or off.",
                },
            )
            self.fields[f"here_{group.slug}"] = forms.BooleanField(
                label="Under the bell",
                required=False,
                initial=in_app,
                widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
            )

    def rows(self) -> Iterator[tuple[Group, BoundField, BoundField]]:
        """Every group that may be switched off with its two fields."""
        for group in SWITCHABLE:
            yield group, self[f"mail_{group.slug}"], self[f"here_{group.slug}"]

    @property
    def locked(self) -> list[Group]:
        """Groups that cannot be switched off."""
        return [group for group in GROUPS if group.locked]

    def choices(self) -> dict[str, Choice]:
        """The chosen settings, by group."""
        values = self.cleaned_data
        return {each.slug: Choice(values[f"mail_{each.slug}"], values[f"here_{each.slug}"]) for each in SWITCHABLE}
