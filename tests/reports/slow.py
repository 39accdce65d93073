"""The figures once more, slowly: plain Python over every row of every case, with nothing from `reports` but the words and
targets of the rules. Facts and queries are compared with this.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import floor
from statistics import median
from typing import Any

from accounts.models import User
from approvals.models import ApprovalRequest, DecisionEntry
from escalations import states
from escalations.models import CaseRequest, Clock, Escalation, Event, HandOff, Level, PolicyVersion
from ledger.now import now
from reports.rules.periods import Period

HOUR = 3600.0
SAVED = ("renewed", "signed", "saved", "fixed", "credited", "declined")


def seconds(start: datetime, end: datetime) -> int:
    """Whole seconds, never below zero; moments count to the millisecond."""
    return max(0, floor(round((end - start).total_seconds(), 3)))


def middle(values: Sequence[float]) -> float | None:
    return float(median(values)) if values else None


def middle_hours(values: Sequence[float]) -> float | None:
    found = middle(values)
    return None if found is None else found / HOUR


def percent(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


@dataclass(frozen=True)
class Decision:
    """`request`: its id; None for a decision without one."""

    case: Escalation
    level: str
    at: datetime
    got: datetime
    request: int | None

    @property
    def took(self) -> int:
        return seconds(self.got, self.at)


class Rows:
    """Every row that figures are counted from, read once."""

    def __init__(self) -> None:
        self.requests: dict[int, list[ApprovalRequest]] = defaultdict(list)
        for link in CaseRequest.objects.select_related("request"):
            self.requests[link.case_id].append(link.request)
        self.cases = list(Escalation.objects.select_related("account", "policy"))
        self.handoffs = list(HandOff.objects.all())
        self.clocks = list(Clock.objects.all())
        self.moves = list(Event.objects.filter(kind="moved"))
        self.overridden = set(DecisionEntry.objects.filter(override=True).values_list("request_id", flat=True))
        self.levels = list(Level.objects.select_related("version"))
        self.policy = PolicyVersion.objects.current(now())


class Slow:
    """All figures of one person, region and period."""

    def __init__(self, rows: Rows, user: User | None, region: str, period: Period) -> None:
        self.period = period
        seen = {case.pk for case in (Escalation.objects.visible_to(user) if user else rows.cases)}
        self.cases = [case for case in rows.cases if case.pk in seen and region in ("", case.account.region)]
        ids = {case.pk for case in self.cases}
        self.requests = rows.requests
        self.handoffs = [each for each in rows.handoffs if each.case_id in ids]
        self.clocks = [each for each in rows.clocks if each.case_id in ids]
        self.moves = [each for each in rows.moves if each.case_id in ids]
        self.overridden = rows.overridden
        self.levels = rows.levels
        self.executive = {level.slug for level in self.levels if level.counts_as_executive}
        self.ladder = sorted((each for each in self.levels if each.version == rows.policy), key=lambda each: each.rank)
        self.decisions = [each for case in self.cases for each in self._decisions(case)]

    # Periods

    def now(self, moment: datetime | None) -> bool:
        return moment is not None and self.period.start <= moment < self.period.end

    def before(self, moment: datetime | None) -> bool:
        return moment is not None and self.period.previous_start <= moment < self.period.previous_end

    # Decisions

    def decided(self, case: Escalation) -> list[ApprovalRequest]:
        """By people."""
        made = self.requests[case.pk]
        return [each for each in made if each.state in ApprovalRequest.DECIDED and not each.by_rule and each.decided_at]

    def _decisions(self, case: Escalation) -> list[Decision]:
        """On requests, and without one if somebody waited for it."""
        found = []
        for made in self.decided(case):
            assert made.decided_at
            got = self._got(case, made.decided_level, made.decided_at, made.asked_since)
            assert got
            found.append(Decision(case, made.decided_level, made.decided_at, got, made.pk))
        for posted in case.decisions.all():
            awaited = (each for each in self.clocks if each.case_id == case.pk and each.kind == states.DECISION)
            asked = next((each.started_at for each in awaited if each.stopped_at == posted.at), None)
            if got := self._got(case, posted.level, posted.at, asked):
                found.append(Decision(case, posted.level, posted.at, got, None))
        return found

    def _got(self, case: Escalation, level: str, at: datetime, asked: datetime | None) -> datetime | None:
        rank = next((each.rank for each in self.levels if each.version == case.policy and each.slug == level), None)
        made = [each for each in self.requests[case.pk] if not each.by_rule and each.decided_at]
        before = [each.decided_at for each in made if each.decided_level == level]
        before += [each.at for each in case.decisions.all() if each.level == level]
        if any(moment < at for moment in before if moment):
            return asked
        if case.level == rank and case.level_since and case.level_since <= at:
            return case.level_since
        to_level = (each for each in self.handoffs if each.case_id == case.pk and each.level == rank)
        return min((each.sent_at for each in to_level if each.sent_at <= at), default=asked)

    # Figures: (value, number of cases, value before)

    def hours(self, present: list[int], before: list[int]) -> tuple[float | None, int, float | None]:
        value, previous = middle(present), middle(before) if len(before) >= 5 else None
        return (
            None if value is None else value / HOUR,
            len(present),
            None if previous is None else previous / HOUR,
        )

    def time_to_escalate(self) -> tuple[float | None, int, float | None]:
        counted = [case for case in self.cases if case.state != states.DUPLICATE]
        return self.hours(
            [seconds(case.impasse_at, case.opened_at) for case in counted if self.now(case.opened_at)],
            [seconds(case.impasse_at, case.opened_at) for case in counted if self.before(case.opened_at)],
        )

    def time_to_decision(self, counts: Callable[[Decision], bool]) -> tuple[float | None, int, float | None]:
        counted = [each for each in self.decisions if counts(each)]
        return self.hours(
            [each.took for each in counted if self.now(each.at)],
            [each.took for each in counted if self.before(each.at)],
        )

    def had_executive(self, case: Escalation) -> bool:
        posted = [each.level for each in case.decisions.all()]
        if posted or self.requests[case.pk]:
            decided = [*posted, *(each.decided_level for each in self.decided(case))]
            return not self.executive.isdisjoint(decided)
        return case.decided_level in self.executive

    def without_executive(self) -> tuple[float | None, int, float | None]:
        present = [self.had_executive(case) for case in self.cases if self.now(case.resolved_at)]
        before = [self.had_executive(case) for case in self.cases if self.before(case.resolved_at)]
        previous = percent(before.count(False), len(before)) if len(before) >= 5 else None
        return percent(present.count(False), len(present)), len(present), previous

    def at_team_level(self) -> float | None:
        present = [case for case in self.cases if self.now(case.resolved_at)]
        low = [case for case in present if not self.had_executive(case) and self.slug_of(case) == self.ladder[0].slug]
        return percent(len(low), len(present))

    def slug_of(self, case: Escalation) -> str:
        found = (each.slug for each in self.levels if each.version == case.policy and each.rank == case.level)
        return next(found, "")

    def causes(self, within: Callable[[datetime | None], bool]) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        for case in self.cases:
            if within(case.resolved_at) and case.resolved_at and case.root_cause.strip(" "):
                found[cause_of(case), str(day_of(case.resolved_at))[:7]] += 1
        return found

    def recurrence(self) -> tuple[float | None, int, str]:
        present, old = self.causes(self.now), self.causes(self.before)
        repeats, before = (sum(count - 1 for count in each.values()) for each in (present, old))
        value = 100.0 * (repeats - before) / before if before else 100.0 if repeats else -100.0
        return value if present else None, present.total(), f"{repeats}, {before} before"

    def figures(self) -> dict[str, tuple[Any, ...]]:
        """By slug."""
        found: dict[str, tuple[Any, ...]] = {
            "time-to-escalate": self.time_to_escalate(),
            "without-executive": self.without_executive(),
            "recurrence": (*self.recurrence()[:2], None),
            "decision-external": self.time_to_decision(lambda each: each.case.kind == states.OUTSIDE),
            "decisions": self.time_to_decision(lambda each: True),
        }
        for place, level in enumerate(self.ladder):
            slugs = {level.slug, ""} if place == 0 else {level.slug}
            found[f"decision-{level.slug}"] = self.time_to_decision(self._of_level(slugs))
        return found

    @staticmethod
    def _of_level(slugs: set[str]) -> Callable[[Decision], bool]:
        return lambda each: each.level in slugs

    # Charts

    def slots(self, step: int) -> int:
        return -(-(self.period.end - self.period.start).days // step)

    def slot(self, moment: datetime, step: int) -> int:
        return (moment - self.period.start) // timedelta(days=step)

    def trends(self, step: int) -> list[list[float | None]]:
        """A line for each level but the lowest."""
        return [
            [
                middle_hours(
                    [
                        each.took
                        for each in self.decisions
                        if each.level == level.slug and self.now(each.at) and self.slot(each.at, step) == place
                    ]
                )
                for place in range(self.slots(step))
            ]
            for level in self.ladder[1:]
        ]

    def ended(self) -> list[Clock]:
        return [each for each in self.clocks if each.state in (Clock.MET, Clock.MISSED) and self.now(each.stopped_at)]

    def promises(self, step: int) -> list[tuple[int, int, int]]:
        found: Counter[tuple[int, str]] = Counter()
        for each in self.ended():
            assert each.stopped_at
            found[
                self.slot(each.stopped_at, step), "r" if each.state == Clock.MISSED else "y" if each.warned_at else "g"
            ] += 1
        return [tuple(found[place, colour] for colour in "gyr") for place in range(self.slots(step))]  # type: ignore[misc]

    def attainment(self) -> dict[str, tuple[int, int]]:
        met = Counter(each.kind for each in self.ended() if each.state == Clock.MET)
        missed = Counter(each.kind for each in self.ended() if each.state == Clock.MISSED)
        return {kind: (met[kind], missed[kind]) for kind in sorted({*met, *missed})}

    def root_causes(self) -> list[tuple[str, int, int]]:
        """The six most frequent: the spelling of the newest case, cases, repeats."""
        cases: Counter[str] = Counter()
        repeats: Counter[str] = Counter()
        for (cause, _), count in self.causes(self.now).items():
            cases[cause] += count
            repeats[cause] += count - 1
        spelled = {
            cause_of(case): case.root_cause.strip(" ") for case in by_id(self.cases) if self.now(case.resolved_at)
        }
        most = sorted(cases, key=lambda cause: (-cases[cause], cause))[:6]
        return [(spelled[cause], cases[cause], repeats[cause]) for cause in most]

    # Beside the charts

    def handed_off(self) -> tuple[Any, ...]:
        sent = [each for each in self.handoffs if self.now(each.sent_at)]
        taken = [each for each in sent if each.state == HandOff.ACCEPTED]
        accept = middle([seconds(each.sent_at, each.answered_at) for each in taken if each.answered_at])
        act = middle(
            [seconds(each.answered_at, each.first_act_at) for each in taken if each.answered_at and each.first_act_at]
        )
        refused, expired = (sum(each.state == state for each in sent) for state in (HandOff.REFUSED, HandOff.EXPIRED))
        hours = [None if value is None else value / HOUR for value in (accept, act)]
        return (len(sent), *hours, percent(refused, len(sent)), percent(expired, len(sent)))

    def overrides(self) -> tuple[int, int]:
        made = [each.request for each in self.decisions if each.request and self.now(each.at)]
        return len(made), len(self.overridden & set(made))

    def reopened(self) -> tuple[int, int]:
        back = [each for each in self.moves if each.data["verb"] == "reopen" and self.now(each.at)]
        solved = [each for each in self.moves if each.data["to"] == states.RESOLVED]
        soon = [
            each
            for each in back
            if any(
                each.case_id == other.case_id and other.seq < each.seq and each.at - other.at <= timedelta(hours=72)
                for other in solved
            )
        ]
        return len(back), len(soon)

    def money(self) -> list[tuple[str, Decimal, Decimal]]:
        found: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for case in self.cases:
            if self.now(case.resolved_at):
                found[case.arr_currency][0] += case.arr_at_risk if case.outcome in SAVED else 0
                found[case.arr_currency][1] += case.arr_at_risk if case.outcome == "lost" else 0
        return [(currency, *sums) for currency, sums in sorted(found.items()) if any(sums)]  # type: ignore[misc]

    # Lists: keys and values of the rows, in order

    def lists(self) -> dict[str, list[tuple[Any, ...]]]:
        opened = [case for case in self.cases if self.now(case.opened_at) and case.state != states.DUPLICATE]
        found: dict[str, list[tuple[Any, ...]]] = {
            "time-to-escalate": sorted(
                ((case.key, seconds(case.impasse_at, case.opened_at) / HOUR) for case in opened),
                key=lambda row: (-row[1], -int(row[0][4:])),
            ),
            "without-executive": [(case.key, self.had_executive(case)) for case in self._resolved()],
            "recurrence": self._repeated(),
            "decisions": self._made(lambda each: True),
            "decision-external": self._made(lambda each: each.case.kind == states.OUTSIDE),
        }
        for place, level in enumerate(self.ladder):
            slugs = {level.slug, ""} if place == 0 else {level.slug}
            found[f"decision-{level.slug}"] = self._made(self._of_level(slugs))
        return found

    def _resolved(self) -> list[Escalation]:
        rows = [case for case in self.cases if self.now(case.resolved_at)]
        return sorted(rows, key=lambda case: (self.had_executive(case), case.resolved_at, case.pk), reverse=True)

    def _repeated(self) -> list[tuple[Any, ...]]:
        counts = self.causes(self.now)
        rows = [case for case in self.cases if self.now(case.resolved_at) and case.root_cause.strip(" ")]
        keyed = [(cause_of(case), case.resolved_at, case.pk, case) for case in rows]
        found = []
        for cause, at, _, case in sorted(keyed, key=lambda row: row[:3]):
            assert at
            if (alike := counts[cause, str(day_of(at))[:7]]) > 1:
                found.append((case.key, float(alike)))
        return found

    def _made(self, counts: Callable[[Decision], bool]) -> list[tuple[Any, ...]]:
        rows = [each for each in self.decisions if counts(each) and self.now(each.at)]
        ordered = sorted(rows, key=lambda each: (-each.took, -each.case.pk, -each.at.timestamp()))
        return [(each.case.key, each.took / HOUR, each.got) for each in ordered]


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def cause_of(case: Escalation) -> str:
    return case.root_cause.strip(" ").lower()


def by_id(cases: Iterable[Escalation]) -> list[Escalation]:
    return sorted(cases, key=lambda case: case.pk)
