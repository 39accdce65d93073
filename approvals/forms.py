"""What people type about decisions."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms

from accounts.models import Account, User
from accounts.queries import known_currencies
from approvals.models import ApprovalRequest
from approvals.queries import concession_choices
from approvals.queries.preview import preview
from approvals.rules import verdicts
from ledger.errors import Refused

TITLES = {
    verdicts.APPROVED: "Approve",
    verdicts.CONDITIONS: "Approve with conditions",
    verdicts.DECLINED: "Decline",
}


class DecisionForm(forms.Form):
    """The confirm page. What is required depends on the verdict and is decided by the service."""

    verdict = forms.ChoiceField(choices=list(TITLES.items()), widget=forms.HiddenInput)
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    step = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    kept = forms.MultipleChoiceField(
        label="Conditions", required=False, widget=forms.CheckboxSelectMultiple, help_text="Untick what you drop."
    )
    conditions = forms.CharField(
        label="More conditions", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
    reason = forms.CharField(
        label="Reason (goes on the record)",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The people on the case see this.",
    )

    def __init__(self, *args: Any, approval: ApprovalRequest, verdict: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        advised = verdicts.recommended_conditions(approval.options)
        cast(forms.ChoiceField, self.fields["kept"]).choices = [(line, line) for line in advised]
        self.fields["kept"].initial = advised
        if verdict != verdicts.CONDITIONS:
            del self.fields["kept"], self.fields["conditions"]
        elif not advised:
            del self.fields["kept"]
            self.fields["conditions"].label = "Conditions"

    def decision(self) -> dict[str, Any]:
        """Arguments of deciding.decide."""
        values = self.cleaned_data
        lines = [*values.get("kept", []), values.get("conditions", "")]
        return {
            "verdict": values["verdict"],
            "version": values["version"],
            "step": values["step"],
            "reason": values["reason"],
            "conditions": "\n".join(line for line in lines if line),
        }


class WordsForm(forms.Form):
    """One text: a question, an answer, a reason for recalling."""

    text = forms.CharField(label="Text", max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))


class WhoForm(forms.Form):
    """Who approves this? Asked before anything is promised; nothing is sent."""

    concession = forms.ChoiceField(label="Concession")
    amount = forms.DecimalField(
        label="How much", required=False, max_digits=14, decimal_places=2, help_text="Percent, money, days or months."
    )
    currency = forms.ChoiceField(label="Currency", required=False)
    account = forms.ModelChoiceField(
        label="Account", required=False, queryset=Account.objects.none(), empty_label="No account yet"
    )
    tier = forms.ChoiceField(
        label="Tier of the case",
        required=False,
        choices=[("", "Not known"), ("green", "Green"), ("yellow", "Yellow"), ("red", "Red")],
    )
    renewal = forms.CharField(label="Renewal", required=False, max_length=60)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["concession"]).choices = concession_choices()
        cast(Any, self.fields["account"]).queryset = Account.objects.visible_to(user)
        codes = sorted(known_currencies(), key=lambda code: (code != "USD", code))
        cast(forms.ChoiceField, self.fields["currency"]).choices = [(code, code) for code in codes]


def who_context(data: Mapping[str, Any], user: User) -> dict[str, Any]:
    """Context of approvals/_who.html: the form and, once it is asked, the answer with its chain (or why nobody may)."""
    asked = "concession" in data
    form = WhoForm(data if asked else None, user=user, auto_id="who_%s")
    context: dict[str, Any] = {"who_form": form, "who": None, "who_refused": "", "found": None}
    if asked and form.is_valid():
        try:
            values = {**form.cleaned_data, "currency": form.cleaned_data["currency"] or "USD"}
            found = preview(**values, user=user)
            context |= {"found": found, "who": found.answer}
        except Refused as refusal:
            context["who_refused"] = refusal.message
    return context
