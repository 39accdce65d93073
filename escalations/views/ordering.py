"""How a case goes on or ends. Every page asks for what the verb needs and calls it."""

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from accounts.signed_in import SignedIn
from escalations.cases import access, closing
from escalations.cases.queries import case_page, reviews
from escalations.forms.endings import CloseForm, ReasonForm, ResolveForm
from escalations.forms.fields import CaseForm
from escalations.models import Commitment, Escalation
from escalations.views.acting import done, sent, submit
from escalations.views.loading import load_case, render_case

FORM_METHODS = require_http_methods(["GET", "HEAD", "POST"])


def _reason_page(request: SignedIn, key: str, verb: str, page: dict[str, str], call: Any) -> HttpResponse:
    """One reason, one verb."""
    case = load_case(request, key)
    form = ReasonForm(sent(request), label=page["label"], missing=page["missing"])
    return _run(request, case, verb, form, page, call)


def _run(
    request: SignedIn, case: Escalation, verb: str, form: CaseForm, page: dict[str, Any], call: Any
) -> HttpResponse:
    access.check(case, request.user, verb)
    status = 200
    if request.method == "POST":
        status = submit(request, form, partial(call, case_id=case.pk, by=request.user))
        if not status:
            return done(request, case, page["said"].format(key=case.key), page.get("to", "escalations:case"))
    offered = case_page.may(case, access.abilities(case, request.user))[verb]
    context = {"form": form, "page": page, "offered": offered}
    return render_case(request, case, "", "escalations/ending.html", context, status=status)


@FORM_METHODS
def skip_to_execute(request: SignedIn, key: str) -> HttpResponse:
    """Nothing needs a decision."""
    page = {
        "title": "Execute without approval",
        "lead": "For cases without a concession. The Approve step is skipped and your reason goes on the record.",
        "label": "Why no approval is needed",
        "missing": "Enter why no approval is needed.",
        "button": "Go to Execute",
        "said": "{key} is in Execute.",
    }
    return _reason_page(request, key, "execute", page, closing.skip_to_execute)


@FORM_METHODS
def resolve(request: SignedIn, key: str) -> HttpResponse:
    """The work is done and the customer knows."""
    case = load_case(request, key)
    page = {
        "title": "Resolve",
        "lead": "Every execution action needs its proof first. The review starts now and is due in 5 business days.",
        "button": "Resolve the case",
        "said": "{key} is resolved. Its review is open.",
        "to": "escalations:review",
        "causes": reviews.used_causes(request.user),
        "unproven": list(case.actions.filter(execution=True, state__in=["open", "blocked"])),
    }
    return _run(request, case, "resolve", ResolveForm(sent(request)), page, closing.resolve)


@FORM_METHODS
def close(request: SignedIn, key: str) -> HttpResponse:
    """After the review, or its waiver."""
    case = load_case(request, key)
    page = {
        "title": "Close",
        "lead": "The case ends here. It can be reopened with a reason when the same issue is back.",
        "button": "Close the case",
        "said": "{key} is closed.",
        "commitments": case.commitments.filter(state=Commitment.OPEN).select_related("owner"),
        "shows_review": True,
    }
    return _run(request, case, "close", CloseForm(sent(request)), page, closing.close)


@FORM_METHODS
def reopen(request: SignedIn, key: str) -> HttpResponse:
    """The same issue is back."""
    page = {
        "title": "Reopen",
        "lead": "The case goes back to Diagnose; the decision, update and resolution clocks start again.",
        "label": "What came back",
        "missing": "Enter what came back.",
        "button": "Reopen the case",
        "said": "{key} is open again.",
    }
    return _reason_page(request, key, "reopen", page, closing.reopen)


@FORM_METHODS
def withdraw(request: SignedIn, key: str) -> HttpResponse:
    """No longer wanted."""
    page = {
        "title": "Withdraw",
        "lead": "Open requests are recalled, hand-offs end and every clock stops. This cannot be undone.",
        "label": "Why it is withdrawn",
        "missing": "Enter why it is withdrawn.",
        "button": "Withdraw the case",
        "said": "{key} is withdrawn.",
    }
    return _reason_page(request, key, "withdraw", page, closing.withdraw)
