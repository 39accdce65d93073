"""`/healthz`: for the supervisor and for external monitors. It reports problems as counts, never names."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reports.queries import engine
from reports.rules.vitals import Problem, problems


def found(part: str) -> list[Problem]:
    """The problems of the desk (or only of its web part), the worst first."""
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
    """200 if the database answers, the engine was alive within a minute and no clock has waited longer than that; else
    503. `reasons` say why not; `warnings` need a person although every clock is watched. `?part=web` checks the web
    part only.
    """
    wrong = found(request.GET.get("part", ""))
    reasons = [each.text for each in wrong if each.stops]
    warnings = [each.text for each in wrong if not each.stops]
    answer = {"ok": not reasons, "reasons": reasons, "warnings": warnings}
    return JsonResponse(answer, status=503 if reasons else 200)
