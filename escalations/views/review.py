"""Pages of a case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def page(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def sign(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def waive(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def listing(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)
