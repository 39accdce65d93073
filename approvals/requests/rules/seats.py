"""Who takes part in a decision, in which order, and what settles it. Pure: people and rules are handed in, best holder first.

A chain is a list of stages, decided one after the other. A stage holds groups that decide at the same time, each with its own
quorum; all of its deciding groups must agree. Consulted groups comment and never block. One person never fills two deciding
seats: where two groups share a holder, another holder takes the second seat, and without one there is no chain.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from approvals.requests.rules.verdicts import APPROVED, CONDITIONS, DECLINED
from ledger.errors import Invalid

ALL, ANY, NUMBER, PERCENT = "all", "any", "number", "percent"
BEFORE, BESIDE, AFTER = "before", "beside", "after"
AUTHORITY = "authority"
DECIDE, CONSULT = "decide", "consult"
YES = (APPROVED, CONDITIONS)
WAITING = ""
Stage = dict[str, Any]
Group = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Somebody who holds a role."""

    id: int
    name: str


@dataclass(frozen=True)
class Wanted:
    """A role that takes part. `holders` leaves out everybody who must not decide. `single`: one of them is enough to ask."""

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
        """How many seats it cannot do without."""
        return self.quorum_of or 1 if self.quorum == NUMBER and not self.single else 1


def need_of(quorum: str, of: int | None, seats: int) -> int:
    """How many of the seats must agree. More than there are means: never."""
    if quorum == ANY:
        return 1
    if quorum == NUMBER:
        return max(of or 1, 1)
    return seats if quorum == ALL else max(1, ceil(seats * (of or 100) / 100))


def group_outcome(need: int, verdicts: Collection[str]) -> str:
    """Of one verdict for each seat, "" while it waits: approved, declined, or "" while both are still possible."""
    agreed = sum(verdict in YES for verdict in verdicts)
    waiting = sum(verdict == WAITING for verdict in verdicts)
    if agreed >= need:
        return APPROVED
    return DECLINED if agreed + waiting < need else WAITING


def stage_outcome(stage: Stage, said: Mapping[int, str]) -> str:
    """Approved once every deciding group has agreed, declined as soon as one cannot any more. `said`: verdict by seat."""
    outcomes = [_outcome(group, said) for group in stage["groups"] if group["part"] == DECIDE]
    if DECLINED in outcomes:
        return DECLINED
    return WAITING if WAITING in outcomes else APPROVED


def _outcome(group: Group, said: Mapping[int, str]) -> str:
    if over := said.get(group.get("override", 0)):
        return APPROVED if over in YES else DECLINED
    return group_outcome(group["need"], [said.get(seat["order"], WAITING) for seat in group["seats"]])


def with_conditions(outcome: str, said: Iterable[str]) -> str:
    """An approval is one with conditions as soon as one seat gave any."""
    return CONDITIONS if outcome == APPROVED and CONDITIONS in said else outcome


def stages_for(wanted: Sequence[Wanted], *, first: int = 1) -> list[Stage]:
    """The stages in order, seats numbered from `first`. Raises Invalid where a seat that must be filled cannot be."""
    kept = _without_doubles(wanted)
    seated = _seat(kept)
    stages = [_stage([(each, seated[each]) for each in groups]) for groups in _in_order(kept)]
    order = first
    for seat in (seat for stage in stages for group in stage["groups"] for seat in group["seats"]):
        seat["order"], order = order, order + 1
    return stages


def _without_doubles(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Each role once: the authority's own role is heard by its decision; deciding beats consulting, earlier beats later."""
    rank = {AUTHORITY: -1, BEFORE: 0, BESIDE: 1, AFTER: 2}
    kept: dict[str, Wanted] = {}
    for each in sorted(
        wanted, key=lambda each: (each.place != AUTHORITY, not each.decides, rank[each.place], each.sort)
    ):
        kept.setdefault(each.role, each)
    return [each for each in kept.values() if each.decides or each.holders]


def _in_order(wanted: list[Wanted]) -> list[list[Wanted]]:
    """Groups by stage. The consulted are asked with the first deciding stage not before their own place."""
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
    """Who sits where: first everybody who cannot be done without, then all other holders, each once."""
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
    """The seats that must be filled, each by somebody of its own; a holder moves where only they can sit."""
    taken: dict[int, Wanted] = {}
    for each in deciding:
        for _ in range(each.least):
            if not _place(each, taken, set()):
                raise Invalid(
                    f"{each.role_name} has nobody left: one person does not decide twice. Ask operations to assign another."
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


def _stage(groups: list[tuple[Wanted, list[Person]]]) -> Stage:
    made = [_group(each, people) for each, people in groups if people]
    return {"name": stage_name(made), "groups": made}


def stage_name(groups: Iterable[Group]) -> str:
    """`Director and Finance`: who must agree in it."""
    return " and ".join(group["name"] for group in groups if group["part"] == DECIDE)


def _group(each: Wanted, people: list[Person]) -> Group:
    need = need_of(ANY if each.single else each.quorum, each.quorum_of, len(people)) if each.decides else 0
    if need > len(people):
        raise Invalid(
            f"{each.role_name} decides with {need}, but only {len(people)} may. Ask operations to assign more."
        )
    shown = {"role": each.role, "part": each.part, "place": each.place}
    return {
        "name": each.role_name,
        **shown,
        "quorum": ANY if each.single else each.quorum,
        "quorum_of": each.quorum_of,
        "need": need,
        "seats": [{**shown, "person": person.id, "name": person.name} for person in people],
    }


def sole_holders(wanted: Iterable[Wanted]) -> set[int]:
    """People whom a function cannot do without, so that the authority is somebody else."""
    must = [each for each in wanted if each.decides and each.place != AUTHORITY and len(each.holders) <= each.least]
    return {person.id for each in must for person in each.holders}


def without(wanted: Wanted, people: Collection[int]) -> Wanted:
    """The same with some holders left out."""
    return replace(wanted, holders=tuple(person for person in wanted.holders if person.id not in people))


def authority_stage(chain: list[Stage]) -> int:
    """The number of the stage in which the authority decides, from 1."""
    return next((n for n, stage in enumerate(chain, 1) if any(map(is_authority, stage["groups"]))), 1)


def is_authority(group: Group) -> bool:
    """Whether this is the group of the authority matrix, not a function."""
    return bool(group["place"] == AUTHORITY)


def authority_group(chain: list[Stage]) -> Group:
    """The group of the authority."""
    return next(group for stage in chain for group in stage["groups"] if is_authority(group))


def orders(groups: Iterable[Group]) -> list[int]:
    """The seats of some groups."""
    return [seat["order"] for group in groups for seat in group["seats"]]


def quorum_words(group: Group) -> str:
    """`2 of 3 must agree`; empty for a single seat."""
    seats = len(group["seats"])
    if group["part"] == CONSULT:
        return "consulted, does not block"
    if seats == 1:
        return ""
    if group["need"] == seats:
        return f"all {seats} must agree"
    return f"any one of {seats}" if group["need"] == 1 else f"{group['need']} of {seats} must agree"
