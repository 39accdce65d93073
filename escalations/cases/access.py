"""A person's role on a case, and the check of every writing verb."""

from django.db.models import Exists

from accounts.models import Role, User
from escalations.cases.log import locking
from escalations.cases.rules.permissions import Standing, may, who_may
from escalations.models import CasePerson, Escalation
from ledger.errors import NotAllowed

OUTSIDE = "External parties write only in the threads that are shared with them."


def standing(case: Escalation, user: User) -> Standing:
    """The person's role on the case; one query for the duties."""
    people = [person for person in case.people.all() if person.user_id == user.pk]
    duties = {person.duty for person in people}
    return Standing(
        owner=case.owner_id == user.pk,
        authority=CasePerson.AUTHORITY in duties,
        communication=CasePerson.COMMUNICATION in duties,
        named=bool(people),
        opened=case.opened_by_id == user.pk,
        account_team=user.pk in (case.account.csm_id, case.account.ae_id),
        senior=user.sees in (Role.TREE, Role.ALL) and user.is_senior,
        ops=user.is_ops,
    )


def decides(case: Escalation, user: User) -> bool:
    """Whether a role that the person holds now decides at the level of the case."""
    ladder = case.policy.ladder
    return max((ladder.rank_of(role.level) for role in user.roles), default=0) >= case.level


def check(case: Escalation, user: User, verb: str) -> None:
    """Raise NotAllowed, saying who may, unless the person may do this on the case."""
    if user.is_external or not may(verb, standing(case, user)):
        raise NotAllowed(f"You cannot do this on {case.key}. Allowed: {who_may(verb)}.")


def check_inside(user: User) -> None:
    """Raise NotAllowed for an external party, in verbs that everybody of our company may use on a case they see."""
    if user.is_external:
        raise NotAllowed(OUTSIDE)


def lock_inside(case_id: int, by: User) -> Escalation:
    """The case, locked for a verb that everybody of our company may use on it; the person is read in the same statement.
    Raises NotAllowed for an external party."""
    outside = Exists(User.objects.external().filter(pk=by.pk))
    case = locking().annotate(by_external_party=outside).get(pk=case_id)
    if case.by_external_party:
        raise NotAllowed(OUTSIDE)
    return case


def abilities(case: Escalation, user: User) -> dict[str, bool]:
    """Verb → allowed, for pages and the API."""
    how = standing(case, user)
    verbs = "customer_update decide status hand_off roles escalate pause ask brief action execute resolve review close reopen"
    return {
        verb: may(verb, how) for verb in [*verbs.split(), "withdraw", "duplicate", "share", "move_message", "contact"]
    }
