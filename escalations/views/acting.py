"""Calls a verb with a form: it runs, or the refusal is shown at the field and the typed text is kept."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect

from accounts.signed_in import SignedIn
from escalations.forms.fields import CaseForm
from escalations.models import Escalation
from escalations.views.loading import say_moved
from ledger.errors import NotAllowed, Refused


def sent(request: SignedIn) -> QueryDict | None:
    """The data of a form: the body of a POST, even an empty one; None if the page is only opened."""
    return request.POST if request.method == "POST" else None


def submit(request: SignedIn, form: CaseForm, act: Callable[[], object]) -> int:
    """Run the verb of a valid form: `act` calls it. Returns 0 if it is done, else the status of the answer, with the
    refusal in the form. NotAllowed is not caught: it becomes a page of its own.
    While a person is looked for, nothing runs and the page is shown again.
    """
    if form.finds:
        return 200
    if not form.is_valid():
        return 422
    try:
        act()
        say_moved(request, form)
    except NotAllowed:
        raise
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return refusal.status
    return 0


def done(request: SignedIn, case: Escalation, words: str, to: str = "escalations:case") -> HttpResponse:
    """Show a message and go to a page of the case."""
    messages.success(request, words)
    return redirect(to, case.key)
