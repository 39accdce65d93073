"""A person's calendar names their stand-in: made, moved, ended; a failing feed says why and ends nothing."""

import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from pytest_django import Settings

from approvals.absence import feeds as calendars
from approvals.models import CalendarFeed, Delegation
from approvals.tasks import read_calendars
from config.schedules import SCHEDULES
from ledger.errors import Invalid
from ledger.now import now
from tests.support.cast import Cast


def away(*spans: tuple[datetime, datetime], title: str = "Out of office") -> bytes:
    """A calendar with these times out."""
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDTEND:{end:%Y%m%dT%H%M%SZ}\r\n"
        f"SUMMARY:{title}\r\nEND:VEVENT\r\n"
        for number, (start, end) in enumerate(spans)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n".encode()


@pytest.fixture
def feed(deciders: Cast) -> CalendarFeed:
    """Lena's calendar; Tom stands in."""
    return calendars.keep(user=deciders.director, url="https://calendar.example/lena.ics", stand_in=deciders.lead)


def day(number: int) -> datetime:
    """A moment that many days from now, to the second as calendars keep it."""
    return (now() + timedelta(days=number)).replace(microsecond=0)


def live() -> list[tuple[int, int]]:
    """Delegations that have not ended: stand-in and length in days."""
    rows = Delegation.objects.filter(ended_at=None).order_by("starts_at")
    return [(row.to_id, (row.ends_at - row.starts_at).days) for row in rows]


def test_times_out_become_delegations_once(deciders: Cast, feed: CalendarFeed) -> None:
    ics = away((day(1), day(3)), (day(10), day(11)))
    assert calendars.read_feed(feed, ics) == ""
    assert calendars.read_feed(feed, ics) == ""
    assert live() == [(deciders.lead.pk, 2), (deciders.lead.pk, 1)]
    assert Delegation.objects.count() == 2
    assert {row.source for row in Delegation.objects.all()} == {"calendar"}
    feed.refresh_from_db()
    assert feed.checked_at


def test_what_moved_or_is_gone_in_the_calendar_moves_or_ends(deciders: Cast, feed: CalendarFeed) -> None:
    start = day(1)
    calendars.read_feed(feed, away((start, day(3)), (day(10), day(11))))
    calendars.read_feed(feed, away((start, day(5))))
    assert live() == [(deciders.lead.pk, 4)]
    feed.stand_in = deciders.outsider
    calendars.read_feed(feed, away((start, day(5))))
    assert live() == [(deciders.outsider.pk, 4)]
    calendars.read_feed(feed, away())
    assert live() == []


def test_delegations_made_by_hand_stay(deciders: Cast, feed: CalendarFeed) -> None:
    values = {"starts_at": day(20), "ends_at": day(22)}
    Delegation.objects.create(user=deciders.director, to=deciders.outsider, **values)
    calendars.read_feed(feed, away())
    assert live() == [(deciders.outsider.pk, 2)]
    assert "You already have a stand-in" in calendars.read_feed(feed, away((day(21), day(23))))
    assert live() == [(deciders.outsider.pk, 2)]


@pytest.mark.parametrize("junk", [b"", b"<html>Sign in</html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"])
def test_a_file_that_cannot_be_read_ends_nothing_and_says_why(deciders: Cast, feed: CalendarFeed, junk: bytes) -> None:
    calendars.read_feed(feed, away((day(1), day(3))))
    assert "could not be read" in calendars.read_feed(feed, junk)
    assert live() == [(deciders.lead.pk, 2)]
    feed.refresh_from_db()
    assert "could not be read" in feed.problem


@pytest.mark.parametrize(
    "url", ["http://calendar.example/a.ics", "ftp://calendar.example/a", "https://", "file:///etc/passwd"]
)
def test_only_https_addresses_are_kept(deciders: Cast, url: str) -> None:
    with pytest.raises(Invalid):
        calendars.keep(user=deciders.director, url=url, stand_in=deciders.lead)


def test_nobody_is_their_own_stand_in(deciders: Cast) -> None:
    with pytest.raises(Invalid):
        calendars.keep(user=deciders.director, url="https://calendar.example/a.ics", stand_in=deciders.director)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "0.0.0.0"],
)
def test_addresses_inside_our_own_network_are_not_fetched(host: str) -> None:
    with pytest.raises(calendars.NotFetched, match="private network"):
        calendars.fetch(f"https://{host}/a.ics")


def test_a_name_that_leads_inside_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: public + inside)
    with pytest.raises(calendars.NotFetched, match="private network"):
        calendars.fetch("https://calendar.example/a.ics")


class Pages(BaseHTTPRequestHandler):
    """A small calendar server."""

    body = b""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/a.ics")
        elif self.path == "/round":
            self.send_response(302)
            self.send_header("Location", "/round")
        elif self.path == "/out":
            self.send_response(302)
            self.send_header("Location", "ftp://calendar.example/a.ics")
        else:
            self.send_response(404 if self.path == "/gone" else 200)
        self.end_headers()
        if self.path == "/a.ics":
            self.wfile.write(self.body)
        elif self.path == "/large":
            self.wfile.write(b"x" * (calendars.LARGEST + 1))

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def served(settings: Settings) -> Iterator[Callable[[str], str]]:
    """The address of a page of that server."""
    settings.CALENDARS_MAY_BE_LOCAL = True
    server = HTTPServer(("127.0.0.1", 0), Pages)
    Thread(target=server.serve_forever, daemon=True).start()
    yield lambda path: f"http://127.0.0.1:{server.server_port}{path}"
    server.shutdown()
    server.server_close()


def test_redirects_are_followed_and_checked_large_and_missing_files_refused(served: Callable[[str], str]) -> None:
    Pages.body = away()
    assert calendars.fetch(served("/moved")) == away()
    for path, words in (("/round", "too often"), ("/out", "https"), ("/gone", "404"), ("/large", "5 MB")):
        with pytest.raises(calendars.NotFetched, match=words):
            calendars.fetch(served(path))


def test_the_hourly_task_reads_every_calendar_and_one_failing_stops_no_other(
    deciders: Cast, feed: CalendarFeed, served: Callable[[str], str]
) -> None:
    Pages.body = away((day(1), day(3)))
    calendars.keep(user=deciders.sponsor, url=served("/gone"), stand_in=deciders.committee)
    CalendarFeed.objects.filter(pk=feed.pk).update(url=served("/a.ics"))
    read_calendars()
    assert live() == [(deciders.lead.pk, 2)]
    assert "404" in CalendarFeed.objects.get(user=deciders.sponsor).problem
    assert SCHEDULES["read_calendars"]["func"] == "approvals.tasks.read_calendars"


def test_whatever_is_wrong_with_one_calendar_is_told_its_owner_and_stops_no_other(
    deciders: Cast, feed: CalendarFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendars.keep(user=deciders.outsider, url="https://calendar.example/olga.ics", stand_in=deciders.lead)
    calendars.keep(user=deciders.sponsor, url="https://calendar.example/dana.ics", stand_in=deciders.committee)
    odd = away((day(1), day(3))).replace(b"DTEND", b"DTSTART")

    def fetched(url: str) -> bytes:
        if "olga" in url:
            raise RecursionError
        return odd if "lena" in url else away((day(1), day(3)))

    monkeypatch.setattr(calendars, "fetch", fetched)
    assert calendars.fetch_all() == 2
    assert live() == [(deciders.committee.pk, 2)]
    problems = dict(CalendarFeed.objects.values_list("user__email", "problem"))
    assert "DTSTART that is not a date" in problems[deciders.director.email]
    assert (
        problems[deciders.outsider.email] == "The calendar could not be read. It contains an entry that cannot be read."
    )
    assert problems[deciders.sponsor.email] == ""
