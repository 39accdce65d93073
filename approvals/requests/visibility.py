"""Who sees which requests, as a query. Lists of one person and of hundreds of people need opposite ways to find them."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from accounts.models import Account, Role, User
from accounts.people.models import kept
from ledger.counts import counts_of

if TYPE_CHECKING:
    from approvals.requests.models import RequestQuerySet

Rows: TypeAlias = QuerySet[Any]  # of seats or accounts

# With so many people below them, or seats of their own, a person sees so large a part of all requests that a page is
# filled soonest by going through the requests in their order. For others they are found by the rows that name the person.
LARGE_TREE, MANY_SEATS = 100, 1_000


def parts(user: User, *, scans: bool, known: Rows, stood_in: Rows | None) -> list[Q]:
    """The rule of `visible_to` in parts: a person sees a request if one of them is true. `known` are the seats that let
    the person see it, `stood_in` those of people they stand in for. If `scans`, each part looks at the rows of one
    request; otherwise it finds the requests by the rows of the person.
    """

    def related(rows: Rows, theirs: str, own: str) -> Q:
        if scans:
            # Not EXISTS: PostgreSQL turns that into a set of all ids, which it builds first.
            one = rows.filter(**{theirs: OuterRef(own)}).order_by().values("pk")[:1]
            return Q(IsNull(Subquery(one), False))
        return Q(**{f"{own}__in": rows.order_by().values(theirs)})

    part = [Q(requester=user), Q(decided_by=user), related(known, "request", "pk")]
    if stood_in is not None:
        part.append(related(stood_in, "request", "pk"))
    if user.sees == Role.ALL:
        return [Q(confidential=False), *part]
    people = user.tree if user.sees == Role.TREE else [user.pk]
    accounts = Account.objects.filter(Q(csm__in=people) | Q(ae__in=people))
    of_team = (Q(requester__in=people), related(accounts, "pk", "account"))
    return [*part, *(Q(confidential=False) & each for each in of_team)]


def scans(user: User, seats: Rows) -> bool:
    """Whether to go through the requests; `seats` are those of the person."""
    if user.sees == Role.TREE:
        return len(user.tree_ids) >= LARGE_TREE
    return user.sees == Role.ALL or kept(user, "has_many_seats", seats[MANY_SEATS:].exists)


def count(rows: "RequestQuerySet", user: User) -> int:
    """How many of these requests the person may see. For those who see all but a few confidential ones: all without those few,
    because asking for each of a hundred thousand takes longer than a page."""
    if user.is_superuser or user.sees != Role.ALL:
        return rows.visible_to(user).count()
    confidential = rows.filter(confidential=True)
    found = counts_of({"all": rows, "hidden": confidential, "seen": confidential.visible_to(user)})
    return found["all"] - found["hidden"] + found["seen"]
