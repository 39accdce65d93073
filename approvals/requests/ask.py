"""Asking for a concession: a pre-approved band grants it, or everybody whose agreement it needs is asked."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.models import User
from approvals.mail import messages as mail
from approvals.matrix import authority
from approvals.matrix.rules.units import unit_of
from approvals.matrix.totals import Ask, AskTotal, ask_total, lock_totals
from approvals.models import ApprovalRequest, DecisionEntry, ExceptionBand
from approvals.requests import log, plan
from approvals.requests import seats as seating
from approvals.requests import suggest as suggesting
from approvals.requests.conflicts import barred
from approvals.requests.deadlines import Due, due_from
from approvals.requests.rules.terms import Terms, storable, terms_hash
from approvals.requests.rules.terms import check as check_terms
from approvals.requests.rules.verdicts import Option
from ledger.errors import Invalid
from ledger.now import now
from ledger.reading import has_words, words_of

FARTHEST = timedelta(days=3653)


@dataclass(frozen=True)
class Question:
    """The question for the people who decide. `options` and `brief` are kept unchanged, as JSON.

    `deadline` is optional on a case, which has a decision clock. `why_later`: the reason for a deadline after that clock.
    """

    ask: str
    recommendation: str
    deadline: datetime | None = None
    why_later: str = ""
    options: list[Option] = field(default_factory=list)
    brief: Mapping[str, object] = field(default_factory=dict)
    why_now: str = ""
    terms: Terms = field(default_factory=dict)

    def check(self, at: datetime) -> None:
        """Raises Invalid if a text is missing, a term cannot be stored, or the deadline has passed or is too far in the
        future."""
        check_terms(self.terms)
        if not has_words(self.ask):
            raise Invalid("Enter the ask as one question.", field="ask")
        if not has_words(self.recommendation):
            raise Invalid("Enter a recommendation.", field="recommendation")
        if self.deadline is not None and self.deadline <= at:
            raise Invalid("Enter a deadline in the future.", field="deadline")
        if self.deadline is not None and self.deadline > at + FARTHEST:
            raise Invalid("Enter a deadline within ten years.", field="deadline")


@dataclass(frozen=True)
class CaseRef:
    """The case of a request, with the values that approvals need. `due`: when its decision is due."""

    key: str = ""
    url: str = ""
    title: str = ""
    tier: str = ""
    confidential: bool = False
    due: Due | None = None


@dataclass(frozen=True)
class Parties:
    """The requester, the beneficiary, and the other people who must not decide."""

    requester: User
    beneficiary: User | None = None
    left_out: Collection[int] = ()

    def must_not_decide(self, at: datetime) -> set[int]:
        """Ids of the requester, the people left out, and everybody who would approve for the requester or beneficiary."""
        return {self.requester.pk, *self.left_out, *barred(self.requester, self.beneficiary, at)}


def submit(
    ask: Ask,
    *,
    question: Question,
    parties: Parties,
    case: CaseRef = CaseRef(),
    channel: str = DecisionEntry.WEB,
    link: Callable[[ApprovalRequest], None] | None = None,
) -> ApprovalRequest:
    """Grant the ask by rule if a band allows it, else ask all required people by stage; in the caller's transaction.

    Earlier grants to the account's family or on the same renewal in the version's window count too. The requester, the
    beneficiary, people who would approve for them, and excluded people are never asked. A band grants nothing that
    replaces another request, because the tier may be out of date. `link` is called with the saved request before
    anybody is notified. Raises Invalid when the question is incomplete or nobody may approve the ask.
    """
    due = _checked(question, case, at := now())
    if ask.account is None:
        raise Invalid("Choose an account.", field="account")
    account = lock_totals(ask.account, ask.concession, ask.renewal)
    ask = Ask(ask.concession, ask.amount, ask.currency, account, ask.renewal, ask.replaces)
    total = ask_total(ask, at)
    request = ApprovalRequest(
        account=account,
        authority=total.version,
        renewal=ask.renewal,
        replaces=ask.replaces,
        requester=parties.requester,
        beneficiary=parties.beneficiary,
        case_key=case.key,
        case_url=case.url,
        case_title=case.title[:200],
        tier=case.tier,
        confidential=case.confidential,
        ask=question.ask.strip(),
        why_now=question.why_now.strip(),
        recommendation=question.recommendation.strip(),
        options=question.options,
        brief=question.brief,
        deadline=due.due_at,
        warn_at=due.warn_at,
        paused_at=due.paused_at,
        opened_at=at,
        asked_since=at,
    )
    measure(request, ask, total)
    freeze_terms(request, question.terms)
    band = authority.band_for(total, case.tier) if ask.replaces is None else None
    if band:
        _grant(request, band, total, case.due or due)
    else:
        plan_seats(request, total, parties.must_not_decide(at))
    if link:
        link(request)
    _log_asked(request, channel, _wished(question) if case.key else {})
    if band:
        _announce_grant(request)
    else:
        seating.open_stage(request, total)
    return request


def _checked(question: Question, case: CaseRef, at: datetime) -> Due:
    """When the decision is due: the deadline of the question, otherwise that of the case. Raises Invalid if both are
    missing or the question is incomplete."""
    question.check(at)
    if question.deadline is not None:
        return due_from(at, question.deadline)
    if case.due is None:
        raise Invalid("Enter a deadline with a time.", field="deadline")
    return case.due


def _wished(question: Question) -> dict[str, str]:
    """The deadline that the question asks for, for the log. The case compares it with its decision clock."""
    if question.deadline is None:
        return {}
    return {"wished_deadline": question.deadline.isoformat(), "why_later": words_of(question.why_later)}


def measure(request: ApprovalRequest, ask: Ask, total: AskTotal) -> None:
    """Set the ask and its total on the request."""
    request.concession = total.concession.slug
    request.concession_name = total.concession.name
    request.unit = total.concession.unit
    request.amount = None if total.amount is None else ask.amount
    request.currency = ask.currency if unit_of(request.unit).in_currency else ""
    request.amount_usd = total.amount_usd
    request.total_usd = total.total if unit_of(request.unit).in_currency else None


def freeze_terms(request: ApprovalRequest, terms: Terms) -> None:
    """Set the terms, including the ask, and their hash."""
    basis = {
        "account": request.account.name,
        "concession": request.concession,
        "amount": request.amount,
        "currency": request.currency,
        "unit": request.unit,
    }
    request.terms = storable({**terms, **basis})
    request.terms_hash = terms_hash(request.terms)


def plan_seats(request: ApprovalRequest, total: AskTotal, left_out: Collection[int], *, first: int = 1) -> None:
    """Save the request with the seats of its plan; nobody is asked yet. Raises Invalid when nobody may approve it."""
    excluded = sorted(left_out)
    found = plan.plan(total, exclude=excluded, first=first)
    request.rule = {**found.answer.rule, "exclude": excluded}
    request.save()
    plan.write(request, found)
    suggesting.suggest(request, total.at)


def _grant(request: ApprovalRequest, band: ExceptionBand, total: AskTotal, due: Due) -> None:
    # Nobody waits for it, so a wish for another time has no effect on the time saved.
    request.deadline, request.warn_at = due.due_at, due.warn_at
    request.rule = authority.rule_of_band(band, total, request.deadline)
    request.state, request.by_rule = ApprovalRequest.APPROVED, True
    request.decided_at = request.opened_at
    request.reason = request.rule["sentence"]
    request.save()


def _announce_grant(request: ApprovalRequest) -> None:
    rule = request.rule
    entry = log.write(
        request,
        DecisionEntry.APPROVED,
        request.opened_at,
        channel=DecisionEntry.RULE,
        limit=rule["band"],
        rationale=rule["sentence"],
        facts={"saved_seconds": rule["saved_seconds"], "usual": rule["usual"]},
    )
    mail.decided(request, entry, request.opened_at)


def _log_asked(request: ApprovalRequest, channel: str, wished: dict[str, str]) -> None:
    log.write(
        request,
        DecisionEntry.ASKED,
        request.opened_at,
        actor=request.requester,
        channel=channel,
        options=request.options,
        rationale=request.recommendation,
        facts=({"beneficiary": request.beneficiary.email} if request.beneficiary else {}) | wished,
        role=request.rule.get("role_name", ""),
        limit=request.rule.get("limit", request.rule.get("band", "")),
    )
