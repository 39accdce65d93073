"""Actions and commitments of a case."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from accounts.signed_in import SignedIn
from escalations.cases import tracker
from escalations.cases.queries import tracker_page
from escalations.forms.tracker import ActionForm, DayForm, KeptForm, PromiseForm, ProofForm
from escalations.models import Commitment, Escalation
from escalations.views.acting import done as finished
from escalations.views.acting import submit
from escalations.views.loading import load_case, render_case
from ledger.now import now

HERE = "escalations:tracker"


@require_safe
def board(request: SignedIn, key: str) -> HttpResponse:
    """Actions in groups by due time, commitments, proofs."""
    return _board(request, load_case(request, key))


def _board(
    request: SignedIn,
    case: Escalation,
    status: int = 200,
    *,
    day_forms: dict[int, DayForm] | None = None,
    **context: object,
) -> HttpResponse:
    """`day_forms`: the form that was refused, by its commitment."""
    commitments = case.commitments.select_related("owner", "account")
    page = {
        "commitment_rows": [(each, (day_forms or {}).get(each.pk) or _day_form(each)) for each in commitments],
        "action_form": ActionForm(auto_id="action_%s", initial={"owner": request.user.pk}),
        "promise_form": PromiseForm(auto_id="promise_%s", initial={"owner": request.user.pk}),
        "proof_form": ProofForm(auto_id=False),
        "cadence": case.policy.cadences.filter(tier=case.tier).first(),
        **tracker_page.page(case, now()),
        **context,
    }
    return render_case(request, case, "tracker", "escalations/tracker.html", page, status=status)


def _day_form(commitment: Commitment) -> DayForm:
    return DayForm(auto_id=f"day{commitment.pk}_%s", initial={"due_on": commitment.due_on})


@require_POST
def add(request: SignedIn, key: str) -> HttpResponse:
    """A new action."""
    case = load_case(request, key)
    form = ActionForm(request.POST, auto_id="action_%s")

    def add_it() -> None:
        given = form.cleaned_data
        tracker.add_action(
            case_id=case.pk,
            by=request.user,
            title=given["title"],
            owner=given["owner"],
            due_at=given["due_at"],
            execution=given["execution"],
        )

    if status := submit(request, form, add_it):
        return _board(request, case, status, action_form=form, problem=form)
    return finished(request, case, f"Action added for {form.cleaned_data['owner']}.", HERE)


@require_POST
def done(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """Mark an action as done."""
    case = load_case(request, key)
    action = get_object_or_404(case.actions, pk=pk)
    form = ProofForm(request.POST, files=request.FILES, auto_id=f"proof{pk}_%s")

    def finish() -> None:
        given = form.cleaned_data
        tracker.finish_action(action_id=action.pk, by=request.user, proof=given["proof"], files=given["files"])

    if status := submit(request, form, finish):
        return _board(request, case, status, problem=form, problem_action=action.pk)
    return finished(request, case, f"Done: {action.title}", HERE)


@require_POST
def promise(request: SignedIn, key: str) -> HttpResponse:
    """A new commitment."""
    case = load_case(request, key)
    form = PromiseForm(request.POST, auto_id="promise_%s")

    def add_it() -> None:
        given = form.cleaned_data
        tracker.promise(
            case_id=case.pk,
            by=request.user,
            text=given["text"],
            owner=given["owner"],
            due_on=given["due_on"],
            who=given["who"],
        )

    if status := submit(request, form, add_it):
        return _board(request, case, status, promise_form=form, problem=form)
    return finished(request, case, "Commitment added. It stays open until it is kept.", HERE)


@require_POST
def keep(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """Mark a commitment as kept or broken."""
    case = load_case(request, key)
    commitment = get_object_or_404(case.commitments, pk=pk)
    form = KeptForm(request.POST)

    def keep_it() -> None:
        tracker.keep(commitment_id=commitment.pk, by=request.user, kept=form.was_kept)

    if status := submit(request, form, keep_it):
        return _board(request, case, status, problem=form)
    return finished(request, case, f"{'Kept' if form.was_kept else 'Broken'}: {commitment.text}", HERE)


@require_POST
def move_day(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """Give a condition another day."""
    case = load_case(request, key)
    commitment = get_object_or_404(case.commitments, pk=pk)
    form = DayForm(request.POST, auto_id=f"day{pk}_%s")

    def move_it() -> None:
        given = form.cleaned_data
        tracker.move_day(commitment_id=commitment.pk, by=request.user, due_on=given["due_on"], reason=given["reason"])

    if status := submit(request, form, move_it):
        return _board(request, case, status, problem=form, day_forms={pk: form})
    return finished(request, case, "The condition has another day. The history keeps both days and the reason.", HERE)
