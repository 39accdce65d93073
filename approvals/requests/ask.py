"""Asking for a concession."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import Account, User
from approvals.mail import messages as mail
from approvals.matrix import authority
from approvals.matrix.bands import by_band
from approvals.matrix.rules.units import MONEY
from approvals.matrix.running_totals import lineage
from approvals.matrix.weighing import Weighed
from approvals.models import ApprovalRequest, DecisionEntry, ExceptionBand
from approvals.requests import log
from approvals.requests import seats as seating
from approvals.requests import stages as chains
from approvals.requests import suggest as suggesting
from approvals.requests.conflicts import barred
from approvals.requests.locks import hold
from approvals.requests.rules import seats as rules
from approvals.requests.rules.terms import check as check_terms
from approvals.requests.rules.terms import storable, terms_hash
from ledger.errors import Invalid
from ledger.now import now

FARTHEST = timedelta(days=3653)


@transaction.atomic
def request(
    *,
    requester: User,
    account: Account,
    concession: str,
    amount: Decimal | None,
    currency: str,
    ask: str,
    recommendation: str,
    options: list[dict[str, Any]],
    brief: dict[str, Any],
    deadline: datetime,
    case_key: str = "",
    case_url: str = "",
    case_title: str = "",
    tier: str = "",
    confidential: bool = False,
    why_now: str = "",
    terms: dict[str, Any] | None = None,
    channel: str = DecisionEntry.WEB,
    exclude: Collection[int] = (),
    renewal: str = "",
    beneficiary: User | None = None,
    replaces: ApprovalRequest | None = None,
) -> ApprovalRequest:
    """Ask for a concession: granted by rule inside a pre-approved band, else put to the lowest role whose authority covers it
    and to every function its chain names. Terms, brief and chain are frozen as they are.

    What was granted to the account's family or on the same `renewal` in the version's window counts too, `replaces` left out.
    Never asked: the requester, the `beneficiary`, whoever would approve for them (requests.rules.conflicts) and `exclude`.
    A band grants nothing that `replaces` another: the tier is the one of then. Raises Invalid when something is missing or no
    term, the deadline has passed or lies more than ten years ahead, or nobody may approve it.
    """
    at = now()
    _check(ask, recommendation, deadline, terms or {}, at)
    # Two requests of one family must not both pass a limit by not seeing each other.
    hold(account=account, concession=concession, renewal=renewal)
    account, version = Account.objects.get(pk=account.pk), authority.version_at(at)
    asked: dict[str, Any] = {"amount": amount, "currency": currency, "account": account, "renewal": renewal}
    asked |= {"without": lineage(replaces) if replaces else None}
    weighed = authority.weigh(concession=authority.concession_of(version, concession), at=at, **asked)
    words = {"ask": ask.strip(), "why_now": why_now.strip(), "recommendation": recommendation.strip(), "tier": tier}
    case = {"case_key": case_key, "case_url": case_url, "case_title": case_title[:200]}
    frozen = {"options": options, "brief": brief, "deadline": deadline, "authority": version, "renewal": renewal}
    people = {"requester": requester, "beneficiary": beneficiary, "confidential": confidential, "replaces": replaces}
    made = ApprovalRequest(account=account, opened_at=at, step_since=at, **people, **case, **words, **frozen)
    measure(made, weighed, amount, currency)
    bind(made, terms or {})
    band = authority.band_for(concession=concession, **asked, tier=tier, at=at) if replaces is None else None
    return _grant_by_rule(made, band, weighed, channel) if band else _ask(made, weighed, exclude, channel)


def _check(ask: str, recommendation: str, deadline: datetime, terms: dict[str, Any], at: datetime) -> None:
    check_terms(terms)
    if not ask.strip():
        raise Invalid("Enter the ask as one question.", field="ask")
    if not recommendation.strip():
        raise Invalid("Enter a recommendation.", field="recommendation")
    if deadline <= at:
        raise Invalid("Enter a deadline that lies ahead.", field="deadline")
    if deadline > at + FARTHEST:
        raise Invalid("Enter a deadline within ten years.", field="deadline")


def measure(made: ApprovalRequest, weighed: Weighed, amount: Decimal | None, currency: str) -> None:
    """Write what was weighed onto the request."""
    made.concession = weighed.concession.slug
    made.concession_name = weighed.concession.name
    made.unit = weighed.concession.unit
    made.amount = None if weighed.amount is None else amount
    made.currency = currency if made.unit == MONEY else ""
    made.amount_usd = weighed.amount_usd
    made.total_usd = weighed.total if made.unit == MONEY else None


def bind(made: ApprovalRequest, terms: dict[str, Any]) -> None:
    """Freeze the terms with their hash."""
    basis = {
        "account": made.account.name,
        "concession": made.concession,
        "amount": made.amount,
        "currency": made.currency,
        "unit": made.unit,
    }
    made.terms = storable({**terms, **basis})
    made.terms_hash = terms_hash(made.terms)


def _grant_by_rule(made: ApprovalRequest, band: ExceptionBand, weighed: Weighed, channel: str) -> ApprovalRequest:
    made.rule = by_band(made, band, weighed)
    limit, sentence = made.rule["band"], made.rule["sentence"]
    made.state, made.by_rule, made.decided_at, made.reason = (
        ApprovalRequest.APPROVED,
        True,
        made.opened_at,
        sentence,
    )
    made.save()
    _asked(made, channel)
    values = {"channel": DecisionEntry.RULE, "limit": limit, "rationale": sentence}
    facts = {"saved_seconds": made.rule["saved_seconds"], "usual": made.rule["usual"]}
    entry = log.write(made, DecisionEntry.APPROVED, made.opened_at, facts=facts, **values)
    mail.decided(made, entry, made.opened_at)
    return made


def _ask(made: ApprovalRequest, weighed: Weighed, exclude: Collection[int], channel: str) -> ApprovalRequest:
    at = made.opened_at
    put(made, weighed, sorted({made.requester_id, *exclude, *barred(made.requester, made.beneficiary, at)}), at)
    _asked(made, channel)
    seating.open_stage(made, at)
    return made


def put(made: ApprovalRequest, weighed: Weighed, excluded: list[int], at: datetime, *, first: int = 1) -> None:
    """Freeze the chain and its authority on the request and save it; nobody is asked yet. Raises Invalid without a chain."""
    answer, chain = chains.stages(made.authority, weighed, made.account, at, exclude=excluded, first=first)
    seat = rules.authority_group(chain)["seats"][0]
    made.approver = answer.person if answer.person.pk == seat["person"] else User.objects.get(pk=seat["person"])
    made.approver_role = answer.role
    made.rule = {**answer.rule, "exclude": excluded}
    made.chain, made.stage, made.step = chain, 1, seat["order"]
    made.save()
    suggesting.suggest(made, at)


def _asked(made: ApprovalRequest, channel: str) -> None:
    facts = {"beneficiary": made.beneficiary.email} if made.beneficiary else {}
    log.write(
        made,
        DecisionEntry.ASKED,
        made.opened_at,
        actor=made.requester,
        channel=channel,
        options=made.options,
        rationale=made.recommendation,
        facts=facts,
        role=made.rule.get("role_name", ""),
        limit=made.rule.get("limit", made.rule.get("band", "")),
    )
