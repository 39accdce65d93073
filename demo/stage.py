"""Plays stories in order of time: between two acts of people the engine fires what is due."""

import heapq
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta
from itertools import count
from time import monotonic

from demo import acts
from ledger.format import recorded
from ledger.now import moved_to

# A story is a generator: it acts when it is resumed and yields the moment at which it continues.
Steps = Iterator[datetime]
Part = Generator[datetime, None, datetime]  # of a story: returns the moment at which the next part begins
RECENT = timedelta(days=1)
TELL_EVERY = 4.0  # seconds between two lines of progress


class Stage:
    """Plays any number of stories up to `end`, the present. Later acts do not happen."""

    def __init__(self, end: datetime, say: Callable[[str], None]) -> None:
        self.end, self._say = end, say
        self._agenda: list[tuple[datetime, int, Steps]] = []
        self._order = count()
        self._recent = False

    def enter(self, moment: datetime, steps: Steps) -> None:
        """Start a story at this moment."""
        heapq.heappush(self._agenda, (moment, next(self._order), steps))

    def play(self) -> None:
        """Play everything up to the present, in order of time."""
        said = monotonic()
        while self._agenda and self._agenda[0][0] <= self.end:
            moment, _, steps = heapq.heappop(self._agenda)
            self._fire_until(moment)
            with moved_to(moment):
                then = next(steps, None)
                self._deliver(moment)
            if then is not None:
                self.enter(max(then, moment), steps)
            if monotonic() - said > TELL_EVERY:
                self._say(f"  {recorded(moment)}")
                said = monotonic()
        self._fire_until(self.end)
        acts.deliver_word(composed=True)

    def _fire_until(self, moment: datetime) -> None:
        """Fire clocks at their own due times, one after the other."""
        while (due := acts.next_due()) is not None and due <= moment:
            with moved_to(due):
                if not acts.fire_due():
                    raise RuntimeError(f"The engine left a clock that was due at {due}")
                self._deliver(due)

    def _deliver(self, moment: datetime) -> None:
        """Older mail is marked as sent at the end without its text, because nobody opens it and composing all of it
        takes long."""
        if moment < self.end - RECENT:
            return
        acts.deliver_word(composed=self._recent)
        self._recent = True
