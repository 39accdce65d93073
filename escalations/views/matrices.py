"""The published matrices, for all users. Every request is a GET: nothing is written."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.datastructures import MultiValueDict
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.signed_in import SignedIn
from approvals.forms import who_decides
from approvals.matrix.drafts import changes, history
from approvals.matrix.table import matrix
from escalations import states
from escalations.clocks import queries as sla
from escalations.forms.matrices import DueForm, TestCaseForm
from escalations.models import PolicyVersion
from escalations.policy import tables as matrices
from escalations.policy.simulator import Simulation, simulate
from escalations.triage.asked import Asked
from ledger.errors import Refused
from ledger.now import now
from ledger.pagination import ListPaginator


def _page(request: SignedIn, name: str, context: dict[str, object]) -> HttpResponse:
    return render(request, f"escalations/matrices/{name}.html", {"mx": name, **context})


def _nothing(request: SignedIn, name: str) -> HttpResponse:
    return _page(request, "none", {"mx": name, "version": None})


@require_safe
def escalation(request: SignedIn) -> HttpResponse:
    """Where each issue goes, and the row that fires for an example case."""
    version = matrices.in_force(now())
    if version is None:
        return _nothing(request, "escalation")
    form = TestCaseForm(_asked(request), version=version, user=request.user, auto_id="t_%s")
    tried = _simulated(form, version, request.user)
    tier = tried.tier if tried else request.GET.get("show", states.RED)
    tier = tier if tier in matrices.SEVEREST_FIRST else states.RED
    context = {"version": version, "form": form, "tried": tried, "tier": tier, "tiers": matrices.TIERS}
    return _page(request, "escalation", context | matrices.escalation(version, tier))


def _asked(request: HttpRequest) -> MultiValueDict[str, str] | None:
    return request.GET if "issue_type" in request.GET else None


def _simulated(form: TestCaseForm, version: PolicyVersion, user: User) -> Simulation | None:
    if not form.is_bound or not form.is_valid():
        return None
    values = form.cleaned_data
    asked = Asked(values["concession"], values["amount"], values["currency"] or "USD")
    try:
        return simulate(
            version,
            by=user,
            issue_type=values["issue_type"],
            asked=asked,
            tier=values["tier"],
            account=values["account"],
        )
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return None


@require_safe
def authority(request: SignedIn) -> HttpResponse:
    """How much each role may grant; who approves an ask."""
    asked = who_decides(request.GET, request.user)
    table = matrix(now(), request.user, asked.answer, request.GET.get("concession", ""))
    if table.version is None:
        return _nothing(request, "authority")
    return _page(request, "authority", {**vars(table), **asked.context(), "levels": matrices.levels(now())})


@require_safe
def authority_history(request: SignedIn) -> HttpResponse:
    """The changes of each published version of the authority matrix, the newest first."""
    found = ListPaginator(history(now()), VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    rows = [{"version": version, "changes": changes(version) if version.based_on_id else []} for version in found]
    return _page(request, "authority_history", {"versions": rows, "found": found})


VERSIONS_A_PAGE = 10


@require_safe
def raci(request: SignedIn) -> HttpResponse:
    """Who is on a case, by tier."""
    version = matrices.in_force(now())
    if version is None:
        return _nothing(request, "raci")
    return _page(request, "raci", {"version": version, **matrices.raci(version, request.user)})


@require_safe
def targets(request: SignedIn) -> HttpResponse:
    """Targets and calendars, and when each clock would be due if it started now."""
    at = now()
    version = matrices.in_force(at)
    if version is None:
        return _nothing(request, "sla")
    form = DueForm(_asked(request), version=version, auto_id="d_%s")
    dues = []
    if form.is_valid():
        kind = version.issuetypes.select_related("calendar").get(slug=form.cleaned_data["issue_type"])
        dues = sla.due(version, kind, form.cleaned_data["tier"], at)
    calendars = sla.calendars(version, request.GET.get("calendar", "business"), at)
    context = {"version": version, "lines": sla.by_clock(version), "form": form, "dues": dues, "at": at}
    more = {"calendars": calendars, "factors": sla.factors_table(version)}
    return _page(request, "sla", context | more)


urlpatterns_matrices = [
    path("matrices/", escalation, name="matrices"),
    path("matrices/escalation/", escalation, name="matrix_escalation"),
    path("matrices/authority/", authority, name="matrix_authority"),
    path("matrices/authority/history/", authority_history, name="matrix_authority_history"),
    path("matrices/raci/", raci, name="matrix_raci"),
    path("matrices/sla/", targets, name="matrix_sla"),
]
