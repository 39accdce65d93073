"""The forms of decisions."""

from dataclasses import dataclass
from typing import Unpack, cast

from django import forms

from accounts.choosers import ChosenField, FindingForm, offer
from accounts.customers.rates import known_currencies
from accounts.models import User
from approvals.absence.delegations import StandIn
from approvals.matrix.authority import Answer, concession_choices
from approvals.matrix.preview import Preview, preview
from approvals.matrix.rules import units
from approvals.matrix.totals import Ask
from approvals.models import ApprovalRequest
from approvals.requests.decide import Words
from approvals.requests.rules import verdicts
from approvals.requests.rules.terms import BASIS, GIVE_GETS, Term, Terms
from approvals.requests.terms import NewTerms
from ledger.errors import Refused
from ledger.form_options import FormOptions, Posted
from ledger.moments import MomentField

TITLES = {
    verdicts.APPROVED: "Approve",
    verdicts.CONDITIONS: "Approve with conditions",
    verdicts.DECLINED: "Decline",
}


class DecisionForm(forms.Form):
    """The confirm page. The verb checks what is required, because it depends on the verdict."""

    verdict = forms.ChoiceField(choices=list(TITLES.items()), widget=forms.HiddenInput)
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    seat = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    kept = forms.MultipleChoiceField(
        label="Conditions",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Untick the conditions you drop.",
    )
    conditions = forms.CharField(
        label="More conditions",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line. On a case each line becomes a commitment, due on the day that it names; without one by the "
        "customer's deadline, else when the decision is to be carried out.",
    )
    reason = forms.CharField(
        label="Reason (goes on the record)",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The people on the case see this.",
    )

    def __init__(
        self, data: Posted | None = None, *, approval: ApprovalRequest, verdict: str, **options: Unpack[FormOptions]
    ) -> None:
        super().__init__(data, **options)
        advised = verdicts.recommended_conditions(approval.options)
        cast(forms.ChoiceField, self.fields["kept"]).choices = [(line, line) for line in advised]
        self.fields["kept"].initial = advised
        if verdict != verdicts.CONDITIONS:
            del self.fields["kept"], self.fields["conditions"]
        elif not advised:
            del self.fields["kept"]
            self.fields["conditions"].label = "Conditions"

    def words(self) -> Words:
        """The texts for the record that go with the verdict."""
        values = self.cleaned_data
        lines = [*values.get("kept", []), values.get("conditions", "")]
        return Words(values["reason"], "\n".join(line for line in lines if line))


class WordsForm(forms.Form):
    """One text: a question, an answer, a reason for recalling."""

    text = forms.CharField(label="Text", max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))


class WhoForm(FindingForm):
    """Who approves this? For use before promising anything; nothing is sent."""

    concession = forms.ChoiceField(label="Concession")
    amount = forms.DecimalField(
        label="How much", required=False, max_digits=14, decimal_places=2, help_text=units.help_text()
    )
    currency = forms.ChoiceField(label="Currency", required=False)
    account = ChosenField("accounts", label="Account", required=False, by_start=True)
    tier = forms.ChoiceField(
        label="Tier of the case",
        required=False,
        choices=[("", "Not known"), ("green", "Green"), ("yellow", "Yellow"), ("red", "Red")],
    )
    renewal = forms.CharField(label="Renewal", required=False, max_length=60)

    def __init__(self, data: Posted | None = None, *, user: User, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        cast(forms.ChoiceField, self.fields["concession"]).choices = concession_choices()
        offer(self, user)
        codes = sorted(known_currencies(), key=lambda code: (code != "USD", code))
        cast(forms.ChoiceField, self.fields["currency"]).choices = [(code, code) for code in codes]


@dataclass(frozen=True)
class Who:
    """The values of approvals/_who.html: the form and, after the question, the answer with its stages (or why nobody
    may)."""

    form: WhoForm
    found: Preview | None = None
    refused: str = ""

    @property
    def answer(self) -> Answer | None:
        """The people who decide."""
        return self.found.answer if self.found else None

    def context(self) -> dict[str, object]:
        """For the template."""
        return {"who_form": self.form, "who": self.answer, "who_refused": self.refused, "found": self.found}


def who_decides(data: Posted, user: User) -> Who:
    """The answer for the ask in the form."""
    sent = "concession" in data
    form = WhoForm(data if sent else None, user=user, auto_id="who_%s")
    if not sent or not form.is_valid():
        return Who(form)
    asked = form.cleaned_data
    currency = asked["currency"] or "USD"
    ask = Ask(asked["concession"], asked["amount"], currency, asked["account"], asked["renewal"])
    try:
        return Who(form, found=preview(ask, user=user, tier=asked["tier"]))
    except Refused as refusal:
        return Who(form, refused=refusal.message)


class LinkForm(forms.Form):
    """The decision from a mailed link without signing in, if an administrator allows it."""

    verdict = forms.ChoiceField(choices=list(TITLES.items()), widget=forms.HiddenInput)
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    conditions = forms.CharField(
        label="Conditions", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
    reason = forms.CharField(
        label="Reason (goes on the record)",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Required to decline, or to go against the recommendation.",
    )

    def __init__(
        self, data: Posted | None = None, *, approval: ApprovalRequest, **options: Unpack[FormOptions]
    ) -> None:
        super().__init__(data, **options)
        advised = verdicts.recommended_conditions(approval.options)
        self.fields["version"].initial = approval.version
        self.fields["conditions"].initial = "\n".join(advised)
        self.with_conditions = bool(advised)
        if not advised:
            del self.fields["conditions"]

    def words(self) -> Words:
        """The texts for the record that go with the verdict."""
        return Words(self.cleaned_data["reason"], self.cleaned_data.get("conditions", ""))


class DelegateForm(FindingForm):
    """Delegate one request."""

    to = ChosenField("colleagues", label="Delegate to")
    reason = forms.CharField(label="Reason", max_length=4000, widget=forms.Textarea(attrs={"rows": 2}))
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput, required=False)

    def __init__(self, data: Posted | None = None, *, user: User, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        offer(self, user)


class DelegationForm(FindingForm):
    """The stand-in, the time and the scope."""

    to = ChosenField("colleagues", label="Stand-in")
    starts_at = MomentField(label="From", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    ends_at = MomentField(label="Until", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    concessions = forms.MultipleChoiceField(
        label="Only for", required=False, widget=forms.CheckboxSelectMultiple, help_text="None ticked means all."
    )
    up_to_usd = forms.DecimalField(
        label="Only money up to (USD)",
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        help_text="Empty: up to your own limit, for every kind of concession.",
    )
    note = forms.CharField(label="Note", required=False, max_length=200)

    def __init__(self, data: Posted | None = None, *, user: User, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        offer(self, user)
        cast(forms.ChoiceField, self.fields["concessions"]).choices = concession_choices()

    def stand_in(self) -> StandIn:
        """The values for the verb."""
        given = self.cleaned_data
        return StandIn(
            to=given["to"],
            starts_at=given["starts_at"],
            ends_at=given["ends_at"],
            concessions=given["concessions"],
            up_to_usd=given["up_to_usd"],
            note=given["note"],
        )


class FeedForm(FindingForm):
    """The private address of a calendar whose out-of-office entries delegate."""

    url = forms.URLField(
        label="Calendar address (.ics)",
        max_length=1000,
        assume_scheme="https",
        help_text="The secret address your calendar shows under sharing. It starts with https.",
    )
    stand_in = ChosenField("colleagues", label="Stand-in while you are out")

    def __init__(self, data: Posted | None = None, *, user: User, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        offer(self, user)


class TermsForm(forms.Form):
    """New terms for a request. `version` is the one that was read."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    amount = forms.DecimalField(label="How much", required=False, max_digits=14, decimal_places=2)
    currency = forms.ChoiceField(label="Currency", required=False)
    ask = forms.CharField(label="The question", max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    wording = forms.CharField(
        label="Terms in words",
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One per line, as “name: text”.",
    )
    give_gets = forms.CharField(
        label="What we get in return",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One per line.",
    )
    reason = forms.CharField(
        label="Reason (goes on the record)", max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(
        self, data: Posted | None = None, *, approval: ApprovalRequest, **options: Unpack[FormOptions]
    ) -> None:
        options.setdefault("initial", terms_initial(approval))
        super().__init__(data, **options)
        self.shown = {_line(key, value): (key, value) for key, value in _texts(approval).items()}
        codes = sorted(known_currencies(), key=lambda code: (code != "USD", code))
        cast(forms.ChoiceField, self.fields["currency"]).choices = [(code, code) for code in codes]
        if not units.unit_of(approval.unit).in_currency:
            del self.fields["currency"]
        if approval.amount is None:
            del self.fields["amount"]

    def wanted(self) -> NewTerms:
        """The values for the verbs."""
        values = self.cleaned_data
        lines = [line.strip() for line in values["wording"].splitlines() if line.strip()]
        # A line that was not changed keeps its term exactly, including lists.
        terms: Terms = dict(self.shown.get(line) or _typed(line) for line in lines)
        if given := [line.strip() for line in values["give_gets"].splitlines() if line.strip()]:
            terms[GIVE_GETS] = given
        return NewTerms(values.get("amount"), values.get("currency", ""), terms, values["ask"])


def terms_initial(approval: ApprovalRequest) -> dict[str, object]:
    """The current terms in the form."""
    given = approval.terms.get(GIVE_GETS) or []
    return {
        "version": approval.version,
        "amount": approval.amount,
        "currency": approval.currency or "USD",
        "ask": approval.ask,
        "wording": "\n".join(_line(key, value) for key, value in _texts(approval).items()),
        "give_gets": given if isinstance(given, str) else "\n".join(map(str, given)),
    }


def _texts(approval: ApprovalRequest) -> Terms:
    return {key: value for key, value in approval.terms.items() if key not in (*BASIS, GIVE_GETS)}


def _line(key: str, value: Term) -> str:
    return f"{key.replace('_', ' ')}: {value}".strip()


def _typed(line: str) -> tuple[str, Term]:
    name, _, text = line.partition(":")
    return name.strip().lower().replace(" ", "_"), text.strip()
