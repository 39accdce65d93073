"""One request and the lists. Reading is a GET and changes nothing; every verb is a POST."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.signed_in import SignedIn
from approvals.forms import TITLES, DecisionForm, DelegateForm, WordsForm, who_decides
from approvals.models import ApprovalRequest, DecisionEntry
from approvals.requests import decide as deciding
from approvals.requests import lists, page, talk
from approvals.requests.panels import panels_for
from approvals.requests.permissions import for_user
from approvals.requests.rules import verdicts
from ledger.errors import AlreadyDone, Invalid, Refused, Stale
from ledger.now import now
from ledger.parameters import known

SEEN_LINKS = "approval_links"


def load(request: SignedIn, pk: int) -> ApprovalRequest:
    """A request this person may see, or 404."""
    visible = ApprovalRequest.objects.visible_to(request.user)
    return get_object_or_404(visible.with_seats(), pk=pk)


@known(tab=lists.LISTS, before=None, after=None)
@require_safe
def inbox(request: SignedIn) -> HttpResponse:
    """The three lists. On wide screens the browser then loads the first request beside them."""
    tab = request.GET.get("tab", lists.NEEDS_YOU)
    if tab not in lists.LISTS:
        raise Http404
    found = lists.part(request.user, tab, before=request.GET.get("before", ""), after=request.GET.get("after", ""))
    context = _listed(request, tab, found)
    return render(request, "approvals/inbox.html", context | {"first": next(iter(found.rows), None)})


def _listed(request: SignedIn, tab: str, found: lists.Part) -> dict[str, object]:
    return {
        "tab": tab,
        "counts": found.counts,
        "rows": page.rows(found.rows, now(), asked=tab == lists.WAITING),
        "found": found,
    }


def _page(request: SignedIn, approval: ApprovalRequest) -> dict[str, object]:
    at = now()
    return page.page(approval, request.user, at) | {
        "may_undo": deciding.may_undo(approval, request.user, at),
        "undo_until": approval.decided_at and approval.decided_at + deciding.UNDO_WINDOW,
        **page.acts(approval, request.user, may_lead=deciding.may_recall(approval, request.user)),
        "delegate_form": DelegateForm(user=request.user, auto_id="delegate_%s"),
        "question": page.last_question(approval) if approval.is_open else None,
        "words": WordsForm(auto_id="words_%s"),
        "panels": panels_for(approval, request.user),
    }


@require_safe
def detail(request: SignedIn, pk: int) -> HttpResponse:
    """One request: the question, the terms, and what this person may do. For htmx only that, without the lists."""
    approval = load(request, pk)
    if request.htmx and "pane" in request.GET:
        return render(request, "approvals/_decision.html", _page(request, approval))
    return show(request, approval)


def show(
    request: SignedIn,
    approval: ApprovalRequest,
    *,
    refused: str = "",
    status: int = 200,
    typed: dict[str, str] | None = None,
    delegate_form: DelegateForm | None = None,
) -> HttpResponse:
    """The page of one request, with the error and the `typed` text of a refused verb, or the form for delegating it."""
    tab = lists.DECIDED
    if approval.is_open:
        tab = lists.NEEDS_YOU if page.waits_on(approval, request.user) else lists.WAITING
    context = _listed(request, tab, lists.part(request.user, tab)) | _page(request, approval)
    context |= {"refused": refused, "alone": True, "typed": typed or {}}
    if delegate_form:
        context |= {"delegate_form": delegate_form, "delegates": True}
    if typed and "question" in typed:
        context["words"] = WordsForm(auto_id="words_%s", initial={"text": typed["question"]})
    return render(request, "approvals/inbox.html", context, status=status)


@require_safe
def brief(request: SignedIn, pk: int) -> HttpResponse:
    """The brief as it was at the time of the request."""
    approval = load(request, pk)
    context = {"approval": approval, "parts": page.brief_parts(approval), "number": approval.brief.get("version")}
    context["options"] = page.options(approval)
    return render(request, "approvals/brief.html", context)


@require_safe
def confirm(request: SignedIn, pk: int) -> HttpResponse:
    """The last page before a decision."""
    approval = load(request, pk)
    verdict = request.GET.get("verdict", verdicts.APPROVED)
    if verdict not in TITLES:
        raise Http404
    right = for_user(approval, request.user, now())
    seen = {"verdict": verdict, "version": approval.version, "seat": right.seat}
    return _confirm(request, approval, DecisionForm(approval=approval, verdict=verdict, initial=seen), verdict)


def _confirm(
    request: SignedIn, approval: ApprovalRequest, form: DecisionForm, verdict: str, status: int = 200
) -> HttpResponse:
    right = for_user(approval, request.user, now())
    if not approval.is_open or not (right.may_decline if verdict == verdicts.DECLINED else right.may_decide):
        return show(request, approval)
    context = {
        "approval": approval,
        "form": form,
        "verdict": verdict,
        "title": TITLES[verdict],
        "right": right,
        "against": verdicts.goes_against(verdict, approval.options),
        "then": page.told(approval, right, verdict),
    }
    return render(request, "approvals/confirm.html", context, status=status)


@require_POST
def decide(request: SignedIn, pk: int) -> HttpResponse:
    """Submit a decision."""
    approval = load(request, pk)
    verdict = request.POST.get("verdict", "")
    if verdict not in TITLES:
        raise Invalid("Choose to approve, to approve with conditions, or to decline.", field="verdict")
    form = DecisionForm(request.POST, approval=approval, verdict=verdict)
    if not form.is_valid():
        return _confirm(request, approval, form, verdict, status=422)
    try:
        deciding.decide(
            request_id=pk,
            by=request.user,
            verdict=form.cleaned_data["verdict"],
            version=form.cleaned_data["version"],
            seat=form.cleaned_data["seat"],
            words=form.words(),
            channel=_channel(request, approval),
        )
        # A decision after an undo comes from the page.
        if request.session.get(SEEN_LINKS, {}).pop(str(pk), None):
            request.session.modified = True
    except Invalid as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return _confirm(request, approval, form, verdict, status=422)
    except (AlreadyDone, Stale) as refusal:
        return _too_late(request, load(request, pk), form, refusal)
    return redirect("approvals:detail", pk=pk)


def _too_late(request: SignedIn, approval: ApprovalRequest, form: DecisionForm, refusal: Refused) -> HttpResponse:
    """Pressing the button twice is one decision; if something else came first, say what."""
    sent = form.cleaned_data
    mine = approval.seats.decided().filter(number=sent["seat"], said_by=request.user, verdict=sent["verdict"]).exists()
    void = approval.state in (ApprovalRequest.RECALLED, ApprovalRequest.REPLACED)
    if mine and not void and approval.version in (sent["version"], sent["version"] + 1):
        return redirect("approvals:detail", pk=approval.pk)
    return show(request, approval, refused=refusal.message, status=refusal.status)


def _channel(request: SignedIn, approval: ApprovalRequest) -> str:
    """Whether this person came by the link mailed for this seat."""
    came_by = request.session.get(SEEN_LINKS, {}).get(str(approval.pk))
    return DecisionEntry.LINK if came_by and str(came_by) == request.POST.get("seat") else DecisionEntry.WEB


def act(request: SignedIn, pk: int, name: str, verb: Callable[[int], ApprovalRequest], done: str) -> HttpResponse:
    """Call a verb, show the result, go back to the request. `name` is the form whose text is shown again after a
    refusal."""
    approval = load(request, pk)
    try:
        verb(approval.pk)
        messages.success(request, done)
    except Refused as refusal:
        typed = {name: _text(request)}
        return show(request, load(request, pk), refused=refusal.message, status=refusal.status, typed=typed)
    return redirect("approvals:detail", pk=pk)


def _text(request: SignedIn) -> str:
    """The typed text without zero bytes, which PostgreSQL cannot store. A line end is one character, as browsers count."""
    return request.POST.get("text", "").replace("\x00", "").replace("\r\n", "\n")


@require_POST
def question(request: SignedIn, pk: int) -> HttpResponse:
    """Ask the requester."""

    def verb(asked: int) -> ApprovalRequest:
        return talk.question(request_id=asked, by=request.user, text=_text(request))

    return act(request, pk, "question", verb, "Question sent.")


@require_POST
def answer(request: SignedIn, pk: int) -> HttpResponse:
    """Answer the approver."""

    def verb(asked: int) -> ApprovalRequest:
        return talk.answer(request_id=asked, by=request.user, text=_text(request))

    return act(request, pk, "answer", verb, "Answer sent.")


@require_POST
def comment(request: SignedIn, pk: int) -> HttpResponse:
    """Add a comment to the record."""

    def verb(asked: int) -> ApprovalRequest:
        return talk.comment(request_id=asked, by=request.user, text=_text(request))

    return act(request, pk, "comment", verb, "Comment added.")


@require_POST
def recall(request: SignedIn, pk: int) -> HttpResponse:
    """Recall the request."""

    def verb(asked: int) -> ApprovalRequest:
        return deciding.recall(request_id=asked, by=request.user, reason=_text(request))

    return act(request, pk, "recall", verb, "Request recalled.")


@require_POST
def remind(request: SignedIn, pk: int) -> HttpResponse:
    """Mail the question again."""

    def verb(asked: int) -> ApprovalRequest:
        return talk.remind(request_id=asked, by=request.user)

    return act(request, pk, "remind", verb, "The question was mailed again.")


@require_POST
def undo(request: SignedIn, pk: int) -> HttpResponse:
    """Undo one's own decision."""

    def verb(asked: int) -> ApprovalRequest:
        return deciding.undo(request_id=asked, by=request.user)

    return act(request, pk, "undo", verb, "Decision undone. The request is open again.")


@require_safe
def who(request: SignedIn) -> HttpResponse:
    """Who approves this? A page, and the partial for htmx."""
    context = who_decides(request.GET, request.user).context()
    template = "approvals/_who.html" if request.htmx else "approvals/who.html"
    return render(request, template, context)
