"""Data around the cases: mail that waits, a refused message, a policy draft, and events of the last minute."""

from datetime import datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from email.utils import format_datetime

from accounts.models import Account, User
from demo import acts
from demo.people import DOMAIN
from demo.telling import Told
from escalations.models import Escalation, Target
from escalations.policy import versions
from ledger.now import moved_to
from messaging.inbound import receive as inbound
from messaging.models import Delivery, Message

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


def add(people: dict[str, User], accounts: dict[str, Account], at: datetime) -> None:
    """Call after the cases have been played up to `at`."""
    _unplaced_mail(at)
    _refused_message(people["diego"], at)
    _policy_draft(people["sana"])
    _this_minute(people, accounts, at)
    first = at + timedelta(days=5)
    acts.stand_in(people["dana"], people["henrik"], first, first + timedelta(days=7), "Away for a week")


def _unplaced_mail(at: datetime) -> None:
    for place, (name, sender, subject, text) in enumerate(UNPLACED):
        moment = at - timedelta(hours=3 + 5 * place)
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = f"{name} <{sender}>", f"care@{DOMAIN}", subject
        letter["Message-ID"] = f"<demo-{place + 1}@{sender.partition('@')[2]}>"
        letter["Date"] = format_datetime(moment)
        letter.set_content(text)
        with moved_to(moment):
            inbound.receive(raw=letter.as_bytes(), channel="demo")


def _refused_message(writer: User, at: datetime) -> None:
    moment = at - timedelta(hours=5)
    case = Escalation.objects.order_by("pk").last()
    message = Message.objects.create(
        key="demo:parked",
        kind="customer_update",
        state=Message.PARKED,
        user=None,
        address="left.the.company@quarry-analytics.example",
        subject="Update on your request: Quarry Analytics",
        text=f"Hello,\n\nwe have what we need and come back to you by tomorrow noon.\n\n{writer.name}",
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


def _this_minute(people: dict[str, User], accounts: dict[str, Account], at: datetime) -> None:
    """A refund that opens a case automatically, a case that a CSM raises, one that is accepted: their mail waits to be
    sent."""
    refund = accounts["Foundry Tools"]
    text = "We demand a refund of €12,800. The export has lost our orders twice and nobody answers."
    acts.hear(refund, text, contact=refund.contacts.earliest("pk"))
    credit = "Credit of $1,900 asked for closed stores"
    told = _told(accounts["Cedar Grocers"], "billing-dispute", credit, people["priya"], at)
    acts.open_case(told)
    renewal = "Kestrel Bank asks for a named engineer before it renews"
    told = _told(accounts["Kestrel Bank"], "renewal-at-risk", renewal, people["marcus"], at)
    acts.accept(acts.case_of(acts.open_case(told)))


def _told(account: Account, issue_type: str, title: str, by: User, at: datetime) -> Told:
    credit = issue_type == "billing-dispute"
    return Told(
        account=account,
        contacts=(),
        issue_type=issue_type,
        title=title,
        issue=f"{title}. Their contact called this morning and expects an answer this week.",
        impact="Other invoices are on hold until it is settled.",
        support="Somebody who can decide, and a sentence we can send today.",
        opened_at=at,
        impasse_at=at - timedelta(hours=2),
        opened_by=by,
        deadline=at + timedelta(days=6),
        concession="credit" if credit else "",
        amount=Decimal(1900) if credit else None,
        blocker=not credit,
    )
