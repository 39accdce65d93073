"""The common parts of messages about a case: the page they link to, their thread, and the people of the case."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from accounts.models import User
from escalations.cases.mail_address import reply_address
from escalations.models import Escalation
from ledger.format import day, moment, money
from ledger.now import now
from messaging.outbox import notices
from messaging.outbox.messages import Regarding


def case_url(case: Escalation, tail: str = "") -> str:
    """Path of the case's page."""
    return f"/escalations/{case.key}/{tail}"


def thread_id(case: Escalation) -> str:
    """Message-ID that all mails of the case refer to."""
    return f"<case-{case.pk}@{settings.MAIL_DOMAIN}>"


def moment_for(user: User, at: datetime | None) -> str:
    """A moment in the reader's zone: Fri Jan 23, 5:00 PM ET."""
    return moment(at, user.zone, now()) if at else "no date"


def regarding(case: Escalation) -> Regarding:
    """The thread of the case, and its address for answers."""
    return Regarding(
        case_key=case.key,
        account_name=case.account.name,
        thread_id=thread_id(case),
        reply_to=reply_address(case.pk),
    )


def facts_of(case: Escalation, user: User) -> list[tuple[str, str]]:
    """The facts in every mail: the account, the ARR at risk and the dates."""
    renewal = day(case.account.renewal_date) if case.account.renewal_date else "no date"
    return [
        ("Account", case.account.name),
        ("ARR at risk", money(case.arr_at_risk, case.arr_currency)),
        ("Renewal", renewal),
        ("Customer deadline", moment_for(user, case.deadline)),
    ]


def notice(
    case: Escalation, users: Iterable[User], *, key: str, kind: str, text: str, tail: str = "", urgent: bool = False
) -> None:
    """In-app notification to people, once for each key."""
    notices.tell(
        users=list(users),
        key=key,
        kind=kind,
        text=text[:300],
        url=case_url(case, tail),
        case_key=case.key,
        urgent=urgent,
    )


def people_of(case: Escalation, *duties: str) -> list[User]:
    """People on the case with one of the duties (all named people without any)."""
    rows = case.people.select_related("user")
    found = [row.user for row in rows if not duties or row.duty in duties]
    return list({user.pk: user for user in found if user.is_active}.values())
