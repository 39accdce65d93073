"""Calls the external monitor at most once a minute while every clock is being watched. If the calls stop, the monitor
raises an alarm, because a desk that is down cannot report that itself. Any service works that expects a request to a
URL at regular times.
"""

import http.client
import logging
import urllib.request
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

from ledger import heartbeats
from ledger.models import Heartbeat
from ledger.now import now
from reports.queries import engine
from reports.rules.vitals import problems

log = logging.getLogger(__name__)
TURN = "outside.turn"
EVERY = timedelta(seconds=60)
TIMEOUT_SECONDS = 5.0
LOOK_SECONDS = 5.0


class NotReached(Exception):
    """The external monitor could not be called. The text says why, without the address, which is a secret."""


def tell() -> int:
    """The engine's part: call the monitor when it is time and all is well. Only one of several engines does."""
    at = now()
    turn = Heartbeat.objects.filter(name=TURN).first()
    if settings.HEARTBEAT_URL and _is_time(turn, at) and is_well() and _take(turn, at):
        try:
            ping()
        except NotReached as error:
            log.warning("The external monitor was not reached: %s", error)
    return 0


def is_well() -> bool:
    """Whether every clock is being watched, according to the database."""
    return not any(each.stops for each in problems(engine.alarm()))


def ping() -> None:
    """Call the monitor now and note that it answered. Raises NotReached."""
    try:
        _request(settings.HEARTBEAT_URL)
    except NotReached as error:
        Heartbeat.objects.filter(name=engine.OUTSIDE).update(detail=str(error)[:200])
        raise
    heartbeats.beat(engine.OUTSIDE)


def _request(url: str) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise NotReached("HEARTBEAT_URL must start with http:// or https://")
    try:
        # An answer other than 2xx raises; the body is ignored.
        urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS).close()  # noqa: S310 - the scheme is known
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotReached(f"{type(error).__name__}: {getattr(error, 'reason', '') or 'no answer'}") from error


def _is_time(turn: Heartbeat | None, at: datetime) -> bool:
    """A minute after the last turn. A turn in the future was taken before the clock was set back."""
    return turn is None or not turn.at <= at < turn.at + EVERY


def _take(turn: Heartbeat | None, at: datetime) -> bool:
    """Whether this engine makes the call of this minute: only one of those that read the same last turn."""
    if turn is not None:
        return bool(Heartbeat.objects.filter(pk=turn.pk, at=turn.at).update(at=at))
    # From now on a successful call is expected.
    Heartbeat.objects.get_or_create(name=engine.OUTSIDE, defaults={"at": at, "detail": "not reached yet"})
    return Heartbeat.objects.get_or_create(name=TURN, defaults={"at": at})[1]
