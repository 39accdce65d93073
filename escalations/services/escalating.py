"""Up the chain: by a person with notes, or by a clock that ran out."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from escalations import notifications, states
from escalations.models import CasePerson, Escalation
from escalations.rules import routing as rules
from escalations.services import asking, handoffs, routing
from escalations.services.access import check
from escalations.services.log import Entry, lock_with_requests, record
from ledger.errors import Invalid
from ledger.now import now


def above(case: Escalation) -> tuple[int, str] | None:
    """Level and role the matrix names next, or None at the top: when who decides now holds that role already."""
    found = rules.next_role(
        routing.matrix_rows(case.policy), issue_type=case.issue_type.slug, tier=case.tier, level=case.level
    )
    if found is None or found[0] > case.level:
        return found
    authority = _authority(case)
    return None if authority and authority.user.has_role(found[1]) else found


def _authority(case: Escalation) -> CasePerson | None:
    return case.people.filter(duty=CasePerson.AUTHORITY).select_related("user").first()


def next_person(case: Escalation, role: str) -> User | None:
    """Who most likely gets the case one level up: a holder of the role who is not its decision authority already."""
    return _person(case, role, case.people.filter(duty=CasePerson.AUTHORITY).first())


@transaction.atomic
def escalate(*, case_id: int, by: User, tried: str, open_points: str, ask: str) -> Escalation:
    """Send a case one level up with hand-off notes. Raises Invalid for missing notes or at the top level."""
    for field, value in (("tried", tried), ("open_points", open_points), ("ask", ask)):
        if not value.strip():
            raise Invalid("Fill the hand-off notes: what was tried, what is open, what you ask.", field=field)
    at, case = now(), lock_with_requests(case_id)
    check(case, by, "escalate")
    if not case.is_open:
        raise Invalid(f"{case.key} is {case.get_state_display().lower()}. Reopen it before you escalate it.")
    _up(case, at=at, by=by, why=f"Escalated by {by.name}", tried=tried, open_points=open_points, ask=ask)
    return case


def escalate_by_clock(case: Escalation, *, at: datetime, why: str) -> bool:
    """A clock of a locked case ran out: pass open requests up, raise the level, hand the decision on. False at the top."""
    if above(case) is None:
        record(
            case, [Entry(kind="top", summary=f"{why}. There is no level above; everyone on the case is told.")], at=at
        )
        return False
    _up(
        case,
        at=at,
        by=None,
        why=why,
        tried="See the thread and the brief.",
        open_points=why,
        ask="Decide or name who does.",
    )
    return True


def _up(case: Escalation, *, at: datetime, by: User | None, why: str, tried: str, open_points: str, ask: str) -> None:
    target = above(case)
    if target is None:
        raise Invalid("This case is at the top level already.")
    level, role = target
    asking.pass_up_requests(case, at, why)
    case.refresh_from_db(fields=["level", "level_since", "version", "route_reasons"])
    if case.level < level:
        asking.raise_level(case, level, at, why, by)
    authority = _authority(case)
    new = asking.asked_now(case) or _person(case, role, authority)
    if new is None:
        record(case, [Entry(kind="nobody", summary=f"Nobody holds the role {role}; operations are told.")], at=at)
        notifications.nobody(case, role)
        return
    if authority is None or authority.user_id != new.pk:
        handoffs.replace_duty(case, new, CasePerson.AUTHORITY, "A", at, accepted=False)
    notes = {"tried": tried, "open_points": open_points, "ask": ask}
    handoffs.send(case, to=new, at=at, by=by, role=role, duty=CasePerson.AUTHORITY, why=why, **notes)
    notifications.escalated(case, why)


def _person(case: Escalation, role: str, current: CasePerson | None) -> User | None:
    """Who holds the next role; never the person who did not decide."""
    exclude = (current.user_id,) if current else ()
    fallback = {states.DIRECTOR: ["director"], states.EXECUTIVE: ["executive-sponsor", "cro"]}.get(case.level, [])
    return routing.holder([role, *fallback], case.account, case.owner, exclude)
