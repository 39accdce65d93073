"""One result for a form, however often it is sent: pressed twice, eight times at once, or sent again by a reload."""

import hmac
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.crypto import get_random_string, salted_hmac

from config.middleware import SAFE, Handler, refused
from ledger import idempotency
from ledger.errors import Busy, Stale
from ledger.files.uploads import digest_of
from ledger.json_types import Json
from ledger.locks import is_locked
from ledger.models import IdempotencyKey

log = logging.getLogger(__name__)
FIELD = "once"
LONGEST_TOKEN = 80
# Fields that differ between two copies of the same form.
NOT_WORDS = frozenset((FIELD, "csrfmiddlewaretoken"))
# Words without a token, sent again within this time, are a second press.
SECOND_PRESS = timedelta(seconds=10)
# Signing in and out may be done again: the same form leads to another session.
SESSION_VIEWS = frozenset(("account_login", "account_logout", "account_reauthenticate"))


def new_token(user_id: int | None) -> str:
    """A token for one form, made for this person. `made_for` reads it."""
    number = get_random_string(16)
    return f"{number}-{_signature(number, user_id)}"


def made_for(token: str, user_id: int | None) -> bool:
    """Whether the token was made for this person."""
    number, _, signature = token.partition("-")
    return hmac.compare_digest(signature.encode(errors="replace"), _signature(number, user_id).encode())


def _signature(number: str, user_id: int | None) -> str:
    return salted_hmac("desk.once", f"{number} {user_id}").hexdigest()[:24]


class OnceMiddleware:
    """The first press of a form runs; what it led to is remembered. Each further press waits for it and leads there too.

    The words of the form are part of its key, so a page that was changed and sent again is a new request. An answer that
    is no redirect, such as a form with errors, has written nothing and is not remembered.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Remember the first result, or let the form be sent again."""
        answer = self.get_response(request)
        row: IdempotencyKey | None = getattr(request, "form_row", None)
        if row is not None:
            try:
                _settle(row, request, answer)
            except DatabaseError:
                # What the form asked for is done; a second press is told that this is not known.
                log.warning("the result of a form was not remembered", exc_info=True)
        return answer

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Sequence[object], kwargs: object
    ) -> HttpResponse | None:
        """Claim the form; answer a second press with the first result."""
        if request.method in SAFE or _is_free(request, view):
            return None
        token = request.POST.get(FIELD, "")[:LONGEST_TOKEN]
        if not token and not (_is_person(request) and _has_words(request)):
            return None
        again_after = None if token else SECOND_PRESS
        scope = f"form {request.user.pk or ''}"
        try:
            row, first = idempotency.claim(scope=scope, key=_key(request, token), again_after=again_after)
        except Stale as refusal:
            return refused(request, refusal)
        except DatabaseError as error:
            if is_locked(error):
                return refused(request, Busy())
            raise
        if first:
            request.form_row = row  # type: ignore[attr-defined]
            return None
        return _first_result(request, row)


def _is_free(request: HttpRequest, view: Callable[..., HttpResponse]) -> bool:
    match = request.resolver_match
    return (
        request.path.startswith("/api/v1/")  # programs send an Idempotency-Key
        or getattr(view, "csrf_exempt", False)  # so do services
        or getattr(view, "repeatable", False)
        or (match is not None and match.view_name in SESSION_VIEWS)
    )


def _is_person(request: HttpRequest) -> bool:
    """Signed in, on a page of the desk; the administration's forms are sent with their token."""
    return request.user.is_authenticated and not request.path.startswith("/admin/")


def _has_words(request: HttpRequest) -> bool:
    """Whether somebody typed something. A button alone is guarded by its verb."""
    return any(
        char.isalpha() for name, values in request.POST.lists() if name not in NOT_WORDS for char in "".join(values)
    )


def _key(request: HttpRequest, token: str) -> str:
    """The form's token and its words. They are hashed with the secret key, because they may contain a password."""
    words = [pair for pair in sorted(request.POST.lists()) if pair[0] not in NOT_WORDS]
    files = [
        (name, file.name, digest_of(file))
        for name, found in sorted(request.FILES.lists())
        for file in found
        if isinstance(file, UploadedFile)
    ]
    whole = repr((request.get_full_path(), words, files))
    return f"{token}:{salted_hmac('desk.once', whole, algorithm='sha256').hexdigest()}"


def _settle(row: IdempotencyKey, request: HttpRequest, answer: HttpResponse) -> None:
    if isinstance(answer, HttpResponseRedirect):
        said: list[Json] = [[level, text] for level, text in _said(request)]
        idempotency.remember(row, answer.status_code, {"to": answer.url, "said": said})
    else:
        idempotency.release(row)


def _said(request: HttpRequest) -> list[tuple[int, str]]:
    """The messages that this request added for the next page."""
    queued = getattr(messages.get_messages(request), "_queued_messages", [])
    return [(each.level, str(each.message)) for each in queued if not each.extra_tags]


def _first_result(request: HttpRequest, row: IdempotencyKey) -> HttpResponse:
    answer = row.answer
    assert isinstance(answer, dict)  # noqa: S101 - `_settle` wrote it
    waiting = messages.get_messages(request)
    shown = {str(each) for each in waiting}
    waiting.used = False  # type: ignore[union-attr]  # it was only looked at
    for level, text in answer["said"]:
        if text not in shown:
            messages.add_message(request, level, text)
    return HttpResponseRedirect(answer["to"], status=row.status)
