"""Every door of a request, knocked on as people, programs and mail programs do. One answer each, never an exception."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from accounts.models import User
from approvals.forms import terms_initial
from approvals.models import ApprovalRequest, DecisionEntry
from approvals.requests import seats as seating
from ledger.errors import Refused
from messaging.inbound import receive as inbound
from tests.approvals.mail.replies import VOUCHED, raw_reply

WEB, API, LINK, REPLY = DecisionEntry.WEB, DecisionEntry.API, DecisionEntry.LINK, DecisionEntry.MAIL
CLOCK, OPEN_LINK = DecisionEntry.CLOCK, "open_link"
APPROVE, DECLINE, RECALL, DELEGATE, TIMEOUT, EDIT = "approved", "declined", "recall", "delegate", "timeout", "edit"
WORDS = {APPROVE: "Approve", DECLINE: "Decline"}


@dataclass(frozen=True)
class Knock:
    """Somebody wants something of a request, as they saw it. `token` is that of the mail they got."""

    verb: str
    door: str
    request: int
    by: int
    version: int = 1
    seat: int = 1
    token: str = ""
    to: int = 0
    amount: str = ""
    reason: str = "My reason"
    conditions: str = ""


@dataclass(frozen=True)
class Heard:
    """What came back. `yes`: they were told that it is done."""

    yes: bool
    status: int
    words: str = ""


class Caller:
    """One person with a browser, a program and a mail program."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def browser(self) -> Client:
        """Signed in."""
        client = Client(raise_request_exception=False)
        client.force_login(self.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    @cached_property
    def program(self) -> APIClient:
        """With this person's token."""
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=self.user)[0]}")
        return client

    def knock(self, knock: Knock) -> Heard:
        """Do it."""
        return DOORS[knock.door](self, knock)


def _page(name: str, knock: Knock) -> str:
    return reverse(f"approvals:{name}", args=[knock.request])


def _decision(knock: Knock) -> dict[str, Any]:
    seen = {"verdict": knock.verb, "version": knock.version, "seat": knock.seat}
    return {**seen, "reason": knock.reason, "conditions": knock.conditions}


def _edited(knock: Knock) -> dict[str, Any]:
    """The form as it stands, with another amount."""
    made = ApprovalRequest.objects.get(pk=knock.request)
    return {**terms_initial(made), "amount": knock.amount, "version": knock.version, "reason": knock.reason}


def _web(caller: Caller, knock: Knock) -> Heard:
    if knock.verb == RECALL:
        page, data = "recall", {"text": knock.reason}
    elif knock.verb == DELEGATE:
        page, data = "delegate", {"to": knock.to, "reason": knock.reason, "version": knock.version}
    elif knock.verb == EDIT:
        page, data = "terms", _edited(knock)
    else:
        page, data = "decide", _decision(knock)
    # Each knock is a page opened anew, so that the verb itself is tried.
    answer = caller.browser.post(_page(page, knock), {**data, "once": uuid.uuid4().hex})
    assert "/login/" not in answer.get("Location", ""), "signed out"
    return Heard(answer.status_code == 302, answer.status_code, _text(answer))


def _api(caller: Caller, knock: Knock) -> Heard:
    if knock.verb == RECALL:
        verb, body = "recall", {"reason": knock.reason}
    elif knock.verb == DELEGATE:
        to = User.objects.get(pk=knock.to).email
        verb, body = "delegate", {"to": to, "reason": knock.reason, "version": knock.version}
    elif knock.verb == EDIT:
        verb, body = "terms", {"amount": knock.amount, "reason": knock.reason, "version": knock.version}
    else:
        verb, body = "decide", _decision(knock)
    answer = caller.program.post(f"/api/v1/approvals/{knock.request}/{verb}/", body, format="json")
    return Heard(answer.status_code == 200, answer.status_code, _text(answer))


def _link(caller: Caller, knock: Knock) -> Heard:
    """The mailed link, opened by its owner, then the form it leads to."""
    opened = caller.browser.get(f"/d/{knock.token}/")
    if opened.status_code != 302:
        return Heard(False, opened.status_code, _text(opened))
    return _web(caller, knock)


def _open_link(caller: Caller, knock: Knock) -> Heard:
    """The same link without signing in."""
    path = f"/d/{knock.token}/"
    answer = Client(raise_request_exception=False).post(path, {**_decision(knock), "once": uuid.uuid4().hex})
    return Heard(answer.status_code == 302 and answer["Location"] == path, answer.status_code, _text(answer))


def _reply(caller: Caller, knock: Knock) -> Heard:
    text = f"{WORDS[knock.verb]}\r\n\r\n{knock.reason}"
    domain = caller.user.email.rpartition("@")[2]
    proof = VOUCHED.replace("from=desk.example", f"from={domain}")
    number: Any = uuid.uuid4().hex
    raw = raw_reply(knock.token, text, sender=f"<{caller.user.email}>", proof=proof, number=number)
    mail = inbound.receive(raw=raw)
    return Heard(mail.note.endswith(f": {knock.verb}"), 200 if mail.state == "claimed" else 422, mail.note)


def _clock(caller: Caller, knock: Knock) -> Heard:
    """What the engine does when the time is up."""
    try:
        seating.pass_up(request_id=knock.request, reason=knock.reason)
    except Refused as refusal:
        return Heard(False, refusal.status, refusal.message)
    return Heard(True, 200)


def _text(answer: Any) -> str:
    return str(answer.content.decode(errors="replace")) if answer.status_code >= 400 else ""


DOORS: dict[str, Callable[[Caller, Knock], Heard]] = {
    WEB: _web,
    API: _api,
    LINK: _link,
    OPEN_LINK: _open_link,
    REPLY: _reply,
    CLOCK: _clock,
}
