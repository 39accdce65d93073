"""Raising an escalation: the form with its preview and draft, and the page with the next steps."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Account, Signal, User
from accounts.signed_in import SignedIn
from approvals.matrix.preview import preview as approvals_preview
from approvals.matrix.totals import Ask
from escalations import states
from escalations.cases import drafts, intake
from escalations.forms.intake import IntakeForm, from_signal, typed
from escalations.models import IntakeDraft
from escalations.views.loading import add_refusal, load_case, render_case, say_moved
from ledger.errors import Refused
from ledger.idempotency import repeatable
from ledger.reading import number

TIER_NAMES, LANE_NAMES = dict(states.TIERS), dict(states.LANES)


@require_http_methods(["GET", "HEAD", "POST"])
def form(request: SignedIn) -> HttpResponse:
    """The intake form, empty or prefilled; submitting opens the escalation."""
    if request.method != "POST":
        initial, draft = _initial(request)
        return _page(request, IntakeForm(user=request.user, initial=initial), draft=draft)
    bound = IntakeForm(request.POST, files=request.FILES, user=request.user)
    if bound.finds:
        return _page(request, bound)
    data = bound.intake() if bound.is_valid() else None
    if data is None:
        return _page(request, bound, seen=_preview(bound, request.user), status=422)
    try:
        case = intake.open_case(data, by=request.user, files=bound.cleaned_data["files"])
    except Refused as refusal:
        status = add_refusal(bound, refusal)
        return _page(request, bound, seen=_preview(bound, request.user), status=status)
    say_moved(request, bound)
    return redirect("escalations:opened", case.key)


def _initial(request: SignedIn) -> tuple[dict[str, object], IntakeDraft | None]:
    """First values: from a signal, an account, or the saved draft."""
    if signal := request.GET.get("signal"):
        seen = Signal.objects.visible_to(request.user).select_related("account", "contact")
        return from_signal(get_object_or_404(seen, pk=number(signal))), None
    if account := request.GET.get("account"):
        found = get_object_or_404(Account.objects.visible_to(request.user), pk=number(account))
        return {"account": found.pk, "currency": found.currency}, None
    draft = IntakeDraft.objects.filter(user=request.user).first()
    return (dict(draft.data) if draft else {}), draft


def _page(
    request: SignedIn,
    bound: IntakeForm,
    *,
    draft: IntakeDraft | None = None,
    seen: dict[str, object] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"form": bound, "draft": draft, "chosen": bound.chosen, **(seen or {})}
    return render(request, "escalations/intake.html", context, status=status)


@repeatable
@require_POST
def preview(request: SignedIn) -> HttpResponse:
    """Where the case would go, from the current input. Writes nothing; without JS it shows the whole page again."""
    bound = IntakeForm(request.POST, user=request.user)
    bound.is_valid()
    seen = _preview(bound, request.user)
    if request.htmx:
        return render(request, "escalations/_preview.html", seen)
    shown = IntakeForm(user=request.user, initial=bound.as_typed(request.POST))
    return _page(request, shown, seen={**seen, "draft": None})


def _preview(bound: IntakeForm, user: User) -> dict[str, object]:
    data = bound.intake()
    if data is None:
        return {"asked": True}
    try:
        found = intake.preview(data, by=user)
    except Refused as refusal:
        return {"asked": True, "refused": refusal.message}
    return {
        "asked": True,
        "found": found,
        "override": data.override.label(found.ladder) if data.override else "",
        "tier": TIER_NAMES[found.assessment.tier],
        "lane": LANE_NAMES[found.assessment.lane],
        "level_name": found.ladder.name(found.destination.route.level),
        "duplicates": intake.duplicates(data.account, data.issue_type, user=user),
        "chosen": data.account,
        **_who_approves(data, user, found.assessment.tier),
    }


def _who_approves(data: intake.Intake, user: User, tier: str) -> dict[str, object]:
    """The people who would decide the ask, if there is one; or why nobody may."""
    if not data.concession:
        return {}
    ask = Ask(data.concession, data.amount, data.currency, data.account)
    try:
        return {"ask": approvals_preview(ask, user=user, tier=tier)}
    except Refused as refusal:
        return {"ask_refused": refusal.message}


@repeatable
@require_POST
def draft(request: SignedIn) -> HttpResponse:
    """Save the typed text (automatically every 20 seconds, or by the button), or discard it."""
    if request.POST.get("discard"):
        drafts.discard(user=request.user)
        messages.success(request, "Draft discarded.")
        return redirect("escalations:new")
    kept = drafts.save(user=request.user, data=typed(request.POST))
    if request.htmx:
        return render(request, "escalations/_draft.html", {"draft": kept})
    messages.success(request, "Draft saved." if kept else "There is nothing to save yet.")
    return redirect("escalations:new")


@require_safe
def opened(request: SignedIn, key: str) -> HttpResponse:
    """The case is open: the time of the decision, the next steps, the notified people."""
    case = load_case(request, key)
    told = User.objects.filter(Q(notices__case_key=key) | Q(mails__case_key=key)).exclude(pk=request.user.pk).distinct()
    return render_case(request, case, "thread", "escalations/opened.html", {"told": told})
