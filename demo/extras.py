"""What lies around the cases: word that went out, mail that waits, a policy draft, and a few cases opened by the real verbs."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from django.db.models import Max

from accounts.models import Account, Contact, Signal, User
from accounts.signals import record as signals
from approvals.absence import delegations as delegating
from approvals.mail import links
from approvals.mail import messages as mail
from approvals.models import ApprovalRequest
from demo.companies import DEMO, domain_of
from demo.people import DOMAIN
from escalations import states
from escalations.cases import handoffs, intake, notifications
from escalations.cases import requests as asking
from escalations.cases.briefs import current_parts
from escalations.clocks import notify as standing
from escalations.clocks.queries import claim
from escalations.clocks.rules.clock import Step, StepKind
from escalations.models import Clock, Escalation, HandOff, Target
from escalations.policy import versions
from ledger.now import now
from messaging.inbound import receive as inbound
from messaging.kinds import kind_of
from messaging.models import Delivery, Message, Notice

UNPLACED = (
    ("Ruben Castellano", "ruben@castellano-foods.example", "Invoice 20417 is wrong again",
     "Hello, the invoice from last week lists 40 seats, we have 28. Please correct it before Friday."),
    ("Office of the COO", "coo.office@larchmont.example", "Call with your management",
     "We would like to speak with somebody senior about the delays in our project. Tuesday 10:00 or Thursday 14:00?"),
    ("Mirela Stan", "m.stan@personal-mail.example", "Harbor Health, new address",
     "I moved to another office and write from my own address for now. The audit report is attached next week."),
    ("Purchasing", "purchasing@bellwether-group.example", "Terms for the next year",
     "Before we go on we need your confirmation of net 60 in writing."),
)  # fmt: skip
PROBLEM = "The mail server answered 550: No such user"


def add_extras(people: dict[str, User], at: datetime) -> None:
    """Call after the cases are written."""
    _age_accounts(at)
    _word_of_open_cases()
    _unplaced_mail(at)
    _parked_message(people, at)
    _policy_draft(people["sana"])
    _cases_of_this_minute(people, at)
    _asks_of_this_minute(people, at)


def _age_accounts(at: datetime) -> None:
    """The accounts were there before: their rows and the history that shows the trend of their health."""
    begun = at - timedelta(days=400)
    accounts = list(Account.objects.filter(source=DEMO))
    Account.objects.filter(source=DEMO).update(created_at=begun)
    history = Account.history.model
    history.objects.filter(id__in=[account.pk for account in accounts], history_type="+").update(history_date=begun)
    rows = []
    for account in accounts:
        if account.health is None:
            continue
        for weeks, points in ((11, 9), (8, 6), (5, -3), (2, 2)):
            values = {field.attname: getattr(account, field.attname) for field in Account._meta.concrete_fields}
            swing = points if account.pk % 3 else -points
            values["health"] = min(100, max(0, account.health + swing))
            rows.append(history(**values, history_date=at - timedelta(weeks=weeks), history_type="~"))
    history.objects.bulk_create(rows)


def _word_of_open_cases() -> None:
    """The mails and notices people would have: hand-offs, requests, warnings and breaches of what is still open."""
    for handoff in HandOff.objects.filter(state=HandOff.WAITING).select_related(
        "case__account", "to_user", "from_user"
    ):
        _dated(handoff.sent_at, notifications.handed_off, handoff.case, handoff)
    for request in ApprovalRequest.objects.open().select_related("account", "requester", "approver_role"):
        step = request.steps.select_related("approver", "role").get(order=request.step)
        _dated(step.asked_at, mail.ask, request, step, links.issue(request, step), step.asked_at)
    spoken = Clock.objects.filter(state=Clock.RUNNING, warned_at__isnull=False)
    for clock in spoken.select_related("case__account", "case__owner"):
        _dated(clock.breached_at or clock.warned_at, _spoke, clock)


def _spoke(clock: Clock) -> None:
    """The last word of a clock, and its mail as it would have read."""
    late = clock.breached_at is not None
    step = Step(StepKind.BREACH) if late else Step(StepKind.WARN, clock.warned_percent or clock.warn_percent)
    case = clock.case
    _, people = claim([clock])
    standing.post([standing.Told(case, clock, step, people.of(clock, late=late))], at=now())
    source = standing.ClockNotification.source(case.pk, clock.pk, "")
    for message in Message.objects.filter(source__startswith=source, text=""):
        content = kind_of(message).compose(message)
        if content is not None:
            message.subject, message.text, message.html = content.subject, content.text, content.html
            message.save(update_fields=["subject", "text", "html"])


def _dated(moment: Any, tell: Callable[..., None], *about: object) -> None:
    """Tell it as of then: the mails count as sent, so that nobody gets invented news."""
    last_mail = Message.objects.aggregate(last=Max("pk"))["last"]
    last_notice = Notice.objects.aggregate(last=Max("pk"))["last"]
    tell(*about)
    mails = Message.objects.filter(pk__gt=last_mail or 0)
    mails.update(created_at=moment, next_try_at=moment, sent_at=moment, state=Message.SENT, attempts=1)
    Delivery.objects.bulk_create(
        Delivery(message=each, at=moment, ok=True, detail="Demo data: sent to nobody") for each in mails
    )
    Notice.objects.filter(pk__gt=last_notice or 0).update(at=moment)


def _unplaced_mail(at: datetime) -> None:
    for place, (name, sender, subject, text) in enumerate(UNPLACED):
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = f"{name} <{sender}>", f"care@{DOMAIN}", subject
        letter["Message-ID"] = f"<demo-{place + 1}@{sender.partition('@')[2]}>"
        letter["Date"] = format_datetime(at - timedelta(hours=3 + 5 * place))
        letter.set_content(text)
        received = inbound.receive(raw=letter.as_bytes(), channel="demo")
        type(received).objects.filter(pk=received.pk).update(received_at=at - timedelta(hours=3 + 5 * place))


def _parked_message(people: dict[str, User], at: datetime) -> None:
    moment = at - timedelta(hours=5)
    case = Escalation.objects.order_by("pk").last()
    message = Message.objects.create(
        key="demo:parked",
        kind="customer_update",
        state=Message.PARKED,
        user=None,
        address="left.the.company@quarry-analytics.example",
        subject="Update on your request: Quarry Analytics",
        text=f"Hello,\n\nwe have what we need and come back to you by tomorrow noon.\n\n{people['diego'].name}",
        message_id=f"<demo-parked@{DOMAIN}>",
        case_key=case.key if case else "",
        account_name="Quarry Analytics",
        created_at=moment,
        next_try_at=moment,
        attempts=1,
    )
    Delivery.objects.create(message=message, at=moment, ok=False, detail=PROBLEM)


def _policy_draft(author: User) -> None:
    draft = versions.clone_draft(by=author)
    draft.note = "Quicker acceptance of Red cases, tried on last quarter's figures"
    draft.save(update_fields=["note"])
    Target.objects.filter(version=draft, clock="acceptance", tier="red").update(amount=20)
    Target.objects.filter(version=draft, clock="customer_update", tier="yellow").update(amount=1440)


def _cases_of_this_minute(people: dict[str, User], at: datetime) -> None:
    """A refund that opens a case by itself, one a CSM raises, one that is accepted: by the same verbs as in the browser."""
    contact = _contact("Foundry Tools")
    text = "We demand a refund of €12,800. The export has lost our orders twice and nobody answers."
    signals.record(account=contact.account, contact=contact, kind=Signal.EMAIL, text=text, source="email")
    credit = {"concession": "credit", "amount": Decimal(1900)}
    _raise("Cedar Grocers", "billing-dispute", "Credit of $1,900 asked for closed stores", people["priya"], **credit)
    deal = {"deadline": at + timedelta(days=6), "blocker": True}
    title = "Kestrel Bank asks for a named engineer before it renews"
    case = _raise("Kestrel Bank", "renewal-at-risk", title, people["marcus"], **deal)
    asked = case.handoffs.select_related("to_user").get(state=HandOff.WAITING, duty="owner")
    handoffs.accept(case_id=case.pk, handoff_id=asked.pk, by=asked.to_user)


def _asks_of_this_minute(people: dict[str, User], at: datetime) -> None:
    """Two requests by the real verbs: one that legal sees before the sponsor, one that rules have a suggestion for. And Dana
    has named who stands in for her next week."""
    asks = (
        ("indemnity", None, "Indemnify them for third-party claims, as their lawyers ask?"),
        ("credit", Decimal(4000), "Credit $4,000 for the lost week?"),
    )
    ready = (case for case in _diagnosed() if not current_parts(case, at)["missing"])
    for (concession, amount, question), case in zip(asks, ready, strict=False):
        asking.ask(
            case_id=case.pk,
            by=case.owner or people["priya"],
            concession=concession,
            amount=amount,
            currency="USD",
            question=question,
            deadline=at + timedelta(hours=20),
        )
    dana, first = people["dana"], at + timedelta(days=5)
    delegating.make(
        user=dana,
        to=people["henrik"],
        by=dana,
        starts_at=first,
        ends_at=first + timedelta(days=7),
        note="Away for a week",
    )


def _diagnosed() -> Iterator[Escalation]:
    """Cases that were looked into, of accounts with revenue to protect; nobody has asked for anything on them yet."""
    rows = Escalation.objects.filter(state=states.DIAGNOSING, owner__isnull=False, requests__isnull=True)
    yield from rows.filter(account__arr__gte=200_000).select_related("account", "owner").order_by("-pk")


def _raise(name: str, issue_type: str, title: str, by: User, **more: object) -> Escalation:
    account = Account.objects.get(source=DEMO, name=name)
    form = intake.Intake(
        account=account,
        issue_type=issue_type,
        title=title,
        issue=f"{title}. Their contact called this morning and expects an answer this week.",
        impact="Other invoices are on hold until it is settled.",
        requested_support="Somebody who can decide, and a sentence we can send today.",
        currency=account.currency,
        **more,  # type: ignore[arg-type]
    )
    return intake.open_case(form, by=by)


def _contact(name: str) -> Contact:
    return Contact.objects.select_related("account").filter(email__endswith=f"@{domain_of(name)}").earliest("pk")
