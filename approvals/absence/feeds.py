"""Makes delegations from the out-of-office entries of people's calendars. A feed that fails shows the reason and
changes nothing."""

import ipaddress
import logging
import socket
from datetime import datetime
from time import monotonic
from urllib.parse import urljoin, urlsplit

import httpx
from django.conf import settings
from django.db import transaction

from accounts.models import User
from approvals.absence import delegations as delegating
from approvals.absence.rules.calendar import Away, NotACalendar, absences
from approvals.models import CalendarFeed, Delegation
from ledger.errors import Invalid, Refused
from ledger.format import day, local
from ledger.now import now

log = logging.getLogger(__name__)
LARGEST = 5 * 1024 * 1024
SECONDS = 10.0
HOPS = 3
NO_ANSWER = "The calendar does not answer. Check “Calendar address (.ics)”; it is tried again every hour."


class NotFetched(Exception):
    """The calendar could not be fetched; the text says why, for its owner."""


@transaction.atomic
def keep(*, user: User, url: str, stand_in: User) -> CalendarFeed:
    """Set the calendar of a person and the stand-in for its absences. Raises Invalid."""
    _check_address(url)
    if (
        stand_in.pk == user.pk
        or not stand_in.is_colleague
        or stand_in.kind == User.SERVICE
        or user.kind == User.SERVICE
    ):
        raise Invalid("Choose an active colleague as your stand-in.", field="stand_in")
    values = {"url": url, "stand_in": stand_in, "checked_at": None, "problem": ""}
    return CalendarFeed.objects.update_or_create(user=user, defaults=values)[0]


@transaction.atomic
def remove(*, user: User) -> None:
    """Stop reading the calendar. Its delegations stay until they end or somebody ends them."""
    CalendarFeed.objects.filter(user=user).delete()


def fetch_all() -> int:
    """Read every calendar once; the hourly task. Returns how many could not be read. A failing feed never stops the
    others, because they need their stand-ins too."""
    failed = 0
    for feed in CalendarFeed.objects.filter(user__is_active=True).select_related("user", "stand_in"):
        try:
            failed += bool(read_feed(feed, fetch(feed.url)))
        except NotFetched as problem:
            failed += 1
            _note(feed, str(problem))
        except Exception:
            log.exception("calendar feed %s", feed.pk)
            failed += 1
            _note(feed, "The calendar could not be read. It contains an entry that cannot be read.")
    return failed


def read_feed(feed: CalendarFeed, ics: bytes) -> str:
    """Make, move and end delegations to match the calendar. Returns the problem, empty if there is none; a file that
    cannot be read changes nothing."""
    at = now()
    try:
        wanted = {(away.uid, away.starts_at): away for away in absences(ics, feed.user.zone, at)}
    except NotACalendar as problem:
        return _note(feed, f"The calendar could not be read. {problem}")
    problems = _settle(feed, wanted)
    return _note(feed, " ".join(dict.fromkeys(problems)))


@transaction.atomic
def _settle(feed: CalendarFeed, wanted: dict[tuple[str, datetime], Away]) -> list[str]:
    at, kept = now(), set()
    live = Delegation.objects.filter(user=feed.user, source=Delegation.CALENDAR, ended_at=None, ends_at__gt=at)
    for given in live.select_related("to"):
        away = wanted.get((given.uid, given.starts_at))
        if away and given.to_id == feed.stand_in_id and given.ends_at == away.ends_at:
            kept.add((given.uid, given.starts_at))
        else:
            delegating.end(delegation_id=given.pk, by=None)
    problems = []
    for key, away in wanted.items():
        if key not in kept:
            problems += _give(feed, away)
    return problems


def _give(feed: CalendarFeed, away: Away) -> list[str]:
    """Make one delegation. If it is refused, the owner sees the reason and the others are still made."""
    try:
        delegating.make(
            delegating.StandIn(to=feed.stand_in, starts_at=away.starts_at, ends_at=away.ends_at),
            user=feed.user,
            by=feed.user,
            source=Delegation.CALENDAR,
            uid=away.uid,
        )
    except Refused as refusal:
        return [f"{day(local(away.starts_at, feed.user.zone).date())}: {refusal.message}"]
    return []


def _note(feed: CalendarFeed, problem: str) -> str:
    CalendarFeed.objects.filter(pk=feed.pk).update(checked_at=now(), problem=problem[:300])
    return problem


def fetch(url: str) -> bytes:
    """The file behind an https address: 10 seconds, 5 MB, three redirects, each checked; never inside our own network.

    Raises NotFetched.
    """
    for _ in range(HOPS + 1):
        try:
            answer, body = _get(url)
        except Refused as refusal:
            raise NotFetched(refusal.message) from refusal
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise NotFetched(
                "The calendar does not answer. Check “Calendar address (.ics)”; it is tried again every hour."
            ) from error
        if answer.status_code == 200:
            return body
        if not answer.is_redirect:
            raise NotFetched(f"The calendar answers {answer.status_code} instead of a file. Copy its address again.")
        url = urljoin(url, answer.headers.get("location", ""))
    raise NotFetched("The calendar redirects too often.")


def _get(url: str) -> tuple[httpx.Response, bytes]:
    """One request to exactly the address that was checked, with the host's own name."""
    _check_address(url)
    parts = urlsplit(url)
    host = parts.hostname or ""
    address = _address(host, parts.port or (443 if parts.scheme == "https" else 80))
    target = httpx.URL(url).copy_with(host=address)
    named = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "Escalation Desk", "Accept": "text/calendar"}
    client = httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False)
    with client, client.stream("GET", target, headers=named, extensions={"sni_hostname": host}) as answer:
        body, start = b"", monotonic()
        for part in answer.iter_bytes():
            body += part
            if len(body) > LARGEST:
                raise NotFetched("The calendar is larger than 5 MB.")
            if monotonic() - start > SECONDS:
                raise NotFetched("The calendar takes longer than 10 seconds.")
    return answer, body


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    plain = settings.CALENDARS_MAY_BE_LOCAL and parts.scheme == "http"
    if (parts.scheme != "https" and not plain) or not parts.hostname:
        raise Invalid("Enter a calendar address that starts with https.", field="url")


def _address(host: str, port: int) -> str:
    """The first address of a host. Raises Invalid if any of them is inside a private network."""
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    inside = [each for each in found if not ipaddress.ip_address(each.partition("%")[0]).is_global]
    if not found or (inside and not settings.CALENDARS_MAY_BE_LOCAL):
        raise Invalid("The calendar address leads into a private network. Enter a public one.", field="url")
    return found[0]
