"""The moves of a case. Every page asks for the values that the verb needs and calls it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.signed_in import SignedIn
from escalations.cases import access, closing, conditions
from escalations.cases.queries import case_page, reviews
from escalations.cases.queries.messages import told_since_decision
from escalations.forms.endings import CloseForm, DuplicateForm, ReasonForm, ResolveForm
from escalations.forms.fields import CaseForm
from escalations.models import Action, Commitment, Escalation, Event
from escalations.views.acting import done, sent, submit
from escalations.views.loading import load_case, render_case

FORM_METHODS = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Page:
    """The texts of the page of one move: title, sentence above the form, button, and message when it is done."""

    title: str
    lead: str
    button: str
    said: str
    # Only for moves with a reason: its label, and the error if it is missing.
    label: str = ""
    missing: str = ""
    to: str = "escalations:case"
    causes: Sequence[str] = ()
    unproven: Sequence[Action] = ()
    conditions: Sequence[Commitment] = ()
    asks_if_told: bool = False
    told: Event | None = None
    commitments: Iterable[Commitment] = ()
    shows_review: bool = False


class ReasonVerb(Protocol):
    """A verb that takes only a reason."""

    def __call__(self, *, case_id: int, by: User, reason: str) -> object: ...


def _reason_page(request: SignedIn, key: str, verb: str, page: Page, call: ReasonVerb) -> HttpResponse:
    """One reason, one verb."""
    case = load_case(request, key)
    form = ReasonForm(sent(request), label=page.label, missing=page.missing)

    def act() -> None:
        call(case_id=case.pk, by=request.user, reason=form.cleaned_data["reason"])

    return _run(request, case, verb, form, page, act)


def _run(
    request: SignedIn, case: Escalation, verb: str, form: CaseForm, page: Page, act: Callable[[], object]
) -> HttpResponse:
    access.check(case, request.user, verb)
    status = 200
    if request.method == "POST":
        status = submit(request, form, act)
        if not status:
            return done(request, case, page.said.format(key=case.key), page.to)
    offered = case_page.may(case, access.abilities(case, request.user))[verb]
    context = {"form": form, "page": page, "offered": offered}
    return render_case(request, case, "", "escalations/ending.html", context, status=status)


@FORM_METHODS
def skip_to_execute(request: SignedIn, key: str) -> HttpResponse:
    """Go to Execute without a decision."""
    page = Page(
        title="Execute without approval",
        lead="For cases without a concession. The Approve step is skipped and your reason goes on the record.",
        label="Why no approval is needed",
        missing="Enter why no approval is needed.",
        button="Go to Execute",
        said="{key} is in Execute.",
    )
    return _reason_page(request, key, "execute", page, closing.skip_to_execute)


@FORM_METHODS
def resolve(request: SignedIn, key: str) -> HttpResponse:
    """Resolve the case: the work is done and the customer knows."""
    case = load_case(request, key)
    told = told_since_decision(case)
    page = Page(
        title="Resolve",
        lead="Every execution action needs its proof first. The review starts now and is due in 5 business days.",
        button="Resolve the case",
        said="{key} is resolved. Its review is open.",
        to="escalations:review",
        causes=reviews.used_causes(request.user),
        unproven=list(case.actions.filter(execution=True, state__in=["open", "blocked"])),
        conditions=conditions.still_open(case),
        asks_if_told=True,
        told=told,
    )
    form = ResolveForm(sent(request), initial={"customer_told": told is not None})

    def act() -> None:
        closing.resolve(case_id=case.pk, by=request.user, ending=form.ending())

    return _run(request, case, "resolve", form, page, act)


@FORM_METHODS
def close(request: SignedIn, key: str) -> HttpResponse:
    """Close the case after the review, or its waiver."""
    case = load_case(request, key)
    page = Page(
        title="Close",
        lead="The case ends here. It can be reopened with a reason if the same issue comes back.",
        button="Close the case",
        said="{key} is closed.",
        commitments=case.commitments.filter(state=Commitment.OPEN).select_related("owner"),
        shows_review=True,
    )

    def act() -> None:
        closing.close(case_id=case.pk, by=request.user)

    return _run(request, case, "close", CloseForm(sent(request)), page, act)


@FORM_METHODS
def reopen(request: SignedIn, key: str) -> HttpResponse:
    """Reopen the case: the same issue is back."""
    page = Page(
        title="Reopen",
        lead="The case goes back to Diagnose; the decision, update and resolution clocks start again.",
        label="Why the issue is back",
        missing="Enter what came back.",
        button="Reopen the case",
        said="{key} is open again.",
    )
    return _reason_page(request, key, "reopen", page, closing.reopen)


@FORM_METHODS
def withdraw(request: SignedIn, key: str) -> HttpResponse:
    """Withdraw the case."""
    page = Page(
        title="Withdraw",
        lead="Open requests are recalled, hand-offs end and every clock stops. This cannot be undone.",
        label="Why it is withdrawn",
        missing="Enter why it is withdrawn.",
        button="Withdraw the case",
        said="{key} is withdrawn.",
    )
    return _reason_page(request, key, "withdraw", page, closing.withdraw)


@FORM_METHODS
def duplicate(request: SignedIn, key: str) -> HttpResponse:
    """Merge the case into another open one of the account."""
    case = load_case(request, key)
    page = Page(
        title="Mark as a duplicate",
        lead="Posts, open actions and the people of this case go to the other one, and so does mail to its address. Open "
        "requests are recalled, hand-offs end and every clock stops. This cannot be undone.",
        button="Merge into the other case",
        said="{key} is a duplicate. The other case carries it on.",
    )
    form = DuplicateForm(sent(request), case=case, user=request.user)

    def act() -> None:
        given = form.cleaned_data
        closing.mark_duplicate(case_id=case.pk, by=request.user, of=given["of"], reason=given["reason"])

    return _run(request, case, "duplicate", form, page, act)
