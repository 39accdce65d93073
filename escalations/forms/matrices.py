"""The forms of the matrix pages. They only read, so their values are in the address."""

from collections.abc import Iterable
from typing import Unpack, cast

from django import forms

from accounts.choosers import ChosenField, FindingForm, offer
from accounts.customers.rates import known_currencies
from accounts.models import User
from approvals.matrix.authority import concession_choices
from escalations.models import PolicyVersion
from escalations.policy.rows import rows_of
from escalations.policy.tables import TIERS
from ledger.form_options import FormOptions, Posted


def _issue_types(version: PolicyVersion) -> list[tuple[str, str]]:
    return [(slug, kind.name) for slug, kind in rows_of(version).issue_types.items()]


class TestCaseForm(FindingForm):
    """The form of the policy simulator."""

    __test__ = False  # not a test; its name would mislead pytest

    issue_type = forms.ChoiceField(label="Issue type")
    tier = forms.ChoiceField(label="Tier", required=False, choices=[("", "From the account"), *TIERS])
    account = ChosenField("accounts", label="Account", required=False, by_start=True)
    concession = forms.ChoiceField(label="Concession asked for", required=False)
    amount = forms.DecimalField(label="How much", required=False, max_digits=14, decimal_places=2)
    currency = forms.ChoiceField(label="Currency", required=False)

    def __init__(
        self, data: Posted | None = None, *, version: PolicyVersion, user: User, **options: Unpack[FormOptions]
    ) -> None:
        super().__init__(data, **options)
        offer(self, user)
        self._choices("issue_type", _issue_types(version))
        self._choices("concession", [("", "None"), *concession_choices()])
        self._choices("currency", [(code, code) for code in sorted(known_currencies(), key=lambda c: (c != "USD", c))])

    def _choices(self, name: str, choices: Iterable[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = list(choices)


class DueForm(forms.Form):
    """The form for due times."""

    issue_type = forms.ChoiceField(label="Issue type")
    tier = forms.ChoiceField(label="Tier", choices=TIERS)

    def __init__(self, data: Posted | None = None, *, version: PolicyVersion, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        cast(forms.ChoiceField, self.fields["issue_type"]).choices = _issue_types(version)
