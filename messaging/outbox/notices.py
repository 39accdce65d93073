"""In-app notifications: written once for each key and person, read when the person marks them."""

from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from ledger.now import now
from messaging.kinds import Content
from messaging.models import Message, Notice, Preference
from messaging.outbox import layout as mail
from messaging.outbox import messages as outbox
from messaging.outbox import preferences
from messaging.outbox.rules.kinds import switchable

LOUD = (Preference.NOW, Preference.DIGEST)


def tell(
    *,
    users: Iterable[User | None],
    key: str,
    kind: str,
    text: str,
    url: str,
    case_key: str = "",
    urgent: bool = False,
) -> None:
    """Notify each active person once, in the caller's transaction. None and repeated people are left out; a person who
    was notified under this key before is not notified again. `url` is a path of the desk.

    People who switched this kind off in the desk, and external parties, are left out. A kind that cannot be switched off
    is addressed to people by their duty, which no external party has. A notification without its own mail is also sent as mail
    to people who asked for that."""
    at = now()
    people = {user.pk: user for user in users if user is not None and user.is_active}
    chosen = preferences.chosen(kind, people)
    rows = [
        Notice(
            user_id=pk,
            key=f"{key}:{pk}",
            kind=kind,
            text=" ".join(text.split())[:300],
            url=url.removeprefix(settings.SITE_URL),
            case_key=case_key,
            urgent=urgent,
            at=at,
        )
        for pk in sorted(people)
        if pk not in chosen or chosen[pk].in_app
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    group = switchable(kind)
    if group and not group.mailed:
        asked = [people[pk] for pk in sorted(chosen) if chosen[pk].mail in LOUD]
        mail_too(users=asked, key=key, kind=kind, text=text, url=url, case_key=case_key)


def mail_too(*, users: Iterable[User], key: str, kind: str, text: str, url: str, case_key: str = "") -> None:
    """Send the text of a notification as mail to these people, once for each key and person, in the caller's
    transaction."""
    for user in users:
        context = {
            "subject": text,
            "ref": case_key,
            "head": text,
            "button": "Open in Escalation Desk",
            "url": url,
            "why": f"You get this because you asked for it: {mail.absolute('/notifications/settings/')}",
        }
        words, html = mail.render("notice", context, zone=user.zone)
        outbox.post(
            key=f"notice:{key}:{user.pk}",
            kind=kind,
            to=user,
            content=Content(text, words, html),
            regarding=outbox.Regarding(case_key=case_key),
        )


def tell_waiting(*, limit: int = 1000) -> int:
    """Write the in-app notices of messages that were posted with a `notice_url`, oldest first; returns how many
    messages.

    A mail server that is down does not delay notices. Each notice is written once, for any number of senders; people
    who switched the kind off are left out.
    """
    waiting = Message.objects.untold().order_by("id")
    if not waiting.exists():
        return 0
    with transaction.atomic():
        rows = list(waiting.select_for_update(skip_locked=True)[:limit])
        outside = User.objects.external_among({row.user_id for row in rows if row.user_id})
        groups = {row.kind: group.slug for row in rows if (group := switchable(row.kind))}
        people = {row.user_id for row in rows if row.kind in groups and row.user_id}
        chosen = preferences.chosen_by_group(people) if people else {}
        silent = {whose for whose, choice in chosen.items() if not choice.in_app}
        Notice.objects.bulk_create(
            Notice(
                user_id=row.user_id,
                key=row.key,
                kind=row.kind,
                text=row.subject,
                url=row.notice_url,
                case_key=row.case_key,
                urgent=True,  # all messages of the engine are urgent
                at=row.created_at,
            )
            for row in rows
            if row.user_id and row.user_id not in outside and (row.user_id, groups.get(row.kind, "")) not in silent
        )
        Message.objects.filter(pk__in=[row.pk for row in rows]).update(notice_url="")
    return len(rows)


def over(*, users: Collection[int], case_key: str, starts: Iterable[str]) -> None:
    """What these people were told of a case does not wait for them any more: mark their unread notices as read whose key begins
    with one of `starts`."""
    begins = Q()
    for start in starts:
        begins |= Q(key__startswith=start)
    if begins:
        unread = Notice.objects.filter(begins, user__in=users, case_key=case_key, read_at__isnull=True)
        unread.update(read_at=now())


def read(*, user: User, ids: Collection[int] | None = None) -> int:
    """Mark this person's unread notices as read: those of `ids`, or all. Returns how many changed; ids of other people
    are ignored."""
    unread = Notice.objects.filter(user=user, read_at__isnull=True)
    if ids is not None:
        unread = unread.filter(pk__in=ids)
    return unread.update(read_at=now())
