"""Reads about people that every app above may ask. Nothing here writes."""

from collections.abc import Collection, Iterator

from accounts.customers.models import Account
from accounts.people.models import User


def best_holder(
    role_slug: str, *, account: Account | None = None, near: User | None = None, exclude: Collection[int] = ()
) -> User | None:
    """The person to turn to for a role. None when nobody may.

    The account's own CSM or AE; else the nearest manager of the account's CSM, of its AE, then of `near` who holds the
    role; else the active holder with the lowest id.
    """
    own = _own_person(role_slug, account)
    if own and own.is_active and own.kind == User.PERSON and own.pk not in exclude:
        return own
    people = User.objects.holding([role_slug]).filter(kind=User.PERSON)
    holders = {user.pk: user for user in people if user.pk not in exclude}
    if not holders:
        return None
    anchors = [account.csm if account else None, account.ae if account else None, near]
    for manager_id in (pk for anchor in anchors if anchor for pk in _managers(anchor)):
        if manager_id in holders:
            return holders[manager_id]
    return next(iter(holders.values()))


def _own_person(role_slug: str, account: Account | None) -> User | None:
    if account is None:
        return None
    return {"csm": account.csm, "ae": account.ae}.get(role_slug)


def _managers(person: User) -> Iterator[int]:
    seen, manager_id = {person.pk}, person.manager_id
    while manager_id and manager_id not in seen:
        seen.add(manager_id)
        yield manager_id
        manager_id = User.objects.filter(pk=manager_id).values_list("manager_id", flat=True).first()
