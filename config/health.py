"""`/healthz`: for the supervisor and for whoever watches from outside. Says what is wrong in counts, never names."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reports.queries import engine
from reports.rules.vitals import problems


def reasons(part: str) -> list[str]:
    """Why the desk (or only its web part) is not well; empty when it is."""
    try:
        if part == "web":
            connection.ensure_connection()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return []
        return [each.text for each in problems(engine.vitals()) if each.stops]
    except DatabaseError:
        return ["the database does not answer"]


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, the engine was alive within a minute and no clock waits for longer than that; else 503.

    `?part=web` asks for the web part alone.
    """
    found = reasons(request.GET.get("part", ""))
    return JsonResponse({"ok": not found, "reasons": found}, status=503 if found else 200)
