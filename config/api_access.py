"""Who may use the API. Imported by the API framework itself, so it imports nothing of its views."""

from django.http import HttpRequest
from rest_framework.permissions import BasePermission

from accounts.models import User


class NotExternal(BasePermission):
    """External parties read and answer on their own pages only."""

    message = "The API is not open to external parties."

    def has_permission(self, request: HttpRequest, view: object) -> bool:
        """Everybody else; IsAuthenticated refuses visitors."""
        return not (isinstance(request.user, User) and request.user.is_external)
