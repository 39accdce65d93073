"""Per-request wiring: the viewer's time zone, and pages for refusals of verbs."""

import random
import sys
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views import defaults

from accounts.models import User
from ledger.errors import Busy, NotThere, Refused, Stale, TooLarge
from ledger.files.uploads import FIELD, BodyTooLarge
from ledger.locks import is_collision, is_locked

Handler = Callable[[HttpRequest], HttpResponse]
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


class ViewerZoneMiddleware:
    """Pages show times in the viewer's zone."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Activate the zone for this request only."""
        zone = getattr(request.user, "zone", "") or "UTC"
        with timezone.override(ZoneInfo(zone)):
            return self.get_response(request)


class PrivateMiddleware:
    """Browsers keep no copy of what a signed-in person saw. After the sign-out, Back shows the sign-in page and not the
    person's page with the words typed into it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Forbid copies, unless the view says itself how long its answer may be kept."""
        answer = self.get_response(request)
        if request.user.is_authenticated:
            answer.setdefault("Cache-Control", "private, no-store")
        return answer


class ExternalPartyMiddleware:
    """An external party opens the pages of what is shared with them, and no other. Not a list of what is closed: a page that
    is added later is closed too."""

    OPEN = frozenset({"home", "healthz", "escalations:shared", "escalations:shared_thread", "escalations:shared_file"})
    SIGNING_IN = ("account_login", "account_logout", "account_reauthenticate", "account_change_password")
    NEW_PASSWORD = ("account_set_password", "account_reset_password")  # the last one has several steps

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """See process_view."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Answer 404 in place of every other view."""
        user, match = request.user, request.resolver_match
        if not isinstance(user, User) or not user.is_external:
            return None
        name = match.view_name if match else ""
        if name in self.OPEN or name in self.SIGNING_IN or name.startswith(self.NEW_PASSWORD):
            return None
        return render(request, "escalations/external/missing.html", status=404)


class ZeroByteMiddleware:
    """PostgreSQL refuses zero bytes in queries, so they are removed from addresses."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Remove %00 from the path and the query string before they are read; forms and JSON bodies refuse it themselves."""
        if "\x00" in request.path_info:
            request.path, request.path_info = (each.replace("\x00", "") for each in (request.path, request.path_info))
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query:
            request.META["QUERY_STRING"] = query.replace("%00", "")
        return self.get_response(request)


class RefusalMiddleware:
    """A refusal of a verb becomes an answer with its status and sentence; after a deadlock the request is retried."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """A JSON body is read here, so that it is available for a second try."""
        if request.content_type == "application/json" and request.method not in SAFE:
            request.body  # noqa: B018  reading keeps it
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Views need not catch Refused: a refusal that they do not show at a field becomes a page with the reason."""
        if is_collision(exception) and request.method not in SAFE:
            return self._again(request)
        return self._refusal(request, exception)

    def _again(self, request: HttpRequest) -> HttpResponse | None:
        """Two more tries after a deadlock or serialization failure, because the transaction wrote nothing."""
        match = request.resolver_match
        if match is None:
            return None
        for attempt in (1, 2):
            time.sleep(attempt * random.uniform(0.02, 0.1))  # noqa: S311  no secret, only spreads the tries
            try:
                return match.func(request, *match.args, **match.kwargs)
            except Exception as error:  # noqa: BLE001  whatever it is, it is answered or raised below
                if not is_collision(error):
                    return self._refusal(request, error, otherwise=error)
        busy = Stale("Another user is changing this right now. Nothing was saved; try again.")
        return self._refusal(request, busy)

    def _refusal(
        self, request: HttpRequest, exception: Exception, otherwise: Exception | None = None
    ) -> HttpResponse | None:
        if isinstance(exception, NotThere):
            raise Http404(exception.message) from exception
        if is_locked(exception):
            return refused(request, Busy())
        if isinstance(exception, Refused):
            return refused(request, exception)
        if otherwise is not None:
            raise otherwise
        return None


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """A refusal as a page, or as JSON for the API."""
    if request.path.startswith("/api/"):
        body = {"code": refusal.code, "message": refusal.message, "field": refusal.field}
        answer: HttpResponse = JsonResponse(body, status=refusal.status)
    else:
        answer = render(request, "refused.html", {"refusal": refusal}, status=refusal.status)
    if isinstance(refusal, Busy):
        answer["Retry-After"] = str(refusal.retry_after_seconds)
    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page of a request that cannot be read. For a post that is too large it says how large it may be."""
    if isinstance(exception, BodyTooLarge):
        return refused(request, TooLarge(str(exception), field=FIELD))
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of an error outside a view. A database that was busy there (a session that could not be saved) is no fault."""
    error = sys.exc_info()[1]
    return refused(request, Busy()) if error is not None and is_locked(error) else defaults.server_error(request)
