"""Post-escalation reviews: one with its eight tasks, and the list."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.signed_in import SignedIn
from escalations.cases import access, closing
from escalations.cases.queries import brief_page, case_page, reviews
from escalations.forms.review import ReviewForm, WaiveForm
from escalations.models import Commitment, Escalation, Review
from escalations.views.acting import done, sent, submit
from escalations.views.loading import load_case
from ledger.errors import NotThere, Refused
from ledger.now import now
from ledger.pagination import ListPaginator
from ledger.parameters import known

PER_PAGE = 25
HERE = "escalations:review"


def _review_of(case: Escalation) -> Review:
    found = Review.objects.select_related("reviewer", "signed_by").filter(case=case).first()
    if found is None:
        raise NotThere("The review starts when the case is resolved.")
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: SignedIn, key: str) -> HttpResponse:
    """Facts, tasks and answers. Only changed answers are saved."""
    case = load_case(request, key)
    review = _review_of(case)
    form = ReviewForm(sent(request), review=review)
    if request.method != "POST":
        return _page(request, case, review, form)
    if not form.is_valid():
        return _page(request, case, review, form, status=409 if form.conflict else 422)
    try:
        closing.write_review(case_id=case.pk, by=request.user, answers=form.answers())
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return _page(request, case, review, form, status=refusal.status)
    return done(request, case, "Review saved.", HERE)


def _page(
    request: SignedIn, case: Escalation, review: Review, form: ReviewForm, status: int = 200, **context: object
) -> HttpResponse:
    at, entries = now(), brief_page.timeline(case)
    commitments = list(case.commitments.filter(state=Commitment.OPEN).select_related("owner"))
    tasks = reviews.tasks(review, len(commitments), len(entries))
    can = access.abilities(case, request.user)
    page = {
        "case": case,
        "review": review,
        "form": form,
        "waive_form": WaiveForm(auto_id="waive_%s"),
        "at": at,
        "state": reviews.due_state(review, at),
        "warn_at": review.due_at - reviews.SOON,
        "tasks": tasks,
        "done": sum(task.done for task in tasks),
        "percent": 100 * sum(task.done for task in tasks) / len(tasks),
        "entries": entries,
        "commitments": commitments,
        "facts": reviews.facts(case),
        "granted": [each for each in case.requests.all() if each.state in case_page.GRANTED],
        "causes": reviews.used_causes(request.user),
        "may": case_page.may(case, can),
        "may_review": can["review"] and review.state == Review.OPEN,
        "may_waive": review.state == Review.OPEN and (request.user.is_ops or request.user.is_senior),
        "sees_account": case_page.sees_account(request.user, case.account),
        **context,
    }
    return render(request, "escalations/review.html", page, status=status)


@require_POST
def sign(request: SignedIn, key: str) -> HttpResponse:
    """Sign the review off."""
    case = load_case(request, key)
    review = _review_of(case)
    form = ReviewForm(None, review=review)
    try:
        closing.sign_review(case_id=case.pk, by=request.user)
    except Refused as refusal:
        if review.state != Review.OPEN and review.signed_by_id == request.user.pk:
            return redirect(HERE, case.key)
        if refusal.status != 422:
            raise
        return _page(request, case, review, form, status=refusal.status, refused=refusal.message)
    messages.success(request, "Review signed. The case can close.")
    return redirect(HERE, case.key)


@require_POST
def waive(request: SignedIn, key: str) -> HttpResponse:
    """Waive the review, with a reason."""
    case = load_case(request, key)
    review, form = _review_of(case), WaiveForm(request.POST, auto_id="waive_%s")

    def waive_it() -> None:
        closing.waive_review(case_id=case.pk, by=request.user, reason=form.cleaned_data["reason"])

    if status := submit(request, form, waive_it):
        answers = ReviewForm(None, review=review)
        return _page(request, case, review, answers, status=status, waive_form=form, waive_open=True)
    return done(request, case, "Review waived. The case can close.", HERE)


@known(view=reviews.VIEWS, page=None)
@require_safe
def listing(request: SignedIn) -> HttpResponse:
    """Reviews by view, open commitments by owner."""
    at, view = now(), request.GET.get("view", "open")
    if view not in reviews.VIEWS:
        raise Http404
    found = ListPaginator(reviews.of_view(view, request.user), PER_PAGE).get_page(request.GET.get("page"))
    counts = reviews.counts(request.user)
    context = {
        "at": at,
        "view": view,
        "tabs": [(key, tab.label, counts.get(key)) for key, tab in reviews.VIEWS.items()],
        "mine": counts[reviews.MINE],
        "latest": reviews.LATEST,
        "page": found,
        "rows": reviews.rows(list(found), request.user, at),
        "groups": reviews.commitments_by_owner(request.user),
        "today": at.date(),
    }
    return render(request, "escalations/reviews.html", context)
