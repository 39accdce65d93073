"""Who approves this? One answer for the page, the API and the form in which an ask is written. Nothing is sent."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import Account, User
from approvals.models import ExceptionBand
from approvals.queries import chains
from approvals.queries.authority import Answer, band_for
from approvals.queries.bands import usual_seconds
from approvals.rules.words import amount_words
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
    """What would happen if this person asked for it now. Raises Invalid, in words, when nobody may approve it."""
    at = at or now()
    asked: dict[str, Any] = {"concession": concession, "amount": amount, "currency": currency, "account": account}
    asked |= {"at": at, "renewal": renewal}
    band = band_for(**asked, tier=tier)
    try:
        answer, chain = chains.preview(**asked, requester=user, beneficiary=beneficiary)
    except Invalid:
        if band is None:
            raise
        return Preview(None, [], band, usual_seconds(concession, at))
    return Preview(answer, chains.lines(chain), band, usual_seconds(concession, at) if band else None)
