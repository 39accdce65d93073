"""A person leaves, or becomes an external party: nothing goes on waiting for that person."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

from django.contrib.sessions.models import Session
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from rest_framework.authtoken.models import Token

from accounts.customers import accounts
from accounts.events import person_left
from accounts.models import Account, Departure, MovedOn, Role, RoleHolding, User
from accounts.people.queries import Managers
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.locks import is_collision, is_locked
from ledger.now import now

log = logging.getLogger(__name__)
# Pieces of work of one kind that one pass moves, each in its own transaction. A page waits for one pass; the engine continues.
AT_ONCE = 20
Ids = Sequence[int] | QuerySet[Any, int]


@transaction.atomic
def deactivate(*, user_id: int, by: User) -> Departure:
    """Record that a person has left: no sign-in, no sessions, no API token. `move_on` then moves the person's work.

    Raises NotAllowed unless `by` works in operations (for an administrator: is one), Invalid for oneself, the last active
    administrator or the last person of operations, AlreadyDone for a person who is not active.
    """
    user = _locked(user_id, by)
    if why := why_not(user, by):
        raise Invalid(why)
    user.is_active = False
    user._history_user = by  # type: ignore[attr-defined]
    user.save(update_fields=["is_active"])
    end_access(user)
    return Departure.objects.create(user=user, by=by, at=now())


@transaction.atomic
def make_external(*, user_id: int, role: Role, by: User) -> Departure:
    """Make a colleague an external party: all other roles, the sessions and the API token end, and `role` is held from now
    on. `move_on` then moves the person's work, as for somebody who left.

    Raises NotAllowed like `deactivate`; Invalid for a role that is not one of external parties, a service, an administrator,
    oneself and the last person of operations; AlreadyDone for a person who is not active or is an external party.
    """
    user, at = _locked(user_id, by), now()
    if user.is_external:
        raise AlreadyDone(f"{user} is an external party already.")
    if why := why_not_external(user, by):
        raise Invalid(why)
    if role.sees != Role.SHARED:
        raise Invalid(f"{role} is not a role of external parties.", field="role")
    user.is_staff = False
    user._history_user = by  # type: ignore[attr-defined]
    user.save(update_fields=["is_staff"])
    # What has not begun was never used, so nothing refers to it.
    user.holdings.filter(starts__gte=at).delete()
    user.holdings.in_force(at).update(ends=at)
    RoleHolding.objects.create(user=user, role=role, starts=at)
    end_access(user)
    return Departure.objects.create(user=user, by=by, at=at, kind=Departure.EXTERNAL)


def _locked(user_id: int, by: User) -> User:
    """The active person, locked together with all who run the desk, so that the last two cannot go at the same time."""
    running = User.objects.filter(Q(is_superuser=True) | Q(holdings__role__operations=True) | Q(pk=user_id))
    locked = User.objects.select_for_update(no_key=True).filter(pk__in=running.order_by().values("pk")).order_by("pk")
    user = next(each for each in locked if each.pk == user_id)
    check_may(user, by)
    if not user.is_active:
        raise AlreadyDone(f"{user} is not active any more.")
    return user


def check_may(user: User, by: User) -> None:
    """Raise NotAllowed unless `by` may deactivate and reactivate this person."""
    if not by.is_ops:
        raise NotAllowed("Only Operations can deactivate or reactivate people.")
    if user.is_superuser and not by.is_superuser:
        raise NotAllowed("Only an administrator can deactivate or reactivate an administrator.")


def why_not(user: User, by: User) -> str:
    """Why the person must stay; empty if nothing speaks against it."""
    if user.pk == by.pk:
        return "You cannot deactivate yourself. Ask another administrator."
    if is_last_administrator(user):
        return f"{user} is the last active administrator. Appoint another one first."
    operations = Role.objects.filter(operations=True).values_list("slug", flat=True)
    if user.has_role(*operations) and not _others(user).filter(pk__in=User.objects.holding(operations)).exists():
        return f"{user} is the last active person of operations. Give somebody else the role first."
    return ""


def why_not_external(user: User, by: User) -> str:
    """Why the person cannot become an external party; empty if nothing speaks against it."""
    if user.pk == by.pk:
        return "You cannot make yourself an external party. Ask another person of operations."
    if user.kind == User.SERVICE:
        return f"{user} is a service. Only people are external parties."
    if user.is_superuser:
        return f"{user} is an administrator. Remove the admin rights first."
    return why_not(user, by)


def is_last_administrator(user: User) -> bool:
    """Whether nobody else could administer the desk."""
    return user.is_superuser and not _others(user).filter(is_superuser=True).exists()


def _others(user: User) -> QuerySet[User]:
    """The other people who can sign in; a service is none."""
    return User.objects.filter(is_active=True, kind=User.PERSON).exclude(pk=user.pk)


def end_access(user: User) -> None:
    """End the sessions and the API token of a person."""
    Token.objects.filter(user=user).delete()
    ours = [
        session.pk
        for session in Session.objects.filter(expire_date__gt=now()).iterator()
        if session.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    Session.objects.filter(pk__in=ours).delete()


@transaction.atomic
def reactivate(*, user_id: int, by: User) -> User:
    """Let a person sign in again, with the roles that are still in force. What has moved on stays where it is.

    Raises NotAllowed like `deactivate`, AlreadyDone for an active person.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    check_may(user, by)
    if user.is_active:
        raise AlreadyDone(f"{user} is active.")
    user.is_active = True
    user._history_user = by
    user.save(update_fields=["is_active"])
    _returned(user.departures.filter(kind=Departure.LEFT))
    return user


def _returned(departures: QuerySet[Departure]) -> None:
    at = now()
    departures.filter(finished_at=None).update(finished_at=at)
    departures.filter(returned_at=None).update(returned_at=at)


def move_on(departure: Departure, *, most: int = AT_ONCE) -> int:
    """Move a part of the work of a person who left: at most `most` pieces of each kind, each in its own transaction.
    Returns how many were moved; the pass that finds nothing left tells operations and the managers, and returns 0.

    It may be interrupted at any moment and called again, also by several processes at once.
    """
    if departure.finished_at:
        return 0
    # The account's team first: the people of a case follow from it.
    if moved := _accounts(departure, most):
        return moved
    answers = person_left.send(sender=User, departure=departure, most=most, finished=False)
    moved = sum(cast(int, count) for _, count in answers)
    if not moved:
        _finish(departure)
    return moved


def follow(*, most: int = AT_ONCE) -> int:
    """Continue with the person who left first and whose work still moves; returns how many pieces were moved. A person who
    was made inactive, or whose last other role ended beside one of an external party, without these verbs is treated alike."""
    _find_overlooked()
    departure = Departure.objects.filter(finished_at=None).select_related("user").order_by("pk").first()
    return move_on(departure, most=most) if departure else 0


def _find_overlooked() -> None:
    open_ones = Departure.objects.filter(user=OuterRef("pk"), returned_at=None)
    for user in User.objects.filter(~Exists(open_ones.filter(kind=Departure.LEFT)), is_active=False):
        with transaction.atomic():
            end_access(user)
            _note_departure(user, Departure.LEFT)
    outside = User.objects.external().filter(is_active=True)
    for user in outside.filter(~Exists(open_ones.filter(kind=Departure.EXTERNAL))):
        with transaction.atomic():
            Token.objects.filter(user=user).delete()
            _note_departure(user, Departure.EXTERNAL)
    back = Departure.objects.filter(kind=Departure.EXTERNAL, returned_at=None, user__is_active=True)
    if ids := list(back.exclude(user__in=User.objects.external()).values_list("pk", flat=True)):
        _returned(Departure.objects.filter(pk__in=ids))


def _note_departure(user: User, kind: str) -> None:
    Departure.objects.bulk_create([Departure(user=user, at=now(), kind=kind)], ignore_conflicts=True)


def heir(user: User) -> User | None:
    """The nearest active manager above a person."""
    above = list(Managers().above([user.pk]))
    found = User.objects.filter(pk__in=above, is_active=True, kind=User.PERSON).in_bulk()
    return next((found[pk] for pk in above if pk in found and not found[pk].is_external), None)


def note(departure: Departure, *, what: str, url: str, to: User | None, state: str = "") -> None:
    """Keep where one piece of work went, in the transaction that moves it. Without `to` it needs somebody, unless `state`
    says otherwise."""
    state = state or (MovedOn.MOVED if to else MovedOn.NEEDS_SOMEBODY)
    MovedOn.objects.create(departure=departure, what=what[:200], url=url[:200], to=to, state=state, at=now())


def each_piece(
    departure: Departure, ids: Ids, url: Callable[[int], str], move: Callable[[int], None], *, most: int
) -> int:
    """Call `move` for the first `most` ids, each in a transaction of its own; returns how many were tried, so 0 means that
    nothing is left.

    One that fails is noted with its address and not tried again, nor is one that needs somebody. One that met another process
    is tried again by the next pass; so `move` looks again once it holds its lock.
    """
    settled = _settled(departure)
    left = [pk for pk in ids[: most + len(settled)] if not any(_covers(url(pk), at) for at in settled)][:most]
    for pk in left:
        try:
            with transaction.atomic():
                move(pk)
        except ObjectDoesNotExist:
            log.info("The work of user %s at %s was gone", departure.user_id, url(pk))
        except Exception as error:
            if is_locked(error) or is_collision(error):
                log.warning("The work of user %s at %s waits for another process", departure.user_id, url(pk))
                continue
            log.exception("The work of user %s could not move on at %s", departure.user_id, url(pk))
            note(departure, what="See the log of the server", url=url(pk), to=None, state=MovedOn.FAILED)
    return len(left)


def _covers(url: str, at: str) -> bool:
    """Whether something at this address is part of the piece of work at `url`."""
    return at == url or (url.endswith("/") and at.startswith(url))


def _settled(departure: Departure) -> set[str]:
    """The addresses of the work that could not be moved, or that nobody can take."""
    found = departure.moved.filter(state__in=(MovedOn.FAILED, MovedOn.NEEDS_SOMEBODY))
    return set(found.values_list("url", flat=True))


def _accounts(departure: Departure, most: int) -> int:
    user = departure.user
    named = Account.objects.filter(Q(csm=user) | Q(ae=user)).order_by("pk").values_list("pk", flat=True)
    to = heir(user)

    def move(pk: int) -> None:
        account = Account.objects.select_for_update().get(pk=pk)
        for field, label in (("csm", "CSM"), ("ae", "account executive")):
            if getattr(account, f"{field}_id") == user.pk:
                setattr(account, field, to)
                note(departure, what=f"{account.name}: {label}", url=_url(pk), to=to)
        accounts.save(account, by=departure.by)

    return each_piece(departure, named, _url, move, most=most) or _reports(departure, to)


def _url(account_id: int) -> str:
    return reverse("accounts:detail", args=[account_id])


@transaction.atomic
def _reports(departure: Departure, to: User | None) -> int:
    """The people who reported to the person report to the next manager, so that the chain above them has no gap."""
    people = User.objects.select_for_update(no_key=True).filter(manager=departure.user).order_by("pk")
    for person in people:
        person.manager = to
        person._history_user = departure.by
        person.save(update_fields=["manager"])
        note(departure, what=f"Manager of {person.name}", url=page_of(person), to=to)
    return len(people)


def page_of(user: User) -> str:
    """The page on which a person is deactivated, and on which it then stands what moved."""
    return f"/people/{user.pk}/leaving/"


@transaction.atomic
def _finish(departure: Departure) -> None:
    at = now()
    if not Departure.objects.filter(pk=departure.pk, finished_at=None).update(finished_at=at):
        return
    departure.finished_at = at
    if departure.kind == Departure.EXTERNAL and departure.by is None and not departure.moved.exists():
        return  # a new external party, who never was a colleague
    person_left.send(sender=User, departure=departure, most=0, finished=True)
