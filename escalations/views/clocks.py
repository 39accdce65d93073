"""Pausing one clock by hand, with a reason, and resuming it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.signed_in import SignedIn
from escalations.clocks import verbs
from escalations.forms.thread import HoldForm
from escalations.views.loading import add_refusal, load_case, render_case
from ledger.errors import Refused


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
