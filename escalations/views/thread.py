"""The actions on a thread: post, update the customer, set the status, correct, pause; also placing unmatched mail."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Account, User
from accounts.signed_in import SignedIn
from escalations.cases import access, deadlines, decisions
from escalations.cases import inbound as listening
from escalations.cases import thread as communication
from escalations.cases.rules.text_diff import changes
from escalations.forms.thread import (
    CUSTOMER,
    DECISION,
    ComposerForm,
    CorrectionForm,
    DeadlineForm,
    StatusForm,
    WaitingForm,
)
from escalations.models import Escalation
from escalations.views.case import composer, thread_page
from escalations.views.loading import add_refusal, load_case, render_case, say_moved
from ledger.errors import NotAllowed, Refused, Stale
from ledger.reading import number
from messaging.models import InboundMail

DONE = {CUSTOMER: "Customer update sent.", DECISION: "Decision recorded. The decision clock has ended."}


@require_POST
def post(request: SignedIn, key: str) -> HttpResponse:
    """Add an entry: an internal update, a decision of the decision authority, or a customer update."""
    return _post(request, load_case(request, key), request.POST)


@require_POST
def customer_update(request: SignedIn, key: str) -> HttpResponse:
    """Send a customer update."""
    data = request.POST.copy()
    data["mode"] = CUSTOMER
    return _post(request, load_case(request, key), data)


def _post(request: SignedIn, case: Escalation, data: QueryDict) -> HttpResponse:
    form = composer(case, access.abilities(case, request.user)["customer_update"], data, request.FILES)
    if not form.is_valid():
        return thread_page(request, case, form, status=422)
    try:
        _write(case, request.user, form)
    except Refused as refusal:
        return thread_page(request, case, form, status=add_refusal(form, refusal))
    messages.success(request, DONE.get(form.cleaned_data["mode"], "Update posted."))
    say_moved(request, form)
    return redirect("escalations:case", case.key)


def _write(case: Escalation, user: User, form: ComposerForm) -> None:
    given = form.cleaned_data
    text, next_at, files = given["text"], given["next_update_at"], given["files"]
    if given["mode"] == DECISION:
        ruling = decisions.Ruling(text, given["rationale"], given["options"], files)
        decisions.decide(case_id=case.pk, by=user, ruling=ruling)
    elif given["mode"] == CUSTOMER:
        contacts = list(given["contacts"])
        communication.customer_update(
            case_id=case.pk, by=user, text=text, contacts=contacts, next_update_at=next_at, files=files
        )
    else:
        communication.post(case_id=case.pk, by=user, text=text, next_update_at=next_at, files=files)


@require_http_methods(["GET", "HEAD", "POST"])
def status(request: SignedIn, key: str) -> HttpResponse:
    """Edit the pinned status; if another user changed the case meanwhile, show both texts and lose neither."""
    case = load_case(request, key)
    seen = {"text": case.status_text, "seen": case.status_text, "version": case.version}
    form = StatusForm(request.POST if request.method == "POST" else None, initial=seen)
    if not form.is_valid():
        return _words_page(request, case, form, "Current status", "Save status")
    try:
        values = form.cleaned_data
        communication.set_status(case_id=case.pk, by=request.user, text=values["text"], version=values["version"])
    except Stale as refusal:
        return _conflict(request, load_case(request, key), values["text"], values["seen"], refusal)
    except Refused as refusal:
        return _words_page(request, case, form, "Current status", "Save status", status=add_refusal(form, refusal))
    messages.success(request, "Status saved.")
    return redirect("escalations:case", key)


def _conflict(request: SignedIn, case: Escalation, mine: str, seen: str, refusal: Stale) -> HttpResponse:
    theirs = case.status_text
    context = {
        "mine": mine,
        "theirs": theirs,
        "seen": seen,
        "their_changes": changes(seen, theirs),
        "my_changes": changes(seen, mine),
        "status_changed": theirs != seen,
        "joined": f"{theirs}\n{mine}".strip() if theirs != seen else mine,
        "refusal": refusal,
    }
    return render_case(request, case, "thread", "escalations/conflict.html", context, status=refusal.status)


@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """A new text for one's own entry; the earlier one is kept."""
    case = load_case(request, key)
    event = get_object_or_404(case.events.select_related("text"), pk=pk)
    words = {"text": event.text.body if event.text else ""}
    form = CorrectionForm(request.POST if request.method == "POST" else None, initial=words)
    if not form.is_valid():
        return _words_page(request, case, form, "Correct your entry", "Save correction")
    try:
        communication.correct(case_id=case.pk, event_id=pk, by=request.user, text=form.cleaned_data["text"])
    except Refused as refusal:
        status = add_refusal(form, refusal)
        return _words_page(request, case, form, "Correct your entry", "Save correction", status=status)
    messages.success(request, "Correction saved.")
    return redirect("escalations:case", key)


@require_http_methods(["GET", "HEAD", "POST"])
def waiting(request: SignedIn, key: str) -> HttpResponse:
    """Pause the clocks while another party has to act, with a reason; waiting on nobody resumes them."""
    case = load_case(request, key)
    form = WaitingForm(request.POST if request.method == "POST" else None, initial={"waiting_on": "customer"})
    if not form.is_valid():
        return _words_page(request, case, form, "Pause clocks", "Save")
    whom, reason = form.cleaned_data["waiting_on"], form.cleaned_data["reason"]
    try:
        communication.wait_on(case_id=case.pk, by=request.user, whom=whom, reason=reason)
    except Refused as refusal:
        return _words_page(request, case, form, "Pause clocks", "Save", status=add_refusal(form, refusal))
    messages.success(request, "Clocks resumed." if whom == "nobody" else "Clocks paused.")
    return redirect("escalations:case", key)


@require_http_methods(["GET", "HEAD", "POST"])
def deadline(request: SignedIn, key: str) -> HttpResponse:
    """Change the customer deadline; its clock starts again."""
    case = load_case(request, key)
    seen = {"deadline": case.deadline, "version": case.version}
    form = DeadlineForm(request.POST if request.method == "POST" else None, initial=seen)
    if not form.is_valid():
        return _words_page(request, case, form, "Change customer deadline", "Save deadline")
    try:
        values = form.cleaned_data
        deadlines.set_deadline(
            case_id=case.pk,
            by=request.user,
            deadline=values["deadline"],
            reason=values["reason"],
            version=values["version"],
        )
    except Refused as refusal:
        status = add_refusal(form, refusal)
        return _words_page(request, case, form, "Change customer deadline", "Save deadline", status=status)
    messages.success(request, "Deadline saved. Its clock starts again.")
    say_moved(request, form)
    return redirect("escalations:case", key)


def _words_page(
    request: SignedIn, case: Escalation, form: forms.Form, head: str, submit: str, *, status: int = 0
) -> HttpResponse:
    """A short form in the case's frame."""
    context = {"form": form, "head": head, "submit": submit}
    status = status or (422 if form.is_bound else 200)
    return render_case(request, case, "thread", "escalations/words.html", context, status=status)


@require_POST
def place_mail(request: SignedIn) -> HttpResponse:
    """Place an unmatched mail on an account. Operations read received mail, so only they place it."""
    if not request.user.is_ops:
        raise NotAllowed("Only operations may place mail.")
    mail = get_object_or_404(InboundMail, pk=number(request.POST.get("mail")))
    account = get_object_or_404(Account.objects.visible_to(request.user), pk=number(request.POST.get("account")))
    listening.place(mail=mail, account=account, by=request.user)
    messages.success(request, f"“{mail}” is placed on {account}.")
    return redirect("messaging:inbound", pk=mail.pk)
