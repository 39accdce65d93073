"""Calls a verb with a form: it runs once, or the refusal is shown at the field and the typed text is kept."""

import hashlib
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect

from accounts.signed_in import SignedIn
from escalations.forms.fields import CaseForm
from escalations.models import Escalation
from ledger.errors import NotAllowed, Refused
from ledger.files.uploads import digest_of
from ledger.idempotency import once


def sent(request: SignedIn) -> QueryDict | None:
    """The data of a form: the body of a POST, even an empty one; None if the page is only opened."""
    return request.POST if request.method == "POST" else None


def submit(request: SignedIn, form: CaseForm, act: Callable[[], object]) -> int:
    """Run the verb of a valid form: `act` calls it. Returns 0 if it is done, else the status of the answer, with the
    refusal in the form. The same page sent twice runs once. NotAllowed is not caught: it becomes a page of its own.
    While a person is looked for, nothing runs and the page is shown again.
    """
    if form.finds:
        return 200
    if not form.is_valid():
        return 422
    try:
        _run_once(request, form, act)
    except NotAllowed:
        raise
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return refusal.status
    return 0


def _run_once(request: SignedIn, form: CaseForm, act: Callable[[], object]) -> None:
    token, body = form.cleaned_data.get("once", ""), _body(request)

    def do() -> tuple[int, None]:
        act()
        return 200, None

    # The body is part of the key: a page that was changed and sent again is a new request.
    key = f"{token}:{hashlib.sha256(body).hexdigest()}" if token else ""
    once(scope=f"{request.user.pk} {request.path}", key=key, body=body, do=do)


def _body(request: SignedIn) -> bytes:
    typed = [pair for pair in sorted(request.POST.lists()) if pair[0] != "csrfmiddlewaretoken"]
    files = [(name, part.name, digest_of(part)) for name, parts in request.FILES.lists() for part in parts]
    return repr([*typed, *files]).encode()


def done(request: SignedIn, case: Escalation, words: str, to: str = "escalations:case") -> HttpResponse:
    """Show a message and go to a page of the case."""
    messages.success(request, words)
    return redirect(to, case.key)
