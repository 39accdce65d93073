"""Floors: views that do the least for the same answer. Session, user and the one query of the page on the product's own
tables, written as plain lines. No helper of the product, so a floor stays what it is when the product changes."""

from collections.abc import Callable, Iterable
from functools import cache

from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from accounts.models import Account
from approvals.models import ApprovalRequest
from escalations import states
from escalations.models import Escalation, Event, Review
from messaging.models import Notice

# Rows written by the floor of creating a case, which the bench deletes.
TITLE = "The floor of creating a case"
QUEUE = ("pk", "title", "account__name", "issue_type__name", "owner__name", "tier", "level", "state", "sla_due_at",
         "arr_at_risk", "arr_currency")  # fmt: skip
ACCOUNT = ("pk", "name", "segment", "region", "csm__name", "arr", "currency", "health", "renewal_date")
CASE = (*QUEUE, "opened_at", "version")
APPROVAL = ("pk", "case_key", "account__name", "concession_name", "amount", "currency", "state", "deadline", "version")

CASES, WORDS = Escalation._meta.db_table, "escalations_casewords"
RANK = "ts_rank(w.terms, to_tsquery('simple', %s))"

View = Callable[[HttpRequest], HttpResponse]


def _me(request: HttpRequest) -> int:
    """The visitor; reads session and user."""
    return int(request.user.pk or 0)


def _page(rows: Iterable[Iterable[object]]) -> HttpResponse:
    return HttpResponse("\n".join("<tr><td>" + "<td>".join(map(str, row)) for row in rows))


def _slice(request: HttpRequest, rows: models.QuerySet, size: int) -> models.QuerySet:
    start = int(request.GET.get("from", 0))
    return rows[start : start + size]


def alive(request: HttpRequest) -> HttpResponse:
    """For the start of the server."""
    return HttpResponse()


def nothing(request: HttpRequest) -> HttpResponse:
    """Session and user only: the floor of a page that shows what every user sees."""
    return HttpResponse(str(_me(request)))


def queue(request: HttpRequest) -> HttpResponse:
    """25 open cases: all, or those below a director, or of a CSM."""
    below = {"all": "", "director": "account__csm__manager__manager", "csm": "account__csm"}[request.GET["of"]]
    me = _me(request)
    mine = {below: me} if below else {}
    only = {name: request.GET[name] for name in ("tier", "lane") if name in request.GET}
    rows = Escalation.objects.filter(state__in=states.OPEN, **mine, **only).order_by("sla_due_at")
    return _page(_slice(request, rows, 25).values_list(*QUEUE))


def case(request: HttpRequest) -> HttpResponse:
    """A case with its newest 50 entries."""
    _me(request)
    rows = Event.objects.filter(case=int(request.GET["pk"])).order_by("-seq")
    return _page(rows.values_list("case__title", "case__account__name", "kind", "actor_name", "at", "text__body")[:50])


def create(request: HttpRequest) -> HttpResponse:
    """One row of a case, committed as the product commits."""
    values = {**_values(), "id": None, "title": TITLE, "opened_by_id": _me(request)}
    with transaction.atomic():
        Escalation.objects.bulk_create([Escalation(**values)])
    return HttpResponse()


@cache
def _values() -> dict[str, object]:
    """Those of any case."""
    template = Escalation.objects.latest("pk")
    return {each.attname: getattr(template, each.attname) for each in Escalation._meta.concrete_fields}


def search(request: HttpRequest) -> HttpResponse:
    """The five best cases with a word that begins so, from the index of words."""
    _me(request)
    word = request.GET["q"]
    statement, asked = {
        "sqlite": (f"w.{WORDS} MATCH %s ORDER BY w.rank", f'"{word}" *'),
        "postgresql": (f"w.terms @@ to_tsquery('simple', %s) ORDER BY {RANK} DESC", f"{word}:*"),
    }[connection.vendor]
    given = [asked, asked] if connection.vendor == "postgresql" else [asked]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, c.title, c.issue FROM {WORDS} w JOIN {CASES} c ON c.id = w.rowid WHERE {statement} LIMIT 5",  # noqa: S608
            given,
        )
        return _page(cursor.fetchall())


def accounts(request: HttpRequest) -> HttpResponse:
    """25 accounts, the largest risk first."""
    _me(request)
    risk = (models.F("arr") * (100 - models.F("health"))).desc(nulls_last=True)
    return _page(Account.objects.order_by(risk).values_list(*ACCOUNT)[:25])


def account(request: HttpRequest) -> HttpResponse:
    """One account."""
    _me(request)
    return _page(Account.objects.filter(pk=int(request.GET["pk"])).values_list(*ACCOUNT))


def notifications(request: HttpRequest) -> HttpResponse:
    """The newest 50 notices."""
    rows = Notice.objects.filter(user=_me(request)).order_by(models.F("read_at").asc(nulls_first=True), "-at")
    return _page(rows.values_list("pk", "text", "url", "at", "read_at")[:50])


def reviews(request: HttpRequest) -> HttpResponse:
    """25 open reviews."""
    _me(request)
    rows = Review.objects.filter(state=Review.OPEN).order_by("due_at")
    return _page(rows.values_list("case_id", "case__title", "case__account__name", "reviewer__name", "due_at")[:25])


def _listed(model: type[models.Model], order: str, columns: tuple[str, ...]) -> View:
    def view(request: HttpRequest) -> HttpResponse:
        _me(request)
        rows = model._default_manager.order_by(order).values(*columns)
        return JsonResponse({"results": list(_slice(request, rows, int(request.GET["size"])))})

    return view


urlpatterns = [
    path("healthz", alive),
    path("nothing", nothing),
    path("queue", queue),
    path("case", case),
    path("create", create),
    path("search", search),
    path("accounts", accounts),
    path("account", account),
    path("notifications", notifications),
    path("reviews", reviews),
    path("api/accounts", _listed(Account, "name", ACCOUNT)),
    path("api/cases", _listed(Escalation, "-id", CASE)),
    path("api/approvals", _listed(ApprovalRequest, "deadline", APPROVAL)),
]
