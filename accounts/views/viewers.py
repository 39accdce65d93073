"""The signed-in user and the date in the user's zone."""

from datetime import date

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from ledger.now import now


def viewer(request: HttpRequest) -> User:
    """The signed-in user."""
    assert isinstance(request.user, User)  # noqa: S101 - the login middleware lets nobody else in
    return request.user


def local_today() -> date:
    """Today's date in the viewer's zone."""
    return now().astimezone(timezone.get_current_timezone()).date()
