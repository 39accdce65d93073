"""Pages of a case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def skip_to_execute(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def resolve(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def close(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def reopen(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def withdraw(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)
