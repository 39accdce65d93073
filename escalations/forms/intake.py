"""The intake form, in a natural order. Other values come from the account record."""

from dataclasses import replace
from typing import Unpack, cast

from django import forms

from accounts.choosers import ChosenField, FindingForm, offer
from accounts.customers.rates import known_currencies
from accounts.models import Account, Signal, User
from accounts.signals.kinds import BY_SLUG
from approvals.matrix.concessions import money_back_slug
from approvals.matrix.rules.units import Unit, help_text, unit_of
from approvals.models import AuthorityVersion, ConcessionType
from escalations import states
from escalations.cases.inbound import money_back
from escalations.cases.intake import KEPT, Intake
from escalations.forms.fields import FilesField
from escalations.forms.thread import Moment
from escalations.models import PolicyVersion
from escalations.policy.levels import rank_choices
from escalations.policy.rows import rows_of
from escalations.triage.rules.routing import Override
from ledger.form_options import FormOptions, Posted
from ledger.now import now

DEADLINE = "Enter a deadline with a time."
FLAGS = ("blocker", "legal", "security", "executive_complaint", "confidential")
NOT_KEPT = ("csrfmiddlewaretoken", "show", "discard", "save", "files")
ASKS_REFUND = frozenset({"refund", "chargeback"})


class IntakeForm(FindingForm):
    """Account, kind of issue, issue and impact are required; a deadline has a time."""

    signal = forms.ModelChoiceField(queryset=Signal.objects.none(), required=False, widget=forms.HiddenInput)
    account = ChosenField("accounts", error="Choose the account.")
    issue_type = forms.ChoiceField(
        label="What kind of issue is it?",
        error_messages={
            "required": "Choose the kind of issue.",
            "invalid_choice": "Choose a kind of issue from the list.",
        },
    )
    title = forms.CharField(required=False, max_length=160, help_text="Empty: the first sentence of the issue.")
    issue = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=5_000,
        help_text="What is blocked, in 1 to 3 sentences.",
        error_messages={"required": "Describe the issue in one to three sentences."},
    )
    impact = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=5_000,
        help_text="What happens, and when, if nobody decides.",
        error_messages={"required": "Enter the impact."},
    )
    requested_support = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        max_length=5_000,
        help_text="What you ask for, and from whom.",
    )
    deadline = Moment(
        label="Customer deadline",
        help_text="A date and time, not “as soon as possible”.",
        error_messages={"required": DEADLINE, "invalid": DEADLINE},
    )
    impasse_at = Moment(
        label="Impasse since",
        required=False,
        help_text="When progress stopped. Empty: now.",
        error_messages={"invalid": "Enter the impasse as a date and time."},
    )
    concession = forms.ChoiceField(label="Concession asked for", required=False)
    amount = forms.DecimalField(
        label="How much",
        required=False,
        max_digits=14,
        decimal_places=2,
        help_text=f"{help_text()} The unit depends on the concession.",
        error_messages={"invalid": "Enter the amount as a number, such as 12500 or 12500.50."},
    )
    currency = forms.ChoiceField(required=False)
    blocker = forms.BooleanField(label="Something blocks the renewal or the signature", required=False)
    legal = forms.BooleanField(label="Legal threat or legal language", required=False)
    security = forms.BooleanField(label="Security matter", required=False)
    executive_complaint = forms.BooleanField(label="An executive of the customer complained", required=False)
    confidential = forms.BooleanField(label="Confidential: only people named on it see it", required=False)
    files = FilesField()  # type: ignore[assignment]
    override_level = forms.ChoiceField(
        label="Send it to another level",
        required=False,
    )
    override_reason = forms.CharField(label="Why", required=False, max_length=200, help_text="Logged with the routing.")

    def __init__(self, data: Posted | None = None, *, user: User, **options: Unpack[FormOptions]) -> None:
        super().__init__(data, **options)
        at = now()
        cast("forms.ModelChoiceField[Signal]", self.fields["signal"]).queryset = Signal.objects.visible_to(user)
        offer(self, user)
        policy = PolicyVersion.objects.current(at)
        types = rows_of(policy).issue_types.values() if policy else ()
        self._offer("issue_type", [("", "Choose a kind of issue"), *((each.slug, each.name) for each in types)])
        authority = AuthorityVersion.objects.current(at)
        self.concessions: list[ConcessionType] = list(authority.concessions.all()) if authority else []
        names = [(each.slug, each.name) for each in self.concessions]
        self._offer("concession", [("", "No concession asked for"), *names])
        self._offer("currency", [(code, code) for code in sorted(known_currencies(), key=_usd_first)])
        self._offer("override_level", [("", "As the matrix says"), *rank_choices(policy)])

    @property
    def chosen(self) -> Account | None:
        """The account that is chosen so far, valid or not."""
        found = cast(ChosenField, self.fields["account"]).row(self["account"].value())
        return found if isinstance(found, Account) else None

    @property
    def measured(self) -> str:
        """The concessions that take an amount, for data-show-when."""
        return ",".join(each.slug for each in self.concessions if unit_of(each.unit).takes_amount)

    @property
    def in_currency(self) -> str:
        """The concessions in money, for data-show-when."""
        return ",".join(each.slug for each in self.concessions if unit_of(each.unit).in_currency)

    @property
    def flags(self) -> list[forms.BoundField]:
        """The tick boxes of the third block."""
        return [self[name] for name in FLAGS]

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    def clean(self) -> dict[str, object]:
        """An amount needs a concession and must be valid in its unit and currency. A signal of another account is left
        out, because the account was changed after the form was opened from the signal."""
        values = super().clean() or self.cleaned_data
        if values.get("signal") and values["signal"].account != values.get("account"):
            values["signal"] = None
        unit, amount = self._unit(values.get("concession", "")), values.get("amount")
        if unit and unit.takes_amount and "amount" not in self.errors:
            if amount is None:
                self.add_error("amount", "Enter how much is asked for.")
            elif problem := unit.problem(amount, values.get("currency") or "USD"):
                self.add_error("amount", problem)
        return values

    def _unit(self, slug: str) -> Unit | None:
        return next((unit_of(each.unit) for each in self.concessions if each.slug == slug), None)

    def intake(self) -> Intake | None:
        """The values for the verb, from the valid fields; None without an account and a kind of issue."""
        values = self.cleaned_data
        if not values.get("account") or not values.get("issue_type"):
            return None
        unit, amount = self._unit(values.get("concession", "")), values.get("amount")
        asks = unit is not None and (amount is not None or not unit.takes_amount)
        level = values.get("override_level")
        given = {name: values[name] for name in KEPT if values.get(name) is not None}
        data = Intake(
            account=values["account"],
            issue_type=values["issue_type"],
            title=values.get("title", ""),
            impasse_at=values.get("impasse_at"),
            signal=values.get("signal"),
            currency=values.get("currency") or values["account"].currency,
            override=_override(level, values.get("override_reason", "")) if level else None,
            **{"issue": "", **given},
        )
        return replace(
            data,
            concession=data.concession if asks else "",
            amount=amount if unit and asks and unit.takes_amount else None,
        )


def _override(level: str, reason: str) -> Override:
    return Override(reason, None if level == states.OUTSIDE else int(level))


def _usd_first(code: str) -> tuple[bool, str]:
    return code != "USD", code


def typed(data: Posted) -> dict[str, str]:
    """The fields of a posted form for a draft."""
    known = {*IntakeForm.base_fields}
    return {
        name: str(data.get(name, "")).replace("\x00", "")[:5_000]
        for name in data
        if name in known and name not in NOT_KEPT
    }


def from_signal(signal: Signal) -> dict[str, object]:
    """First values of a form opened from a signal."""
    kinds = {phrase.get("kind") for phrase in signal.phrases}
    asked = money_back(signal)
    kind = ConcessionType.CREDIT if "credit" in kinds and not kinds & ASKS_REFUND else ConcessionType.REFUND
    return {
        "signal": signal.pk,
        "account": signal.account_id,
        "issue": signal.text.strip()[:600],
        "impasse_at": signal.at,
        "concession": money_back_slug(now(), kind) if asked else "",
        "amount": asked[0] if asked else signal.amount,
        "currency": asked[1] if asked else signal.currency or signal.account.currency,
        "legal": BY_SLUG[signal.kind].security and "legal" in kinds,
        "security": BY_SLUG[signal.kind].security,
        "executive_complaint": bool(signal.contact and signal.contact.executive and signal.sentiment < 0),
    }
