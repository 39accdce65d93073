"""Words that somebody typed while their session ended: kept in the browser's new session, put back after the sign-in.

They are kept for thirty minutes, never with passwords or files, and given back only to the person whose form it was. For
visitors of one address only so much is kept, because nobody has signed in yet.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypedDict
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

from config import once
from config.html_forms import filled
from config.middleware import Handler
from ledger.now import now

KEY = "typed_words"
KEPT_FOR = timedelta(minutes=30)
MOST_CHARACTERS = 100_000
# What is kept for all visitors of one address in that time, and the least that one form counts. Behind a proxy, all visitors
# have one address: this is enough for 500 of them.
MOST_OF_ADDRESS, LEAST_OF_FORM = 1_000_000, 2_000
SECRET = re.compile(r"pass|secret|token|otp|csrf|code|key$|pin$|^once$", re.I)
NO_FORMS = ("/auth/", "/admin/", "/api/")
BACK = "You were signed out while you were typing. Your text is back in the form; it has not been sent yet."
NOT_KEPT = (
    "Your text was not sent and could not be kept, because many forms were sent without a sign-in. Go back and copy it before "
    "you sign in."
)


class Typed(TypedDict):
    """A form that was sent without a session: its address, its fields, its token, and when."""

    address: str
    fields: dict[str, list[str]]
    once: str
    at: str


class SignInMiddleware(LoginRequiredMiddleware):
    """Visitors sign in first; what they typed is kept, and they come back to the page of the form, not to its address."""

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        """To the sign-in page, and from there to the page."""
        if request.method != "POST" or request.path.startswith(NO_FORMS) or "HX-Request" in request.headers:
            return super().handle_no_permission(request, view_func)
        if _keep(request):
            request.session.set_expiry(KEPT_FOR)
        return redirect_to_login(_page_of(request))


def form_of_another_sign_in(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was opened before the last sign-in of this browser. The person whose form it was gets the words back in the
    page; anybody else is told how to recover, and no words are kept."""
    mine = request.user.is_authenticated and once.made_for(_token_of(request), request.user.pk)
    if mine and not request.path.startswith(NO_FORMS) and "HX-Request" not in request.headers and _keep(request):
        return redirect(_page_of(request))
    other = request.user.is_authenticated and bool(_token_of(request)) and not mine
    return render(request, "403_csrf.html", {"other": other}, status=403)


def _token_of(request: HttpRequest) -> str:
    return request.POST.get(once.FIELD, "")[: once.LONGEST_TOKEN]


def _keep(request: HttpRequest) -> bool:
    """Keep the words of the form in the session; returns whether there were any that could be kept."""
    fields, left = _words(request)
    if not any(value.strip() for values in fields.values() for value in values):
        return False
    if not request.user.is_authenticated and not _is_room(request, MOST_CHARACTERS - left):
        messages.warning(request, NOT_KEPT)
        return False
    token = _token_of(request)
    request.session[KEY] = Typed(address=request.path, fields=fields, once=token, at=now().isoformat())
    return True


def _words(request: HttpRequest) -> tuple[dict[str, list[str]], int]:
    """The fields that may be kept, and how many characters more could be."""
    fields, left = {}, MOST_CHARACTERS
    for name, values in request.POST.lists():
        size = len(name) + sum(map(len, values))
        if not SECRET.search(name) and size <= left:
            fields[name] = values
            left -= size
    return fields, left


def _is_room(request: HttpRequest, characters: int) -> bool:
    """Whether words of this size may be kept for a visitor of this address; if so, they are counted."""
    period = int(now().timestamp() // KEPT_FOR.total_seconds())
    key = f"{KEY}_{request.META.get('REMOTE_ADDR', '')}_{period}"
    counted = cache.get(key, 0) + max(characters, LEAST_OF_FORM)
    if counted > MOST_OF_ADDRESS:
        return False
    cache.set(key, counted, KEPT_FOR.total_seconds())
    return True


def _page_of(request: HttpRequest) -> str:
    """The page that the form was on, as the browser names it; else the address of the form."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}):
        return request.path
    parts = urlsplit(referer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


class TypedWordsMiddleware:
    """Puts kept words into their form on the first page after the sign-in. A page without that form shows them as text."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Words are given back once."""
        typed = _waiting(request)
        if typed and "said" not in typed:
            messages.info(request, BACK)
            request.session[KEY] = {**typed, "said": True}
        answer = self.get_response(request)
        if answer.status_code == 405 and request.method in ("GET", "HEAD") and (typed or _is_navigation(request)):
            return redirect(_page_above(request.path))
        if typed is None or answer.status_code != 200 or not _is_page(answer):
            return answer
        del request.session[KEY]
        page = filled(answer.content.decode(), request.path, typed["address"], typed["fields"])
        if page is None:
            return render(request, "typed.html", {"typed": _readable(typed), "address": request.get_full_path()})
        answer.content = page.encode()
        return answer


def _waiting(request: HttpRequest) -> Typed | None:
    """The words that wait for this person."""
    if request.method != "GET" or "HX-Request" in request.headers or request.path.startswith(NO_FORMS):
        return None
    if not request.user.is_authenticated or not (typed := request.session.get(KEY)):
        return None
    is_old = datetime.fromisoformat(typed["at"]) < now() - KEPT_FOR
    if is_old or (typed["once"] and not once.made_for(typed["once"], request.user.pk)):
        del request.session[KEY]
        return None
    return typed


def _readable(typed: Typed) -> list[tuple[str, str]]:
    named = (
        (name.replace("_", " ").capitalize(), value) for name, values in typed["fields"].items() for value in values
    )
    return [(name, value) for name, value in named if any(char.isalpha() for char in value)]


def _is_page(answer: HttpResponse) -> bool:
    return not answer.streaming and answer.headers.get("Content-Type", "").startswith("text/html")


def _is_navigation(request: HttpRequest) -> bool:
    """A person's browser asks for a page, and says so."""
    is_theirs = not request.path.startswith(("/api/", "/healthz"))
    return is_theirs and request.user.is_authenticated and "text/html" in request.headers.get("Accept", "")


def _page_above(path: str) -> str:
    """The nearest address above that is a page: of /escalations/ESC-1/post/ the case."""
    while path := path.rstrip("/").rpartition("/")[0]:
        try:
            resolve(f"{path}/")
        except Resolver404:
            continue
        return f"{path}/"
    return "/"
