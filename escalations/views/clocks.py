"""All clocks of a case; pausing one by hand, with a reason, and resuming it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.signed_in import SignedIn
from escalations.clocks import verbs
from escalations.clocks.queries import listed_row
from escalations.forms.thread import HoldForm
from escalations.views.loading import add_refusal, load_case, render_case
from ledger.errors import Refused
from ledger.now import now
from ledger.pagination import ListPaginator
from ledger.parameters import known

PAGE = 25


@known(page=None)
@require_safe
def listing(request: SignedIn, key: str) -> HttpResponse:
    """Every clock of the case: running ones first, then the last that ended."""
    case, at = load_case(request, key), now()
    page = ListPaginator(case.clocks.newest_first(), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": [listed_row(clock, at) for clock in page]}
    return render_case(request, case, "thread", "escalations/clocks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def hold(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """Pause the clock with a reason."""
    case = load_case(request, key)
    clock = get_object_or_404(case.clocks, pk=pk)
    form, status = HoldForm(request.POST if request.method == "POST" else None), 0
    if form.is_valid():
        try:
            verbs.hold(case_id=case.pk, clock_id=pk, by=request.user, reason=form.cleaned_data["reason"])
            messages.success(request, f"{clock.label} is paused.")
            return redirect("escalations:case", key)
        except Refused as refusal:
            status = add_refusal(form, refusal)
    context = {"form": form, "head": f"Pause {clock.label.lower()}", "submit": "Pause clock"}
    status = status or (422 if form.is_bound else 200)
    return render_case(request, case, "thread", "escalations/words.html", context, status=status)


@require_POST
def let_go(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """Resume the clock."""
    case = load_case(request, key)
    clock = verbs.let_go(case_id=case.pk, clock_id=get_object_or_404(case.clocks, pk=pk).pk, by=request.user)
    messages.success(request, f"{clock.label} is resumed.")
    return redirect("escalations:case", key)
