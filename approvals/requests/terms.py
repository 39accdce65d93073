"""New terms for a request: for the better its votes stay, for the worse they are void and everybody is asked again."""

from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Any

from django.db import transaction

from accounts.customers.rates import usd
from accounts.models import User
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.matrix import authority
from approvals.matrix.rules.units import MONEY, YES
from approvals.matrix.running_totals import lineage
from approvals.matrix.weighing import Weighed, weigh
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.requests import ask as requesting
from approvals.requests import log
from approvals.requests import reassign as reassigning
from approvals.requests import seats as seating
from approvals.requests.conflicts import barred
from approvals.requests.decide import may_recall
from approvals.requests.permissions import what_happened
from approvals.requests.rules import terms as rules
from approvals.requests.rules.terms import BASIS, SAME, WORSE, Comparison, Offer, compare
from approvals.requests.rules.verdicts import check_words
from ledger.errors import AlreadyDone, Invalid, NotAllowed, Stale
from ledger.format import moment
from ledger.now import now

GRANTED = (ApprovalRequest.APPROVED, ApprovalRequest.CONDITIONS)
CENT = Decimal("0.01")
SEATED = (ApprovalStep.WAITING, ApprovalStep.DECIDED)
Terms = dict[str, Any]


@transaction.atomic
def change_terms(
    *,
    request_id: int,
    by: User,
    version: int,
    reason: str,
    amount: Decimal | None = None,
    currency: str = "",
    terms: Terms | None = None,
    ask: str = "",
    channel: str = DecisionEntry.WEB,
) -> ApprovalRequest:
    """Put new terms in the place of the old ones. What is left out stays. Returns the request that now stands.

    Open, for the worse: every vote is void, the chain is made anew for the new amount and everybody is asked again. For the
    better: votes stay, whoever has not spoken reads the new terms. Granted, for the worse (carried out or not): the approval is
    void at once, a new request replaces it. For the better: it stays, and the log says what changed.
    Raises Stale when it changed since, NotAllowed unless `by` may recall it, AlreadyDone when it was declined, recalled or
    replaced, Invalid without a reason or a change.
    """
    at = now()
    request = _locked(request_id, by, version, reason, at)
    wanted = new_terms(request, amount, currency, terms, ask)
    found = comparison(request, **wanted, at=at)
    if found.outcome == SAME:
        raise Invalid("Nothing would change. Change the amount or a term.", field="amount")
    before = _facts(request)
    check_carried_out(request, wanted, at)
    if found.outcome != WORSE:
        return _amend(request, by, reason, channel, wanted, found, before, at)
    if request.is_open:
        return _ask_anew(request, by, reason, channel, wanted, found, before, at)
    return _replace(request, by, reason, channel, wanted, found.reasons, at)


def _locked(request_id: int, by: User, version: int, reason: str, at: datetime) -> ApprovalRequest:
    request = seating.locked(request_id)
    check_may(request, by)
    if not request.is_open and request.state not in GRANTED:
        raise AlreadyDone(f"{what_happened(request, by, at)}.")
    if request.version != version:
        entry = request.log.last()
        since = moment(entry.at if entry else request.step_since, by.zone, at)
        raise Stale(f"The request changed at {since}. Read it again before you change its terms.")
    check_words(reason, "reason", "Enter a reason for the new terms.")
    return request


def check_carried_out(request: ApprovalRequest, wanted: Terms, at: datetime) -> None:
    """What was given stays given: with less in its place, the next ask would be added to too little.

    Raises Invalid for less than the request, or one it replaces, was carried out with.
    """
    given = ApprovalRequest.objects.filter(pk__in=lineage(request), sealed_at__isnull=False)
    if any(rules.SMALLER in comparison(each, **wanted, at=at).better for each in given):
        raise Invalid("This was carried out as it is, so less cannot take its place any more.", field="amount")


def check_may(request: ApprovalRequest, by: User) -> None:
    """Raises NotAllowed unless the person leads the request, and for those who decide it."""
    if not may_recall(request, by):
        raise NotAllowed(f"Only {request.requester}, their managers or the account's CSM and AE may change the terms.")
    if request.is_open and request.steps.filter(approver=by, part=ApprovalStep.DECIDE, state__in=SEATED).exists():
        raise NotAllowed(
            "You decide this, so somebody else changes its terms. Approve with conditions, or ask a question."
        )


def new_terms(request: ApprovalRequest, amount: Decimal | None, currency: str, terms: Terms | None, ask: str) -> Terms:
    """What would stand: the new values, and the old ones where nothing is said. Raises Invalid for what is no term."""
    if terms is not None:
        rules.check(terms)
    kept = {key: value for key, value in request.terms.items() if key not in BASIS}
    return {
        "amount": request.amount if amount is None or request.unit == YES else amount,
        "currency": currency or request.currency or "USD",
        "terms": kept if terms is None else terms,
        "ask": ask.strip() or request.ask,
    }


def comparison(
    request: ApprovalRequest, *, amount: Decimal | None, currency: str, terms: Terms, ask: str, at: datetime
) -> Comparison:
    """New terms against the present ones. Another currency is compared in USD, at the worse of the two rates that count."""
    old, new = request.amount, amount
    if request.unit == MONEY and currency != request.currency and old is not None and new is not None:
        old = min(request.amount_usd or old, usd(old, request.currency, at.date()))
        new = usd(new, currency, at.date())
    return compare(Offer(old, request.ask, request.terms, request.amount), Offer(new, ask, terms, amount))


def _facts(request: ApprovalRequest) -> Terms:
    return {"terms": request.terms, "ask": request.ask, "amount_usd": _plain(request.amount_usd)}


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _write(request: ApprovalRequest, by: User, wanted: Terms, at: datetime) -> Weighed:
    """The new terms on the request, weighed anew; not saved yet."""
    concession = authority.concession_of(request.authority, request.concession)
    without = lineage(request)
    asked = {"amount": wanted["amount"], "currency": wanted["currency"], "account": request.account}
    weighed = weigh(concession=concession, at=at, without=without, renewal=request.renewal, **asked)
    requesting.measure(request, weighed, wanted["amount"], wanted["currency"])
    request.ask = wanted["ask"]
    # Whoever words the terms does not decide on them, under no other name either.
    left_out = {*(request.rule.get("exclude") or []), by.pk, *barred(by, None, at)}
    request.rule = {**request.rule, "exclude": sorted(left_out)}
    requesting.bind(request, wanted["terms"])
    request.version += 1
    return weighed


def _log_change(
    request: ApprovalRequest, by: User, reason: str, channel: str, found: Comparison, before: Terms, at: datetime
) -> DecisionEntry:
    facts = {"outcome": found.outcome, "reasons": found.reasons, "before": before, "after": _facts(request)}
    return log.write(
        request, DecisionEntry.AMENDED, at, actor=by, channel=channel, rationale=reason.strip(), facts=facts
    )


def _amend(
    request: ApprovalRequest,
    by: User,
    reason: str,
    channel: str,
    wanted: Terms,
    found: Comparison,
    before: Terms,
    at: datetime,
) -> ApprovalRequest:
    """For the better: nobody who agreed is asked again, and the rate they agreed at stays."""
    agreed = (request.amount, request.currency, request.amount_usd)
    weighed = _write(request, by, wanted, at)
    _keep_rate(request, weighed, *agreed)
    request.save()
    links.end_all(request, at)
    entry = _log_change(request, by, reason, channel, found, before, at)
    waiting = seating.waiting(request)
    consulted = [seat for seat in waiting if seat.part == ApprovalStep.CONSULT]
    # Whoever would now decide on words of their own, or of somebody they stand in for, makes room for another.
    asked = reassigning.reassign(request, [seat for seat in waiting if seat.part == ApprovalStep.DECIDE], at)
    for seat in (*asked, *consulted):
        seating.ask(request, seat, at, again=f":v{request.version}")
    lead = f"{by} changed the terms for the better. What you said stays."
    mail.word(request, entry, _voters(request), subject="Terms changed", lead=lead)
    return request


def _keep_rate(
    request: ApprovalRequest, weighed: Weighed, amount: Decimal | None, currency: str, in_usd: Decimal | None
) -> None:
    """In the same currency a smaller amount is a share of what was agreed to, whatever the rate is today."""
    given = request.rule.get("rates") or []
    rates = weighed.rates
    if request.amount and amount and in_usd and currency == request.currency:
        request.amount_usd = (in_usd * request.amount / amount).quantize(CENT, ROUND_UP)
        request.total_usd = request.amount_usd + weighed.granted
        more = {"amount": str(request.amount), "in_usd": str(request.amount_usd)}
        rates = [{**rate, **more} for rate in given if rate["of"] == "ask"]
    request.rule = {**request.rule, "rates": [*rates, *(rate for rate in given if rate["of"] != "ask")]}


def _voters(request: ApprovalRequest) -> list[User]:
    votes = request.steps.filter(state=ApprovalStep.DECIDED, part=ApprovalStep.DECIDE).select_related("said_by")
    return list({vote.said_by_id: vote.said_by for vote in votes if vote.said_by}.values())


def _ask_anew(
    request: ApprovalRequest,
    by: User,
    reason: str,
    channel: str,
    wanted: Terms,
    found: Comparison,
    before: Terms,
    at: datetime,
) -> ApprovalRequest:
    """For the worse: votes are void, the chain is made anew, everybody is asked."""
    first = seating.next_order(request)
    given = list(request.steps.filter(state=ApprovalStep.DECIDED, part=ApprovalStep.DECIDE).select_related("said_by"))
    seating.close(request, ApprovalStep.VOIDED, at)
    request.steps.filter(state=ApprovalStep.DECIDED).update(state=ApprovalStep.VOIDED)
    links.end_all(request, at)
    weighed = _write(request, by, wanted, at)
    left_out = {*request.rule["exclude"], *barred(request.requester, request.beneficiary, at)}
    request.step_since = at
    requesting.put(request, weighed, sorted(left_out), at, first=first)
    _log_change(request, by, reason, channel, found, before, at)
    for vote in given:
        _void(request, vote, by, channel, at)
    seating.open_stage(request, at)
    return request


def _void(request: ApprovalRequest, vote: ApprovalStep, by: User, channel: str, at: datetime) -> None:
    """One vote that was given on better terms: on the record, and its giver is told."""
    facts = {"seat": vote.order, "verdict": vote.verdict, "voter": vote.said_by_id, "voter_name": str(vote.said_by)}
    values = {"channel": channel, "step": vote.order, "role": vote.role.name, "facts": facts}
    entry = log.write(request, DecisionEntry.VOIDED, at, actor=by, **values)
    if vote.said_by:
        lead = f"{by} changed the terms for the worse, so what you said no longer counts."
        mail.word(request, entry, [vote.said_by], subject="Your approval is void", lead=lead)


@transaction.atomic
def supersede(
    *,
    request_id: int,
    by: User,
    version: int,
    reason: str,
    amount: Decimal | None = None,
    currency: str = "",
    terms: Terms | None = None,
    ask: str = "",
    channel: str = DecisionEntry.WEB,
) -> ApprovalRequest:
    """Put a new request in the place of an open or granted one, which ends at once. Returns the new one.

    Raises as change_terms does.
    """
    at = now()
    request = _locked(request_id, by, version, reason, at)
    wanted = new_terms(request, amount, currency, terms, ask)
    check_carried_out(request, wanted, at)
    return _replace(request, by, reason, channel, wanted, [], at)


def _replace(
    request: ApprovalRequest, by: User, reason: str, channel: str, wanted: Terms, reasons: list[str], at: datetime
) -> ApprovalRequest:
    """The old one is void from this moment; the new one is asked for by whoever changed the terms."""
    asked = seating.close(request, ApprovalStep.VOIDED, at)
    voters = _voters(request)
    request.state, request.version = ApprovalRequest.REPLACED, request.version + 1
    request.save(update_fields=["state", "version"])
    links.end_all(request, at)
    # The case is locked before the account (services.holding): this entry is what its thread hears first.
    values = {"actor": by, "channel": channel, "rationale": reason.strip()}
    log.write(request, DecisionEntry.VOIDED, at, facts={"reasons": reasons}, **values)
    made = again(request, by, channel, wanted, at)
    entry = log.write(request, DecisionEntry.REPLACED, at, facts={"by": made.pk, "reasons": reasons}, **values)
    told = {user.pk: user for user in (*voters, *(seat.approver for seat in asked)) if user.pk != by.pk}
    lead = f"{by} replaced this by new terms. What was said on the old ones no longer counts."
    mail.word(request, entry, list(told.values()), subject="Replaced by new terms", lead=lead)
    return made


def again(
    old: ApprovalRequest,
    by: User,
    channel: str,
    wanted: Terms,
    at: datetime,
    *,
    recommendation: str = "",
    deadline: datetime | None = None,
) -> ApprovalRequest:
    """A new request in the place of an old one, with its case, brief and options. `by` asks for it; the old requester and
    whoever would approve for them are left out too."""
    start = deadline or old.deadline
    if start <= at:
        start = at + (old.deadline - old.opened_at)
    left_out = {*(old.rule.get("exclude") or []), old.requester_id, *barred(old.requester, old.beneficiary, at)}
    return requesting.request(
        requester=by,
        account=old.account,
        concession=old.concession,
        recommendation=recommendation.strip() or old.recommendation,
        options=old.options,
        brief=old.brief,
        deadline=start,
        case_key=old.case_key,
        case_url=old.case_url,
        case_title=old.case_title,
        tier=old.tier,
        confidential=old.confidential,
        why_now=old.why_now,
        channel=channel,
        exclude=left_out,
        renewal=old.renewal,
        beneficiary=old.beneficiary,
        replaces=old,
        **wanted,
    )
