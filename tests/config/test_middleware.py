"""Refusals become pages, deadlocks are tried again."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from rest_framework.authtoken.models import Token

from config.middleware import RefusalMiddleware
from ledger.errors import NotThere, Stale
from ledger.files import uploads
from ledger.locks import is_collision
from tests.escalations.cases.builders import accepted
from tests.support.cast import Cast


class Deadlock(Exception):
    """What PostgreSQL's driver raises."""

    sqlstate = "40P01"


def collision() -> OperationalError:
    """A deadlock as Django wraps it."""
    error = OperationalError("deadlock detected")
    error.__cause__ = Deadlock()
    return error


class Match:
    """A resolved view that fails a number of times."""

    args: tuple[Any, ...] = ()

    def __init__(self, failures: int) -> None:
        self.failures, self.calls, self.kwargs = failures, 0, {}  # type: tuple[int, int, dict[str, Any]]  # fmt: skip

    def func(self, request: HttpRequest) -> HttpResponse:
        """Fail, then answer."""
        self.calls += 1
        if self.calls <= self.failures:
            raise collision()
        return HttpResponse("done")


def handle(failures: int, method: str = "post") -> tuple[HttpResponse | None, Match]:
    """What the middleware makes of a first deadlock when the view then fails so often."""
    request, match = getattr(RequestFactory(), method)("/"), Match(failures)
    request.resolver_match = match
    return RefusalMiddleware(lambda _: HttpResponse()).process_exception(request, collision()), match


def test_a_deadlock_is_tried_again(db: None) -> None:
    answer, match = handle(failures=1)
    assert answer is not None
    assert answer.content == b"done"
    assert match.calls == 2


def test_reading_is_not_tried_again(db: None) -> None:
    answer, match = handle(failures=0, method="get")
    assert answer is None
    assert match.calls == 0


def test_what_does_not_exist_is_404() -> None:
    with pytest.raises(Http404):
        RefusalMiddleware(lambda _: HttpResponse()).process_exception(
            RequestFactory().get("/"), NotThere("No such case.")
        )


def test_other_errors_are_left_alone() -> None:
    assert (
        RefusalMiddleware(lambda _: HttpResponse()).process_exception(RequestFactory().get("/"), ValueError("x"))
        is None
    )
    assert not is_collision(OperationalError("no such table"))
    assert not is_collision(OperationalError("database is locked"))
    assert is_collision(collision())
    assert Stale("x").status == 409


@pytest.mark.parametrize("address", ["/escalations/?q=a%00b&type=%00", "/dashboard/?region=%00", "/search/?q=%00"])
def test_zero_bytes_in_an_address_reach_no_page(client: Client, cast: Cast, address: str) -> None:
    client.force_login(cast.ops, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(address)
    assert answer.status_code == 200
    assert not any("\x00" in value for value in answer.wsgi_request.GET.values())


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", ["csv", "pdf"])
def test_a_zero_byte_in_the_path_is_removed_too(client: Client, cast: Cast, kind: str) -> None:
    client.force_login(cast.ops, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(f"/approvals/cases/%00/log.{kind}").status_code == 404


@pytest.mark.parametrize(
    "address", ["/escalations/", "/escalations/queue.csv", "/accounts/", "/api/v1/accounts/", "/no/such/page/"]
)
def test_browsers_keep_no_copy_of_what_a_signed_in_person_saw(client: Client, cast: Cast, address: str) -> None:
    assert "Cache-Control" not in client.get(address)
    client.force_login(cast.ops, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(address)["Cache-Control"] == "private, no-store"


def test_the_answer_to_a_token_is_private_too(client: Client, cast: Cast) -> None:
    token = Token.objects.create(user=cast.ops)
    answer = client.get("/api/v1/accounts/", headers={"Authorization": f"Token {token.key}"})
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")


def test_an_answer_that_says_itself_how_long_it_is_kept_is_left_alone(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "must-revalidate" in client.get("/healthz")["Cache-Control"]


@pytest.mark.both_databases
def test_a_post_that_is_far_too_large_is_refused_with_a_sentence(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST_BODY", 1000)
    case = accepted(cast)
    client.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    files = {"files": SimpleUploadedFile("a.txt", b"x" * 2000)}
    answer = client.post(f"/escalations/{case.key}/post/", {"mode": "internal", "text": "See the file", **files})
    assert answer.status_code == 413
    assert "Send files of up to 50 MB together." in answer.content.decode()
    token = Token.objects.create(user=cast.csm)
    files = {"files": SimpleUploadedFile("a.txt", b"x" * 2000)}
    read = client.post(f"/api/v1/escalations/{case.key}/files/", files, headers={"Authorization": f"Token {token.key}"})
    assert read.status_code == 400
    assert "Send files of up to 50 MB together." in read.json()["message"]


def test_another_request_that_cannot_be_read_has_the_plain_page(client: Client, cast: Cast) -> None:
    client.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post("/escalations/new/", "x", content_type="multipart/form-data")
    assert answer.status_code == 400
