"""Per-request wiring: the viewer's time zone, and refusals of services turned into pages."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from ledger.errors import NotThere, Refused

Handler = Callable[[HttpRequest], HttpResponse]


class ViewerZoneMiddleware:
    """Pages show times in the zone of the person who looks."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Activate the zone for this request only."""
        zone = getattr(request.user, "zone", "") or "UTC"
        with timezone.override(ZoneInfo(zone)):
            return self.get_response(request)


class RefusalMiddleware:
    """A verb that refused answers with its own status and sentence instead of a traceback."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing to do on the way in."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Views need not catch Refused: what they do not show at a field becomes a page that says why."""
        if isinstance(exception, NotThere):
            raise Http404(exception.message) from exception
        if not isinstance(exception, Refused):
            return None
        messages.get_messages(request)
        return render(request, "refused.html", {"refusal": exception}, status=exception.status)
