"""Who may use the API. Imported by the API framework itself, so it imports nothing of its views."""

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.permissions import BasePermission

from accounts.models import User


class TokenInOwnZone(TokenAuthentication):
    """Sign in by token. Times without an offset are read in the zone of the token's person, as they are with a session;
    `ViewerZoneMiddleware`, which runs before this sign-in, ends the zone with the request."""

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        """The person of the token, whose zone is active from now on. Raises AuthenticationFailed for an unknown one."""
        user, token = super().authenticate_credentials(key)
        timezone.activate(user.zone or "UTC")
        return user, token


class NotExternal(BasePermission):
    """External parties read and answer on their own pages only."""

    message = "The API is not open to external parties."

    def has_permission(self, request: HttpRequest, view: object) -> bool:
        """Everybody else; IsAuthenticated refuses visitors."""
        return not (isinstance(request.user, User) and request.user.is_external)
