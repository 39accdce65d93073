"""Who approves this? One answer for the page, the API and the form in which an ask is written. Nothing is sent."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q

from accounts.models import Account, User
from approvals.matrix.authority import Answer, band_for, concession_of, version_at, who_approves
from approvals.matrix.bands import usual_seconds
from approvals.matrix.rules.limits import untold
from approvals.matrix.rules.units import amount_words
from approvals.matrix.running_totals import earlier, family_ids
from approvals.models import ApprovalRequest, ExceptionBand
from approvals.requests import stages as chains
from ledger.errors import Invalid
from ledger.now import now


@dataclass(frozen=True)
class Preview:
    """The authority with its person and rule, the whole chain in stages, and the band that would grant it at once.

    Without an authority it lies in a band, and nobody could approve it outside of one.
    """

    answer: Answer | None
    chain: list[dict[str, Any]]
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
    *,
    concession: str,
    amount: Decimal | None,
    currency: str,
    account: Account | None,
    user: User,
    tier: str = "",
    renewal: str = "",
    beneficiary: User | None = None,
    at: datetime | None = None,
) -> Preview:
    """What would happen if this person asked for it now. Raises Invalid, in words, when nobody may approve it.

    What was granted before counts for everybody; how much it was is for those who may see every request that was added up.
    """
    at = at or now()
    asked: dict[str, Any] = {"concession": concession, "amount": amount, "currency": currency, "account": account}
    asked |= {"at": at, "renewal": renewal}
    band = band_for(**asked, tier=tier)
    try:
        answer, chain = chains.preview(**asked, requester=user, beneficiary=beneficiary)
    except Invalid as refusal:
        if band is None and _some_unseen(user, concession, account, renewal, at):
            raise Invalid(_without_total(refusal.message), field=refusal.field) from refusal
        if band is None:
            raise
        return Preview(None, [], band, usual_seconds(concession, at))
    if answer.granted and _some_unseen(user, concession, account, renewal, at):
        answer = _without_figures(answer)
    return Preview(answer, chains.lines(chain), band, usual_seconds(concession, at) if band else None)


def who_for_everybody(
    *, concession: str, amount: Decimal | None, currency: str, account: Account | None, at: datetime
) -> Answer:
    """Who may approve an ask, in words for a record that many read: without what was granted before. Raises Invalid."""
    try:
        answer = who_approves(concession=concession, amount=amount, currency=currency, account=account, at=at)
    except Invalid as refusal:
        if account is None or not _granted_before(concession, account, at):
            raise
        raise Invalid(_without_total(refusal.message), field=refusal.field) from refusal
    return _without_figures(answer) if answer.granted else answer


def _granted_before(concession: str, account: Account, at: datetime) -> bool:
    version = version_at(at)
    unit = concession_of(version, concession).unit
    return bool(earlier(account, concession, unit, at, window_days=version.window_days).total)


def _some_unseen(user: User, concession: str, account: Account | None, renewal: str, at: datetime) -> bool:
    """Whether something that was added up is a request this person may not see."""
    if account is None:
        return False
    version = version_at(at)
    same = Q(account__in=family_ids(account))
    rows = ApprovalRequest.objects.filter(same | Q(renewal__iexact=renewal) if renewal else same, concession=concession)
    unseen = list(
        rows.exclude(pk__in=ApprovalRequest.objects.visible_to(user).values("pk")).values_list("pk", flat=True)
    )
    if not unseen:
        return False
    unit = concession_of(version, concession).unit
    more: dict[str, Any] = {"renewal": renewal, "window_days": version.window_days}
    counted = earlier(account, concession, unit, at, **more)
    return counted != earlier(account, concession, unit, at, without=unseen, **more)


def _without_figures(answer: Answer) -> Answer:
    """The same people by the same rule, without what was granted before and what it comes to."""
    others, days = Decimal(answer.rule["others"]), answer.rule["window_days"]
    words = untold(answer.rule["sentence"], answer.unit, answer.granted, others, days)
    return replace(
        answer,
        sentence=f"{answer.role.name}: {answer.person.name}. {words}",
        rule={**answer.rule, "sentence": words, "granted": None, "others": None, "total": None},
        granted=Decimal(0),
        total=None,
    )


def _without_total(message: str) -> str:
    """A refusal names what it comes to with earlier grants."""
    return re.sub(
        r"^Nobody may approve (?!this:)[^:]+:", "Nobody may approve this with what was granted before:", message
    )
