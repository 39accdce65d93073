"""The engine the demo plays in memory: nothing it writes stands before what made it happen."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from demo.clockwork import Clockwork
from escalations.clocks.rules import steps

START = datetime(2026, 11, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Shortened(Clockwork):
    """Two clocks; the first to run out gives the second a target that passed before it."""

    def __init__(self) -> None:
        self.told_at: list[tuple[str, datetime]] = []
        self._ticked = START
        self.live = {
            "decision": SimpleNamespace(name="decision", fire_at=START + 6 * HOUR),
            "resolution": SimpleNamespace(name="resolution", fire_at=START + 9 * HOUR),
        }

    def _watch(self, clock: Any) -> Any:
        return SimpleNamespace(due_at=clock.fire_at, warnings=(), warned_percent=0, breached_at=None)

    def _take(self, clock: Any, step: steps.Step | None, at: datetime) -> None:
        self.told_at.append((clock.name, at))
        clock.fire_at = None
        if clock.name == "decision":
            self.live["resolution"].fire_at = START + HOUR


def test_a_clock_shortened_into_the_past_fires_after_what_shortened_it(monkeypatch):
    monkeypatch.setattr(steps, "step_at", lambda watch, at: None)
    played = Shortened()
    played.tick(START + 2 * HOUR)
    played.tick(START + 10 * HOUR)
    assert [name for name, _ in played.told_at] == ["decision", "resolution"]
    assert played.told_at[1][1] >= played.told_at[0][1]
