"""Whom the clocks of many cases are about, in three queries however many there are."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from escalations import states
from escalations.models import CasePerson, Commitment, HandOff
from ledger import bulk

OWNER, AUTHORITY, LEAD = CasePerson.OWNER, CasePerson.AUTHORITY, CasePerson.COMMUNICATION
DUTIES = {
    states.DECISION: (AUTHORITY, OWNER),
    states.CUSTOMER_UPDATE: (LEAD, OWNER),
    states.RESPONSE: (LEAD, OWNER),
}
Person = tuple[int, str]  # id and mail address


@dataclass
class Audience:
    """Active people by case and duty, the addressees of waiting hand-offs, the owners of commitments."""

    duties: dict[tuple[int, str], Person] = field(default_factory=dict)
    asked: dict[int, list[Person]] = field(default_factory=lambda: defaultdict(list))
    promised: dict[int, Person] = field(default_factory=dict)

    def of(self, case_id: int, kind: str, about: int, *, late: bool) -> list[Person]:
        """Who can keep this promise; once it is broken, also the case's owner and authority."""
        found: list[Person] = []
        if kind == states.ACCEPTANCE:
            found += self.asked[case_id]
        elif kind == states.COMMITMENT and about in self.promised:
            found.append(self.promised[about])
        else:
            found += self._holding(case_id, DUTIES.get(kind, (OWNER, LEAD)))
        if late and kind != states.COMMITMENT:
            found += self._holding(case_id, (OWNER, AUTHORITY))
        return list(dict.fromkeys(found))

    def _holding(self, case_id: int, duties: Iterable[str]) -> list[Person]:
        return [self.duties[case_id, duty] for duty in duties if (case_id, duty) in self.duties]


def audience(case_ids: Collection[int], *, kinds: Collection[str], about: Collection[int]) -> Audience:
    """The people of these cases; hand-offs and commitments are looked up only when a clock of that kind is among `kinds`."""
    found = Audience()
    people = bulk.among(CasePerson.objects.filter(user__is_active=True).exclude(duty=""), "case_id", case_ids)
    for case_id, duty, user_id, email in bulk.read(people, ("case_id", "duty", "user_id", "user__email")):
        found.duties[case_id, duty] = (user_id, email)
    if states.ACCEPTANCE in kinds:
        waiting = HandOff.objects.filter(case__in=case_ids, state=HandOff.WAITING, to_user__is_active=True)
        for case_id, user_id, email in waiting.values_list("case_id", "to_user_id", "to_user__email"):
            found.asked[case_id].append((user_id, email))
    if states.COMMITMENT in kinds:
        promises = Commitment.objects.filter(pk__in=about, owner__is_active=True)
        found.promised = {
            pk: (owner, email) for pk, owner, email in promises.values_list("pk", "owner_id", "owner__email")
        }
    return found
