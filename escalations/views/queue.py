"""The queue: one page, its rows for the refresh every minute, and its CSV."""

from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe

from accounts.signed_in import SignedIn
from escalations import exports, states
from escalations.cases.queries import queue
from escalations.clocks.rules.kinds import CHOICES
from escalations.models import Escalation
from escalations.policy.levels import EXTERNAL
from escalations.views.case import csv_answer
from ledger.now import now

PER_PAGE = 25


class _Counted(Paginator):
    """Pages of a list whose length is already known."""

    def __init__(self, rows: QuerySet[Escalation], length: int) -> None:
        self._length = length
        super().__init__(rows, PER_PAGE)

    @cached_property
    def count(self) -> int:
        """The length that was counted with the views."""
        return self._length


@require_safe
def page(request: SignedIn) -> HttpResponse:
    """Open escalations, worst first. A refresh loads only the rows."""
    at, filters = now(), queue.Filters.read(request.GET)
    found = queue.overview(request.user, filters, at)
    context = {
        "at": at,
        "filters": filters,
        "found": found,
        "page": _page(request, filters, found.matching, at),
        "link": _link(request),
        "clock_names": dict(CHOICES),
    }
    if request.htmx:
        return render(request, "escalations/_rows.html", context)
    return render(request, "escalations/queue.html", context | _around(request, filters, found, at))


def _page(request: SignedIn, filters: queue.Filters, length: int, at: datetime) -> Page:
    rows = queue.rows(request.user, filters, at)
    return _Counted(rows, length).get_page(request.GET.get("page"))


def _link(request: SignedIn) -> str:
    """The query string of this list, for the refresh and the CSV."""
    return request.GET.urlencode()


def _around(request: SignedIn, filters: queue.Filters, found: queue.Overview, at: datetime) -> dict[str, object]:
    """Views, tiles and filters around the rows."""
    return {
        "views": [(slug, label, found.views[slug]) for slug, label in queue.VIEWS.items()],
        "tiles": [(code, queue.STATUSES[code], found.tiles[code]) for code in queue.TILES],
        "next_case": queue.next_to_breach(request.user, at),
        "selects": _selects(filters, found),
        "status_label": queue.STATUSES.get(filters.status, ""),
    }


def _selects(filters: queue.Filters, found: queue.Overview) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """Name, label, chosen value and choices of each filter."""
    by_name = {"type": found.types, "owner": found.owners}
    choices = {name: sorted(values.items(), key=lambda pair: pair[1]) for name, values in by_name.items()}
    choices |= {"level": [*sorted(found.levels.items(), key=lambda pair: int(pair[1].split()[0])), EXTERNAL]}
    choices |= {"lane": states.LANES, "tier": states.TIERS}
    return [
        (name, name.capitalize(), getattr(filters, name), choices[name])
        for name in ("level", "type", "owner", "lane", "tier")
    ]


@require_safe
def export(request: SignedIn) -> StreamingHttpResponse:
    """The filtered list, all pages, as a CSV file."""
    rows = queue.rows(request.user, queue.Filters.read(request.GET), now())
    cases = (exports.queue_row(case) for case in rows.iterator(chunk_size=500))
    return csv_answer("escalations.csv", exports.QUEUE_HEADER, cases)
