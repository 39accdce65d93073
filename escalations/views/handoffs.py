"""Pages of a case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def answer_page(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def accept(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def refuse(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def reassign(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)


def escalate(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)
