"""In-app notices: told once a key and person, read when the person says so."""

from collections.abc import Collection, Iterable

from django.conf import settings

from accounts.models import User
from ledger.now import now
from messaging.models import Notice


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
    """Tell each active person once, in the caller's transaction. Nobody (None) and repeated people are left out; a person
    who was told under this key before is not told again. `url` is a path of the desk."""
    at = now()
    people = {user.pk for user in users if user is not None and user.is_active}
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
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def read(*, user: User, ids: Collection[int] | None = None) -> int:
    """Mark this person's unread notices as read: those of `ids`, or all. Returns how many changed; foreign ids do nothing."""
    unread = Notice.objects.filter(user=user, read_at__isnull=True)
    if ids is not None:
        unread = unread.filter(pk__in=ids)
    return unread.update(read_at=now())
