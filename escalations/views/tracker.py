"""Pages of a case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def board(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def add(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def done(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def promise(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def keep(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)
