"""The clocks of a locked case while a verb works: read once, changed in memory, and written together with its entries."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.db.models import Max

from escalations.clocks.targets import Targets
from escalations.models import Clock, Escalation
from ledger import chain
from ledger.now import now

LIVE = (Clock.RUNNING, Clock.PAUSED)


class Book:
    """The clocks of one case that a verb reads and changes."""

    def __init__(self, case: Escalation, targets: Targets | None = None) -> None:
        self.case = case
        self.targets = targets or Targets(case, now())
        self.cache_is_old = False
        self._changed: list[Clock] = []

    @cached_property
    def _clocks(self) -> list[Clock]:
        """The clocks that were live when they were read, and those that the verb changed or started."""
        changed = {clock.pk for clock in self._changed}
        rows: Iterable[Clock] = () if self.case.is_new else self.case.clocks.live().select_related("calendar")
        return [*self._changed, *(clock for clock in rows if clock.pk not in changed)]

    @cached_property
    def _generations(self) -> dict[str, int]:
        """The highest generation of each kind in the database."""
        if self.case.is_new:
            return {}
        rows = self.case.clocks.order_by().values("kind").annotate(highest=Max("generation"))
        return {row["kind"]: row["highest"] for row in rows}

    def live(self) -> list[Clock]:
        """The clocks that run or are paused, in the order of their due times."""
        return sorted((clock for clock in self._clocks if clock.state in LIVE), key=_soonest)

    def find(self, kind: str, about: int = 0) -> Clock | None:
        """The live clock of this kind."""
        return next((clock for clock in self.live() if (clock.kind, clock.about) == (kind, about)), None)

    def next_generation(self, kind: str) -> int:
        """The generation of a clock of this kind that starts now."""
        known = [clock for clock in self._clocks if clock.kind == kind]
        highest = max((clock.generation for clock in known), default=0)
        # A clock of the whole case was the newest of its kind when it was read. One of a commitment may be older than others.
        if not any(clock.about == 0 for clock in known):
            highest = max(highest, self._generations.get(kind, 0))
        return highest + 1

    def keep(self, clock: Clock) -> None:
        """Write this clock when the block ends, instead of the row that was read."""
        if any(each is clock for each in self._changed):
            return
        self._changed = [each for each in self._changed if each.pk is None or each.pk != clock.pk] + [clock]
        if "_clocks" in self.__dict__:
            self._clocks[:] = [each for each in self._clocks if each.pk is None or each.pk != clock.pk] + [clock]

    def write(self) -> None:
        """Save the clocks that changed. Ended ones come first, because only one of a kind may be live."""
        for clock in self._changed:
            if clock.pk:
                clock.save()
        Clock.objects.bulk_create(clock for clock in self._changed if not clock.pk)
        if self.cache_is_old:
            _write_cache(self.case, self.live())


@contextmanager
def together(case: Escalation, targets: Targets | None = None) -> Iterator[Book]:
    """Write what the block does to a locked case at its end: its clocks, the cache of its worst clock, its entries, and the
    fields given to `chain.save`. Until then new clocks and entries have no id, and the block must not read the clocks, the
    entries or the row of the case from the database. A block inside another one joins it.
    `targets`: those of the case, if the caller has read them."""
    if case.book is not None:
        yield case.book
        return
    with chain.together(case):
        case.book = book = Book(case, targets)
        try:
            yield book
        finally:
            case.book = None
        book.write()


P = ParamSpec("P")
Result = TypeVar("Result")


def written_together(
    verb: Callable[Concatenate[Escalation, P], Result],
) -> Callable[Concatenate[Escalation, P], Result]:
    """A verb whose changes to its case are written together at its end, or at the end of the block that calls it."""

    @wraps(verb)
    def run(case: Escalation, /, *args: P.args, **named: P.kwargs) -> Result:
        with together(case):
            return verb(case, *args, **named)

    return run


def _write_cache(case: Escalation, live: list[Clock]) -> None:
    """Keep on the case what the order and the SLA status of lists need: the first due time, and from when on the case is
    yellow, because a clock is near its due time or an update inside the company is overdue."""
    queued = [clock for clock in live if clock.rule.in_queue]
    running = [clock for clock in queued if clock.state == Clock.RUNNING]
    paused = [clock for clock in queued if clock.state == Clock.PAUSED]
    worst = running[0] if running else None
    overdue = [clock.due_at for clock in live if clock.rule.rhythm and clock.state == Clock.RUNNING and clock.due_at]
    yellow = [*(clock.warn_at for clock in running if clock.warn_at), *overdue]
    case.sla_due_at = worst.due_at if worst else None
    case.sla_warn_at = min(yellow, default=None) if worst else None
    case.sla_clock = worst.kind if worst else (paused[0].kind if paused else "")
    case.sla_paused_at = paused[0].paused_at if paused and not worst else None
    chain.save(case, ["sla_due_at", "sla_warn_at", "sla_clock", "sla_paused_at"])


def _soonest(clock: Clock) -> tuple[bool, datetime | None, float]:
    """By due time, then by age; clocks that are not saved yet are the youngest."""
    return (clock.due_at is None, clock.due_at, clock.pk or float("inf"))
