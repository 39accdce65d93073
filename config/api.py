"""The API under /api/v1/: all resources in one router, and one form for all errors."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db.models import DateTimeField
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.exceptions import PermissionDenied as Forbidden
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.views import exception_handler

import accounts.api
import approvals.api
import escalations.api
from ledger.errors import Busy, Refused
from ledger.locks import is_locked
from ledger.moments import ApiMoment

# Every moment of a model is read and written alike.
ModelSerializer.serializer_field_mapping[DateTimeField] = ApiMoment

CODES = {
    status.HTTP_401_UNAUTHORIZED: "not_signed_in",
    status.HTTP_403_FORBIDDEN: "not_allowed",
    status.HTTP_404_NOT_FOUND: "not_found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method_not_allowed",
    status.HTTP_406_NOT_ACCEPTABLE: "not_acceptable",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "not_json",
    status.HTTP_429_TOO_MANY_REQUESTS: "too_many_requests",
}
SIGN_IN = "Send a token: “Authorization: Token …”. The API page explains how to get one."


def answer_refusal(exc: Exception, context: dict[str, object]) -> Response | None:
    """Errors in one form: code, message, field; for bad input also `fields`, name → sentences. Other errors are not
    changed."""
    if is_locked(exc):
        exc = Busy()
    if isinstance(exc, Refused):
        wait = {"Retry-After": str(exc.retry_after_seconds)} if isinstance(exc, Busy) else None
        return Response(refusal(exc.code, exc.message, exc.field), status=exc.status, headers=wait)
    answer = exception_handler(exc, context)
    if answer is None:
        return None
    if isinstance(exc, ValidationError):
        fields = flat(exc.detail)
        field, said = next(iter(fields.items()), ("", ["Check the values."]))
        # Pages and verbs answer 422 to bad values; 400 is for bodies that cannot be read.
        answer.status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
        answer.data = {**refusal("invalid", f"{field}: {said[0]}" if field else said[0], field), "fields": fields}
    else:
        answer.data = refusal(CODES.get(answer.status_code, "invalid"), _words(exc, answer.status_code))
    return answer


def refusal(code: str, message: str, field: str = "") -> dict[str, str]:
    """The body of every error."""
    return {"code": code, "message": message, "field": field}


def _words(exc: Exception, code: int) -> str:
    if code == status.HTTP_401_UNAUTHORIZED:
        return SIGN_IN if getattr(exc, "default_code", "") == "not_authenticated" else f"{_detail(exc)} {SIGN_IN}"
    if isinstance(exc, Http404 | NotFound):
        return "It does not exist, or you do not have access to it."
    if isinstance(exc, PermissionDenied | Forbidden):
        return _detail(exc) or "You do not have permission to do this."
    return _detail(exc)


def _detail(exc: Exception) -> str:
    return str(exc.detail) if isinstance(exc, APIException) else str(exc)


def flat(detail: object, name: str = "") -> dict[str, list[str]]:
    """Nested errors with dotted names; errors without a field are under ''."""
    if isinstance(detail, dict):
        parts = (flat(value, _joined(name, key)) for key, value in detail.items())
        return {key: value for part in parts for key, value in part.items()}
    if isinstance(detail, list) and any(isinstance(each, dict | list) for each in detail):
        nested = (flat(each, _joined(name, str(place))) for place, each in enumerate(detail) if each)
        return {key: value for part in nested for key, value in part.items()}
    return {name: [str(each) for each in detail] if isinstance(detail, list) else [str(detail)]}


def _joined(name: str, key: str) -> str:
    return name if key == "non_field_errors" else f"{name}.{key}" if name else str(key)


@login_not_required
@csrf_exempt
def no_such_address(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Unknown addresses below /api/v1/ answer like the API, not with a page."""
    return JsonResponse(refusal("not_found", "There is no such address. /api/ lists all addresses."), status=404)


def make_router() -> SimpleRouter:
    """Every app's resources. A duplicate name is a programming error and stops the start."""
    router = SimpleRouter()
    for prefix, viewset in (
        *accounts.api.router_entries,
        *approvals.api.router_entries,
        *escalations.api.router_entries,
    ):
        router.register(prefix, viewset, basename=prefix)
    names = [prefix for prefix, _, _ in router.registry]
    if len(names) != len(set(names)):
        raise ValueError(f"two resources share a name: {sorted(names)}")
    return router


urlpatterns = [path("", include(make_router().urls)), path("<path:rest>", no_such_address)]
