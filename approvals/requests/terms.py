"""New terms for a request: if they are better, its votes stay; if they are worse, votes are void and everybody is asked
again."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from functools import partial

from django.db import transaction

from accounts.customers.rates import usd
from accounts.models import User
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.matrix.rules.units import MONEY, YES
from approvals.matrix.totals import Ask, AskTotal, ask_total, lineage, total_of
from approvals.models import ApprovalRequest, DecisionEntry, Seat
from approvals.requests import ask as requesting
from approvals.requests import log, votes
from approvals.requests import seats as seating
from approvals.requests.conflicts import barred
from approvals.requests.deadlines import due_from
from approvals.requests.decide import may_recall
from approvals.requests.permissions import for_user, what_happened
from approvals.requests.rules import terms as rules
from approvals.requests.rules.seats import YES as AGREED
from approvals.requests.rules.terms import BASIS, SAME, WORSE, Comparison, Offer, Terms, compare
from approvals.requests.rules.verdicts import check_words, goes_against
from ledger.errors import AlreadyDone, Invalid, NotAllowed, Stale
from ledger.format import moment
from ledger.now import now
from ledger.reading import words_of

CENT = Decimal("0.01")
SEATED = (Seat.ASKED, Seat.DECIDED)


@dataclass(frozen=True)
class NewTerms:
    """The terms a person wants. Fields left out do not change."""

    amount: Decimal | None = None
    currency: str = ""
    terms: Terms | None = None
    ask: str = ""


@dataclass(frozen=True)
class WholeTerms:
    """All terms after a change."""

    amount: Decimal | None
    currency: str
    terms: Terms
    ask: str


@transaction.atomic
def change_terms(
    *,
    request_id: int,
    by: User,
    version: int,
    reason: str,
    wanted: NewTerms,
    channel: str = DecisionEntry.WEB,
) -> ApprovalRequest:
    """Replace the old terms by new ones. Fields left out do not change. Returns the request that is now valid.

    Open and worse: all votes are void, a new plan is made for the new amount and everybody is asked again. Open and
    better: votes stay, and people who have not voted see the new terms. Granted and worse (carried out or not): the
    approval is void at once and a new request replaces it. Granted and better: it stays, and the log says what changed.
    Raises Stale when it changed since, NotAllowed unless `by` may recall it, AlreadyDone if it was declined, recalled
    or replaced, Invalid without a reason or a change.
    """
    at = now()
    request = _locked(request_id, by, version, reason, at)
    whole = whole_terms(request, wanted)
    found = comparison(request, whole, at)
    if found.outcome == SAME:
        raise Invalid("Nothing would change. Change the amount or a term.", field="amount")
    check_carried_out(request, whole, at)
    change = Change(by, words_of(reason), channel, whole, found, at)
    if found.outcome != WORSE:
        return _amend(request, change)
    return _ask_anew(request, change) if request.is_open else _replace(request, change)


def _locked(request_id: int, by: User, version: int, reason: str, at: datetime) -> ApprovalRequest:
    request = seating.locked(request_id)
    check_may(request, by)
    if not request.is_open and request.state not in ApprovalRequest.GRANTED:
        raise AlreadyDone(f"{what_happened(request, by, at)}.")
    if request.version != version:
        entry = request.log.last()
        since = moment(entry.at if entry else request.asked_since, by.zone, at)
        raise Stale(f"The request changed at {since}. Read it again before you change its terms.")
    check_words(reason, "reason", "Enter a reason for the new terms.")
    return request


def check_carried_out(request: ApprovalRequest, wanted: WholeTerms, at: datetime) -> None:
    """Raises Invalid for less than what was carried out with this request or one it replaces. Otherwise the next ask
    would be added to too small a total.
    """
    given = ApprovalRequest.objects.filter(pk__in=lineage(request), sealed_at__isnull=False)
    if any(rules.SMALLER in comparison(each, wanted, at).better for each in given):
        raise Invalid("This was carried out, so a smaller amount cannot replace it any more.", field="amount")


def check_may(request: ApprovalRequest, by: User) -> None:
    """Raises NotAllowed unless the person may recall the request, and for people who decide it."""
    if not may_recall(request, by):
        raise NotAllowed(f"Only {request.requester}, their managers or the account's CSM and AE may change the terms.")
    if request.is_open and request.seats.deciding().filter(person=by, state__in=SEATED).exists():
        raise NotAllowed("You decide this, so you cannot change its terms. Approve with conditions, or ask a question.")


def whole_terms(request: ApprovalRequest, wanted: NewTerms) -> WholeTerms:
    """All terms: the new values, and the old ones for fields left out. Raises Invalid for invalid terms."""
    if wanted.terms is not None:
        rules.check(wanted.terms)
    kept = {key: value for key, value in request.terms.items() if key not in BASIS}
    return WholeTerms(
        amount=request.amount if wanted.amount is None or request.unit == YES else wanted.amount,
        currency=wanted.currency or request.currency or "USD",
        terms=kept if wanted.terms is None else wanted.terms,
        ask=words_of(wanted.ask) or request.ask,
    )


def comparison(request: ApprovalRequest, wanted: WholeTerms, at: datetime) -> Comparison:
    """Compares new terms with the current ones. Another currency is compared in USD, at the worse of the two rates that
    count."""
    old, new = request.amount, wanted.amount
    if request.unit == MONEY and wanted.currency != request.currency and old is not None and new is not None:
        old = min(request.amount_usd or old, usd(old, request.currency, at.date()))
        new = usd(new, wanted.currency, at.date())
    before = Offer(old, request.ask, request.terms, request.amount)
    return compare(before, Offer(new, wanted.ask, wanted.terms, wanted.amount))


@dataclass(frozen=True)
class Change:
    """New terms that replace the current ones, and their comparison."""

    by: User
    reason: str
    channel: str
    wanted: WholeTerms
    found: Comparison
    at: datetime


def _facts(request: ApprovalRequest) -> Terms:
    in_usd = None if request.amount_usd is None else f"{request.amount_usd:f}"
    return {"terms": request.terms, "ask": request.ask, "amount_usd": in_usd}


def _write(request: ApprovalRequest, change: Change) -> AskTotal:
    """Set the new terms and totals on the request, without saving."""
    wanted, by = change.wanted, change.by
    ask = Ask(request.concession, wanted.amount, wanted.currency, request.account, request.renewal, replaces=request)
    total = ask_total(ask, change.at, version=request.authority)
    requesting.measure(request, ask, total)
    request.ask = wanted.ask
    # A person who words the terms does not decide on them, not even under another account.
    left_out = {*(request.rule.get("exclude") or []), by.pk, *barred(by, None, change.at)}
    request.rule = {**request.rule, "exclude": sorted(left_out)}
    requesting.freeze_terms(request, wanted.terms)
    request.version += 1
    return total


def _log_change(request: ApprovalRequest, change: Change, before: Terms) -> DecisionEntry:
    found = change.found
    return log.write(
        request,
        DecisionEntry.AMENDED,
        change.at,
        actor=change.by,
        channel=change.channel,
        rationale=change.reason,
        facts={"outcome": found.outcome, "reasons": found.reasons, "before": before, "after": _facts(request)},
    )


def _amend(request: ApprovalRequest, change: Change) -> ApprovalRequest:
    """Better terms: people who agreed are not asked again, and the rate they agreed at stays."""
    before, agreed = _facts(request), (request.amount, request.currency, request.amount_usd)
    _keep_rate(request, _write(request, change), *agreed)
    request.save()
    links.end_all(request, change.at)
    entry = _log_change(request, change, before)
    if request.is_open:
        total = total_of(request, change.at)
        consulted = [seat for seat in seating.asked(request) if seat.part == Seat.CONSULT]
        # A person who would now decide on their own words, or on those of a person they stand in for, is replaced.
        asked = seating.reassign(request, seating.deciding(request), total)
        for seat in (*asked, *consulted):
            seating.ask(request, seat, total, again=f":v{request.version}")
    lead = f"{change.by} improved the terms. Your decision still counts."
    mail.word(request, entry, _voters(request), subject="Terms changed", lead=lead)
    return request


def _keep_rate(
    request: ApprovalRequest, total: AskTotal, amount: Decimal | None, currency: str, in_usd: Decimal | None
) -> None:
    """In the same currency a smaller amount is a share of the agreed amount, independent of today's rate."""
    given = request.rule.get("rates") or []
    rates = list(total.rates)
    if request.amount and amount and in_usd and currency == request.currency:
        request.amount_usd = (in_usd * request.amount / amount).quantize(CENT, ROUND_UP)
        request.total_usd = request.amount_usd + total.granted
        more = {"amount": str(request.amount), "in_usd": str(request.amount_usd)}
        rates = [{**rate, **more} for rate in given if rate["of"] == "ask"]
    request.rule = {**request.rule, "rates": [*rates, *(rate for rate in given if rate["of"] != "ask")]}


def _voters(request: ApprovalRequest) -> list[User]:
    given = [seat for seat in request.all_seats() if seat.state == Seat.DECIDED and seat.part == Seat.DECIDE]
    return list({vote.said_by_id: vote.said_by for vote in given if vote.said_by}.values())


def _ask_anew(request: ApprovalRequest, change: Change) -> ApprovalRequest:
    """Worse terms: votes are void, a new plan is made, everybody is asked."""
    at, before, first = change.at, _facts(request), seating.next_number(request)
    given = [seat for seat in request.all_seats() if seat.state == Seat.DECIDED and seat.part == Seat.DECIDE]
    seating.close(request, Seat.VOIDED, at)
    request.seats.filter(state__in=(Seat.DECIDED, Seat.SETTLED)).update(state=Seat.VOIDED)
    request.seats.planned().delete()
    request.forget_seats()
    links.end_all(request, at)
    total = _write(request, change)
    left_out = {*request.rule["exclude"], *barred(request.requester, request.beneficiary, at)}
    request.asked_since = at
    requesting.plan_seats(request, total, left_out, first=first)
    _log_change(request, change, before)
    for vote in given:
        _void(request, vote, change)
    seating.open_stage(request, total_of(request, at))
    return request


def _void(request: ApprovalRequest, vote: Seat, change: Change) -> None:
    """Void one vote that was given on better terms: log it and notify the voter."""
    entry = log.write(
        request,
        DecisionEntry.VOIDED,
        change.at,
        actor=change.by,
        channel=change.channel,
        seat=vote.number,
        role=vote.role.name,
        facts={"seat": vote.number, "verdict": vote.verdict, "voter": vote.said_by_id, "voter_name": str(vote.said_by)},
    )
    if vote.said_by:
        lead = f"{change.by} changed the terms to worse ones, so your decision no longer counts."
        mail.word(request, entry, [vote.said_by], subject="Your approval is void", lead=lead)


@transaction.atomic
def supersede(
    *,
    request_id: int,
    by: User,
    version: int,
    reason: str,
    wanted: NewTerms,
    channel: str = DecisionEntry.WEB,
) -> ApprovalRequest:
    """Replace an open or granted request by a new one; the old one ends at once. Returns the new one. Raises like
    change_terms.
    """
    at = now()
    request = _locked(request_id, by, version, reason, at)
    whole = whole_terms(request, wanted)
    check_carried_out(request, whole, at)
    return _replace(request, Change(by, words_of(reason), channel, whole, Comparison(), at))


def _replace(request: ApprovalRequest, change: Change) -> ApprovalRequest:
    """The old request is void from this moment; the person who changed the terms requests the new one."""
    at, by, reasons = change.at, change.by, change.found.reasons
    asked = seating.close(request, Seat.VOIDED, at)
    voters = _voters(request)
    request.state, request.version = ApprovalRequest.REPLACED, request.version + 1
    links.end_all(request, at)
    # The case is locked before the account (matrix.totals.lock_totals), because its thread receives this entry first.
    said = partial(log.write, request, at=at, actor=by, channel=change.channel, rationale=change.reason)
    said(DecisionEntry.VOIDED, facts={"reasons": reasons}, changed=["state", "version"])
    made = _again(request, change)
    entry = said(DecisionEntry.REPLACED, facts={"by": made.pk, "reasons": reasons})
    told = {user.pk: user for user in (*voters, *(seat.person for seat in asked)) if user.pk != by.pk}
    lead = f"{by} replaced this by new terms. Decisions on the old terms no longer count."
    mail.word(request, entry, list(told.values()), subject="Replaced by new terms", lead=lead)
    return made


@dataclass(frozen=True)
class Wish:
    """The deadline that a person wants, and the reason when it is after the decision clock of the case."""

    deadline: datetime | None = None
    why_later: str = ""


def _again(old: ApprovalRequest, change: Change, *, recommendation: str = "", wish: Wish = Wish()) -> ApprovalRequest:
    """A new request that replaces an old one, with its case, brief and options. The person who changed the terms is the
    requester; the old requester and people who would approve for them are excluded too.

    Without a wish it is due with the decision clock of its case. Without a case it keeps the old deadline, or gets the same
    time again when that has passed.
    """
    at, wanted = change.at, change.wanted
    due_at = old.deadline if old.deadline > at else at + (old.deadline - old.opened_at)
    barred_by_old = barred(old.requester, old.beneficiary, at)
    return requesting.submit(
        Ask(old.concession, wanted.amount, wanted.currency, old.account, old.renewal, replaces=old),
        question=requesting.Question(
            ask=wanted.ask,
            recommendation=words_of(recommendation) or old.recommendation,
            deadline=wish.deadline,
            why_later=wish.why_later,
            options=old.options,
            brief=old.brief,
            why_now=old.why_now,
            terms=wanted.terms,
        ),
        parties=requesting.Parties(
            requester=change.by,
            beneficiary=old.beneficiary,
            left_out={*(old.rule.get("exclude") or []), old.requester_id, *barred_by_old},
        ),
        case=requesting.CaseRef(
            old.case_key, old.case_url, old.case_title, old.tier, old.confidential, due_from(at, due_at)
        ),
        channel=change.channel,
    )


@transaction.atomic
def resubmit(
    *,
    request_id: int,
    by: User,
    wanted: NewTerms = NewTerms(),
    recommendation: str = "",
    wish: Wish = Wish(),
    channel: str = DecisionEntry.WEB,
) -> ApprovalRequest:
    """Ask a recalled request again, with its terms or new ones. Returns the new request, which `replaces` the old one.

    If no term is worse, people who agreed in their own seat and have the same seat in the new request have agreed
    (logged as carried over); on worse terms everybody is asked. Raises Invalid for a later wish without a reason, Stale unless
    it was recalled, AlreadyDone if it was asked again before, NotAllowed unless `by` may recall it.
    """
    at = now()
    old = seating.locked(request_id)
    if not may_recall(old, by):
        raise NotAllowed(f"Only {old.requester}, their managers or the account's CSM and AE may ask again.")
    if old.state != ApprovalRequest.RECALLED:
        raise Stale("Only a recalled request can be asked again." if old.is_open else f"{what_happened(old, by, at)}.")
    if old.replaced_by.exists():
        raise AlreadyDone("This request was asked again before. Open the newer one.")
    whole = whole_terms(old, wanted)
    check_carried_out(old, whole, at)
    found = comparison(old, whole, at)
    facts = {"outcome": found.outcome, "reasons": found.reasons, "asked_again": True}
    log.write(old, DecisionEntry.AMENDED, at, actor=by, channel=channel, facts=facts)
    change = Change(by, "", channel, whole, found, at)
    made = _again(old, change, recommendation=recommendation, wish=wish)
    log.write(old, DecisionEntry.REPLACED, at, actor=by, channel=channel, facts={"by": made.pk})
    if found.outcome != WORSE and made.is_open:
        _carry_over(old, made, at)
    return made


def _carry_over(old: ApprovalRequest, made: ApprovalRequest, at: datetime) -> None:
    """Carry over agreements given in one's own seat to the same seat, stage by stage, if the person may still decide
    it."""
    given = {
        (vote.person_id, vote.role_id): vote
        for vote in old.seats.decided().deciding().filter(verdict__in=AGREED, stands_for=None)
        if vote.said_by_id == vote.person_id
    }
    while made.is_open:
        seat = next((each for each in seating.deciding(made) if (each.person_id, each.role_id) in given), None)
        if seat is None:
            return
        vote, total = given.pop((seat.person_id, seat.role_id)), total_of(made, at)
        right = for_user(made, seat.person, at, seat.number, total=total)
        if right.may_decide and not right.override:
            against = goes_against(vote.verdict, made.options, vote.conditions)
            words = (vote.reason, vote.conditions)
            said = votes.Said(seat.person, vote.verdict, right, *words, DecisionEntry.RULE, against, old.pk)
            votes.settle(made, votes.take_seat(made, said, at), said, total)
            if made.state in ApprovalRequest.GRANTED:
                votes.weigh_again(made, total)
