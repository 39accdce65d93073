"""In-app notices: once a person, read by their owner only."""

from typing import Any

from pytest_django import Settings

from accounts.models import User
from messaging.models import Notice
from messaging.outbox import notices


def tell(*users: User | None, key: str = "handoff:1", **values: Any) -> None:
    """Tell with as little as the test cares for."""
    wanted = {"kind": "handoff", "text": "You now own ESC-1042", "url": "/escalations/ESC-1042/"}
    notices.tell(users=users, key=key, **{**wanted, **values})


def test_each_person_is_told_once_a_key(dana: User, tom: User) -> None:
    tell(dana, tom, dana, None)
    tell(dana)
    tell(dana, key="handoff:2")
    assert Notice.objects.filter(user=dana).count() == 2
    assert Notice.objects.filter(user=tom).count() == 1


def test_somebody_who_left_is_not_told(dana: User) -> None:
    dana.is_active = False
    tell(dana)
    assert not Notice.objects.exists()


def test_a_full_address_of_the_desk_is_kept_as_a_path(dana: User, settings: Settings) -> None:
    tell(dana, url=f"{settings.SITE_URL}/approvals/7/", text="x" * 400)
    notice = Notice.objects.get()
    assert (notice.url, len(notice.text)) == ("/approvals/7/", 300)


def test_people_read_only_their_own_notices(dana: User, tom: User) -> None:
    tell(dana, tom)
    tell(dana, tom, key="other")
    ids = list(Notice.objects.filter(key__startswith="handoff:1").values_list("pk", flat=True))
    assert notices.read(user=dana, ids=ids) == 1
    assert notices.read(user=dana, ids=ids) == 0
    assert notices.read(user=dana) == 1
    assert Notice.objects.filter(user=tom, read_at__isnull=True).count() == 2
