"""Who takes part in a decision, in which order, and how many must agree. Pure: roles come with their holders, best
first.

Stages are decided one after the other. A stage has groups that are asked together, each with its own quorum; all of its
deciding groups must agree. Consulted groups comment and never block. One person never has two deciding seats: if two
groups share a holder, another holder takes the second seat; without one the ask is refused.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from approvals.requests.rules.verdicts import APPROVED, CONDITIONS, DECLINED
from ledger.errors import Invalid

ALL, ANY, NUMBER, PERCENT = "all", "any", "number", "percent"
BEFORE, BESIDE, AFTER = "before", "beside", "after"
AUTHORITY = "authority"
DECIDE, CONSULT = "decide", "consult"
YES = (APPROVED, CONDITIONS)
WAITING = ""


@dataclass(frozen=True)
class SeatPlan:
    """One seat: its number within the request, and its person."""

    number: int
    person: int
    name: str


@dataclass(frozen=True)
class Group:
    """Seats of one role that decide, or comment, together. `quorum`: how many of them must agree; 0 for the consulted.

    `override` is the number of the seat through which a higher authority decided for the whole group.
    """

    role: str
    name: str
    part: str
    quorum: int
    seats: tuple[SeatPlan, ...]
    authority: bool = False
    override: int | None = None

    @property
    def decides(self) -> bool:
        """Whether it must agree, or only comments."""
        return self.part == DECIDE

    @property
    def consulted(self) -> bool:
        """Whether it only comments."""
        return not self.decides

    @property
    def words(self) -> str:
        """`2 of 3 must agree`; empty for a single deciding seat."""
        seats = len(self.seats)
        if not self.decides:
            return "consulted, does not block"
        if seats == 1:
            return ""
        if self.quorum == seats:
            return f"all {seats} must agree"
        return f"any one of {seats}" if self.quorum == 1 else f"{self.quorum} of {seats} must agree"

    @property
    def people(self) -> list[str]:
        """Names, in order of the seats."""
        return [seat.name for seat in self.seats]


@dataclass(frozen=True)
class Stage:
    """Groups that are asked at the same time."""

    number: int
    groups: tuple[Group, ...]

    @property
    def name(self) -> str:
        """`Director and Finance`: the groups that must agree in it."""
        return " and ".join(group.name for group in self.groups if group.decides)

    @property
    def seats(self) -> list[SeatPlan]:
        """All seats, including consulted ones."""
        return [seat for group in self.groups for seat in group.seats]


@dataclass(frozen=True)
class Person:
    """A person who holds a role."""

    id: int
    name: str


@dataclass(frozen=True)
class Wanted:
    """A role that takes part. `holders` excludes people who must not decide. `single`: only one of them is asked."""

    role: str
    role_name: str
    holders: tuple[Person, ...]
    place: str = AUTHORITY
    part: str = DECIDE
    quorum: str = ALL
    quorum_of: int | None = None
    sort: int = 100
    single: bool = False

    @property
    def decides(self) -> bool:
        """Whether it must agree, or only comments."""
        return self.part == DECIDE

    @property
    def least(self) -> int:
        """The number of seats it needs."""
        return self.quorum_of or 1 if self.quorum == NUMBER and not self.single else 1


def need_of(quorum: str, of: int | None, seats: int) -> int:
    """How many of the seats must agree. A number larger than the seats can never be reached."""
    if quorum == ANY:
        return 1
    if quorum == NUMBER:
        return max(of or 1, 1)
    return seats if quorum == ALL else max(1, ceil(seats * (of or 100) / 100))


def group_outcome(need: int, verdicts: Collection[str]) -> str:
    """The outcome from one verdict for each seat ("" while it waits): approved, declined, or "" while both are
    possible."""
    agreed = sum(verdict in YES for verdict in verdicts)
    waiting = sum(verdict == WAITING for verdict in verdicts)
    if agreed >= need:
        return APPROVED
    return DECLINED if agreed + waiting < need else WAITING


def stage_outcome(stage: Stage, said: Mapping[int, str]) -> str:
    """Approved once every deciding group has agreed, declined as soon as one group cannot agree any more. `said`:
    verdict by seat."""
    outcomes = [_outcome(group, said) for group in stage.groups if group.decides]
    if DECLINED in outcomes:
        return DECLINED
    return WAITING if WAITING in outcomes else APPROVED


def _outcome(group: Group, said: Mapping[int, str]) -> str:
    if over := said.get(group.override or 0):
        return APPROVED if over in YES else DECLINED
    return group_outcome(group.quorum, [said.get(seat.number, WAITING) for seat in group.seats])


def with_conditions(outcome: str, said: Iterable[str]) -> str:
    """An approval becomes one with conditions if any seat set conditions."""
    return CONDITIONS if outcome == APPROVED and CONDITIONS in said else outcome


def stages_for(wanted: Sequence[Wanted], *, first: int = 1) -> list[Stage]:
    """The stages in order, seats numbered from `first`. Raises Invalid where a seat that must be filled cannot be."""
    kept = _without_doubles(wanted)
    seated = _seat(kept)
    stages, number = [], first
    for place, together in enumerate(_in_order(kept), 1):
        groups = []
        for each in together:
            if people := seated[each]:
                groups.append(group_of(each, people, first=number))
                number += len(people)
        stages.append(Stage(place, tuple(groups)))
    return stages


def _without_doubles(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Each role once: the authority's own role counts by its decision; deciding replaces consulting, earlier replaces
    later."""
    rank = {AUTHORITY: -1, BEFORE: 0, BESIDE: 1, AFTER: 2}
    kept: dict[str, Wanted] = {}
    for each in sorted(
        wanted, key=lambda each: (each.place != AUTHORITY, not each.decides, rank[each.place], each.sort)
    ):
        kept.setdefault(each.role, each)
    return [each for each in kept.values() if each.decides or each.holders]


def _in_order(wanted: list[Wanted]) -> list[list[Wanted]]:
    """Groups by stage. Consulted people are asked with the first deciding stage that is not before their own place."""
    keys = {BEFORE: 0, AUTHORITY: 1, BESIDE: 1, AFTER: 2}
    stages: dict[tuple[int, int], list[Wanted]] = {}
    for each in sorted((each for each in wanted if each.decides), key=lambda each: each.place != AUTHORITY):
        own = (keys[each.place], each.sort if keys[each.place] != 1 else 0)
        stages.setdefault(own, []).append(each)
    ordered = sorted(stages)
    for each in (each for each in wanted if not each.decides):
        own = (keys[each.place], each.sort if keys[each.place] != 1 else 0)
        stages[next((key for key in ordered if key >= own), ordered[-1])].append(each)
    return [stages[key] for key in ordered]


def _seat(wanted: list[Wanted]) -> dict[Wanted, list[Person]]:
    """Assigns people to seats: first the required seats, then all other holders, each once."""
    deciding = [each for each in wanted if each.decides]
    for each in deciding:
        _check(each)
    taken = _matched(deciding)
    seats: dict[Wanted, list[Person]] = {each: [] for each in wanted}
    for each in deciding:
        for person in each.holders:
            free = person.id not in taken and not each.single
            if free or taken.get(person.id) is each:
                taken[person.id] = each
                seats[each].append(person)
    for each in wanted:
        if not each.decides:
            seats[each] = [person for person in each.holders if person.id not in taken]
    return seats


def _check(each: Wanted) -> None:
    if not each.holders:
        raise Invalid(
            f"Nobody else holds the role {each.role_name}, which must take part. Ask operations to assign one."
        )
    if each.least > len(each.holders):
        raise Invalid(
            f"{each.role_name} decides with {each.least}, but only {len(each.holders)} may. Ask operations to assign more."
        )


def _matched(deciding: list[Wanted]) -> dict[int, Wanted]:
    """Fills each required seat with a different person; a holder moves to a seat that only they can fill."""
    taken: dict[int, Wanted] = {}
    for each in deciding:
        for _ in range(each.least):
            if not _place(each, taken, set()):
                raise Invalid(
                    f"Nobody is left for {each.role_name}, because one person cannot decide twice. "
                    "Ask operations to assign another person."
                )
    return taken


def _place(each: Wanted, taken: dict[int, Wanted], tried: set[int]) -> bool:
    for person in each.holders:
        holder = taken.get(person.id)
        if person.id in tried or holder is each:
            continue
        tried.add(person.id)
        if holder is None or _place(holder, taken, tried):
            taken[person.id] = each
            return True
    return False


def group_of(wanted: Wanted, people: Sequence[Person], *, first: int) -> Group:
    """A role with the people in its seats. Raises Invalid if they are fewer than must agree."""
    quorum = ANY if wanted.single else wanted.quorum
    need = need_of(quorum, wanted.quorum_of, len(people)) if wanted.decides else 0
    if need > len(people):
        raise Invalid(
            f"{wanted.role_name} decides with {need}, but only {len(people)} may. Ask operations to assign more."
        )
    return Group(
        role=wanted.role,
        name=wanted.role_name,
        part=wanted.part,
        quorum=need,
        seats=tuple(SeatPlan(number, person.id, person.name) for number, person in enumerate(people, first)),
        authority=wanted.place == AUTHORITY,
    )


def sole_holders(wanted: Iterable[Wanted]) -> set[int]:
    """People whom a function needs, so that another person is the authority."""
    must = [each for each in wanted if each.decides and each.place != AUTHORITY and len(each.holders) <= each.least]
    return {person.id for each in must for person in each.holders}


def without(wanted: Wanted, people: Collection[int]) -> Wanted:
    """The same without some holders."""
    return replace(wanted, holders=tuple(person for person in wanted.holders if person.id not in people))


def authority_group(stages: Iterable[Stage]) -> Group:
    """The group of the authority matrix. Every plan has one."""
    return next(group for stage in stages for group in stage.groups if group.authority)
