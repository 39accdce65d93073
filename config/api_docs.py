"""The API reference: a page of ours, made from the schema the code itself describes, and the token a person calls it with."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny

from accounts.models import User

METHODS = ("get", "post", "put", "patch", "delete")
NEW_TOKEN = "new_api_token"  # noqa: S105 - the name of a session entry
ERRORS = (
    (400, "invalid", "The body is not JSON"),
    (401, "not_signed_in", "No token, or one that is not valid"),
    (403, "not_allowed", "You can see it, but you do not have permission to do this"),
    (404, "not_found", "It does not exist, or you do not have access to it"),
    (409, "changed_meanwhile, already_done", "Someone changed it first: read it again"),
    (422, "invalid", "A value is missing, wrong or against a rule; “field” and “fields” say which"),
    (503, "busy", "Too many people are saving: nothing was saved; send it again after the seconds in “Retry-After”"),
)
# What a type, or a format of text, is called on the page, and an example of it.
KINDS: dict[str, tuple[str, Any]] = {
    "string": ("text", "text"),
    "integer": ("whole number", 1),
    "number": ("number", 1),
    "boolean": ("true or false", True),
    "null": ("empty", None),
    "array": ("list", []),
    "object": ("object", {}),
    "date-time": ("moment", "2026-01-31T15:00:00Z"),
    "date": ("date", "2026-01-31"),
    "decimal": ("decimal, as text", "100.00"),
    "email": ("email", "name@example.com"),
}
Spec = dict[str, Any]  # a part of the OpenAPI document

schema = login_not_required(
    SpectacularAPIView.as_view(permission_classes=[AllowAny], authentication_classes=[])  # open: it holds no data
)


class Field(NamedTuple):
    """A parameter or a field of a body."""

    name: str
    kind: str
    required: bool
    text: str
    where: str = ""


class Operation(NamedTuple):
    """One thing the API does."""

    ident: str
    method: str
    path: str
    summary: str
    text: str
    parameters: list[Field]
    body: list[Field]
    answers: list[tuple[str, str, list[Field]]]
    curl: str


@cache
def document() -> Spec:
    """The OpenAPI document; the code does not change while it runs."""
    found: Spec = SchemaGenerator().get_schema(request=None, public=True)
    return found


@cache
def sections() -> dict[str, list[Operation]]:
    """Operations by resource, in the order of their paths."""
    grouped: dict[str, list[Operation]] = {}
    for path, verbs in document()["paths"].items():
        for method in METHODS:
            if method in verbs:
                name = verbs[method]["tags"][0].replace("-", " ").capitalize()
                grouped.setdefault(name, []).append(_operation(path, method, verbs[method]))
    return dict(sorted(grouped.items()))


def _operation(path: str, method: str, spec: Spec) -> Operation:
    body = _content(spec.get("requestBody", {}))
    text = spec.get("description", "")
    return Operation(
        ident=spec["operationId"],
        method=method.upper(),
        path=path,
        summary=spec.get("summary") or text.partition(".")[0] or spec["operationId"].replace("_", " "),
        text=text,
        parameters=[
            Field(
                each["name"], kind(each["schema"]), each.get("required", False), each.get("description", ""), each["in"]
            )
            for each in spec.get("parameters", [])
        ],
        body=list(_fields(body)),
        answers=[
            (code, answer.get("description", ""), list(_fields(_content(answer))))
            for code, answer in sorted(spec["responses"].items())
        ],
        curl=_curl(path, method, body),
    )


def _content(spec: Spec) -> Spec:
    """The JSON that is sent or answered; a list of things is shown as the thing."""
    found = _resolved(spec.get("content", {}).get("application/json", {}).get("schema", {}))
    return _resolved(found.get("items", found))


def _resolved(spec: Spec) -> Spec:
    """What a reference stands for."""
    if "$ref" in spec:
        return _resolved(document()["components"]["schemas"][spec["$ref"].rsplit("/", 1)[-1]])
    return _resolved(spec["allOf"][0]) if len(spec.get("allOf", [])) == 1 else spec


def _fields(spec: Spec) -> Iterator[Field]:
    """The fields of an object. Pages of a list show the fields of one row."""
    properties = spec.get("properties", {})
    if "results" in properties and "count" in properties:
        text = "How many in total, and the previous and next page"
        yield Field("count, next, previous", "page", required=True, text=text)
        yield from _fields(_resolved(properties["results"]["items"]))
        return
    for name, each in properties.items():
        yield Field(name, kind(each), name in spec.get("required", []), each.get("description", ""))


def kind(spec: Spec) -> str:
    """The type in a few words: text, one of …, list of …, or empty."""
    spec = _resolved(spec)
    if "oneOf" in spec:
        return " or ".join(dict.fromkeys(map(kind, spec["oneOf"])))
    if "enum" in spec:
        return "one of " + ", ".join(str(each) if each not in ("", None) else "empty" for each in spec["enum"])
    return " or ".join(_word(name, spec) for name in _types(spec)) or "anything"


def _types(spec: Spec) -> list[str]:
    types = spec.get("type", [])
    return [types] if isinstance(types, str) else types


def _word(name: str, spec: Spec) -> str:
    if name == "array":
        return f"list of {kind(spec.get('items', {}))}"
    form = spec.get("format", name) if name == "string" else name
    return KINDS.get(form, (form, None))[0]


def _example(spec: Spec) -> Any:
    """A plausible value."""
    spec = _resolved(spec)
    if "oneOf" in spec:
        return _example(spec["oneOf"][0])
    if "enum" in spec:
        return spec["enum"][0]
    names = [spec.get("format", ""), *_types(spec)]
    return next((KINDS[name][1] for name in names if name in KINDS), {})


def _curl(path: str, method: str, body: Spec) -> str:
    lines = ["curl" if method == "get" else f"curl -X {method.upper()}", '-H "Authorization: Token $TOKEN"']
    if method in ("post", "put", "patch"):
        lines.append('-H "Content-Type: application/json"')
        if properties := body.get("properties"):
            sent = {name: _example(properties[name]) for name in properties if name in body.get("required", [])}
            lines.append(f"-d '{json.dumps(sent)}'")
    return " \\\n  ".join([*lines, settings.SITE_URL + path.replace("{", "$").replace("}", "")])


@never_cache
@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The reference, and once after it was made, the token."""
    made = request.session.pop(NEW_TOKEN, "")
    context = {
        "sections": sections(),
        "errors": ERRORS,
        "site": settings.SITE_URL,
        "made": made,
        "has_token": Token.objects.filter(user=request.user.pk).exists(),
    }
    return render(request, "config/api.html", context)


@require_POST
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token for the person signed in; the one before stops working. It is shown once, on the page that follows."""
    with transaction.atomic():
        # Two at once: the second waits and replaces the token of the first.
        User.objects.select_for_update(no_key=True).get(pk=request.user.pk)
        Token.objects.filter(user=request.user.pk).delete()
        request.session[NEW_TOKEN] = Token.objects.create(user=request.user).key  # type: ignore[misc]
    return redirect("api-docs")


@require_POST
def end_token(request: HttpRequest) -> HttpResponse:
    """End the token of the person signed in."""
    Token.objects.filter(user=request.user.pk).delete()
    return redirect("api-docs")
