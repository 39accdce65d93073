"""The text of the operations banner, cached by each web process and read at most a few times a minute."""

import time

from django.conf import settings

from reports.queries import engine
from reports.rules.vitals import Alarm, alarm_of

_kept: tuple[float, Alarm | None] | None = None


def alarm() -> Alarm | None:
    """The problem of the engine, or None. At most BANNER_SECONDS old; two queries per read."""
    global _kept  # one small value for each process; two threads may read it twice, which does no harm
    moment, kept = time.monotonic(), _kept
    if kept is None or moment - kept[0] >= settings.BANNER_SECONDS:
        _kept = kept = (moment, alarm_of(engine.alarm()))
    return kept[1]
