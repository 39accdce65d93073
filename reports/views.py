"""Dashboard, the lists behind its numbers, CSV, and the health of the engine."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.signed_in import SignedIn
from accounts.views.viewers import viewer
from approvals.requests import overrides as override_figures
from escalations.clocks import engine as clocks
from ledger.errors import Invalid
from ledger.format import day
from ledger.now import now
from ledger.pagination import ListPaginator
from ledger.parameters import Allowed, known, known_in_file
from reports import charts, exports
from reports.facts import follow
from reports.queries import engine, kpis, lines, unwatched
from reports.queries.dashboard import Dashboard, regions
from reports.queries.dashboard import dashboard as read_dashboard
from reports.queries.scope import Scope
from reports.rules import periods
from reports.rules.periods import Period
from reports.rules.vitals import problems, sentence

A_PAGE = 50
PERIOD: Mapping[str, Allowed] = {"period": None, "region": None, "from": None, "to": None}
# The percentage of changed or rejected suggestions from which a rule should be checked.
HIGH_OVERRIDE_RATE = 30


def _asked(request: HttpRequest) -> tuple[Scope, Period]:
    """The scope and the period in the address. Raises Invalid."""
    return Scope(viewer(request), request.GET.get("region", "")[:40]), periods.read(request.GET, now())


@known(**PERIOD)
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The dashboard. For an invalid period it shows an error and the last 90 days."""
    status, problem = 200, None
    try:
        scope, period = _asked(request)
    except Invalid as error:
        status, problem = 422, error
        scope, period = Scope(request.user), periods.read({}, now())  # type: ignore[arg-type]
    found = read_dashboard(scope, period)
    choices = _choices(scope, period, found.regions, found.freshness)
    context = {"d": found, "problem": problem, **choices, **_charts(found)}
    return render(request, "reports/dashboard.html", context, status=status)


def _choices(
    scope: Scope, period: Period, regions: Sequence[str], freshness: follow.Freshness | None = None
) -> dict[str, object]:
    region = f"&region={scope.region}" if scope.region else ""
    return {
        "period": period,
        "region": scope.region,
        "regions": regions,
        "freshness": freshness,
        "choices": periods.CHOICES,
        "query": period.query + region,
    }


def _charts(found: Dashboard) -> dict[str, object]:
    labels = [day(point, point) for point in found.points]
    lines = [charts.Line(each.name, each.points, each.target) for each in found.trends]
    bars = [
        charts.Bar(f"{each.name}{' (repeat)' if each.repeats else ''}", each.cases, bool(each.repeats))
        for each in found.causes
    ]
    stacks = [
        charts.Stack(label, each.green, each.yellow, each.red)
        for label, each in zip(labels, found.promises, strict=True)
    ]
    return {
        "labels": labels,
        "stacks": stacks,
        "rows": [(label, [each.points[place] for each in found.trends]) for place, label in enumerate(labels)],
        "decided": any(point is not None for each in found.trends for point in each.points),
        "ended": any(sum(each[1:]) for each in stacks),
        "line_chart": charts.lines(
            "chart-decisions",
            labels,
            lines,
            f"Median hours to decision, {' and '.join(each.name for each in found.trends).lower()}",
        ),
        "bar_chart": charts.bars("chart-causes", bars, "Root causes of resolved escalations, the most frequent first"),
        "stack_chart": charts.stacks("chart-sla", stacks, "Ended clocks, by SLA status"),
    }


@known(page=None, **PERIOD)
@require_safe
def behind_number(request: HttpRequest, kpi: str) -> HttpResponse:
    """The drill-down of one number, with the value of each case."""
    scope, period = _asked(request)
    counting = kpis.Counting(scope, period, (lines.REGIONS,))
    definition, listing = _listing(kpi, counting)
    page = ListPaginator(listing.rows, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "definition": definition,
        "page": page,
        "rows": listing.made(page),
        "columns": listing.columns,
        **_choices(scope, period, regions(counting), follow.freshness()),
    }
    return render(request, "reports/behind.html", context)


def _listing(kpi: str, counting: kpis.Counting) -> tuple[kpis.Definition, kpis.Listing[Any]]:
    try:
        counted = counting.kpi(kpi)
    except KeyError:
        raise Http404("There is no such figure.")
    return counted.definition, counted.cases(counting)


@known_in_file(**PERIOD)
@require_safe
def csv_list(request: HttpRequest, kpi: str) -> HttpResponse:
    """The same list as a file, complete."""
    scope, period = _asked(request)
    _, listing = _listing(kpi, kpis.Counting(scope, period))
    return _file(exports.listing_csv(listing), f"{kpi}-{period.first_day}-{period.last_day}.csv")


@known_in_file(**PERIOD)
@require_safe
def csv_figures(request: HttpRequest) -> HttpResponse:
    """The figures as a file."""
    scope, period = _asked(request)
    text = exports.figures_csv(kpis.figures(scope, period).values(), period)
    return _file(text, f"kpis-{period.first_day}-{period.last_day}.csv")


@known(page=None, **PERIOD)
@require_safe
def overrides(request: HttpRequest) -> HttpResponse:
    """How often people decide differently from suggestion or recommendation, by rule version and by person, and why."""
    scope, period = _asked(request)
    user, start, end = viewer(request), period.start, period.end
    # A paginator slices it; its type also requires single rows, which nothing reads.
    reasons: Any = override_figures.Reasons(user, start, end)
    context = {
        "of_rules": override_figures.of_rules(user, start, end),
        "approvers": override_figures.of_approvers(user, start, end),
        "page": ListPaginator(reasons, A_PAGE).get_page(request.GET.get("page")),
        "high": HIGH_OVERRIDE_RATE,
        **_choices(Scope(scope.user), period, regions=()),
    }
    return render(request, "reports/overrides.html", context)


@known_in_file(**PERIOD)
@require_safe
def csv_overrides(request: HttpRequest) -> HttpResponse:
    """The reasons as a file, complete."""
    _, period = _asked(request)
    said = override_figures.Reasons(viewer(request), period.start, period.end)[:]
    return _file(exports.overrides_csv(said), f"overrides-{period.first_day}-{period.last_day}.csv")


def _file(text: str, name: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_safe
def engine_health(request: HttpRequest) -> HttpResponse:
    """For operations: whether every clock is watched, and what waits for a person. Others: 404."""
    user = request.user
    if not isinstance(user, User) or not user.is_ops:
        raise Http404("There is no such page.")
    missing = unwatched.ids()
    vitals = engine.vitals(len(missing))
    kind, words = sentence(vitals)
    context = {
        "v": vitals,
        "at": now(),
        "banner": kind,
        "sentence": words,
        "detail": "; ".join(each.text for each in problems(vitals)),
        "beats": engine.heartbeats(),
        "told_outside": bool(settings.HEARTBEAT_URL),
        "missing": unwatched.listed(engine.MOST_PARKED, missing),
        "next": engine.next_events(),
        "clocks": engine.parked_clocks(),
        "messages_parked": engine.parked_messages(),
    }
    return render(request, "reports/engine.html", context)


@require_POST
def try_again(request: SignedIn) -> HttpResponse:
    """Retry the clocks that were set aside."""
    count = clocks.retry_failed(by=request.user)
    messages.success(request, f"{'1 clock is' if count == 1 else f'{count} clocks are'} retried now.")
    return redirect("reports:engine")
