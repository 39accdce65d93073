"""Sign-in: administrators create users; visitors cannot register."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignupAdapter(DefaultAccountAdapter):
    """No self-registration."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False
