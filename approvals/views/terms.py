"""Changing the terms of a request, and asking a recalled one again."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.signed_in import SignedIn
from approvals.forms import TermsForm, terms_initial
from approvals.models import ApprovalRequest
from approvals.requests import terms as changing
from approvals.views.decisions import load
from ledger.errors import Invalid, Stale

LABELS = {"amount": "How much", "currency": "Currency", "ask": "The question", "wording": "Terms in words"}


@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: SignedIn, pk: int) -> HttpResponse:
    """Change the terms. A person who edited an older version sees both texts and loses nothing."""
    approval = _mine(request, pk)
    form = TermsForm(request.POST or None, approval=approval)
    if not form.is_valid():
        return _page(request, approval, form, 422 if form.is_bound else 200)
    try:
        made = changing.change_terms(
            request_id=pk,
            by=request.user,
            version=form.cleaned_data["version"],
            reason=form.cleaned_data["reason"],
            wanted=form.wanted(),
        )
    except Stale as refusal:
        return _stale(request, _mine(request, pk), form, refusal.message)
    except Invalid as refusal:
        form.add_error(_field(form, refusal), refusal.message)
        return _page(request, approval, form, 422)
    messages.success(request, "Terms changed." if made.pk == pk else "A new request with the new terms was sent.")
    return redirect("approvals:detail", pk=made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def resubmit(request: SignedIn, pk: int) -> HttpResponse:
    """Ask a recalled request again, with its terms or new ones."""
    approval = _mine(request, pk)
    form = TermsForm(request.POST or None, approval=approval)
    del form.fields["reason"]
    if not form.is_valid():
        return _page(request, approval, form, 422 if form.is_bound else 200, again=True)
    try:
        made = changing.resubmit(request_id=pk, by=request.user, wanted=form.wanted())
    except Invalid as refusal:
        form.add_error(_field(form, refusal), refusal.message)
        return _page(request, approval, form, 422, again=True)
    messages.success(request, "Asked again. People who agreed before are asked again only if the new terms are worse.")
    return redirect("approvals:detail", pk=made.pk)


def _field(form: TermsForm, refusal: Invalid) -> str | None:
    field = {"terms": "wording"}.get(refusal.field, refusal.field)
    return field if field in form.fields else None


def _mine(request: SignedIn, pk: int) -> ApprovalRequest:
    """A request whose terms this person may change."""
    approval = load(request, pk)
    changing.check_may(approval, request.user)
    return approval


def _page(
    request: SignedIn, approval: ApprovalRequest, form: TermsForm, status: int, *, again: bool = False
) -> HttpResponse:
    context = {"approval": approval, "form": form, "again": again}
    return render(request, "approvals/terms.html", context, status=status)


def _stale(request: SignedIn, approval: ApprovalRequest, form: TermsForm, words: str) -> HttpResponse:
    """Both texts: the current one and the typed one."""
    saved, typed = terms_initial(approval), form.cleaned_data
    names = [*LABELS, "give_gets"]
    both = [_both(name, saved, typed) for name in names if name in typed]
    form.data = {**form.data.dict(), "version": str(approval.version)}  # type: ignore[attr-defined]
    context = {"approval": approval, "form": form, "conflict": words, "both": [row for row in both if row.differs]}
    return render(request, "approvals/terms.html", context, status=409)


@dataclass(frozen=True)
class Both:
    """A field with its current and its typed value."""

    label: str
    saved: object
    typed: object

    @property
    def differs(self) -> bool:
        """Whether the two differ."""
        return str(self.saved) != str(self.typed)


def _both(name: str, saved: Mapping[str, object], typed: Mapping[str, object]) -> Both:
    return Both(LABELS.get(name, "What we get in return"), saved[name], typed[name])
