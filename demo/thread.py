"""A case in memory with its thread: what stands in the log, state by state, until it is signed and written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from accounts.models import Signal, User
from demo.rows import Batch, row_class
from demo.world import Customer, World
from escalations import states
from escalations.models import Escalation, Event, EventText
from ledger import chain

STATE_NAMES = dict(states.STATES)
TIER_NAMES = dict(states.TIERS)
Options = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """What an intake form would say, and the words that follow: brief, updates, ending."""

    issue_type: str
    title: str
    issue: str
    impact: str
    support: str
    opened_at: datetime
    impasse_at: datetime
    opened_by: User | None
    concession: str = ""
    amount: Decimal | None = None
    currency: str = "USD"
    deadline: datetime | None = None
    blocker: bool = False
    legal: bool = False
    security: bool = False
    executive_complaint: bool = False
    confidential: bool = False
    signal: Signal | None = None
    trigger: str = ""
    trigger_text: str = ""
    tones: tuple[float, ...] = ()
    phrases: tuple[tuple[str, str], ...] = ()
    words: dict[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=list)


def moves() -> dict[str, tuple[frozenset[str], str]]:
    """Verb → (states it starts from, state it ends in), from the transition table of the model."""
    found: dict[str, tuple[frozenset[str], str]] = {}
    state: Any = Escalation._meta.get_field("state")
    for move in state.get_all_transitions(Escalation):
        before = found.get(move.name, (frozenset(), ""))[0]
        found[move.name] = (before | {str(move.source)}, str(move.target))
    return found


MOVES = moves()


class Thread:
    """The case's row, its people in words, and the entries of its log."""

    def __init__(self, world: World, batch: Batch, customer: Customer, told: Case) -> None:
        self.world, self.batch, self.customer, self.told = world, batch, customer, told
        self.account, self.issue_type = customer.account, world.issue_types[told.issue_type]
        self.entries: list[Any] = []
        self._new_entry = row_class(Event)
        self.case = batch.add(
            Escalation,
            state=states.NEW,
            account_id=self.account.id,
            policy_id=world.policy.id,
            issue_type_id=self.issue_type.id,
            title=told.title[:160],
            issue=told.issue,
            impact=told.impact,
            requested_support=told.support,
            blocker=told.blocker,
            legal=told.legal,
            security=told.security,
            executive_complaint=told.executive_complaint,
            confidential=told.confidential,
            concession=told.concession,
            amount=told.amount,
            currency=told.currency,
            arr_at_risk=self.account.arr or Decimal(0),
            arr_currency=self.account.currency,
            deadline=told.deadline,
            impasse_at=told.impasse_at,
            opened_at=told.opened_at,
            opened_by_id=told.opened_by.id if told.opened_by else None,
            signal_id=told.signal.id if told.signal else None,
            trigger=told.trigger,
            trigger_text=told.trigger_text[:300],
            route_reasons=[],
            version=1,
            level=1,
            reopened_count=0,
            waiting_on=states.NOBODY,
        )

    def record(
        self,
        at: datetime,
        kind: str,
        summary: str = "",
        *,
        actor: User | None = None,
        name: str = "",
        audience: str = Event.SYSTEM,
        text: str = "",
        clock: int | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """One entry; entries are put in the order of their time when the case is done."""
        entry = self._new_entry(
            case_id=self.case.id,
            at=at,
            kind=kind,
            audience=audience,
            actor_id=actor.id if actor else None,
            actor_name=name or (actor.name if actor else "Escalation Desk"),
            summary=summary[:400],
            clock_id=clock,
            data=data or {},
        )
        if text:
            entry.text_id, entry.text_hash = self.batch.add(EventText, body=text).id, chain.text_hash(text)
        self.entries.append(entry)

    def move(self, verb: str, at: datetime, actor: User | None = None, reason: str = "") -> None:
        """A move of the transition table. Raises ValueError for one that the table does not allow."""
        case, (sources, target) = self.case, MOVES[verb]
        if case.state not in sources:
            raise ValueError(f"A case that is {case.state} cannot {verb}")
        before, case.state = case.state, target
        case.version += 1
        because = f": {reason}" if reason else ""
        data = {"verb": verb, "from": before, "to": target, "reason": reason}
        self.record(at, "moved", f"{STATE_NAMES[before]} → {STATE_NAMES[target]}{because}", actor=actor, data=data)

    def post(self, at: datetime, by: User, text: str) -> None:
        """An internal update."""
        self.record(at, Event.UPDATE, actor=by, audience=Event.INTERNAL, text=text)

    def customer_wrote(self, signal: Signal, at: datetime | None = None) -> None:
        """The customer's words, as a signal brought them."""
        who = signal.contact.name if signal.contact else self.account.name
        data = {"signal": signal.id, "phrases": signal.phrases, "sentiment": signal.sentiment}
        summary = str(dict(Signal.KINDS)[signal.kind])
        moment = at or signal.at
        self.record(
            moment, Event.CUSTOMER_MESSAGE, summary, name=who, audience=Event.CUSTOMER, text=signal.text, data=data
        )

    def sign(self) -> None:
        """Put the entries in order, number and sign them, seal the case."""
        self.entries.sort(key=attrgetter("at"))
        self.batch.take(Event, self.entries)
        chain.number(self.case, self.entries)


def later(moment: datetime, **span: float) -> datetime:
    """A moment moved by a span, on a whole second."""
    return (moment + timedelta(**span)).replace(microsecond=0)


def first_of(users: Iterable[User | None]) -> User | None:
    """The first person there is."""
    return next((user for user in users if user is not None), None)
