"""`/healthz`: for the supervisor and for whoever watches from outside. Says what is wrong in counts, never names."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reports.queries import engine
from reports.rules.vitals import Problem, problems


def found(part: str) -> list[Problem]:
    """What is not well with the desk (or only its web part), the worst first."""
    try:
        if part != "web":
            return problems(engine.vitals())
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return []
    except DatabaseError:
        return [Problem("database", "the database does not answer", stops=True)]


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, the engine was alive within a minute and no clock waits for longer than that; else 503.

    `reasons` say why not; `warnings` are what needs a person although every promise is watched. `?part=web` asks for the web
    part alone.
    """
    wrong = found(request.GET.get("part", ""))
    reasons = [each.text for each in wrong if each.stops]
    warnings = [each.text for each in wrong if not each.stops]
    answer = {"ok": not reasons, "reasons": reasons, "warnings": warnings}
    return JsonResponse(answer, status=503 if reasons else 200)
