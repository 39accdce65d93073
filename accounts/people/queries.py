"""Reads about people for all apps above. Nothing here writes."""

from collections.abc import Collection, Iterator

from accounts.customers.models import Account
from accounts.people.models import Role, RoleHolding, User
from ledger.now import now


def best_holder(
    role_slug: str, *, account: Account | None = None, near: User | None = None, exclude: Collection[int] = ()
) -> User | None:
    """The person for a role. None if there is nobody. For a role whose person is named on the account, that person;
    else the nearest manager of the account's CSM, of its AE, then of `near` who holds the role; else the active holder
    with the lowest id.
    """
    found = RoleHolding.objects.in_force(now()).filter(
        role__slug=role_slug, user__is_active=True, user__kind=User.PERSON
    )
    holdings = list(found.select_related("user", "role").order_by("user_id"))
    own = person_of(holdings[0].role, account) if holdings else None
    if own and own.is_active and own.kind == User.PERSON and own.pk not in exclude:
        return own
    return nearest([holding.user for holding in holdings if holding.user_id not in exclude], account, near)


def nearest(holders: Collection[User], account: Account | None, near: User | None = None) -> User | None:
    """Of the people who hold a role: the nearest manager of the account's CSM, of its AE, then of `near`; else the
    lowest id."""
    by_id = {user.pk: user for user in holders}
    if len(by_id) > 1:
        anchors = [account.csm if account else None, account.ae if account else None, near]
        for manager_id in (pk for anchor in anchors if anchor for pk in _managers(anchor)):
            if manager_id in by_id:
                return by_id[manager_id]
    return by_id[min(by_id)] if by_id else None


def may_decide_as(role: Role, account: Account | None) -> list[User]:
    """All active people who may decide in the role for the account, in order of their ids. For a role whose person is
    named on the account, only that person, never a colleague of another account."""
    if role.account_person:
        own = person_of(role, account)
        return [own] if own and own.is_active and own.has_role(role.slug) else []
    return list(User.objects.holding([role.slug]).filter(kind=User.PERSON))


def person_of(role: Role, account: Account | None) -> User | None:
    """The person named on the account for the role; None if the role is not named on accounts."""
    if account is None or not role.account_person:
        return None
    return account.csm if role.account_person == Role.CSM else account.ae


def _managers(person: User) -> Iterator[int]:
    seen, manager_id = {person.pk}, person.manager_id
    while manager_id and manager_id not in seen:
        seen.add(manager_id)
        yield manager_id
        manager_id = User.objects.filter(pk=manager_id).values_list("manager_id", flat=True).first()
