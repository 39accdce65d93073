"""The front door: everybody lands where their work is (spec §4)."""

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

from accounts.models import User

DECIDES = 2


def landing(user: User) -> str:
    """Where a person starts: who decides sees what waits for them, operations the figures, everybody else the queue."""
    if any(role.level >= DECIDES for role in user.roles):
        return "approvals:inbox"
    return "reports:dashboard" if user.is_ops else "escalations:queue"


def home(request: HttpRequest) -> HttpResponseRedirect:
    """Send the visitor on."""
    return redirect(landing(request.user))  # type: ignore[arg-type]
