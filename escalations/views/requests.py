"""Approval requests of a case: the board, and asking."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.signed_in import SignedIn
from approvals.requests import page as decision
from escalations.cases import access, briefs
from escalations.cases import requests as asking
from escalations.cases.queries import brief_page, request_cards
from escalations.cases.rules.brief import BriefParts
from escalations.forms.requests import AskForm, initial_of, preview
from escalations.models import Escalation
from escalations.views.acting import submit
from escalations.views.loading import load_case, render_case
from ledger.now import now


@require_safe
def board(request: SignedIn, key: str) -> HttpResponse:
    """Requests with state, stages, frozen terms and checks."""
    case = load_case(request, key)
    proofs = case.actions.filter(execution=True).select_related("owner")
    context = {**request_cards.cards(case, request.user, now()), "proofs": list(proofs)}
    return render_case(request, case, "approvals", "escalations/requests.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: SignedIn, key: str) -> HttpResponse:
    """Request a concession. Checking who decides sends nothing."""
    case = load_case(request, key)
    access.check(case, request.user, "ask")
    parts = briefs.current_parts(case, now())
    if request.method == "POST":
        form = AskForm(request.POST)
        return _check(request, case, form, parts) if request.POST.get("check") else _ask(request, case, form, parts)
    form = AskForm(initial=initial_of(case, parts["texts"].get("ask", "")))
    return _page(request, case, form, parts)


def _check(request: SignedIn, case: Escalation, form: AskForm, parts: BriefParts) -> HttpResponse:
    found = preview(case, form, request.user)
    if request.htmx:
        return render(request, "escalations/_who_decides.html", found)
    form.errors.clear()
    return _page(request, case, form, parts, found=found)


def _ask(request: SignedIn, case: Escalation, form: AskForm, parts: BriefParts) -> HttpResponse:

    def ask_it() -> None:
        asking.ask(form.wanted(), case_id=case.pk, by=request.user)

    if status := submit(request, form, ask_it):
        return _page(request, case, form, parts, status)
    made = case.requests.order_by("-pk").first()
    waits = (
        f"It waits for {decision.waits_for_as(made)}."
        if made and made.is_open
        else "It is inside an exception band, so it is granted by rule."
    )
    messages.success(request, f"Approval requested. {waits}")
    return redirect("escalations:requests", case.key)


def _page(
    request: SignedIn,
    case: Escalation,
    form: AskForm,
    parts: BriefParts,
    status: int = 200,
    found: dict[str, object] | None = None,
) -> HttpResponse:
    due = asking.due_now(case, now())
    page = {
        "form": form,
        "gaps": brief_page.overview(parts).gaps,
        "decision_due": due and due.due_at,
        "decision_paused": due is not None and due.paused_at is not None,
        **(found or {}),
    }
    return render_case(request, case, "approvals", "escalations/ask.html", page, status=status)
