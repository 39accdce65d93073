"""Who approves this? The same answer for the page, the API and the form of an ask. Nothing is sent."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from approvals.matrix.authority import Answer, approver_for, band_for, usual_seconds
from approvals.matrix.rules.limits import untold
from approvals.matrix.rules.units import amount_words
from approvals.matrix.totals import Ask, AskTotal, ask_total, asks_added_up, earlier
from approvals.models import ApprovalRequest, ExceptionBand
from approvals.requests import plan as planning
from approvals.requests.rules.seats import Stage
from ledger.errors import Invalid
from ledger.now import now


@dataclass(frozen=True)
class Preview:
    """The authority with its person and rule, all stages, and the band that would grant it at once. Without an
    authority, only the band can grant it.
    """

    answer: Answer | None
    stages: list[Stage]
    within: ExceptionBand | None
    saved_seconds: int | None = None

    @property
    def within_band(self) -> bool:
        """Whether it would be granted by rule."""
        return self.within is not None

    @property
    def band(self) -> str:
        """`Discount up to 5% for green cases`; empty outside every band."""
        if self.within is None:
            return ""
        what = self.within.concession
        limit = amount_words(what.unit, self.within.up_to, self.within.currency)
        return f"{what.name} up to {limit} for {self.within.tier} cases"


def preview(
    ask: Ask, *, user: User, tier: str = "", beneficiary: User | None = None, at: datetime | None = None
) -> Preview:
    """The result if this person requested it now. Raises Invalid with the reason if nobody may approve it. Earlier
    grants always count; their amounts are shown only to people who may see every request that was added up.
    """
    total = ask_total(ask, at or now())
    band = band_for(total, tier)
    usual = usual_seconds(ask.concession, total.at) if band else None
    try:
        plan = planning.preview(ask, requester=user, beneficiary=beneficiary, at=total.at, total=total)
    except Invalid as refusal:
        if band:
            return Preview(None, [], band, usual)
        if _some_unseen(user, ask, total):
            raise Invalid(_without_total(refusal.message), field=refusal.field) from refusal
        raise
    answer = plan.answer
    if answer.granted and _some_unseen(user, ask, total):
        answer = _without_figures(answer)
    return Preview(answer, plan.stages, band, usual)


def who_for_everybody(total: AskTotal) -> Answer:
    """Who may approve an ask, as text for a record that many people read: without the amounts granted before. Raises
    Invalid."""
    try:
        answer = approver_for(total)
    except Invalid as refusal:
        if not total.granted:
            raise
        raise Invalid(_without_total(refusal.message), field=refusal.field) from refusal
    return _without_figures(answer) if answer.granted else answer


def _some_unseen(user: User, ask: Ask, total: AskTotal) -> bool:
    """Whether a request that was added up is not visible to this person."""
    if ask.account is None:
        return False
    rows = ApprovalRequest.objects.filter(asks_added_up(ask.account, ask.renewal), concession=ask.concession)
    unseen = {*rows.values_list("pk", flat=True)} - {*rows.visible_to(user).values_list("pk", flat=True)}
    if not unseen:
        return False
    return total.earlier != earlier(ask, total.version, total.concession.unit, total.at, without=unseen)


def _without_figures(answer: Answer) -> Answer:
    """The same answer without earlier grants and the total."""
    others, days = Decimal(answer.rule["others"] or 0), answer.rule["window_days"]
    words = untold(answer.rule["sentence"], answer.unit, answer.granted, others, days)
    return replace(
        answer,
        sentence=f"{answer.role.name}: {answer.person.name}. {words}",
        rule={**answer.rule, "sentence": words, "granted": None, "others": None, "total": None},
        granted=Decimal(0),
        total=None,
    )


def _without_total(message: str) -> str:
    """Removes the total, which includes earlier grants, from a refusal."""
    return re.sub(
        r"^Nobody may approve (?!this:)[^:]+:", "Nobody may approve this with what was granted before:", message
    )
