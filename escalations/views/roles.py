"""Pages of a case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def board(request: HttpRequest, key: str = "", **ids) -> HttpResponse:
    return redirect("escalations:case", key)
