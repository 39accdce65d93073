"""Pages of a case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def edit(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def page(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def pdf(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def snapshot(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)
