"""What approvals ought to do, in plain Python: no database, no code of the desk. One decider at a time, no functions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

LIMITS: dict[str, Decimal | None] = {
    "csm": Decimal(500),
    "team-lead": Decimal(2_000),
    "director": Decimal(10_000),
    "executive-sponsor": Decimal(100_000),
    "steering-committee": None,
}
RANKS = list(LIMITS)
BAND = Decimal(500)
WINDOW, UNDO = timedelta(days=90), timedelta(minutes=10)
OPEN, DECIDED = "open", ("approved", "conditions", "declined")
GRANTED = ("approved", "conditions")


@dataclass
class Ask:
    """One request."""

    key: int
    by: str
    concession: str
    amount: Decimal
    beneficiary: str = ""
    state: str = OPEN
    seat: str = ""
    role: str = ""
    delegated_from: str = ""
    version: int = 1
    log: list[str] = field(default_factory=lambda: ["asked"])
    left_out: set[str] = field(default_factory=set)
    decided_by: str = ""
    decided_at: datetime | None = None
    sealed: bool = False
    replaces: int = 0
    asked_again: bool = False


@dataclass
class Given:
    """Somebody stands in for somebody, half-open."""

    user: str
    to: str
    start: datetime
    end: datetime


@dataclass
class Model:
    """Everybody and everything."""

    roles: dict[str, set[str]]
    managers: dict[str, str]
    aliases: list[set[str]]
    now: datetime
    asks: dict[int, Ask] = field(default_factory=dict)
    given: list[Given] = field(default_factory=list)

    def total(self, ask: Ask) -> Decimal:
        """The ask with what was granted in the window, the requests it replaces left out."""
        others = [each for each in self.asks.values() if each.key not in self.lineage(ask)]
        counted = [each for each in others if self.given_out(each) and each.concession == ask.concession]
        return ask.amount + sum(each.amount for each in counted if self.now < _moment(each) + WINDOW)

    def lineage(self, ask: Ask) -> list[int]:
        """The ask, what it replaces, and so on."""
        return [ask.key, *(self.lineage(self.asks[ask.replaces]) if ask.replaces else [])]

    def given_out(self, ask: Ask) -> bool:
        """Granted; or carried out before it was replaced, as long as nothing granted stands in its place."""
        if ask.state in GRANTED or ask.state != "replaced" or not ask.sealed:
            return ask.state in GRANTED
        newer = [each for each in self.asks.values() if each != ask and ask.key in self.lineage(each)]
        return not any(each.state in GRANTED or (each.state == "replaced" and each.sealed) for each in newer)

    def covering(self, person: str, ask: Ask) -> list[str]:
        """The roles of a person that take it in; a CSM decides for their own account only."""
        total, roles = self.total(ask), self.roles[person] - (set() if person == "csm" else {"csm"})
        return [role for role in roles if role in LIMITS and _within(total, LIMITS[role])]

    def self_approval(self, person: str, ask: Ask) -> bool:
        """Whether the person would decide for themselves, by any road."""
        parties = {ask.by, ask.beneficiary} - {""}
        same = any(person in group and parties & group for group in self.aliases)
        hands = any(each.to == person and each.user in parties and self._runs(each) for each in self.given)
        return person in parties or same or hands or self.managers.get(ask.beneficiary) == person

    def speaks_for(self, person: str, who: str) -> bool:
        """The same mailbox, or somebody who stands in."""
        same = any({person, who} <= group for group in self.aliases)
        return (
            person == who
            or same
            or any((each.user, each.to) == (who, person) and self._runs(each) for each in self.given)
        )

    def _runs(self, given: Given) -> bool:
        return given.start <= self.now < given.end

    def stands_in(self, person: str, ask: Ask) -> bool:
        """Whether the seat has been put into this person's hands for now."""
        mine = any(each.to == person and each.user == ask.seat and self._runs(each) for each in self.given)
        return mine and not ask.delegated_from and not self.self_approval(ask.seat, ask)

    def may_approve(self, person: str, ask: Ask) -> bool:
        """In their own seat, in the place of whoever has it, or over their head: never beyond the limit."""
        if self.self_approval(person, ask) or person in ask.left_out:
            return False
        if person == ask.seat or self.stands_in(person, ask):
            whose = ask.delegated_from or ask.seat
            if self.covering(whose, ask):
                return True
        return any(RANKS.index(role) > RANKS.index(ask.role) for role in self.covering(person, ask))

    def may_decline(self, person: str, ask: Ask) -> bool:
        """Also whoever was asked and whose limit is too small by now."""
        if self.may_approve(person, ask):
            return True
        asked = person == ask.seat or self.stands_in(person, ask)
        return asked and not self.self_approval(person, ask) and person not in ask.left_out

    def can_still(self, ask: Ask) -> bool:
        """Whether whoever is asked may say anything: not barred since, and somebody's role is behind the seat."""
        whose = ask.delegated_from or ask.seat
        free = not self.self_approval(ask.seat, ask) and ask.seat not in ask.left_out
        return free and (ask.role in self.roles[whose] or bool(self.covering(whose, ask)))

    def heirs(self, ask: Ask, asked: set[str]) -> set[str]:
        """Who may be given the seat: whoever delegated it, where they still can, else another holder of the role."""
        giver = ask.delegated_from
        holds = giver != "" and ask.role in self.roles[giver] and (ask.role != "csm" or giver == "csm")
        can = holds and giver not in ask.left_out and not self.self_approval(giver, ask)
        return {giver} if can else self.next_holders(ask, asked)

    def next_holders(self, ask: Ask, asked: set[str]) -> set[str]:
        """Who could take the seat: the same role, nobody who was `asked` before. An account has one CSM."""
        holders = {person for person, held in self.roles.items() if ask.role in held and ask.role != "csm"}
        return {person for person in holders - asked - ask.left_out if not self.self_approval(person, ask)}

    def leads(self, person: str, ask: Ask) -> bool:
        """The people on the asking side: the requester, whoever has the account, and managers with a role that sees it."""
        above, boss = set(), self.managers.get(ask.by)
        while boss:
            above.add(boss)
            boss = self.managers.get(boss)
        return person in {ask.by, "csm", "ae"} or (person in above and bool(self.roles[person] & set(RANKS[1:])))

    def may_undo(self, person: str, ask: Ask) -> bool:
        """One's own decision, for ten minutes, until something outside has happened."""
        mine = ask.state in DECIDED and ask.decided_by == person and not ask.sealed
        return mine and self.now <= _moment(ask) + UNDO

    def by_rule(self, ask: Ask, tier: str) -> bool:
        """Inside the pre-approved band."""
        return ask.concession == "credit" and tier == "green" and self.total(ask) <= BAND

    def may_give(self, user: str, to: str, start: datetime, end: datetime) -> bool:
        """One stand-in at a time, and no ring of people who stand in for one another."""
        met = [each for each in self.given if each.end > self.now and each.start < end and start < each.end]
        reached = [to]
        for person in reached:
            reached += [each.to for each in met if each.user == person and each.to not in reached]
        return user not in reached and not any(each.user == user for each in met)


def _within(total: Decimal, most: Decimal | None) -> bool:
    return most is None or total <= most


def _moment(ask: Ask) -> datetime:
    assert ask.decided_at is not None
    return ask.decided_at
