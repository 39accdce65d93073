"""Requesting a concession."""

from decimal import Decimal
from typing import Unpack

from django import forms

from accounts.customers.rates import known_currencies
from accounts.models import User
from approvals.matrix.authority import concession_choices
from approvals.matrix.preview import preview as approvals_preview
from approvals.matrix.rules import units
from approvals.matrix.totals import Ask
from escalations.cases.requests import CaseAsk
from escalations.cases.rules.brief import VAGUE
from escalations.forms.fields import CaseForm, line, moment, person, words
from escalations.models import Escalation
from ledger.errors import Refused
from ledger.form_options import FormOptions, Posted


class AskForm(CaseForm):
    """One question with its terms. Its deadline is that of the decision clock, or another one with a time."""

    question = words(
        "The question, as one sentence",
        rows=2,
        longest=400,
        required="Enter the question to decide.",
        help_text="Such as: Approve a 24-month liability cap with mutual indemnity?",
    )
    concession = forms.ChoiceField(label="Concession", error_messages={"required": "Choose a concession."})
    amount = forms.DecimalField(
        label="How much",
        required=False,
        max_digits=14,
        decimal_places=2,
        help_text=units.help_text(),
        error_messages={"invalid": "Enter a number, such as 18 or 12400.50."},
    )
    currency = forms.ChoiceField(label="Currency", required=False, help_text="For money.")
    renewal = forms.CharField(
        label="Renewal",
        required=False,
        max_length=60,
        help_text="Reference of a renewal that covers several accounts. Requests with the same reference are added up.",
    )
    beneficiary = person(
        "Beneficiary",
        required=False,
        help_text="The person in our company who would profit from it, for example by commission. "
        "Neither this person nor anyone they report to decides it.",
    )
    deadline = moment(
        "Decision by",
        required="",
        help_text="Leave empty to keep the time of the decision clock.",
    )
    why_unowned = line(
        "Why it is asked before anybody has accepted the case",
        help_text="Diagnose is skipped. The reason goes on record.",
    )
    why_later = line(
        "Why the deadline is later",
        help_text="Only for a time after the decision clock. The clock moves; the reason goes on record.",
    )

    def __init__(self, data: Posted | None = None, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        choices = [("", "Choose a concession"), *concession_choices()]
        self.fields["concession"].choices = choices  # type: ignore[attr-defined]
        currencies = [(code, code) for code in sorted(known_currencies())]
        self.fields["currency"].choices = currencies  # type: ignore[attr-defined]

    def clean_question(self) -> str:
        """A deadline has a time."""
        text = str(self.cleaned_data["question"])
        if VAGUE.search(text):
            raise forms.ValidationError("Name a date and time instead of “as soon as possible”.")
        return text

    def clean_currency(self) -> str:
        """Forms without a money field leave it out."""
        return self.cleaned_data["currency"] or "USD"

    def wanted(self) -> CaseAsk:
        """The values for the verb."""
        given = self.cleaned_data
        return CaseAsk(
            concession=given["concession"],
            amount=given["amount"],
            currency=given["currency"],
            question=given["question"],
            deadline=given["deadline"],
            why_later=given["why_later"],
            why_unowned=given["why_unowned"],
            renewal=given["renewal"],
            beneficiary=given["beneficiary"],
        )


def initial_of(case: Escalation, ask: str) -> dict[str, object]:
    """First values from the case and its brief. The brief's ask was the question of the first request, so a second one begins
    without a question."""
    return {
        "question": "" if case.requests.exists() else ask[:400],
        "concession": case.concession,
        "amount": _plain(case.amount),
        "currency": case.currency or "USD",
    }


def _plain(amount: Decimal | None) -> str:
    """18, not 18.00."""
    text = "" if amount is None else f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def preview(case: Escalation, form: AskForm, user: User) -> dict[str, object]:
    """Context of escalations/_who_decides.html: who would take part, whether a band covers it, or why nobody may
    approve it. Nothing is sent."""
    form.is_valid()
    values = form.cleaned_data
    if not values.get("concession") or "amount" in form.errors:
        return {"who_refused": "Choose a concession and how much, then check again."}
    ask = Ask(
        concession=values["concession"],
        amount=values.get("amount"),
        currency=values.get("currency") or "USD",
        account=case.account,
        renewal=values.get("renewal") or "",
    )
    try:
        return {"found": approvals_preview(ask, user=user, tier=case.tier, beneficiary=values.get("beneficiary"))}
    except Refused as refusal:
        return {"who_refused": refusal.message}
