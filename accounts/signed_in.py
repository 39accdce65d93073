"""Requests as views get them: the sign-in middleware has let a person through."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails
from rest_framework.request import Request

from accounts.models import User


class SignedIn(HttpRequest):
    """A page's request: somebody is signed in."""

    user: User
    htmx: HtmxDetails


class Caller(Request):
    """A request to the API: a token or a session named the user."""

    user: User
