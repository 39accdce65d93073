"""Mailed links: they lead to the page of a request, and decide small amounts if an administrator allows it. Also places
replies from quarantine."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.signed_in import SignedIn
from approvals.forms import LinkForm
from approvals.mail import limits as by_mail
from approvals.mail import links
from approvals.mail import replies as replying
from approvals.models import ApprovalRequest, DecisionEntry, DecisionLink
from approvals.requests import decide as deciding
from approvals.requests import page
from approvals.requests.permissions import Permission, what_happened
from approvals.requests.rules import verdicts
from approvals.views.decisions import SEEN_LINKS
from ledger.errors import Invalid, Refused
from ledger.now import now
from messaging.models import InboundMail


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: SignedIn, token: str) -> HttpResponse:
    """A mailed link leads its owner to the request; opening it decides nothing. An ended link says what happened. If an
    administrator allows small amounts to be decided without signing in, it shows the page of that one request.
    """
    found = links.find(token)
    if not request.user.is_authenticated:
        return _open_link(request, found)
    if found is None or found.approver_id != request.user.pk:
        raise Http404
    if not links.is_alive(found, now()):
        return _dead_link(request, found.request)
    request.session[SEEN_LINKS] = {**request.session.get(SEEN_LINKS, {}), str(found.request_id): found.seat.number}
    return redirect("approvals:detail", pk=found.request_id)


def _open_link(request: SignedIn, found: DecisionLink | None) -> HttpResponse:
    """For a person with the link who is not signed in. If the request may not be shown or decided this way, the page
    asks for signing in."""
    at = now()
    right = by_mail.open_permission(found, at) if found and links.is_alive(found, at) else None
    if found is None or right is None:
        shown = found is not None and not found.request.is_open and by_mail.shows_outcome(found, at)
        return _link_over(request, found) if found and shown else redirect_to_login(request.get_full_path())
    form = LinkForm(request.POST if request.method == "POST" else None, approval=found.request)
    if form.is_valid():
        try:
            deciding.decide(
                request_id=found.request_id,
                by=found.approver,
                seat=found.seat.number,
                channel=DecisionEntry.LINK,
                verdict=form.cleaned_data["verdict"],
                version=form.cleaned_data["version"],
                words=form.words(),
            )
            return redirect(request.path)
        except Invalid as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        except Refused as refusal:
            form.add_error(None, refusal.message)
    return _link_page(request, found, right, form, at)


def _link_page(request: SignedIn, found: DecisionLink, right: Permission, form: LinkForm, at: datetime) -> HttpResponse:
    approval = found.request
    context = {
        "approval": approval,
        "person": found.approver,
        "right": right,
        "form": form,
        "advice": verdicts.recommended_verdict(approval.options),
        "state": page.due_state(approval, at),
        "terms": page.terms(approval, found.approver, right, at),
        "parts": page.brief_parts(approval),
    }
    with timezone.override(ZoneInfo(found.approver.zone)):
        answer = render(request, "approvals/link_open.html", context, status=422 if form.errors else 200)
    return _unlisted(answer)


def _link_over(request: SignedIn, found: DecisionLink) -> HttpResponse:
    """The outcome of the request, for the holder of its link."""
    words = f"{what_happened(found.request, found.approver, now())}."
    mine = found.request.decided_by_id == found.approver_id
    context = {"approval": found.request, "words": words, "may_undo": mine and not found.request.sealed_at}
    return _unlisted(render(request, "approvals/link_over.html", context, status=200 if mine else 410))


def _unlisted(answer: HttpResponse) -> HttpResponse:
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _dead_link(request: SignedIn, approval: ApprovalRequest) -> HttpResponse:
    words = "" if page.waits_on(approval, request.user) else f"This now waits for {page.waits_for(approval)}."
    if not approval.is_open:
        words = f"{what_happened(approval, request.user, now())}."
    context = {
        "approval": approval,
        "words": words or "This link is no longer in use. The request still waits for you.",
    }
    return render(request, "approvals/link_ended.html", context, status=410)


@require_POST
def place_reply(request: SignedIn, pk: int) -> HttpResponse:
    """Operations place a mail from quarantine as a comment."""
    approval = replying.place(mail=get_object_or_404(InboundMail, pk=pk), by=request.user)
    messages.success(request, f"The mail is now a comment on “{approval.ask}”.")
    return redirect("messaging:inbox")
