"""The start page: each user lands on the page of their work."""

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

from accounts.models import Role, User


def landing(user: User) -> str:
    """The start page by the person's roles: waiting work comes before the figures, the figures before the queue."""
    if user.is_external:
        return "escalations:shared"
    pages = {role.start_page for role in user.roles}
    if Role.INBOX in pages:
        return "approvals:inbox"
    return "reports:dashboard" if Role.DASHBOARD in pages or user.is_superuser else "escalations:queue"


def home(request: HttpRequest) -> HttpResponseRedirect:
    """Redirect the visitor."""
    return redirect(landing(request.user))  # type: ignore[arg-type]
