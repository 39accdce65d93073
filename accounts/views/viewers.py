"""Who is looking, and which day it is there."""

from datetime import date

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from ledger.now import now


def viewer(request: HttpRequest) -> User:
    """The person signed in."""
    assert isinstance(request.user, User)  # noqa: S101 - the login middleware lets nobody else in
    return request.user


def local_today() -> date:
    """Today where the viewer is."""
    return now().astimezone(timezone.get_current_timezone()).date()
