"""Reads about people for all apps above. Nothing here writes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from django.db import connection

from accounts.customers.models import Account
from accounts.people.models import Role, RoleHolding, User
from ledger.now import now


class Managers:
    """The managers above people. The whole line above a person is read at once and kept."""

    def __init__(self) -> None:
        self._manager: dict[int, int | None] = {}

    def above(self, people: Iterable[int | None]) -> Iterator[int]:
        """The managers above these people (ids, None is left out), person by person, the nearest first."""
        known = [pk for pk in people if pk is not None]
        self._read([pk for pk in known if pk not in self._manager])
        for pk in known:
            seen, manager_id = {pk}, self._manager.get(pk)
            while manager_id and manager_id not in seen:
                yield manager_id
                seen.add(manager_id)
                manager_id = self._manager.get(manager_id)

    def _read(self, people: list[int]) -> None:
        if not people:
            return
        first = ", ".join(["%s"] * len(people))
        with connection.cursor() as cursor:
            # UNION ends a circle of managers.
            cursor.execute(
                f"WITH RECURSIVE line(id, manager_id) AS (SELECT id, manager_id FROM accounts_user WHERE id IN ({first}) UNION "  # noqa: S608  only placeholders
                "SELECT person.id, person.manager_id FROM accounts_user person JOIN line ON person.id = line.manager_id) "
                "SELECT id, manager_id FROM line",
                people,
            )
            self._manager.update(cursor.fetchall())


class Holders:
    """Who holds these roles now, and who is above whom. Each is read once, for any number of roles."""

    def __init__(self, role_slugs: Collection[str], managers: Managers) -> None:
        self._holders: dict[str, list[int]] = defaultdict(list)
        self._account_person: dict[str, str] = {}
        self._managers = managers
        found = (
            RoleHolding.objects.in_force(now())
            .filter(role__slug__in=role_slugs, user__is_active=True, user__kind=User.PERSON)
            .exclude(role__sees=Role.SHARED)
        )
        rows = found.order_by("user_id").values_list("role__slug", "role__account_person", "user_id")
        for slug, account_person, user_id in rows:
            self._account_person[slug] = account_person
            self._holders[slug].append(user_id)

    def best(
        self,
        role_slug: str,
        *,
        account: Account | None = None,
        near: int | None = None,
        exclude: Collection[int] = (),
    ) -> int | None:
        """The id of the person for a role; see `best_holder`."""
        own = _named(account, self._account_person.get(role_slug, ""))
        if own and own.is_active and own.kind == User.PERSON and own.pk not in exclude:
            return own.pk
        return _nearest([pk for pk in self._holders[role_slug] if pk not in exclude], account, near, self._managers)


def best_holder(
    role_slug: str, *, account: Account | None = None, near: User | None = None, exclude: Collection[int] = ()
) -> User | None:
    """The person for a role. None if there is nobody. For a role whose person is named on the account, that person;
    else the nearest manager of the account's CSM, of its AE, then of `near` who holds the role; else the active holder
    with the lowest id.
    """
    found = Holders([role_slug], Managers()).best(
        role_slug, account=account, near=near.pk if near else None, exclude=exclude
    )
    return User.objects.get(pk=found) if found else None


def nearest(
    holders: Collection[User], account: Account | None, near: User | None = None, managers: Managers | None = None
) -> User | None:
    """Of the people who hold a role: the nearest manager of the account's CSM, of its AE, then of `near`; else the
    lowest id. `managers`: what the caller has read of them."""
    by_id = {user.pk: user for user in holders}
    found = _nearest(by_id, account, near.pk if near else None, managers or Managers())
    return by_id[found] if found else None


def _nearest(holders: Collection[int], account: Account | None, near: int | None, managers: Managers) -> int | None:
    if len(holders) > 1:
        anchors = [account.csm_id if account else None, account.ae_id if account else None, near]
        for manager_id in managers.above(anchors):
            if manager_id in holders:
                return manager_id
    return min(holders, default=None)


def may_decide_as(role: Role, account: Account | None) -> list[User]:
    """All active people who may decide in the role for the account, in order of their ids. For a role whose person is
    named on the account, only that person, never a colleague of another account."""
    if role.account_person:
        own = person_of(role, account)
        return [own] if own and own.is_active and own.has_role(role.slug) else []
    return list(User.objects.holding([role.slug]).filter(kind=User.PERSON))


def person_of(role: Role, account: Account | None) -> User | None:
    """The person named on the account for the role; None if the role is not named on accounts."""
    return _named(account, role.account_person)


def _named(account: Account | None, account_person: str) -> User | None:
    if account is None or not account_person:
        return None
    return account.csm if account_person == Role.CSM else account.ae
