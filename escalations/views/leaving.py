"""People who leave or become external parties: what moves, the verb, where everything went, reactivate."""

import re
from collections.abc import Iterable

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Departure, MovedOn, User
from accounts.people import leaving
from accounts.people.queries import Managers
from accounts.signed_in import SignedIn
from escalations.cases.queries import open_work
from escalations.forms.fields import CaseForm
from escalations.forms.leaving import ExternalForm, LeaverForm
from escalations.models import Escalation
from escalations.views.acting import sent, submit
from ledger.errors import NotAllowed
from ledger.pagination import ListPaginator

PAGE = 50
CASE_OF = re.compile(r"/escalations/ESC-(\d+)/")


@require_http_methods(["GET", "HEAD", "POST"])
def departures(request: SignedIn) -> HttpResponse:
    """For operations: choose who leaves, and the people who have left. Others: 404."""
    if not request.user.is_ops:
        raise Http404("There is no such page.")
    form, status = LeaverForm(sent(request)), 200
    if request.method == "POST" and not form.finds:
        if form.is_valid():
            return redirect("escalations:leaving", form.cleaned_data["person"].pk)
        status = 422
    left = Departure.objects.filter(Q(kind=Departure.LEFT) | Q(by__isnull=False) | Exists(_moved()))
    left = left.select_related("user", "by").order_by("-pk")
    context = {"form": form, "page": ListPaginator(left, PAGE).get_page(request.GET.get("page"))}
    return render(request, "escalations/departures.html", context, status=status)


def _moved() -> QuerySet[MovedOn]:
    """What moved on with a departure. An external party who never was a colleague has nothing, and is not listed."""
    return MovedOn.objects.filter(departure=OuterRef("pk"))


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: SignedIn, pk: int) -> HttpResponse:
    """What names the person now, and the button; after that, where everything went. The managers of a person who left read
    it too."""
    user = get_object_or_404(User.objects.select_related("manager"), pk=pk)
    above = not user.is_colleague and request.user.pk in set(Managers().above([user.pk]))
    if not request.user.is_ops and not above:
        raise Http404("There is no such page.")
    form, status = CaseForm(sent(request)), 200
    if request.method == "POST":
        status = submit(request, form, lambda: _deactivate(request, user))
        if not status:
            messages.success(request, f"{user} is deactivated. Their work moves on.")
            return redirect("escalations:leaving", user.pk)
    return render(request, "escalations/leaving.html", _context(request, user, form), status=status)


@require_POST
def outside(request: SignedIn, pk: int) -> HttpResponse:
    """For operations: make a colleague an external party; the work moves on. Others: 404."""
    if not request.user.is_ops:
        raise Http404("There is no such page.")
    user = get_object_or_404(User.objects.select_related("manager"), pk=pk)
    form = ExternalForm(request.POST)
    status = submit(request, form, lambda: _make_external(request, user, form))
    if not status:
        messages.success(request, f"{user} is an external party now. Their work moves on.")
        return redirect("escalations:leaving", user.pk)
    context = {**_context(request, user, CaseForm()), "external_form": form, "failed_form": form}
    return render(request, "escalations/leaving.html", context, status=status)


def _make_external(request: SignedIn, user: User, form: ExternalForm) -> None:
    departure = leaving.make_external(user_id=user.pk, role=form.cleaned_data["role"], by=request.user)
    leaving.move_on(departure)
    leaving.move_on(departure)


def _deactivate(request: SignedIn, user: User) -> None:
    departure = leaving.deactivate(user_id=user.pk, by=request.user)
    # The first part at once; the engine continues.
    leaving.move_on(departure)
    leaving.move_on(departure)


def _context(request: SignedIn, user: User, form: CaseForm) -> dict[str, object]:
    departure = user.departures.select_related("by").order_by("-pk").first()
    rows = departure.moved.select_related("to") if departure else MovedOn.objects.none()
    open_rows = rows.filter(state__in=[MovedOn.NEEDS_SOMEBODY, MovedOn.FAILED])[:PAGE]
    page = ListPaginator(rows, PAGE).get_page(request.GET.get("page"))
    return {
        "person": user,
        "form": form,
        "failed_form": form,
        "external_form": ExternalForm(),
        "why_not_external": leaving.why_not_external(user, request.user),
        "may": _may(request.user, user),
        "why_not": leaving.why_not(user, request.user) if user.is_active else "",
        "heir": leaving.heir(user),
        "work": open_work.of(user),
        "departure": departure,
        "open_rows": open_rows,
        "page": page,
        "hidden": _hidden(request.user, [*open_rows, *page]),
    }


def _hidden(viewer: User, rows: Iterable[MovedOn]) -> set[int]:
    """The ids of rows about cases that this person may not see: they show neither number nor link."""
    found = {row.pk: CASE_OF.match(row.url) for row in rows}
    cases = {pk: int(match[1]) for pk, match in found.items() if match}
    seen = Escalation.objects.visible_to(viewer).filter(pk__in=cases.values()).values_list("pk", flat=True)
    return {pk for pk, case in cases.items() if case not in set(seen)}


def _may(by: User, user: User) -> bool:
    try:
        leaving.check_may(user, by)
    except NotAllowed:
        return False
    return True


@require_POST
def reactivate(request: SignedIn, pk: int) -> HttpResponse:
    """Let the person sign in again. Nothing moves back."""
    user = leaving.reactivate(user_id=get_object_or_404(User, pk=pk).pk, by=request.user)
    messages.success(request, f"{user} can sign in again. What has moved on stays where it is.")
    return redirect("escalations:leaving", user.pk)
