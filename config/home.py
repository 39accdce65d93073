"""The front door: everybody lands where their work is (spec §4)."""

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

from accounts.models import Role, User


def landing(user: User) -> str:
    """Where a person starts, as their roles say: what waits for them before the figures, the figures before the queue."""
    pages = {role.start_page for role in user.roles}
    if Role.INBOX in pages:
        return "approvals:inbox"
    return "reports:dashboard" if Role.DASHBOARD in pages or user.is_superuser else "escalations:queue"


def home(request: HttpRequest) -> HttpResponseRedirect:
    """Send the visitor on."""
    return redirect(landing(request.user))  # type: ignore[arg-type]
