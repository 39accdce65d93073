"""Notification settings: people save them; notices and the sender read them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Value

from accounts.models import User
from ledger.errors import Invalid
from ledger.now import now
from messaging.models import DigestHour, Message, Preference
from messaging.outbox.rules.daily import HOURS, next_daily
from messaging.outbox.rules.kinds import DIGEST, GROUPS, SWITCHABLE, switchable

# Stands in place of a choice for somebody who has none to make.
EXTERNAL = "external"


@dataclass(frozen=True)
class Choice:
    """How one group of news reaches a person."""

    mail: str
    in_app: bool = True


def save(*, user: User, choices: Mapping[str, Choice], digest_hour: int = DigestHour.DEFAULT) -> None:
    """Keep a person's choices by group and the local hour of their digest (0 to 23), which also moves a waiting digest.
    Groups left out do not change. A choice equal to the default is not stored, so that the default may change. Raises
    Invalid for a group that does not exist or cannot be switched off, an unknown mail option, and an invalid hour.
    """
    for slug, choice in choices.items():
        _checked(slug, choice)
    if digest_hour not in HOURS:
        raise Invalid("Choose an hour of the day, 0 to 23.", field="digest_hour")
    with transaction.atomic():
        for slug, choice in choices.items():
            _keep(user, slug, choice)
        DigestHour.objects.update_or_create(user=user, defaults={"hour": digest_hour})
        at = now()
        _, moment = next_daily(at, user.zone, digest_hour)
        waiting = Message.objects.filter(user=user, kind=DIGEST, state=Message.PENDING, attempts=0, next_try_at__gt=at)
        waiting.update(next_try_at=moment)
        Message.objects.held().filter(digest__in=waiting.values("pk")).update(next_try_at=moment)


def chosen(kind: str, users: Collection[int]) -> dict[int, Choice]:
    """The choices of these people (ids) for a kind of message; people without a choice are missing, and an external party
    gets none of it. One query, none for a kind that is always sent."""
    group = switchable(kind)
    if group is None or not users:
        return {}
    rows = Preference.objects.filter(group=group.slug, user__in=users).order_by().values_list("user", "mail", "in_app")
    outside = User.objects.external().filter(pk__in=users)
    none = outside.order_by().values_list("pk", Value(EXTERNAL), Value(False))
    found = list(rows.union(none, all=True))
    chosen = {pk: Choice(mail, in_app) for pk, mail, in_app in found}
    return chosen | {pk: Choice(Preference.OFF, in_app=False) for pk, mail, _ in found if mail == EXTERNAL}


def chosen_by_group(users: Collection[int]) -> dict[tuple[int, str], Choice]:
    """The choices of these people (ids), by person and group. One query."""
    rows = Preference.objects.filter(user__in=users) if users else []
    return {(row.user_id, row.group): Choice(row.mail, row.in_app) for row in rows}


def _checked(slug: str, choice: Choice) -> None:
    label = next((group.label for group in GROUPS if group.slug == slug), "")
    if not label:
        raise Invalid(f"There is no group of notifications “{slug[:40]}”.", field="group")
    if slug not in SWITCHABLE:
        raise Invalid(f"{label} cannot be switched off.", field=slug)
    if choice.mail not in dict(Preference.MAIL):
        raise Invalid(f"{label}: choose at once, daily digest or off.", field=f"mail_{slug}")


def _keep(user: User, slug: str, choice: Choice) -> None:
    if choice == Choice(SWITCHABLE[slug].default):
        Preference.objects.filter(user=user, group=slug).delete()
        return
    Preference.objects.update_or_create(user=user, group=slug, defaults={"mail": choice.mail, "in_app": choice.in_app})
