"""The start and end of every page of a case: load it for this person, show it inside its frame."""

from collections.abc import Mapping

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.signed_in import SignedIn
from escalations.cases import access
from escalations.cases.queries import case_page
from escalations.models import Escalation
from ledger.errors import Refused
from ledger.moments import moved
from ledger.now import now


def load_case(request: SignedIn, key: str) -> Escalation:
    """The case with its account, people and policy. 404 for a case that this person may not see."""
    visible = case_page.with_people(Escalation.objects.visible_to(request.user, few=True))
    return get_object_or_404(visible, pk=int(key.removeprefix("ESC-")))


def render_case(
    request: SignedIn,
    case: Escalation,
    tab: str,
    template: str,
    context: Mapping[str, object] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """A page of the case inside its frame (a template that extends escalations/case_base.html).

    `tab` is thread, brief, tracker, roles, approvals, history or review.
    """
    can = access.abilities(case, request.user)
    frame = case_page.frame(case, request.user, now(), can)
    return render(request, template, {**frame, "tab": tab, **(context or {})}, status=status)


def say_moved(request: SignedIn, form: forms.BaseForm) -> None:
    """Tell what became of a typed time that does not exist or comes twice."""
    for words in moved(form):
        messages.info(request, words)


def add_refusal(form: forms.BaseForm, refusal: Refused) -> int:
    """Show a refusal at its field (or above the form) and return its status; the typed text stays."""
    form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
    return refusal.status
