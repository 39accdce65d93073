"""The account list, one account, and logging a signal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.customers import contacts, portfolio
from accounts.customers.panels import panels_for
from accounts.customers.rates import rates
from accounts.exports import accounts_csv
from accounts.forms import SignalForm
from accounts.models import Account, User
from accounts.signals import record as signals
from accounts.signals.kinds import COMMERCIAL as COMMERCIAL_KINDS
from accounts.views.viewers import local_today, viewer
from ledger.errors import Refused
from ledger.now import now
from ledger.pagination import DeepPaginator
from ledger.parameters import Allowed, kept, known, known_in_file

PAGE = 25
SIGNALS_SHOWN, MOST_SIGNALS = 10, 200
PART_LABELS = {"escalations": "Open escalations", "sla": "SLA kept"}
NEGATIVE, COMMERCIAL = "negative", "commercial"


FILTERS: Mapping[str, Allowed] = {
    "view": portfolio.VIEWS,
    "q": None,
    "health": portfolio.HEALTH,
    "kind": dict(Account.KINDS),
    "renewal": portfolio.RENEWAL_DAYS,
    "segment": None,
    "page": None,
}


@known(**FILTERS)
@require_safe
def account_list(request: HttpRequest) -> HttpResponse:
    """Accounts by weighted risk, with saved views, filters and search."""
    user, wanted = viewer(request), request.GET.dict()
    today = local_today()
    above = portfolio.overview(user, today)
    view = wanted["view"] if wanted.get("view") in portfolio.VIEWS else "customers"
    filtered = any(wanted.get(key) for key in ("q", "health", "renewal", "segment", "kind"))
    found = portfolio.select(user, wanted, today, above.worth)
    pages = DeepPaginator(
        # A search reads every account, so it is done once, for the count too.
        list(found.values_list("pk", flat=True)) if wanted.get("q") else found,
        PAGE,
        rows=portfolio.shown(above.worth),
        count=None if filtered else above.counts[view],
    )
    page = pages.get_page(wanted.get("page"))
    context = {
        "page": page,
        "rows": _rows(page),
        "views": [ViewTab(key, label, above.counts[key], key == view) for key, label in portfolio.VIEWS.items()],
        "tiles": above.tiles,
        "segments": portfolio.segments(user),
        "kinds": Account.KINDS,
        "wanted": wanted,
        "link": kept(request.GET, FILTERS),
        "filtered": filtered,
    }
    return render(request, "accounts/list.html", context)


@dataclass(frozen=True)
class ViewTab:
    """A saved view, and the number of its accounts."""

    key: str
    label: str
    count: int
    current: bool


class Line(NamedTuple):
    """An account in the list: its `share` of the largest weighted risk, and the part that costs its health most."""

    account: Account
    trend: portfolio.Trend | None
    share: float
    why: str


class HealthPart(NamedTuple):
    """A part of the health score; no percent if it is not known."""

    label: str
    percent: int | None
    points: float | None
    weight: float
    why: str


def _rows(page: Page) -> list[Line]:
    accounts: list[Account] = list(page)
    trends = portfolio.trends([account.pk for account in accounts], now())
    largest = max((account.usd_risk or 0 for account in accounts), default=0)  # type: ignore[attr-defined]
    return [
        Line(
            account=account,
            trend=trends.get(account.pk),
            share=100 * (account.usd_risk or 0) / largest if largest else 0,  # type: ignore[attr-defined]
            why=portfolio.worst_reason(account),
        )
        for account in accounts
    ]


@known_in_file(**FILTERS)
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """The list with its filters as CSV."""
    today = local_today()
    accounts = portfolio.select(viewer(request), request.GET.dict(), today, rates(today))
    answer = HttpResponse(accounts_csv(accounts.select_related("csm", "ae")), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="accounts.csv"'
    return answer


@known(signals=(NEGATIVE, COMMERCIAL), older=None)
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: facts, health, signals, people, and the blocks of the apps above."""
    account = _account(request, pk)
    parts = [part for part in account.health_parts if part.get("weight")]
    summary = next((part["why"] for part in account.health_parts if part.get("name") == "summary"), "")
    context = {
        "account": account,
        "health_parts": [_health_part(part) for part in parts],
        "health_summary": summary,
        "trend": portfolio.trends([account.pk], now()).get(account.pk),
        "days_left": (account.renewal_date - local_today()).days if account.renewal_date else None,
        "contacts": account.contacts.all()[:50],
        "keeps_contacts": contacts.may_keep(account, viewer(request)),
        "contracts": account.subscriptions.all()[:20],
        "panels": panels_for(account, viewer(request)),
        **_signals(account, request.GET.get("signals", ""), older="older" in request.GET),
    }
    return render(request, "accounts/detail.html", context)


def _health_part(part: Mapping[str, Any]) -> HealthPart:
    """From the JSON stored with the account."""
    name, points, weight = str(part.get("name", "")), part.get("points"), part["weight"]
    percent = None if points is None else round(100 * points / weight)
    return HealthPart(PART_LABELS.get(name, name.capitalize()), percent, points, weight, part.get("why", ""))


def _signals(account: Account, show: str, *, older: bool) -> dict[str, object]:
    found = account.signals.open_words().select_related("contact", "logged_by")
    if show == NEGATIVE:
        found = found.filter(tone="negative")
    elif show == COMMERCIAL:
        found = found.filter(kind__in=COMMERCIAL_KINDS)
    total = found.count()
    shown = list(found[: MOST_SIGNALS if older else SIGNALS_SHOWN])
    for signal in shown:
        signal.heard = [{"kind": part["kind"].replace("_", " "), "text": part["text"]} for part in signal.phrases]  # type: ignore[attr-defined]
    return {"signals": shown, "signals_left": total - len(shown), "signals_show": show, "signals_older": older}


@require_http_methods(["GET", "HEAD", "POST"])
def log_signal(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a signal."""
    account = _account(request, pk)
    form = SignalForm(request.POST or None, account=account)
    if form.is_valid() and _recorded(form, account, viewer(request)):
        messages.success(request, f"Signal logged for {account}.")
        return redirect("accounts:detail", pk=account.pk)
    return render(
        request, "accounts/signal_form.html", {"account": account, "form": form}, status=422 if form.is_bound else 200
    )


def _recorded(form: SignalForm, account: Account, user: User) -> bool:
    try:
        signals.record(form.observed(), account=account, logged_by=user)
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return False
    return True


def _account(request: HttpRequest, pk: int) -> Account:
    accounts = Account.objects.visible_to(viewer(request)).select_related("csm", "ae", "parent")
    return get_object_or_404(accounts, pk=pk)
