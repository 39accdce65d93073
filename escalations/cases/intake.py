"""Open a case: from the form, the API, a signal's trigger or an import. The preview uses the same rules."""

import logging
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import DatabaseError, transaction
from django.db.models import Exists, Q

from accounts.models import Account, Signal, User
from approvals.matrix.totals import checked_amount
from approvals.models import AuthorityVersion
from escalations import states
from escalations.cases import brief as briefing
from escalations.cases import conversation, mail_files, notifications
from escalations.cases.files import Place, attach, noted
from escalations.cases.lifecycle import move
from escalations.cases.log import Entry, record
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together
from escalations.clocks.targets import Targets, promise
from escalations.models import CaseFile, CaseWords, Escalation, IntakeDraft, IssueType, PolicyVersion
from escalations.policy.rows import rows_of
from escalations.policy.rules.levels import Ladder
from escalations.triage import assess as triage
from escalations.triage import health, routing
from escalations.triage.asked import Asked, Measured, measure
from escalations.triage.rules import triage as triage_rules
from escalations.triage.rules.routing import Override
from ledger.errors import Invalid, NotThere, Stale
from ledger.files.uploads import Upload
from ledger.now import now
from ledger.reading import has_words
from ledger.search import index

log = logging.getLogger(__name__)
DUPLICATE_WINDOW = timedelta(days=90)
OLDEST_IMPASSE = timedelta(days=5 * 365)
TRIES = 3


@dataclass(frozen=True)
class Intake:
    """The fields of the form. Times are aware, money has its currency."""

    account: Account
    issue_type: str
    issue: str
    impact: str = ""
    requested_support: str = ""
    title: str = ""
    deadline: datetime | None = None
    impasse_at: datetime | None = None
    concession: str = ""
    amount: Decimal | None = None
    currency: str = "USD"
    blocker: bool = False
    legal: bool = False
    security: bool = False
    executive_complaint: bool = False
    confidential: bool = False
    signal: Signal | None = None
    override: Override | None = None


# Fields that are not copied to the case: they are looked up, completed or acted on.
COMPLETED = frozenset({"account", "issue_type", "title", "impasse_at", "currency", "signal", "override"})
# All other fields. The form, the API and the case use this list, so a new field is named once.
KEPT = tuple(each.name for each in fields(Intake) if each.name not in COMPLETED)


def current_policy(at: datetime) -> PolicyVersion:
    """The policy in force. Raises Invalid if none is published."""
    policy = PolicyVersion.objects.current(at)
    if policy is None:
        raise Invalid("No policy is published. Ask operations to publish one.")
    return policy


def issue_type(policy: PolicyVersion, slug: str) -> IssueType:
    """The issue type of the policy. Raises Invalid for an unknown one."""
    found = rows_of(policy).issue_types.get(slug)
    if found is None:
        raise Invalid("Choose the kind of issue.", field="issue_type")
    # All cases of this process share the row that was read. Each gets its own, which may load its calendar.
    return copy(found)


@dataclass(frozen=True)
class Opening:
    """A case that is not saved yet, with its assessment and destination: all that opening it needs to read."""

    case: Escalation
    assessment: triage_rules.Assessment
    destination: routing.Destination
    targets: Targets
    at: datetime

    def still_holds(self, by: User | None) -> bool:
        """Whether the person may still see the account, its name and its people are the same, and everybody whom the case
        names still works here. Asked inside the transaction that writes the case."""
        account, where = self.case.account, self.destination
        named = {user.pk for user in (where.owner, where.authority, *(user for user, _ in where.stakeholders)) if user}
        gone = User.objects.filter(pk__in=named).filter(Q(is_active=False) | Q(pk__in=User.objects.external()))
        seen = Account.objects.visible_to(by) if by else Account.objects.all()
        same = seen.filter(pk=account.pk, csm=account.csm_id, ae=account.ae_id, name=account.name)
        # Locked, so that the team of the account does not change before the case is there to be seen by it.
        return same.filter(~Exists(gone)).select_for_update(no_key=True).exists()


def prepare(data: Intake, *, by: User | None) -> Opening:
    """Check, read and compute everything about a case that is to be opened now; nothing is written. Raises Invalid and
    NotThere like opening."""
    at, data = now(), replace(data, account=_account(data.account, by))
    _check(data, at)
    asked = _measured(data, at)
    if asked.problem and (problem := amount_problem(data, at)):
        raise Invalid(problem, field="amount")
    return _computed(data, asked, by, at)


def _measured(data: Intake, at: datetime) -> Measured:
    return measure(Asked(data.concession, data.amount, data.currency or "USD"), data.account, at)


def _computed(data: Intake, asked: Measured, by: User | None, at: datetime) -> Opening:
    policy = current_policy(at)
    kind = issue_type(policy, data.issue_type)
    case = _draft(data, policy, kind, by, at)
    targets = Targets(case, at).read()
    assessment = triage.evaluate(policy, kind, triage.facts_of(targets, asked))
    where = routing.destination(policy, data.account, issue_type=kind.slug, tier=assessment.tier, asked=asked, near=by)
    return Opening(case, assessment, where, targets, at)


@dataclass(frozen=True)
class Preview:
    """The destination of a case with these facts; nothing is written."""

    assessment: triage_rules.Assessment
    destination: routing.Destination
    ladder: Ladder
    decision_within: str = ""  # the target of the decision clock as text


def preview(data: Intake, *, by: User | None) -> Preview:
    """Tier, lane, level, owner and authority that the case would get now. Raises Invalid like opening."""
    at = now()
    found = _computed(data, _measured(data, at), by, at)
    case, where = found.case, found.destination
    case.tier, case.level = found.assessment.tier, where.route.level
    promised = promise(case, states.DECISION)
    return Preview(found.assessment, where, case.policy.ladder, promised.text if promised else "")


def duplicates(account: Account, slug: str, *, user: User) -> list[Escalation]:
    """Cases of the account with the same kind of issue that are open, or ended in the last 90 days; only those the
    user may see."""
    recent = now() - DUPLICATE_WINDOW
    seen = Escalation.objects.filter(account=account, issue_type__slug=slug).visible_to(user, few=True)
    found = seen.exclude(state__in=[states.WITHDRAWN, states.DUPLICATE]).filter(opened_at__gte=recent)
    return list(found.select_related("account").order_by("-opened_at")[:3])


def open_case(
    data: Intake,
    *,
    by: User | None,
    trigger: str = "",
    trigger_text: str = "",
    prepared: Opening | None = None,
    files: Sequence[Upload] = (),
) -> Escalation:
    """Open, triage and route a case and notify the owner. The ESC number is its primary key. The time from the impasse
    to now is kept as an ended clock, met or missed by the target of the tier. `prepared`: what the caller has read for it just
    now, before a transaction of its own. Raises Invalid with the field (missing
    issue, deadline in the past, negative amount, unknown kind), NotThere if the person cannot see the account, Stale if its
    people change several times meanwhile, NotStored for a file that cannot be kept.
    """
    opening = prepared or prepare(data, by=by)
    with transaction.atomic():
        # On SQLite everybody else waits for this transaction, so it only writes.
        for _ in range(TRIES):
            if opening.still_holds(by):
                break
            opening = prepare(data, by=by)
        else:
            raise Stale("The people of this account are being changed. Send it again in a moment.")
        opening.case.trigger, opening.case.trigger_text = trigger, trigger_text[:300]
        case = _write(opening, data, by, files)
    # Afterwards, because it reads. If it fails, the next signal of the account corrects it; the case is open in any case.
    try:
        with transaction.atomic():
            health.recompute(case.account, at=now())
    except DatabaseError:
        log.warning("The health of account %s was not computed", case.account_id, exc_info=True)
    return case


def _write(opening: Opening, data: Intake, by: User | None, files: Sequence[Upload]) -> Escalation:
    case, at = opening.case, opening.at
    case.save()
    index.add(CaseWords, case)
    opened = Entry(
        kind="opened",
        actor=by,
        actor_name="" if by else "Trigger rule",
        summary=case.trigger_text or f"Opened by {by.name if by else 'a rule'}",
        text=data.issue,
        audience="internal",
        data={"signal": data.signal.pk if data.signal else None, "trigger": case.trigger, **noted(files)},
    )
    said = conversation.opening(data.signal) if data.signal and data.signal.text else None
    with together(case, opening.targets):
        event, *shown = record(case, [opened, *([conversation.entry_of(said)] if said else [])], at=at)
        briefing.prefill(case, at)
        triage.keep(case, opening.assessment, at=at, actor=by)
        move(case, "triage", at=at, actor=by)
        named = routing.route(case, opening.destination, at=at, actor=by, override=data.override)
        clocks.measure(case, states.TIME_TO_ESCALATE, started_at=case.impasse_at, at=at)
    if said:
        conversation.keep(case, said, shown[0])
        if said.arrival.mail:
            mail_files.take_after_commit(said.arrival.mail)
    attach(case, files, Place(CaseFile.INTAKE, by, at, event=event))
    if by is not None:
        IntakeDraft.objects.filter(user=by).delete()
    notifications.opened(case, named)
    return case


def _account(account: Account, by: User | None) -> Account:
    seen = Account.objects.visible_to(by) if by else Account.objects.all()
    found = seen.select_related("csm", "ae").filter(pk=account.pk).first()
    if found is None:
        raise NotThere("There is no such account.", field="account")
    return found


def _check(data: Intake, at: datetime) -> None:
    if not has_words(data.issue):
        raise Invalid("Describe the issue in one to three sentences.", field="issue")
    if data.deadline is not None and data.deadline <= at:
        raise Invalid("The customer's deadline must be in the future. Enter a later date and time.", field="deadline")
    if data.amount is not None and data.amount <= 0:
        raise Invalid("Enter an amount above 0.", field="amount")
    if data.impasse_at is not None and data.impasse_at > at:
        raise Invalid("The impasse cannot be in the future.", field="impasse_at")
    if data.impasse_at is not None and data.impasse_at < at - OLDEST_IMPASSE:
        raise Invalid("The impasse is more than five years ago. Check the year.", field="impasse_at")
    if data.override and not has_words(data.override.reason):
        raise Invalid("Enter why you override the routing.", field="override_reason")


def amount_problem(data: Intake, at: datetime) -> str:
    """Why the amount itself is the reason that the ask cannot be measured; empty if it is not."""
    authority = AuthorityVersion.objects.current(at)
    concession = authority.concessions.filter(slug=data.concession).first() if authority else None
    if concession and data.amount is not None:
        try:
            checked_amount(concession.unit, data.amount, data.currency or "USD")
        except Invalid as error:
            return error.message
    return ""


def _draft(data: Intake, policy: PolicyVersion, kind: IssueType, by: User | None, at: datetime) -> Escalation:
    first_sentence = data.issue.strip().split(". ")[0].splitlines()[0] if data.issue.strip() else kind.name
    impasse = data.impasse_at or (data.signal.at if data.signal else at)
    return Escalation(
        account=data.account,
        policy=policy,
        issue_type=kind,
        title=(data.title.strip() or first_sentence)[:160],
        currency=data.currency or "USD",
        arr_at_risk=data.account.arr or Decimal(0),
        arr_currency=data.account.currency,
        impasse_at=min(impasse, at),
        opened_at=at,
        opened_by=by,
        signal=data.signal,
        **{name: getattr(data, name) for name in KEPT},
    )
