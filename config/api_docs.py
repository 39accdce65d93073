"""The API reference: a page of ours, made from the schema the code itself describes, and the token a person calls it with."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

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

METHODS = ("get", "post", "put", "patch", "delete")
NEW_TOKEN = "new_api_token"  # noqa: S105 - the name of a session entry
ERRORS = (
    (400, "invalid", "The body is not JSON"),
    (401, "not_signed_in", "No token, or one that is not valid"),
    (403, "not_allowed", "You can see it, but you do not have permission to do this"),
    (404, "not_found", "It does not exist, or you do not have access to it"),
    (409, "changed_meanwhile, already_done", "Someone changed it first: read it again"),
    (422, "invalid", "A value is missing, wrong or against a rule; “field” and “fields” say which"),
)

schema = login_not_required(
    SpectacularAPIView.as_view(permission_classes=[AllowAny], authentication_classes=[])  # open: it holds no data
)


@dataclass(frozen=True)
class Field:
    """A parameter or a field of a body."""

    name: str
    kind: str
    required: bool
    text: str
    where: str = ""


@dataclass(frozen=True)
class Operation:
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


@dataclass(frozen=True)
class Section:
    """Operations of one resource."""

    name: str
    operations: list[Operation]


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document; the code does not change while it runs."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


@cache
def sections() -> list[Section]:
    """Operations by resource, in the order of their paths."""
    reader = Reader(document())
    grouped: dict[str, list[Operation]] = {}
    for path, verbs in reader.root["paths"].items():
        for method in METHODS:
            if method in verbs:
                grouped.setdefault(verbs[method].get("tags", ["api"])[0], []).append(
                    reader.operation(path, method, verbs[method])
                )
    return [Section(name.replace("-", " ").capitalize(), found) for name, found in sorted(grouped.items())]


class Reader:
    """Turns parts of an OpenAPI document into what the page shows."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root

    def operation(self, path: str, method: str, spec: dict[str, Any]) -> Operation:
        """One operation with its parameters, body, answers and an example call."""
        body_schema = self._content(spec.get("requestBody", {}))
        text = spec.get("description", "")
        return Operation(
            ident=spec["operationId"],
            method=method.upper(),
            path=path,
            summary=spec.get("summary") or text.partition(".")[0] or spec["operationId"].replace("_", " "),
            text=text,
            parameters=[self._parameter(each) for each in spec.get("parameters", [])],
            body=list(self.fields(body_schema)),
            answers=[
                (code, answer.get("description", ""), list(self.fields(self._content(answer))))
                for code, answer in sorted(spec.get("responses", {}).items())
            ],
            curl=self._curl(path, method, body_schema),
        )

    def _parameter(self, spec: dict[str, Any]) -> Field:
        text = spec.get("description", "")
        return Field(spec["name"], self.kind(spec.get("schema", {})), spec.get("required", False), text, spec["in"])

    def _content(self, spec: dict[str, Any]) -> dict[str, Any]:
        return self._resolved(spec.get("content", {}).get("application/json", {}).get("schema", {}))

    def _resolved(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Follows a reference; a list of things is shown as the thing."""
        for _ in range(10):
            if "$ref" in spec:
                spec = self.root["components"]["schemas"][spec["$ref"].rsplit("/", 1)[-1]]
            elif spec.get("type") == "array":
                spec = spec.get("items", {})
            elif len(spec.get("allOf", [])) == 1:
                spec = spec["allOf"][0]
            else:
                break
        return spec

    def fields(self, spec: dict[str, Any]) -> Iterator[Field]:
        """The fields of an object. Pages of a list show the fields of one row."""
        properties = spec.get("properties", {})
        if "results" in properties and "count" in properties:
            yield Field(
                "count, next, previous", "page", required=True, text="How many in total, and the previous and next page"
            )
            spec = self._resolved(properties["results"])
            properties = spec.get("properties", {})
        for name, each in properties.items():
            yield Field(name, self.kind(each), name in spec.get("required", []), each.get("description", ""))

    def kind(self, spec: dict[str, Any]) -> str:
        """The type in a few words: text, one of …, list of …, or empty."""
        if "$ref" in spec or len(spec.get("allOf", [])) == 1:
            return self.kind(self._resolved(spec))
        if options := spec.get("oneOf") or spec.get("anyOf"):
            return " or ".join(dict.fromkeys(self.kind(each) for each in options))
        if "enum" in spec:
            return "one of " + ", ".join(str(each) if each not in ("", None) else "empty" for each in spec["enum"])
        kinds = spec.get("type", "anything")
        names = kinds if isinstance(kinds, list) else [kinds]
        if "array" in names:
            return f"list of {self.kind(spec.get('items', {}))}"
        return " or ".join(self._word(name, spec.get("format", "")) for name in names)

    @staticmethod
    def _word(name: str, form: str) -> str:
        words = {"string": "text", "integer": "whole number", "null": "empty", "boolean": "true or false"}
        if name == "string" and form:
            return {"date-time": "moment", "decimal": "decimal, as text"}.get(form, form)
        return words.get(name, name)

    def example(self, spec: dict[str, Any], depth: int = 0) -> Any:
        """A plausible value."""
        spec = self._resolved(spec) if "$ref" in spec or "allOf" in spec else spec
        if options := spec.get("oneOf") or spec.get("anyOf"):
            return self.example(options[0], depth)
        if "enum" in spec:
            return spec["enum"][0]
        kind = spec.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object" and depth < 3:
            required = spec.get("required", [])
            return {
                name: self.example(each, depth + 1)
                for name, each in spec.get("properties", {}).items()
                if name in required
            }
        by_format = {
            "date-time": "2026-01-31T15:00:00Z",
            "date": "2026-01-31",
            "decimal": "100.00",
            "email": "name@example.com",
        }
        plain = {"integer": 1, "number": 1, "boolean": True, "array": []}
        return by_format.get(spec.get("format", "")) or plain.get(str(kind), "text" if kind == "string" else {})

    def _curl(self, path: str, method: str, body: dict[str, Any]) -> str:
        lines = ["curl" if method == "get" else f"curl -X {method.upper()}", '-H "Authorization: Token $TOKEN"']
        if method in ("post", "put", "patch"):
            lines.append('-H "Content-Type: application/json"')
            if body.get("properties"):
                lines.append(f"-d '{json.dumps(self.example({**body, 'type': 'object'}))}'")
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
        Token.objects.filter(user=request.user.pk).delete()
        request.session[NEW_TOKEN] = Token.objects.create(user=request.user).key  # type: ignore[misc]
    return redirect("api-docs")


@require_POST
def end_token(request: HttpRequest) -> HttpResponse:
    """End the token of the person signed in."""
    Token.objects.filter(user=request.user.pk).delete()
    return redirect("api-docs")
