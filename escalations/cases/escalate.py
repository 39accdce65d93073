"""Escalating a case: by a person with notes, or by a clock that ran out."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from accounts.models import Role, User
from escalations import states
from escalations.cases import handoffs, notifications
from escalations.cases import requests as asking
from escalations.cases.access import check
from escalations.cases.handoffs import Notes
from escalations.cases.log import Entry, lock_with_requests, record
from escalations.models import CasePerson, Escalation
from escalations.policy.rows import plain_rows
from escalations.triage import routing
from escalations.triage.rules import routing as rules
from ledger.errors import Invalid
from ledger.now import now


def above(case: Escalation) -> tuple[int, str] | None:
    """The next level and role by the matrix. None at the top, or if the current authority already holds that role."""
    return next(iter(_ways_up(case)), None)


def _ways_up(case: Escalation) -> list[tuple[int, str]]:
    """All ways up, the best first. On the case's own level, roles that its authority already holds are left out."""
    found = rules.ways_up(
        plain_rows(case.policy),
        case.policy.ladder,
        issue_type=case.issue_type.slug,
        tier=case.tier,
        level=case.level,
    )
    authority = _authority(case)
    held = {role for level, role in found if level <= case.level and authority and authority.user.has_role(role)}
    return [way for way in found if way[0] > case.level or way[1] not in held]


def _authority(case: Escalation) -> CasePerson | None:
    return case.people.filter(duty=CasePerson.AUTHORITY).select_related("user").first()


def next_person(case: Escalation, role: str) -> User | None:
    """The person who most likely gets the case one level up: a holder of the role who is not the decision authority
    yet."""
    return _person(case, role, case.people.filter(duty=CasePerson.AUTHORITY).first())


@transaction.atomic
def escalate(*, case_id: int, by: User, notes: Notes) -> Escalation:
    """Send a case one level up with hand-off notes. Raises Invalid for missing notes or at the top level."""
    notes.check("Fill in the hand-off notes: what was tried, what is open, what you ask for.")
    at, case = now(), lock_with_requests(case_id)
    check(case, by, "escalate")
    if not case.is_open:
        raise Invalid(f"{case.key} is {states.in_a_sentence(case.state)}. Reopen it before you escalate it.")
    _up(case, at=at, by=by, notes=replace(notes, why=f"Escalated by {by.name}"))
    return case


def escalate_by_clock(case: Escalation, *, at: datetime, why: str, since: datetime | None = None) -> bool:
    """A clock of a locked case ran out: escalate open requests, raise the level, hand the decision on. False at the
    top. `since`: when it ran out; the next level's time counts from then, even if this is noticed late.
    """
    if above(case) is None:
        summary = f"{why}. There is no level above; everyone on the case is notified."
        record(case, [Entry(kind="top", summary=summary)], at=at)
        return False
    notes = Notes(why, "See the thread and the brief.", why, "Decide, or name the person who decides.")
    _up(case, at=at, by=None, notes=notes, since=since)
    return True


def _up(case: Escalation, *, at: datetime, by: User | None, notes: Notes, since: datetime | None = None) -> None:
    level, role, new = _next(case, at)
    if case.level < level:
        asking.raise_level(case, level, at, notes.why, by, since)
    asking.pass_up_requests(case, at, notes.why)
    case.refresh_from_db(fields=["level", "level_since", "version", "route_reasons"])
    authority = _authority(case)
    new = asking.asked_now(case) or new
    if new is None:
        notifications.nobody(case, role)
        return
    if authority is None or authority.user_id != new.pk:
        handoffs.replace_duty(case, new, CasePerson.AUTHORITY, "A", at, accepted=False)
    if new == case.owner:
        notes = replace(notes, both="the matrix names nobody else")
    handoffs.send(
        case, to=new, at=at, by=by, role=Role.objects.filter(slug=role).first(), duty=CasePerson.AUTHORITY, notes=notes
    )
    notifications.escalated(case, notes.why)


def _next(case: Escalation, at: datetime) -> tuple[int, str, User | None]:
    """The first way up with a person; ways without a person are logged. Raises Invalid at the top. If no person is
    found, the case still takes the first way, and Operations is notified to fill the role.
    """
    ways = _ways_up(case)
    if not ways:
        raise Invalid("This case is already at the top level.")
    current = _authority(case)
    exclude = (current.user_id,) if current else ()
    for place, (level, role) in enumerate(ways):
        if person := routing.holder([role], case.account, case.owner, exclude):
            return level, role, person
        last = place == len(ways) - 1
        then = "Operations is notified" if last else f"the next row is asked: {ways[place + 1][1].replace('-', ' ')}"
        summary = f"Nobody else holds the role {role.replace('-', ' ')}; {then}"
        record(case, [Entry(kind="nobody", summary=summary, data={"role": role, "level": level})], at=at)
    return *ways[0], None


def _person(case: Escalation, role: str, current: CasePerson | None) -> User | None:
    """A holder of the next role, never the person who did not decide."""
    return routing.holder([role], case.account, case.owner, (current.user_id,) if current else ())
