"""Cases and decisions put straight into the database and into the facts, so that every figure can be computed by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from approvals.models import ApprovalRequest, AuthorityVersion
from escalations import states
from escalations.cases import access_rows
from escalations.models import CaseDecision, CaseRequest, CaseWords, Escalation, Event, PolicyVersion
from ledger import chain
from ledger.search import index
from reports.facts.refresh import refresh
from tests.support.cast import Cast
from tests.support.levels import LADDER, TEAM

OPENED = datetime(2026, 2, 15, 12, tzinfo=UTC)


class Builder:
    """Makes rows for one cast."""

    def __init__(self, cast: Cast, *, counted: bool = True) -> None:
        self.cast = cast
        self.counted = counted
        self.policy = PolicyVersion.objects.get()
        self.authority = AuthorityVersion.objects.get()

    def case(self, *, took: float = 1, **values: Any) -> Escalation:
        """Opened in the middle of February, an hour after the impasse, at team level, unless said otherwise."""
        opened = values.pop("opened_at", OPENED)
        given = {
            "state": states.DIAGNOSING,
            "account": self.cast.northwind,
            "policy": self.policy,
            "issue_type": self.policy.issuetypes.first(),
            "title": "Indemnity change blocks signature",
            "issue": "Counsel rejects the cap.",
            "impasse_at": opened - timedelta(hours=took),
            "opened_at": opened,
            "level": TEAM,
            "level_since": opened,
        }
        case = Escalation.objects.create(**{**given, **values})
        index.add(CaseWords, case)
        access_rows.keep([case.pk])
        self._count(case)
        return case

    def decision(self, case: Escalation, level: int, decided_at: datetime, **values: Any) -> ApprovalRequest:
        """A request of a case, asked half an hour before a person of that level decided it."""
        person = {2: self.cast.director, 3: self.cast.sponsor}.get(level, self.cast.lead)
        given = {
            "account": case.account,
            "case_key": case.key,
            "requester": self.cast.csm,
            "concession": "discount",
            "concession_name": "Discount",
            "unit": "percent",
            "ask": "Grant 12%?",
            "recommendation": "Yes.",
            "terms_hash": "0" * 64,
            "deadline": decided_at + timedelta(days=1),
            "warn_at": decided_at + timedelta(days=1),
            "authority": self.authority,
            "state": ApprovalRequest.APPROVED,
            "opened_at": case.opened_at,
            "asked_since": decided_at - timedelta(minutes=30),
            "decided_at": decided_at,
            "decided_by": person,
            "decided_level": LADDER.slug(level),
        }
        made = ApprovalRequest.objects.create(**{**given, **values})
        CaseRequest.objects.create(case=case, request=made)
        self._count(case)
        return made

    def posted(self, case: Escalation, level: str, at: datetime) -> CaseDecision:
        """A decision without a request, at the level of this slug."""
        entry = Event(case=case, kind=Event.NOTE_DECISION, at=at, actor=self.cast.director, data={"level": level})
        chain.append(case, [entry])
        made = CaseDecision.objects.create(case=case, event=entry, by=self.cast.director, level=level, at=at)
        self._count(case)
        return made

    def _count(self, case: Escalation) -> None:
        if self.counted:
            refresh([case.pk])
