"""The queue: one page, its rows for the refresh every minute, and its CSV."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.signed_in import SignedIn
from escalations import exports, states
from escalations.cases.queries import queue
from escalations.cases.queries.messages import answerable
from escalations.cases.queries.queue_rows import END, Cursor, Row
from escalations.policy.levels import EXTERNAL
from escalations.views.case import csv_answer
from ledger.now import now
from ledger.parameters import Allowed, kept, known, known_in_file, whole_number


@dataclass(frozen=True)
class Pager:
    """Where the page is in the list, and the addresses of other pages; empty where there is none."""

    first: int
    last: int
    total: int
    to_first: str = ""
    to_previous: str = ""
    to_next: str = ""
    to_last: str = ""


FILTERS: Mapping[str, Allowed] = {
    "view": queue.VIEWS,
    "q": None,
    "status": queue.STATUSES,
    "level": str.isprintable,
    "type": None,
    "owner": whole_number,
    "lane": dict(states.LANES),
    "tier": dict(states.TIERS),
    "after": None,
    "before": None,
}


@known(**FILTERS)
@require_safe
def page(request: SignedIn) -> HttpResponse:
    """Open escalations, worst first. A refresh reads and sends only the rows."""
    at, filters = now(), queue.Filters.read(request.GET)
    rows = queue.page(request.user, filters, at)
    context: dict[str, object] = {"at": at, "filters": filters, "rows": rows}
    if filters.view == queue.BACK:
        context["answerable"] = answerable(request.user, [row.pk for row in rows])
    if request.htmx:
        return render(request, "escalations/_rows.html", context)
    return render(request, "escalations/queue.html", context | _around(request, filters, rows, at))


def _around(request: SignedIn, filters: queue.Filters, rows: list[Row], at: datetime) -> dict[str, object]:
    """Views, tiles, filters and pages around the rows."""
    deep = bool(rows and (filters.after or filters.before))
    first = rows[0].cursor if deep else None
    found = queue.overview(request.user, filters, at, first)
    around = queue.around(request.user, filters, found, at, first)
    return {
        "found": found,
        "link": kept(request.GET, FILTERS),
        "pager": _pager(request, rows, found),
        "views": [(slug, label, found.views[slug]) for slug, label in queue.VIEWS.items()],
        "tiles": [(code, queue.STATUSES[code], found.tiles[code]) for code in queue.TILES],
        "next_case": around.next_case,
        "selects": _selects(filters, around),
        "status_label": queue.STATUSES.get(filters.status, ""),
    }


def _pager(request: SignedIn, rows: list[Row], found: queue.Overview) -> Pager:
    first, last = found.before + 1, found.before + len(rows)
    before, after = found.before > 0, last < found.matching
    return Pager(
        first=first,
        last=last,
        total=found.matching,
        to_first=_place(request) if before else "",
        to_previous=_place(request, before=rows[0].cursor) if before else "",
        to_next=_place(request, after=rows[-1].cursor) if after else "",
        to_last=_place(request, before=END) if after else "",
    )


def _place(request: SignedIn, **place: Cursor) -> str:
    """The query string of this list at another place."""
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    for name, cursor in place.items():
        query[name] = str(cursor)
    return f"?{query.urlencode()}"


def _selects(filters: queue.Filters, around: queue.Around) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """Name, label, chosen value and choices of each filter."""
    by_name = {"type": around.types, "owner": around.owners}
    choices = {name: sorted(values.items(), key=lambda pair: pair[1]) for name, values in by_name.items()}
    choices |= {"level": [*sorted(around.levels.items(), key=lambda pair: int(pair[1].split()[0])), EXTERNAL]}
    choices |= {"lane": states.LANES, "tier": states.TIERS}
    return [
        (name, name.capitalize(), getattr(filters, name), choices[name])
        for name in ("level", "type", "owner", "lane", "tier")
    ]


@known_in_file(**FILTERS)
@require_safe
def export(request: SignedIn) -> StreamingHttpResponse:
    """The filtered list, all pages, as a CSV file."""
    rows = queue.every_row(request.user, queue.Filters.read(request.GET), now())
    return csv_answer("escalations.csv", exports.QUEUE_HEADER, (exports.queue_row(row) for row in rows))
