"""Who would approve for themselves: the parties of a request, and everybody who must not decide it."""

from collections.abc import Collection, Iterable
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db.models import Q

from accounts.models import User
from approvals.models import ApprovalRequest, Delegation
from approvals.requests.rules.conflicts import Party, plain, why_not


def conflict(request: ApprovalRequest, user: User, at: datetime) -> str:
    """Why this person must not decide this request; empty when they may, as far as self-approval goes."""
    people = _with_owners({user.pk, request.requester_id, request.beneficiary_id})
    parties = _parties(people, at)
    return _why(parties, user.pk, request.requester_id, request.beneficiary_id)


def barred(requester: User, beneficiary: User | None, at: datetime) -> dict[int, str]:
    """Everybody who must not decide what these two ask for, with the reason."""
    gains = beneficiary.pk if beneficiary else None
    core = _with_owners({requester.pk, gains})
    ids = {user.pk for user in core}
    parties = _parties(_with_owners(ids | _suspects(core, ids, at)), at)
    reasons = {pk: _why(parties, pk, requester.pk, gains) for pk in parties}
    return {pk: why for pk, why in reasons.items() if why}


def _why(parties: dict[int, Party], user: int, requester: int, beneficiary: int | None) -> str:
    gains = parties.get(beneficiary or 0)
    return why_not(parties[user], parties[requester], gains, owners=parties.values())


def _with_owners(ids: Collection[int | None]) -> list[User]:
    """The people, and whoever answers for the services among them."""
    found = list(User.objects.filter(pk__in=[pk for pk in ids if pk]))
    owners = {user.manager_id for user in found if user.kind == User.SERVICE} - {user.pk for user in found}
    return [*found, *User.objects.filter(pk__in=[pk for pk in owners if pk])]


def _suspects(core: Iterable[User], ids: set[int], at: datetime) -> set[int]:
    """Aliases, owned services, managers and stand-ins of the core."""
    found = set(User.objects.filter(kind=User.SERVICE, manager__in=ids).values_list("pk", flat=True))
    found |= {user.manager_id for user in core if user.manager_id}
    found |= set(Delegation.objects.in_force(at).filter(user__in=ids).values_list("to", flat=True))
    mailboxes = {address for addresses in _addresses(core).values() for address in addresses}
    if mailboxes:
        found |= set(User.objects.filter(_any_of(mailboxes)).values_list("pk", flat=True))
        verified = EmailAddress.objects.filter(_any_of(mailboxes), verified=True)
        found |= set(verified.values_list("user", flat=True))
    return found


def _any_of(mailboxes: Iterable[str]) -> Q:
    wanted = Q()
    for mailbox in mailboxes:
        local, _, domain = mailbox.rpartition("@")
        wanted |= Q(email__iexact=mailbox) | Q(email__istartswith=f"{local}+", email__iendswith=f"@{domain}")
    return wanted


def _addresses(users: Iterable[User]) -> dict[int, set[str]]:
    found = {user.pk: {plain(user.email)} for user in users}
    for pk, address in EmailAddress.objects.filter(user__in=list(found), verified=True).values_list("user", "email"):
        found[pk].add(plain(address))
    return found


def _parties(users: Iterable[User], at: datetime) -> dict[int, Party]:
    people = list(users)
    addresses = _addresses(people)
    delegators: dict[int, set[int]] = {}
    for to, user in Delegation.objects.in_force(at).filter(to__in=people).values_list("to", "user"):
        delegators.setdefault(to, set()).add(user)
    return {
        user.pk: Party(
            id=user.pk,
            name=str(user),
            addresses=frozenset(addresses[user.pk]),
            manager=user.manager_id,
            service=user.kind == User.SERVICE,
            delegators=frozenset(delegators.get(user.pk, ())),
        )
        for user in people
    }
