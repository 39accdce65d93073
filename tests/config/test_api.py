"""The API's shape: errors, router, schema, the reference page and tokens."""

from typing import Any

import jsonschema
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import ValidationError

from config import api, api_docs
from ledger.errors import Invalid, Stale
from tests.support.cast import Cast


def auth(user: Any) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Token {Token.objects.get_or_create(user=user)[0].key}"}


def test_without_a_token_the_api_says_how_to_get_one(client: Client, db: None) -> None:
    answer = client.get("/api/v1/accounts/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_signed_in"
    assert "Authorization: Token" in answer.json()["message"]
    wrong = client.get("/api/v1/accounts/", HTTP_AUTHORIZATION="Token nonsense")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "not_signed_in")


def test_what_may_not_be_seen_is_not_found(client: Client, cast: Cast) -> None:
    answer = client.get(f"/api/v1/accounts/{cast.elsewhere.pk}/", **auth(cast.csm))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.get(f"/api/v1/accounts/{cast.northwind.pk}/", **auth(cast.csm)).status_code == 200


def test_an_address_that_does_not_exist_answers_in_json(client: Client, db: None) -> None:
    answer = client.get("/api/v1/nothing/here/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_refusals_of_services_keep_their_code_status_and_field() -> None:
    answer = api.answer_refusal(Stale("Somebody was faster."), {})
    assert answer is not None
    assert (answer.status_code, answer.data) == (
        409,
        {"code": "changed_meanwhile", "message": "Somebody was faster.", "field": ""},
    )
    refused = api.answer_refusal(Invalid("Enter a reason.", field="reason"), {})
    assert refused is not None
    assert (refused.status_code, refused.data["field"]) == (422, "reason")


def test_bad_input_names_every_field_and_the_first_one_in_words() -> None:
    detail = {"amount": ["Enter a number."], "lines": [{}, {"name": ["Too long."]}], "non_field_errors": ["Odd."]}
    answer = api.answer_refusal(ValidationError(detail), {})
    assert answer is not None
    assert answer.status_code == 422
    assert answer.data == {
        "code": "invalid",
        "message": "amount: Enter a number.",
        "field": "amount",
        "fields": {"amount": ["Enter a number."], "lines.1.name": ["Too long."], "": ["Odd."]},
    }


def test_a_mistake_of_ours_is_not_dressed_up_as_a_refusal() -> None:
    assert api.answer_refusal(RuntimeError("bug"), {}) is None


def test_wrong_verbs_and_wrong_formats_have_the_same_shape(client: Client, cast: Cast) -> None:
    wrong_verb = client.delete("/api/v1/accounts/", **auth(cast.csm))
    assert (wrong_verb.status_code, wrong_verb.json()["code"]) == (405, "method_not_allowed")
    not_json = client.post("/api/v1/signals/", "a=b", content_type="text/plain", **auth(cast.csm))
    assert (not_json.status_code, not_json.json()["code"]) == (415, "not_json")
    broken = client.post("/api/v1/signals/", "{", content_type="application/json", **auth(cast.csm))
    assert (broken.status_code, broken.json()["code"]) == (400, "invalid")
    empty = client.post("/api/v1/signals/", {}, content_type="application/json", **auth(cast.csm))
    assert (empty.status_code, empty.json()["code"]) == (422, "invalid")
    assert empty.json()["field"] in empty.json()["fields"]


def test_every_app_is_in_the_router() -> None:
    prefixes = {prefix for prefix, _, _ in api.make_router().registry}
    assert {"accounts", "signals", "approvals", "escalations"} <= prefixes


def test_the_schema_is_openapi_3_1_and_open(client: Client, db: None) -> None:
    answer = client.get("/api/schema/?format=json")
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    jsonschema.Draft202012Validator.check_schema({"$defs": document["components"]["schemas"]})


def test_the_reference_shows_every_operation_of_the_schema(client: Client, cast: Cast) -> None:
    client.force_login(cast.csm)
    page = client.get("/api/").content.decode()
    for path, verbs in api_docs.document()["paths"].items():
        assert path in page
        for verb in set(verbs) & set(api_docs.METHODS):
            assert f'id="{verbs[verb]["operationId"]}"' in page
    assert "Authorization: Token $TOKEN" in page


def test_a_token_is_made_by_a_post_shown_once_and_replaced(client: Client, cast: Cast) -> None:
    client.force_login(cast.csm)
    assert client.get("/api/token/").status_code == 405
    page = client.post("/api/token/", follow=True).content.decode()
    first = Token.objects.get(user=cast.csm).key
    assert first in page
    assert first not in client.get("/api/").content.decode()
    client.post("/api/token/")
    assert Token.objects.get(user=cast.csm).key != first
    client.post("/api/token/end/")
    assert not Token.objects.filter(user=cast.csm).exists()


def test_the_browsable_api_is_off(client: Client, cast: Cast) -> None:
    assert settings.REST_FRAMEWORK["DEFAULT_RENDERER_CLASSES"] == ["rest_framework.renderers.JSONRenderer"]
    answer = client.get("/api/v1/accounts/", HTTP_ACCEPT="text/html", **auth(cast.csm))
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ({"type": "string", "format": "date-time"}, "moment"),
        ({"type": ["string", "null"]}, "text or empty"),
        ({"enum": ["a", "", None]}, "one of a, empty, empty"),
        ({"type": "array", "items": {"type": "integer"}}, "list of whole number"),
        ({"type": ["array", "null"], "items": {"type": "string"}}, "list of text or empty"),
        ({"oneOf": [{"type": "integer"}, {"type": "null"}]}, "whole number or empty"),
        ({}, "anything"),
    ],
)
def test_types_are_told_in_words(spec: dict[str, Any], kind: str) -> None:
    assert api_docs.kind(spec) == kind


def test_a_body_nested_thousands_deep_is_bad_input(client: Client, cast: Cast) -> None:
    body = "[" * 100_000
    answer = client.post("/api/v1/signals/", data=body, content_type="application/json", **auth(cast.csm))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "nested" in answer.json()["message"]


@pytest.mark.both_databases
def test_a_time_without_an_offset_is_in_the_zone_of_the_token_as_of_the_session(client: Client, cast: Cast) -> None:
    cast.csm.zone = "America/New_York"
    cast.csm.save()
    body = {"account": cast.northwind.pk, "kind": "note", "text": "A call.", "at": "2026-02-10T17:00"}
    by_token = client.post("/api/v1/signals/", body, content_type="application/json", **auth(cast.csm)).json()
    assert timezone.get_current_timezone_name() == "UTC", "the zone ends with the request"
    client.force_login(cast.csm)
    by_session = client.post("/api/v1/signals/", body, content_type="application/json").json()
    assert by_token["at"] == by_session["at"] == "2026-02-10T22:00:00Z"
