"""The reads of the pages of messages and received mail. Nothing here writes."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, F, Min, Q, QuerySet
from django.utils.module_loading import import_string

from accounts.models import Account, User
from messaging.models import DigestHour, InboundMail, Message, Notice, Outage, Preference
from messaging.outbox.rules.kinds import DIGEST

MESSAGE_VIEWS = {
    "attention": ("Needs attention", Q(state=Message.PARKED)),
    "waiting": ("Waiting", Q(state=Message.PENDING)),
    "sent": ("Sent", Q(state=Message.SENT)),
    "dropped": ("No longer wanted", Q(state=Message.DROPPED)),
}


def view_label(view: str, *, leaves: bool) -> str:
    """The name of a view. Without a mail server (`leaves`) nothing is sent: mail can be read here."""
    return "Readable here" if view == "sent" and not leaves else MESSAGE_VIEWS[view][0]


MAIL_VIEWS = {
    InboundMail.WAITING: "Waiting",
    InboundMail.QUARANTINED: "Quarantine",
    InboundMail.CLAIMED: "Placed",
    InboundMail.AUTOMATIC: "Automatic",
    InboundMail.DISMISSED: "Dismissed",
    InboundMail.REFUSED: "Could not be read",
}
MOST_ACCOUNTS = 20
NOT_SEEN = "you cannot open this case"


def messages_for(user: User) -> QuerySet[Message]:
    """All messages for operations; for everybody else the mail addressed to them."""
    rows = Message.objects.select_related("user")
    return rows if user.is_ops else rows.filter(user=user)


def unreadable(user: User, messages: Iterable[Message]) -> set[int]:
    """The ids of the messages whose words this person may not read: mail to others about a case that the person cannot open,
    and digests with such mail."""
    foreign = [message for message in messages if message.user_id != user.pk]
    about = [(message.pk, message.case_key) for message in foreign]
    if digests := [message.pk for message in foreign if message.kind == DIGEST]:
        about += Message.objects.filter(digest__in=digests).values_list("digest__pk", "case_key")
    titles = _titles(user, {key for _, key in about if key})
    return {pk for pk, key in about if key and key not in titles}


def unreadable_mail(user: User, mails: Sequence[InboundMail]) -> set[int]:
    """The ids of the received mails whose words this person may not read, because they belong to a confidential case."""
    found: set[int] = import_string(settings.UNREADABLE_MAIL)(user, mails)
    return found


def message_counts(messages: QuerySet[Message]) -> dict[str, int]:
    """How many messages each view holds, in one query."""
    return messages.aggregate(**{name: Count("pk", filter=rule) for name, (_, rule) in MESSAGE_VIEWS.items()})


@dataclass(frozen=True)
class Pulse:
    """How sending works: since when the oldest message waits, and the figures of the last day."""

    oldest: datetime | None
    sent: int
    tried: int
    median: timedelta | None


def pulse(messages: QuerySet[Message], at: datetime) -> Pulse:
    """The oldest message that is due now, and for the last 24 hours: how many were sent, how many were written, and the
    median time until those sent automatically were sent."""
    day = at - timedelta(days=1)
    # A message that waits for its digest or for the next try is not late.
    late = Q(state=Message.PENDING, digest__isnull=True, next_try_at__lte=at)
    figures = messages.aggregate(
        oldest=Min("created_at", filter=late & ~Q(kind=DIGEST)),
        sent=Count("pk", filter=Q(sent_at__gt=day)),
        single=Count("pk", filter=Q(sent_at__gt=day, digest__isnull=True) & ~Q(kind=DIGEST)),
        tried=Count("pk", filter=Q(created_at__gt=day)),
    )
    alone = messages.filter(sent_at__gt=day, digest__isnull=True).exclude(kind=DIGEST)
    spans = alone.annotate(span=F("sent_at") - F("created_at")).order_by("span")
    single = figures.pop("single")
    middle = spans.values_list("span", flat=True)[(single - 1) // 2 :][:1] if single else []
    return Pulse(figures["oldest"], figures["sent"], figures["tried"], next(iter(middle), None))


def outage() -> Outage | None:
    """The oldest outage of a channel at this moment, if there is one."""
    return Outage.objects.order_by("since").first()


def preferences_of(user: User) -> tuple[dict[str, tuple[str, bool]], int]:
    """A person's choices by group (mail, in the desk), and the hour of the digest."""
    rows = Preference.objects.filter(user=user).values_list("group", "mail", "in_app")
    hour = DigestHour.objects.filter(user=user).values_list("hour", flat=True).first()
    return {group: (mail, in_app) for group, mail, in_app in rows}, DigestHour.DEFAULT if hour is None else hour


def linked(text: str) -> list[tuple[str, str]]:
    """The text in pieces, with the path for addresses of this desk. Other addresses stay plain text."""
    pieces: list[tuple[str, str]] = []
    at = 0
    for match in re.finditer(re.escape(settings.SITE_URL) + r"(/[\w\-./?=&%#~+:]*[\w/=])", text):
        pieces += [(text[at : match.start()], ""), (match.group(), match.group(1))]
        at = match.end()
    return [*pieces, (text[at:], "")]


def mail_counts() -> dict[str, int]:
    """How many received mails are in each state, in one query."""
    return InboundMail.objects.aggregate(**{state: Count("pk", filter=Q(state=state)) for state in MAIL_VIEWS})


def accounts_named(user: User, text: str) -> list[Account]:
    """Accounts this person may open that the words find; at most 20, by name."""
    return list(Account.objects.visible_to(user).matching(text).order_by("name", "id")[:MOST_ACCOUNTS])


@dataclass
class CaseNotices:
    """The notices of one case, newest first."""

    case_key: str
    url: str
    title: str = ""
    notices: list[Notice] = field(default_factory=list)

    @property
    def unread(self) -> list[Notice]:
        """Those not read yet."""
        return [notice for notice in self.notices if notice.read_at is None]


def notices_for(user: User, *, unread_only: bool = False) -> QuerySet[Notice]:
    """A person's notices, cases with unread notices first, then the newest."""
    rows = Notice.objects.filter(user=user)
    return (rows.filter(read_at__isnull=True) if unread_only else rows).order_by(
        F("read_at").asc(nulls_first=True), "-at", "-id"
    )


def unread_count(user: User) -> int:
    """The number at the bell."""
    return Notice.objects.filter(user=user, read_at__isnull=True).count()


def by_case(notices: Iterable[Notice], user: User) -> list[CaseNotices]:
    """Grouped by case in the order given; notices of no case come together. Inside a group unread first, then the newest.
    `user` reads the titles of the cases."""
    groups: dict[str, CaseNotices] = {}
    for notice in notices:
        group = groups.setdefault(notice.case_key, CaseNotices(notice.case_key, notice.url))
        group.notices.append(notice)
    for group in groups.values():
        group.notices.sort(key=lambda notice: (notice.read_at is not None, -notice.at.timestamp()))
    titles = _titles(user, groups.keys() - {""})
    for key, group in groups.items():
        group.title = titles.get(key, NOT_SEEN) if key else ""
    return list(groups.values())


def _titles(user: User, keys: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = import_string(settings.CASE_TITLES)(user, keys) if keys else {}
    return found
