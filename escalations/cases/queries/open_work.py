"""What is open and names a person: read before the person is deactivated, and empty once all of it has moved on."""

from typing import NamedTuple

from django.db.models import Model, Q, QuerySet

from accounts.models import Account, User
from approvals.absence import leaving as decisions
from approvals.models import CalendarFeed, Delegation, Seat
from escalations import states
from escalations.models import Action, CasePerson, Commitment, Escalation, HandOff, Review, SharedThread
from ledger.now import now

UNDONE = (Action.OPEN, Action.BLOCKED)


class Kind(NamedTuple):
    """One kind of open work, how many pieces of it name the person, and where they go."""

    label: str
    number: int
    goes_to: str


def cases_of(user: User, *, of: int | None = None) -> list[int]:
    """The ids of the cases on which something open names the person, in order; `of`: of this case alone."""
    found: set[int] = set()
    for rows, path in _on_cases(user):
        found.update((rows if of is None else rows.filter(**{path: of})).order_by().values_list(path, flat=True))
    return sorted(found)


def _on_cases(user: User) -> list[tuple[QuerySet[Model], str]]:
    opened = {"case__state__in": states.OPEN}
    return [
        (Escalation.objects.open().filter(owner=user), "pk"),
        (CasePerson.objects.filter(user=user, **opened), "case"),
        (HandOff.objects.filter(to_user=user, state=HandOff.WAITING, **opened), "case"),
        (Action.objects.filter(owner=user, state__in=UNDONE), "case"),
        (Commitment.objects.filter(owner=user, state=Commitment.OPEN, case__isnull=False), "case"),
        (Review.objects.filter(reviewer=user, state=Review.OPEN), "case"),
    ]


def of(user: User) -> list[Kind]:
    """All kinds that name the person now, without those of which there are none."""
    owned, people, handed, actions, _, reviews = (rows.count() for rows, _ in _on_cases(user))
    at = now()
    promised = Commitment.objects.filter(owner=user, state=Commitment.OPEN).count()
    absences = Delegation.objects.filter(decisions.delegations_of(user, at)).count()
    feeds = CalendarFeed.objects.filter(Q(user=user) | Q(stand_in=user)).count()
    manager = "the manager"
    kinds = [
        Kind("Open cases owned", owned, f"the matrix, else {manager}, else Needs an owner"),
        Kind("Names on open cases", people, "the next person for the duty"),
        Kind("Hand-offs to answer", handed, f"the matrix, else {manager}"),
        Kind(
            "Decisions",
            Seat.objects.filter(decisions.seats_of(user)).count(),
            "the next holder of the role, else higher",
        ),
        Kind("Actions", actions, f"the owner of the case, else {manager}"),
        Kind("Commitments", promised, f"the owner of the case, else {manager}"),
        Kind("Reviews", reviews, f"the owner of the case, else {manager}"),
        Kind("Stand-ins and their calendars", absences + feeds, "they end"),
        Kind("Threads as external party", SharedThread.objects.filter(party=user, ended_at=None).count(), "they end"),
        Kind("Accounts as CSM or AE", Account.objects.filter(Q(csm=user) | Q(ae=user)).count(), manager),
        Kind("People who report here", User.objects.filter(manager=user).count(), manager),
    ]
    return [kind for kind in kinds if kind.number]
