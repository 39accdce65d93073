"""The request types of views behind the sign-in middleware."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails
from rest_framework.request import Request

from accounts.models import User


class SignedIn(HttpRequest):
    """The request of a page: a user is signed in."""

    user: User
    htmx: HtmxDetails


class Caller(Request):
    """The request of the API: the user comes from a token or a session."""

    user: User
