"""Sign-in: administrators create users; visitors cannot register."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import Http404, HttpRequest, HttpResponse


def closed(request: HttpRequest, rest: str = "") -> HttpResponse:
    """A page of the sign-in library that does not exist here: administrators keep the addresses of people, because mail goes to
    them and proves who writes."""
    raise Http404("There is no such page.")


class ClosedSignupAdapter(DefaultAccountAdapter):
    """No self-registration."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False
