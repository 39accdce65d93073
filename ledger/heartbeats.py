"""Signs of life of long-running processes, and their age."""

from datetime import timedelta

from ledger.models import Heartbeat
from ledger.now import now


def beat(name: str, detail: str = "") -> None:
    """Note that `name` is alive now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now(), "detail": detail[:200]})


def age(name: str) -> timedelta | None:
    """Time since the last beat, or None when there never was one."""
    row = Heartbeat.objects.filter(name=name).first()
    return now() - row.at if row else None
