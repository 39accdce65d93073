"""Prevents self-approval. Pure: one answer to "why may this person not decide this?"."""

from collections.abc import Iterable
from dataclasses import dataclass, field

OWN = "You requested this, so someone else decides it."


@dataclass(frozen=True)
class Party:
    """The facts about a person for the check of self-approval. `addresses` are verified and plain (see `plain`);
    `owner` is the manager of a service; `delegators` are the people for whom this person stands in at that moment."""

    id: int
    name: str
    addresses: frozenset[str] = frozenset()
    manager: int | None = None
    service: bool = False
    delegators: frozenset[int] = field(default_factory=frozenset)

    @property
    def owner(self) -> int | None:
        """The person who is responsible for a service."""
        return self.manager if self.service else None


def plain(address: str) -> str:
    """The mailbox behind an address: lower case, without +tag."""
    local, _, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def why_not(decider: Party, requester: Party, beneficiary: Party | None = None, *, owners: Iterable[Party] = ()) -> str:
    """Why this would be self-approval; empty if it is not. `owners`: the owners of the services among the three. Cases:
    oneself, an alias (a shared mailbox), a service and its owner, the stand-in of the requester, and the beneficiary's
    own manager.
    """
    known = {each.id: each for each in (decider, requester, beneficiary, *owners) if each is not None}
    deciders = _with_owner(decider, known)
    asked = [(each, "asked for this") for each in _with_owner(requester, known)]
    gains = [(each, "is the beneficiary") for each in _with_owner(beneficiary, known)] if beneficiary else []
    for mine in deciders:
        for theirs, role in (*asked, *gains):
            if why := _same(mine, theirs, role, decider):
                return why
    if beneficiary and beneficiary.manager in {each.id for each in deciders}:
        return f"{beneficiary.name} is the beneficiary and reports to you, so someone else decides it."
    return ""


def _with_owner(party: Party, known: dict[int, Party]) -> list[Party]:
    owner = known.get(party.owner or 0)
    return [party, owner] if owner else [party]


def _same(mine: Party, theirs: Party, role: str, decider: Party) -> str:
    if mine.id == theirs.id:
        if mine.id != decider.id:
            return f"{theirs.name} is responsible for this service and {role}, so someone else decides it."
        return OWN if role == "asked for this" else "You are the beneficiary, so someone else decides it."
    if mine.addresses & theirs.addresses:
        return f"You share a mailbox with {theirs.name}, who {role}, so someone else decides it."
    if theirs.id in mine.delegators:
        return f"{theirs.name} {role} and you stand in for them, so someone else decides it."
    return ""
