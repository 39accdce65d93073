"""What the banner of operations says, looked up a few times a minute at most by each process of the web part."""

import time

from django.conf import settings

from reports.queries import engine
from reports.rules.vitals import Alarm, alarm_of

_kept: tuple[float, Alarm | None] | None = None


def alarm() -> Alarm | None:
    """What is wrong with the engine, or None. At most BANNER_SECONDS old; two queries when it is looked up."""
    global _kept  # one small value a process; threads may look it up twice, no more
    moment, kept = time.monotonic(), _kept
    if kept is None or moment - kept[0] >= settings.BANNER_SECONDS:
        _kept = kept = (moment, alarm_of(engine.alarm()))
    return kept[1]
