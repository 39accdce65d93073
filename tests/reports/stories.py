"""Random cases with everything that figures count, put straight into the database. The same seed makes the same rows."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from approvals.models import ApprovalRequest, DecisionEntry
from escalations import states
from escalations.cases import access_rows
from escalations.models import CasePerson, Clock, Escalation, Event, HandOff
from ledger import chain
from tests.reports.builders import Builder
from tests.support.cast import Cast

DAYS = 500
LEVELS = ("team", "director", "executive")
KINDS = (states.RESOLUTION, states.DECISION, states.ACCEPTANCE, states.REVIEW_DUE)
CAUSES = (
    "",
    " Liability cap",
    "liability CAP",
    "Liability cap",
    "Discount over limit",
    "data residency",
    "Data Residency ",
)


class Stories:
    """Tells stories that end before `at`."""

    def __init__(self, cast: Cast, seed: int, at: datetime) -> None:
        self.chance, self.build, self.cast, self.at = Random(seed), Builder(cast, counted=False), cast, at
        self.people = (cast.csm, cast.ae, cast.lead, cast.director, cast.legal, cast.outsider)

    def moment(self, after: datetime, most: timedelta = timedelta(days=20)) -> datetime:
        """A moment after another one, often at midnight, and sometimes at the same time."""
        found = after + self.chance.choice((timedelta(0), most * self.chance.random(), most / 5 * self.chance.random()))
        return found.replace(hour=0, minute=0, second=0, microsecond=0) if self.chance.random() < 0.1 else found

    def tell(self, cases: int) -> None:
        """This many cases."""
        for _ in range(cases):
            self.case()

    def case(self) -> Escalation:
        """One case with its people, decisions, hand-offs, clocks and moves."""
        chance, cast = self.chance, self.cast
        opened = self.at - timedelta(days=DAYS * chance.random())
        resolved = self.moment(opened) if chance.random() < 0.7 else None
        case = self.build.case(
            took=chance.choice((-3, 0, 5, 23.9999, 24, 90 * chance.random())),
            account=chance.choice((cast.northwind, cast.elsewhere)),
            opened_at=opened,
            owner=chance.choice((None, *self.people)),
            opened_by=chance.choice((None, *self.people)),
            confidential=chance.random() < 0.2,
            state=chance.choice((states.DIAGNOSING, states.RESOLVED, states.CLOSED, states.DUPLICATE)),
            kind=chance.choice((states.HIERARCHICAL, states.OUTSIDE)),
            level=chance.randint(1, 3),
            level_since=chance.choice((None, self.moment(opened))),
            resolved_at=resolved,
            root_cause=chance.choice(CAUSES) if resolved else "",
            outcome=chance.choice(("", "saved", "lost", "renewed")) if resolved else "",
            arr_at_risk=Decimal(chance.randint(0, 10_000_000)) / 100,
            arr_currency=chance.choice(("USD", "EUR")),
            decided_level=chance.choice(("", "executive", "director")),
        )
        for _ in range(chance.choice((0, 0, 1, 1, 2))):
            CasePerson.objects.get_or_create(case=case, user=chance.choice(self.people), letter="C", since=opened)
        self._handoffs(case)
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            self._decision(case)
        for number in range(chance.randint(0, 7)):
            self._clock(case, number)
        for _ in range(chance.choice((0, 0, 1, 2))):
            self.build.posted(case, chance.choice(("", *LEVELS)), self._end_of_a_clock(case))
        self._moves(case)
        access_rows.keep([case.pk])
        return case

    def _handoffs(self, case: Escalation) -> None:
        for number in range(self.chance.randint(0, 3)):
            sent = self.moment(case.opened_at)
            answered = self.chance.choice((None, self.moment(sent)))
            HandOff.objects.create(
                case=case,
                number=number,
                to_user=self.chance.choice(self.people),
                level=self.chance.randint(1, 3),
                kind=case.kind,
                state=self.chance.choice((HandOff.ACCEPTED, HandOff.ACCEPTED, HandOff.REFUSED, HandOff.EXPIRED)),
                sent_at=sent,
                answered_at=answered,
                first_act_at=self.moment(answered) if answered and self.chance.random() < 0.7 else None,
            )

    def _decision(self, case: Escalation) -> None:
        decided = self.moment(case.opened_at)
        state = self.chance.choice((*ApprovalRequest.DECIDED, ApprovalRequest.OPEN, ApprovalRequest.RECALLED))
        made = self.build.decision(
            case,
            self.chance.randint(1, 3),
            decided,
            state=state,
            asked_since=decided - timedelta(hours=self.chance.choice((0.25, 30))),
            by_rule=self.chance.random() < 0.1,
            **({"decided_level": ""} if self.chance.random() < 0.2 else {}),
        )
        if self.chance.random() < 0.3:
            entry = DecisionEntry(
                request=made, kind="approved", channel="web", override=self.chance.random() < 0.7, at=decided
            )
            chain.append(made, [entry])

    def _end_of_a_clock(self, case: Escalation) -> datetime:
        """When a decision clock ended, or some other moment."""
        ended = [each.stopped_at for each in case.clocks.filter(kind=states.DECISION) if each.stopped_at]
        return self.chance.choice((self.moment(case.opened_at), *ended))

    def _clock(self, case: Escalation, number: int) -> None:
        stopped = self.moment(case.opened_at)
        Clock.objects.create(
            case=case,
            kind=self.chance.choice(KINDS),
            generation=number,
            state=self.chance.choice((Clock.MET, Clock.MET, Clock.MISSED, Clock.STOPPED)),
            target_seconds=60,
            target_text="1 minute",
            started_at=case.opened_at,
            resumed_at=case.opened_at,
            stopped_at=stopped,
            warned_at=self.chance.choice((None, stopped)),
        )

    def _moves(self, case: Escalation) -> None:
        at, times = case.opened_at, self.chance.choice((0, 0, 0, 1, 2))
        rows = []
        for _ in range(times):
            solved = self.moment(at)
            at = solved + timedelta(hours=self.chance.choice((1, 71.9, 72, 72.1, 200)))
            rows += [self._move("resolve", states.RESOLVED, solved), self._move("reopen", states.DIAGNOSING, at)]
        for row in rows:
            row.case = case
        case.reopened_count = times
        case.save(update_fields=["reopened_count"])
        chain.append(case, rows)

    @staticmethod
    def _move(verb: str, to: str, at: datetime) -> Event:
        return Event(kind="moved", at=at, data={"verb": verb, "from": "", "to": to, "reason": ""})
